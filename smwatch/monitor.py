"""The conductor: runs the sources, has each page committed, hands on what is new."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from operator import attrgetter
from typing import TYPE_CHECKING, assert_never

import msgspec

from smwatch.change import Change
from smwatch.decisions import Decisions
from smwatch.events.event import Arrival
from smwatch.events.reader import Reader
from smwatch.events.scope import in_scope
from smwatch.events.secret import Secret
from smwatch.journal import Journal, JournalCorruptError, JournalError
from smwatch.keeper import RETRY_SECONDS, Keeper
from smwatch.reading import Reading
from smwatch.rules.alarm import Alarm, Decided
from smwatch.sources.source import Page, Source, State, Status
from smwatch.watched import Settled, Watched, Watching

if TYPE_CHECKING:
    from smwatch.anew import Anew
    from smwatch.judging import Judging

SLICE = 200
"""Records parsed, or events handed on, in one go: some milliseconds, so that a screen beside it stays fluent."""
BREATH = 0.002
"""Seconds of rest between slices; a thread that parses without rest starves the screen of the interpreter lock."""
LARGE_SLICE = 1_000
"""The same where no screen is beside it: what is done once for many events costs less, and Ctrl-C is still heard."""
_KEY = attrgetter("event.key")
BACKWARDS = 4
"""How much longer rules take with an event that is older than what they know: so many times less in one go."""
FOREIGN_SECONDS = 2.0
PRUNE_EVERY, UNTIL_HEARD = timedelta(hours=1), timedelta(minutes=1)
LAST_CHANCE = 0.5
"""Seconds for which somebody who ends it may be kept by what could not be written before."""
LESSONS = "names"
"""Under which name the journal keeps what has shown that events were about other secrets than they seemed to be."""
JOURNAL = "journal"
"""The name under which the journal itself reports trouble."""


class Delivery(msgspec.Struct, frozen=True):
    """What the monitor hands on: events that are new to this process, health, secrets that turned out to be one."""

    arrivals: tuple[tuple[int, Arrival], ...] = ()
    """(journal seq, or keeper.NOT_KEPT, arrival). What was not kept comes again, with its seq, as soon as it is."""
    statuses: tuple[Status, ...] = ()
    renamed: tuple[tuple[Secret, Secret], ...] = ()
    watched: tuple[Watched, ...] = ()
    decided: Decided | None = None
    """By people at another process that watches with the same journal."""
    anew: Anew | None = None
    """All that was handed on before, judged again, as a part of it was about other secrets than it seemed to be."""
    upto: int | None = None
    """With this delivery, all that the journal holds up to this seq has been handed on; None says nothing."""
    more: bool = False
    """What came with it follows at once: alarms are worked out once for all of it, with the last."""

    def into(self, store: Judging) -> tuple[Change, dict[str, Alarm]]:
        """Have a store take all of it in; what its events changed, and the alarms that all of it changed, by group."""
        alarms = dict(store.fold(self.renamed).alarms) if self.renamed else {}
        if self.anew is not None:
            alarms |= self.anew.into(store).alarms
        arrivals = [arrival for _, arrival in self.arrivals]
        change = store.add(arrivals, more=True) if arrivals else Change()
        for watched in self.watched:
            alarms |= store.watched(watched.source, watched.spans).alarms
        if self.decided is not None:
            alarms |= store.adopt(self.decided).alarms
        for status in self.statuses:
            alarms |= store.report(status).alarms
        if store.unsettled and not self.more:
            alarms |= store.settle().alarms
        return change, alarms


class Monitor:
    """Runs every source as a supervised task; the only writer of the journal.

    `deliver` is awaited for one delivery at a time, after its events are committed. `selects` says which records beyond
    the two event sources of interest a rule wants. Everything else that is out of scope is counted and left out.
    `alone` says that no screen shares the interpreter. With `decisions`, those taken elsewhere are handed on.
    `watching` and `reader` go from one to the next that hands on to the same store. `anew` makes what judges again all
    that this store's engine has judged; without it what was wrong about names stays so. `tidy` is called now and then
    to have the journal let go of what nobody asks for any more.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        deliver: Callable[[Delivery], Awaitable[None]],
        selects: Callable[[Arrival], bool],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        retention: timedelta = timedelta(days=90),
        keep_in_memory: int = 100_000,
        alone: bool = False,
        decisions: Decisions | None = None,
        watching: Watching | None = None,
        tidy: Callable[[], None] = lambda: None,
        reader: Reader | None = None,
        anew: Callable[[], Anew] | None = None,
    ) -> None:
        self.journal = journal
        self._decisions = decisions
        self._watching = watching or Watching()
        self._tidy = tidy
        self.out_of_scope = 0
        self._deliver = deliver
        self._selects = selects
        self._now = now
        self._sleep = sleep
        self._retention = retention
        self._alone = alone
        self._slice, self._breath = (LARGE_SLICE, 0.0) if alone else (SLICE, BREATH)
        self._reading = Reading(journal, reader or Reader())
        self._anew = anew
        self._keep_in_memory = keep_in_memory
        self._past = asyncio.Lock()
        """Held by who hands on the past, or judges it."""
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
            limit=keep_in_memory,
            marks=self._complete_to,
        )

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
                    await self._keep_held()
            raise
        await self._keep_held()

    async def read_once(self, sources: Sequence[Source]) -> dict[str, Status]:
        """Read everything up to now from every source; returns the last word of each."""
        last: dict[str, Status] = {}

        async def read(source: Source) -> None:
            try:
                async for item in source.read_once(await self._keeper.coverage(source.name)):
                    if isinstance(item, Status):
                        last[source.name] = item
                    await self._take(item)
            finally:
                await source.close()

        async with asyncio.TaskGroup() as tasks:
            for source in sources:
                tasks.create_task(read(source))
        await self._keep_held()
        await self.judge_anew()
        return last

    async def recall(
        self,
        since: datetime,
        limit: int,
        *,
        first: int = 0,
        printing_from: datetime | None = None,
        again: bool = False,
    ) -> None:
        """Hand on the newest `limit` events that the journal held already; then what was watched.

        The newest `first` of them come newest first, the others oldest first: backwards, rules take eight times as
        long. With `printing_from`, without what `recall_untold` is to bring when it is given that moment. `again` says
        that it reaches further back beside what is followed, which brings what others have put in.
        """
        async with self._past:
            await self._recall(since, limit, first, printing_from, again)

    async def _recall(
        self, since: datetime, limit: int, first: int, printing_from: datetime | None, again: bool
    ) -> None:
        watched: tuple[Watched, ...] = ()
        try:
            settled, kept_from = self._settled()
            upto = self.journal.last_seq() if again else self.journal.catch_up()
            rows = self.journal.recalled(since, upto, limit=limit, first=first, printing_from=printing_from)
            oldest = self._now()
            while batch := self._reading.stored(islice(rows, self._slice // BACKWARDS if first > 0 else self._slice)):
                first, limit = first - len(batch), limit - len(batch)
                oldest = min(oldest, batch[0][1].event.at, batch[-1][1].event.at)
                await self._hand_on(*_apart(batch), more=not self._alone)
                await self._sleep(self._breath)
            if not limit:
                since = oldest + timedelta(seconds=1)  # of this second there may be more
            watched = self._watching.recalled(since, settled, kept_from)
        except JournalCorruptError as error:
            await self._keeper.begin_anew(error)
        except JournalError as error:
            await self._report_journal(State.FAILING, f"can't read the journal ({error}): older events are not shown")
        await self._deliver(Delivery(watched=watched))

    def _settled(self) -> tuple[Settled, datetime]:
        """What the journal says was read whole, and from when on it has kept all events of that."""
        kept_from = self.journal.kept_from(self._now() - self._retention)
        return self.journal.settled(), kept_from

    async def judge_anew(self) -> None:
        """If events were about other secrets than they seemed to be, have all that were handed on judged again.

        What the journal holds no more, or only of more than `keep_in_memory` events, stays as it was judged.
        """
        async with self._past, self._turn:
            if self._anew is None or not self._reading.reader.mistaken or self._keeper.holds:
                return
            self._reading.reader.mistaken = False
            anew = self._anew()
            since, limit = anew.since or self._now(), self._keep_in_memory
            try:
                for _ in self._reading.again(self._slice):
                    await self._sleep(self._breath)
                oldest = self._now()
                # What others have put in since then is handed on, and so judged, when its turn comes.
                rows = self.journal.recalled(since, self.journal.caught_up_to, limit=limit, first=0)
                while batch := self._reading.stored(islice(rows, self._slice)):
                    limit -= len(batch)
                    oldest = min(oldest, batch[0][1].event.at)
                    anew.take([arrival for _, arrival in batch])
                    await self._sleep(self._breath)
            except JournalError:
                self._reading.reader.mistaken = True  # the next commit says what is wrong
                return
            anew.watched(self._watching.told(since if limit > 0 else oldest + timedelta(seconds=1)))
            self._reading.reader.mistaken = False  # of so many names some are forgotten: that would never end
            renamed = self._reading.renamed()
            anew.fold(renamed)
            anew.compare()
            await self._deliver(Delivery(renamed=renamed, anew=anew))
            with suppress(JournalError):  # kept with the next page that can be
                self.journal.keep((), {LESSONS: msgspec.json.encode(self._reading.reader.lessons)})

    async def recall_untold(self, since: datetime) -> None:
        """Hand on what the journal held at `recall` and `tail` has yet to print, oldest first; see `Journal.untold`.

        What another process puts in meanwhile comes when it is followed: handed on twice, it would be printed twice as
        soon as the store knows it no more.
        """
        try:
            upto = self.journal.caught_up_to
            rows = self.journal.untold(since, upto)
            while batch := self._reading.stored(islice(rows, self._slice)):
                await self._hand_on(*_apart(batch))
                await self._sleep(0)
        except JournalCorruptError as error:
            await self._keeper.begin_anew(error)
        except JournalError as error:
            await self._report_journal(State.FAILING, f"can't read the journal ({error}): older events are not printed")
        else:
            await self._deliver(Delivery(upto=upto))

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
                    await self._deliver(Delivery(statuses=(self._fault(source, error),)))
                    await self._sleep(RETRY_SECONDS)
                    items = source.follow(await self._keeper.coverage(source.name))
                else:
                    await self._take(item)
        finally:
            await source.close()

    def _fault(self, source: Source, error: Exception) -> Status:
        sentence = f"{type(error).__name__}: {error}".splitlines()[0]
        message = f"stopped by a fault in smwatch ({sentence}); starting again in {RETRY_SECONDS:.0f} s"
        return Status(source.name, source.label, State.FAILING, message, at=self._now())

    async def _take(self, item: Page | Status) -> None:
        match item:
            case Page():
                await self._ingest(item)
            case Status():
                status = self._told[item.source] = self._proven(item)
                newest_at = self._newest.get(item.source)
                await self._deliver(Delivery(statuses=(msgspec.structs.replace(status, newest_at=newest_at),)))
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
        with self._reading.begin() as arrivals:
            for start in range(0, len(page.found), self._slice):
                if start:
                    await self._sleep(self._breath)
                for found in page.found[start : start + self._slice]:
                    at = found.at or page.undated_at
                    arrival = self._reading.reader.read(found.raw, seen_by=page.seen_by, seen_at=page.seen_at, at=at)
                    if in_scope(arrival.event) or self._selects(arrival):
                        arrivals.append(arrival)
                    else:
                        self.out_of_scope += 1
                    self._reading.set_right()
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
                seqs, waiting = _apart(self._reading.stored(committed.foreign))
                self._reading.pair(arrivals)
                seqs += committed.seqs
                waiting += arrivals
                del committed
                arrivals.clear()
                watched = self._watching.here(page.source, page.settled) if page.settled is not None else ()
                await self._hand_on(seqs, waiting, ordered=True, watched=watched)

    async def _hand_on(
        self,
        seqs: list[int],
        arrivals: list[Arrival],
        *,
        ordered: bool = False,
        watched: tuple[Watched, ...] = (),
        more: bool = False,
    ) -> None:
        """Deliver these in slices, each taken out of the lists: what rules decode of them is larger than they are.

        With the last of them, what is `watched` when all have been taken in, and that there is no more, or that there
        is to come in another call.
        """
        if renamed := self._reading.renamed():
            await self._deliver(Delivery(renamed=renamed))
        seqs.reverse()
        arrivals.reverse()
        while arrivals:
            # Not sooner: a pair for each event of a page is looked through in search of cycles (see the row "ingest").
            part = tuple(zip(reversed(seqs[-self._slice :]), reversed(arrivals[-self._slice :]), strict=True))
            del seqs[-self._slice :], arrivals[-self._slice :]
            last, upto = not arrivals, part[-1][0] or None if ordered else None
            await self._deliver(Delivery(part, watched=watched if last else (), upto=upto, more=more or not last))
            del part
            if last:
                return
            await self._sleep(self._breath)
        if watched:
            await self._deliver(Delivery(watched=watched))

    async def _report_journal(self, state: State, message: str) -> None:
        await self._deliver(Delivery(statuses=(Status(JOURNAL, "Journal", state, message, at=self._now()),)))

    # -- beside the sources

    async def _watch_others(self) -> None:
        """Show what another smwatch puts into the same journal, and see whether there still is one."""
        while self.journal.path is not None:
            await self._sleep(FOREIGN_SECONDS)
            async with self._turn:
                try:
                    self._keeper.check()
                    settled, kept_from = self._settled()
                    foreign = self.journal.foreign()
                except JournalCorruptError as error:
                    await self._keeper.begin_anew(error)
                except JournalError:
                    continue  # the next commit says what is wrong
                else:
                    watched = self._watching.news(settled, kept_from)
                    await self._hand_on(*_apart(self._reading.stored(foreign)), ordered=True, watched=watched)
                    await self._hand_on_decisions()
                    await self._keeper.tell_unreadable()

    async def _hand_on_decisions(self) -> None:
        """Hand on what was decided elsewhere, once the events that it is about have been."""
        with suppress(JournalError):  # the next commit says what is wrong
            if self._decisions is not None and (decided := self._decisions.news()) is not None:
                await self._deliver(Delivery(decided=decided))

    async def _mend(self) -> None:
        """Judge anew whenever that is called for, but for a tenth of the time at most."""
        while True:
            await self._reading.mistaken()
            began = self._now()
            await self.judge_anew()
            took = max(0.0, (self._now() - began).total_seconds())
            await self._sleep(RETRY_SECONDS + 9 * took)

    async def _write_held(self) -> None:
        """Write what the journal could not take in when it came."""
        while self.journal.path is not None:
            await self._sleep(RETRY_SECONDS)
            await self._keep_held()

    async def _keep_held(self) -> None:
        async with self._turn:
            await self._hand_on(*_apart(await self._keeper.retry()), ordered=True)

    async def _housekeep(self) -> None:
        """Delete what is older than the retention, in slabs, now and then; first see what an older smwatch did not.

        A machine whose clock is wrong deletes nothing for that: a service has to have said what time it is.
        """
        while self.journal.path is not None:
            heard = [status.service_at for status in self._told.values() if status.service_at is not None]
            try:
                while self.journal.link_older():
                    await self._sleep(0.05)
                self._tidy()
                while heard and self.journal.prune(min(self._now(), *heard) - self._retention):
                    await self._sleep(0.05)
            except JournalError:
                pass  # the next commit says what is wrong
            await self._sleep((PRUNE_EVERY if heard else UNTIL_HEARD).total_seconds())


def _apart(found: Iterable[tuple[int, Arrival]]) -> tuple[list[int], list[Arrival]]:
    seqs, arrivals = list[int](), list[Arrival]()
    for seq, arrival in found:
        seqs.append(seq)
        arrivals.append(arrival)
    return seqs, arrivals
