"""Keeps pages in the journal whatever happens to it: a full disk, a lock, a damaged file."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple

import msgspec

from smwatch.events.event import Arrival
from smwatch.journal import Committed, Journal, JournalBusyError, JournalCorruptError, JournalError
from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.source import Page, State

RETRY_SECONDS = 5.0
EARLIEST = timedelta(hours=3)
"""How far ahead of the service's time a record may lie: CloudWatch Logs takes them up to two hours early."""
NOT_KEPT = 0
"""The seq of an event that is shown although it could not be written to the journal yet."""


class _Held(NamedTuple):
    page: Page
    """What it proves, without its records."""
    arrivals: tuple[Arrival, ...]


class Keeper:
    """Commits pages in their order, and says what it can't.

    While the journal can't be written to, what is new goes on being shown: pages are held in memory, with the coverage
    they prove, and written as soon as that is possible. If the process ends before, the journal claims nothing of them,
    and they are read again. Beyond `limit` events the oldest pages are let go in the same sense.
    A damaged file is set aside, and a new one begun.

    A source hands a record over once, and may prove its period much later. So, when records that were handed over are
    in no journal any more, the journal claims nothing of the time up to then: the next start reads it again.
    """

    def __init__(
        self,
        journal: Journal,
        *,
        report: Callable[[State, str], Awaitable[None]],
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        limit: int,
        marks: Mapping[str, datetime | None],
    ) -> None:
        """`marks` is kept up to date with how far each source is shown to be complete."""
        self._marks = marks
        self._journal = journal
        self._report = report
        self._now = now
        self._sleep = sleep
        self._limit = limit
        self._held: list[_Held] = []
        self._held_keys: set[int] = set()
        self._kept: list[tuple[int, Arrival]] = []
        """What was held and has been written, as long as nobody was told."""
        self._said = ""
        self._latest_at: datetime | None = None
        self._claims_from: datetime | None = None
        self.forgetful = False
        """Whether the journal lacks something that was handed over, so that what is new to it says nothing."""

    async def commit(self, page: Page, arrivals: Sequence[Arrival]) -> Committed:
        """Commit a page, as it was read, or hold it; what of it is new may be shown either way. See `NOT_KEPT`."""
        for arrival in arrivals[-1:]:
            self._latest_at = max(arrival.event.seen_at, self._latest_at or arrival.event.seen_at)
        while True:
            try:
                if self._held:
                    return self._hold(page, arrivals)
                return self._write(page, arrivals)
            except JournalCorruptError as error:
                await self.begin_anew(error)
            except JournalError as error:
                try:
                    committed = self._hold(page, arrivals)
                except JournalCorruptError as damage:
                    await self.begin_anew(damage)
                except JournalError as worse:  # it can't even be read: nobody knows what would be shown twice
                    await self._say(f"can't read the journal ({worse}); trying again, nothing is lost")
                    await self._sleep(RETRY_SECONDS)
                else:
                    await self._trouble(error)
                    return committed

    async def retry(self) -> tuple[tuple[int, Arrival], ...]:
        """Write what is held; returns (seq, arrival) of the events that are in the journal now."""
        try:
            while self._held:
                self._kept += self._write(*self._held[0]).fresh
                del self._held[0]
                await self._sleep(0)  # a day of a full disk is tens of thousands of them
        except JournalCorruptError as error:
            await self.begin_anew(error)
        except JournalError as error:
            await self._say(_shown(error))
        else:
            self._held_keys.clear()
            if self._said:
                self._said = ""
                await self._report(State.OK, "")
        kept, self._kept = tuple(self._kept), []
        return kept

    def proves(self, source: str, complete_to: datetime | None) -> bool:
        """Whether all that makes a source complete up to this moment is in the journal, and not only in memory."""
        if any(held.page.source == source for held in self._held):
            return False
        return complete_to is None or self._claims_from is None or complete_to >= self._claims_from

    @property
    def holds(self) -> bool:
        """Whether something has been handed on that is not in the journal yet."""
        return bool(self._held)

    @property
    def unproven(self) -> str:
        """Why the journal proves less than was read, as a sentence; "" if it does not or has said so itself."""
        if self._claims_from is None:
            return ""
        return f"a new journal was begun: the mark of completeness goes on from {self._claims_from:%H:%M}Z"

    async def coverage(self, source: str) -> Coverage:
        """What the journal holds of a source."""
        while True:
            try:
                coverage = self._journal.coverage(source)
            except JournalCorruptError as error:
                await self.begin_anew(error)
            except JournalError as error:
                await self._say(f"can't read the journal ({error}); trying again, nothing is lost")
                await self._sleep(RETRY_SECONDS)
            else:
                await self.tell_unreadable()
                return coverage

    async def tell_unreadable(self) -> None:
        """Say what could not be read of the journal, which goes on without it."""
        if unreadable := self._journal.unreadable():
            await self._report(State.OK, unreadable)

    async def begin_anew(self, error: JournalCorruptError) -> None:
        """Set a damaged journal aside; what the sources hold since their beginning is read again."""
        if self._journal.path is None:
            raise error
        try:
            aside = self._journal.set_aside(self._now(), self._marks)
        except (JournalError, OSError) as trouble:
            await self._say(f"the journal was damaged ({error}), and no new one can be begun ({trouble})")
            await self._sleep(RETRY_SECONDS)
        else:
            self._disclaim()
            where = f"it is set aside as {aside.name}" if aside else "another smwatch has begun a new one"
            told = "; ".join(filter(None, (f"the journal was damaged ({error})", where, self._journal.unsaved)))
            await self._report(State.OK, told)

    def check(self) -> None:
        """Raise JournalCorruptError if what is written would not reach the journal's file."""
        if self._journal.replaced:
            raise JournalCorruptError("its file was moved or deleted")

    def _write(self, page: Page, arrivals: Sequence[Arrival]) -> Committed:
        self.check()
        settled = self._claim(page.settled)
        noted = page.noted
        if noted is not None and self.forgetful:  # what was found there may have been let go
            noted = msgspec.structs.replace(noted, audited=None, swept=None)
        committed = self._journal.commit(
            page.source, arrivals, settled=settled, gaps=page.gaps, untrue=page.untrue, noted=noted
        )
        if self._journal.path is None:
            self._journal.forget(self._limit)
        return committed

    def _hold(self, page: Page, arrivals: Sequence[Arrival]) -> Committed:
        arrivals = self._journal.placed(arrivals)
        known = self._journal.known(arrivals) | self._held_keys
        new = {arrival.event.own_key: arrival for arrival in arrivals if arrival.event.own_key not in known}
        self._held_keys.update(new)
        self._held.append(_Held(msgspec.structs.replace(page, found=()), tuple(new.values())))
        held = sum(len(each.arrivals) for each in self._held)
        while held > self._limit and len(self._held) > 1:
            held -= len(self._held.pop(0).arrivals)
            self._disclaim()
        return Committed((NOT_KEPT,) * len(new), tuple(new.values()), ())

    def _disclaim(self) -> None:
        """Claim nothing of a time whose records may have been handed over without being in any journal."""
        self.forgetful = True
        if self._latest_at is not None:
            self._claims_from = self._latest_at + EARLIEST

    def _claim(self, settled: Span | None) -> Span | None:
        if settled is None or self._claims_from is None or settled.start >= self._claims_from:
            return settled
        return Span(self._claims_from, settled.end) if self._claims_from < settled.end else None

    async def _trouble(self, error: JournalError) -> None:
        if not isinstance(error, JournalBusyError):  # a moment's lock is not worth a word: `retry` says what lasts
            await self._say(_shown(error))

    async def _say(self, message: str) -> None:
        if message != self._said:
            self._said = message
            await self._report(State.FAILING, message)


def _shown(error: JournalError) -> str:
    return f"can't write the journal ({error}); what is new is shown all the same, and read again after a restart"
