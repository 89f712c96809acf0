"""The conductor: runs the sources, has each page committed, hands on what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from contextlib import nullcontext, suppress
from datetime import datetime
from operator import attrgetter
from typing import TYPE_CHECKING, assert_never

import msgspec

from smwatch.events.event import Arrival
from smwatch.events.scope import in_scope
from smwatch.journal import Journal, JournalCorruptError, JournalError
from smwatch.monitor.decisions import Decisions
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.handing import Handing, apart
from smwatch.monitor.keeper import RETRY_SECONDS, Keeper
from smwatch.monitor.knowledge import Knowledge
from smwatch.monitor.past import Past
from smwatch.monitor.reading import Reading
from smwatch.monitor.upkeep import Upkeep
from smwatch.sources.source import Page, Source, State, Status

if TYPE_CHECKING:
    from smwatch.monitor.anew import Anew

_KEY = attrgetter("event.key")
FOREIGN_SECONDS = 2.0
LAST_CHANCE = 0.5
"""Seconds for which somebody who ends it may be kept by what could not be written before."""


class Monitor:
    """Runs every source as a supervised task; the only writer of the journal.

    `deliver` is awaited for one delivery at a time, after its events are committed. `selects` says which records beyond
    the two event sources of interest a rule wants. Everything else is left out.
    `alone` says that no screen shares the interpreter. With `decisions`, those taken elsewhere are handed on. `anew`
    makes what judges again all that this store's engine has judged; without it what was wrong about names stays so.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        deliver: Callable[[Delivery], Awaitable[None]],
        selects: Callable[[Arrival], bool],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        alone: bool = False,
        decisions: Decisions | None = None,
        anew: Callable[[], Anew] | None = None,
        knowledge: Knowledge | None = None,
        upkeep: Upkeep | None = None,
    ) -> None:
        self.journal = journal
        self._decisions = decisions
        knowledge = knowledge or Knowledge()
        self._watching = knowledge.watching
        self._upkeep = upkeep or Upkeep()
        self._selects = selects
        self._now = now
        self._sleep = sleep
        self._reading = Reading(journal, knowledge.reader)
        self._handing = Handing(self._reading, deliver=deliver, sleep=sleep, alone=alone)
        self._turn = asyncio.Lock()
        self._newest: dict[str, datetime] = {}
        self._told: dict[str, Status] = {}
        """What each source said last."""
        self._complete_to: dict[str, datetime | None] = {}
        """How far each source was complete when the journal last held all that proves it."""
        self._keeper = Keeper(
            journal,
            report=self._report_journal,
            now=now,
            sleep=sleep,
            limit=self._upkeep.capacity,
            marks=self._complete_to,
        )
        self.past = Past(
            journal,
            self._reading,
            self._handing,
            self._keeper,
            self._watching,
            turn=self._turn,
            now=now,
            upkeep=self._upkeep,
            anew=anew,
        )
        """What the journal held already, to be handed on before anything is followed."""

    async def follow(self, sources: Sequence[Source]) -> None:
        """Run until cancelled, or until every source has come to its own end."""
        try:
            async with asyncio.TaskGroup() as tasks:
                housekeeping = [
                    tasks.create_task(work())
                    for work in (self._housekeep, self._watch_others, self._write_held, self._mend)
                ]
                following = [tasks.create_task(self._supervise(source)) for source in sources]
                await asyncio.wait(following)
                for task in housekeeping:
                    task.cancel()
        except asyncio.CancelledError:
            with suppress(TimeoutError):
                async with asyncio.timeout(LAST_CHANCE):
                    await self.keep_held()
            raise
        await self.keep_held()

    async def read_once(self, sources: Sequence[Source], *, together: bool = False) -> dict[str, Status]:
        """Read everything up to now from every source; returns the last word of each.

        `together` says that nobody waits for each alarm: they are worked out for many events together.
        """
        last: dict[str, Status] = {}

        async def read(source: Source) -> None:
            try:
                async for item in source.read_once(await self._keeper.coverage(source.name)):
                    if isinstance(item, Status):
                        last[source.name] = item
                    await self.take(item)
            finally:
                await source.close()

        async with self._handing.together() if together else nullcontext(), asyncio.TaskGroup() as tasks:
            for source in sources:
                tasks.create_task(read(source))
        await self.keep_held()
        await self.past.judge_anew()
        return last

    # -- one source

    async def _supervise(self, source: Source) -> None:
        """Follow a source to its end; expected trouble is its to report, anything else a bug: said and survived."""
        try:
            items = source.follow(await self._keeper.coverage(source.name))
            while True:
                try:
                    item = await anext(items)
                except StopAsyncIteration:
                    return
                except Exception as error:  # a bug in one source must not end the watch over the others
                    await self._handing.deliver(Delivery(statuses=(self._fault(source, error),)))
                    await self._sleep(RETRY_SECONDS)
                    items = source.follow(await self._keeper.coverage(source.name))
                else:
                    await self.take(item)
        finally:
            await source.close()

    def _fault(self, source: Source, error: Exception) -> Status:
        sentence = f"{type(error).__name__}: {error}".splitlines()[0]
        message = f"stopped by a fault in smwatch ({sentence}); starting again in {RETRY_SECONDS:.0f} s"
        return Status(source.name, source.label, State.FAILING, message, at=self._now())

    async def take(self, item: Page | Status) -> None:
        """Take in what a source says: a page is committed and what is new handed on, a status only that."""
        match item:
            case Page():
                await self._ingest(item)
            case Status():
                status = self._told[item.source] = self._proven(item)
                newest_at = self._newest.get(item.source)
                await self._handing.deliver(Delivery(statuses=(msgspec.structs.replace(status, newest_at=newest_at),)))
            case _:
                assert_never(item)

    def _proven(self, status: Status) -> Status:
        """The status, complete no further than the journal would say after a restart."""
        if self._keeper.proves(status.source, status.complete_to):
            self._complete_to[status.source] = status.complete_to
            return status
        said, proven = status.complete_to, self._complete_to.get(status.source)
        # A source that was started again may know of less than it did.
        complete_to = min(said, proven) if said and proven else None
        return msgspec.structs.replace(status, complete_to=complete_to, message=status.message or self._keeper.unproven)

    async def _ingest(self, page: Page) -> None:
        reader, set_right = self._reading.reader, self._reading.set_right
        with self._reading.begin() as arrivals:
            for start in range(0, len(page.found), self._handing.slice):
                if start:
                    await self._handing.rest()
                for found in page.found[start : start + self._handing.slice]:
                    at = found.at or page.undated_at
                    arrival = reader.read(found.raw, seen_by=page.seen_by, seen_at=page.seen_at, at=at)
                    if in_scope(arrival.event) or self._selects(arrival):
                        arrivals.append(arrival)
                    if reader.renames:
                        set_right()
            if not (arrivals or page.settled or page.gaps or page.untrue or page.noted):
                return
            if arrivals:
                newest = max(arrivals, key=_KEY).event.at
                self._newest[page.source] = max(newest, self._newest.get(page.source, newest))
            async with self._turn:  # what is delivered keeps the order of the journal
                committed = await self._keeper.commit(page, arrivals)
                if page.receipt is not None and not self._keeper.forgetful:
                    # what a rule alone wants may be new because the rule is
                    fresh = (arrival for arrival in committed.arrivals if in_scope(arrival.event))
                    page.receipt.new = frozenset(arrival.raw for arrival in fresh)
                arrivals[:] = committed.arrivals
                seqs, waiting = apart(self._reading.stored(committed.foreign))
                self._reading.pair(arrivals)
                seqs += committed.seqs
                waiting += arrivals
                del committed
                arrivals.clear()
                watched = self._watching.here(page.source, page.settled) if page.settled is not None else ()
                await self._handing.events(seqs, waiting, ordered=True, watched=watched)

    async def _report_journal(self, state: State, message: str) -> None:
        await self._handing.journal_is(state, message, self._now())

    # -- beside the sources

    async def _watch_others(self) -> None:
        """Show what another smwatch puts into the same journal, and see whether there still is one."""
        while self.journal.path is not None:
            await self._sleep(FOREIGN_SECONDS)
            async with self._turn:
                try:
                    self._keeper.check()
                    settled, kept_from = self.past.settled()
                    foreign = self.journal.foreign()
                except JournalCorruptError as error:
                    await self._keeper.begin_anew(error)
                except JournalError:
                    continue  # the next commit says what is wrong
                else:
                    watched = self._watching.news(settled, kept_from)
                    await self._handing.events(*apart(self._reading.stored(foreign)), ordered=True, watched=watched)
                    await self._hand_on_decisions()
                    await self._keeper.tell_unreadable()

    async def _hand_on_decisions(self) -> None:
        """Hand on what was decided elsewhere, once the events that it is about have been."""
        with suppress(JournalError):  # the next commit says what is wrong
            if self._decisions is not None and (decided := self._decisions.news()) is not None:
                await self._handing.deliver(Delivery(decided=decided))

    async def _mend(self) -> None:
        """Judge anew whenever that is called for, but for a tenth of the time at most."""
        while True:
            await self._reading.mistaken()
            began = self._now()
            await self.past.judge_anew()
            took = max(0.0, (self._now() - began).total_seconds())
            await self._sleep(RETRY_SECONDS + 9 * took)

    async def _write_held(self) -> None:
        """Write what the journal could not take in when it came."""
        while self.journal.path is not None:
            await self._sleep(RETRY_SECONDS)
            await self.keep_held()

    async def keep_held(self) -> None:
        """Write now what the journal could not take in when it came, as far as it can, and hand it on."""
        async with self._turn:
            await self._handing.events(*apart(await self._keeper.retry()), ordered=True)

    async def _housekeep(self) -> None:
        await self._upkeep.keep_up(self.journal, self._service_times, now=self._now, sleep=self._sleep)

    def _service_times(self) -> list[datetime]:
        """What time it was when services last said so."""
        return [status.service_at for status in self._told.values() if status.service_at is not None]
