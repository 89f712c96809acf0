"""The calls of one source: each in its turn of the budget, given up after a while, and the time that comes with it."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Collection, Iterable
from datetime import datetime
from statistics import median
from typing import NamedTuple

from smwatch.sources.agenda import Agenda
from smwatch.sources.ahead import Ahead, Heard, Wanted
from smwatch.sources.clock import ServerClock
from smwatch.sources.errors import TRYING_AGAIN, CallError, Remedy
from smwatch.sources.pace import Pace, Priority
from smwatch.sources.reader import Answer, Reader
from smwatch.sources.scan import Kind, Scan
from smwatch.sources.source import State

HEARTBEAT = 5.0
"""Seconds after which whoever waits for a turn or an answer has a look at what else there is to be done."""
CALL_LIMIT = 120.0
"""Seconds after which a call is given up however the connection pretends to be alive."""
OUTAGE = 300.0
"""Seconds without an answer that are no longer a call or two gone wrong."""
OF_ITS_SCAN = (Remedy.RESUME, Remedy.CLAMP)
"""What is done about trouble with what was asked for, and not with asking."""
ANSWERED_BY, LEAST_ANSWERED = 0.02, 0.5
"""How much one call tells of how many bring an answer, and how many do at the least."""
TIMED = 9
"""Calls that tell how long one takes, by their median: one that hangs is no reason to expect it of the next."""


class Asking:
    """Asks for one page at a time, or for several that are certain to be read."""

    def __init__(
        self,
        reader: Reader,
        pace: Pace,
        clock: ServerClock,
        now: Callable[[], datetime],
        *,
        latest: Callable[[datetime], Awaitable[Answer]] | None,
        told_time: Callable[[datetime], None],
    ) -> None:
        """`latest` asks for the latest rows since a moment, if that can be had; `told_time` hears what is believed."""
        self.calls = 0
        """How many were made."""
        self._reader = reader
        self._pace = pace
        self._clock = clock
        self._now = now
        self._latest = latest
        self._told_time = told_time
        self._answered = 1.0
        """The part of the calls that bring an answer, as the last ones tell."""
        self._silence: _Silence | None = None
        self._took: deque[float] = deque(maxlen=TIMED)
        """Seconds that the last calls took."""
        self._taken_in: deque[float] = deque(maxlen=TIMED)
        """Seconds from each of the last answers until the next was asked for: what came was taken in meanwhile."""
        self._answered_at: float | None = None
        self._ahead = Ahead(self._call_in_turn)

    @property
    def has_latest(self) -> bool:
        """Whether the latest rows can be had before all others."""
        return self._latest is not None

    @property
    def rate(self) -> float:
        """Calls a second that bring an answer, at present: those that are granted, or that there is time for."""
        took, rate = _median(self._took), self._pace.rate
        if took * rate > self._reader.nature.side_by_side:
            rate = self._reader.nature.side_by_side / took
        return rate * max(self._answered, LEAST_ANSWERED)

    @property
    def readers(self) -> float:
        """How many calls have to be under way for an answer to be there whenever one can be had, or taken in.

        Of a reading that ends, which never rests.
        """
        return _median(self._took) * min(self.rate, 1 / max(_median(self._taken_in), 1e-9))

    def expect(self, coming: Iterable[tuple[Scan, Priority]], pages: int) -> None:
        """Have the next pages of these scans asked for, in their order, so many of each."""
        self._ahead.expect([(_wanted(scan), priority) for scan, priority in coming], pages)

    def drop(self) -> None:
        """Give up what is expected."""
        self._ahead.drop()

    async def ask(self, agenda: Agenda, scan: Scan) -> Answer | CallError | None:
        """One page, or why not; None if it wasn't our turn or the clock turned out to be wrong."""
        if self._answered_at is not None:
            self._taken_in.append(self._pace.clock() - self._answered_at)
        outcome = await self._outcome(agenda, scan)
        self._answered_at = self._pace.clock() if isinstance(outcome, Answer) else None
        return outcome

    async def _outcome(self, agenda: Agenda, scan: Scan) -> Answer | CallError | None:
        wanted, heard = _wanted(scan), None
        if wanted in self._ahead:
            heard = await self._ahead.heard(wanted, HEARTBEAT)
            if heard is None:
                return None
            if isinstance(heard.outcome, CallError) and heard.outcome.remedy not in OF_ITS_SCAN:
                heard = None  # that was so a while ago
        if heard is None:
            if not await self._pace.turn(agenda.priority(scan), patience=HEARTBEAT):
                return None
            view = self._latest if scan.kind is Kind.VIEW else None
            heard = await self._call(view(scan.start) if view else self._reader.page(*wanted))
        if heard.clock_ran_ahead:
            agenda.restart()
            if isinstance(heard.outcome, Answer) or heard.outcome.remedy in OF_ITS_SCAN:
                return None
        return heard.outcome

    async def _call_in_turn(self, wanted: Wanted, priority: Priority) -> Heard:
        await self._pace.turn(priority)
        return await self._call(self._reader.page(*wanted))

    async def _call(self, page: Awaitable[Answer]) -> Heard:
        outcome: Answer | CallError
        sent_at, sent = self._now(), self._pace.clock()
        self.calls += 1
        try:
            async with asyncio.timeout(CALL_LIMIT):
                outcome = await page
        except CallError as trouble:
            outcome = trouble
            if trouble.remedy is Remedy.PACE:
                self._pace.throttled(sent)
        except TimeoutError:
            message = f"{self._reader.api} gave no answer within {CALL_LIMIT:.0f} s{TRYING_AGAIN}"
            outcome = CallError(State.UNREACHABLE, message, Remedy.RETRY)
        self._took.append(self._pace.clock() - sent)
        self._count(outcome)
        if outcome.date is None:
            if isinstance(outcome, Answer):
                self._clock.answered_undated()
            return Heard(outcome, clock_ran_ahead=False)
        ran_ahead = self._clock.heard(outcome.date, sent_at, self._now())
        if self._clock.doubted is None:
            self._told_time(outcome.date)
        return Heard(outcome, ran_ahead)

    def _count(self, outcome: Answer | CallError) -> None:
        """Learn how many calls bring an answer; an outage that is over tells nothing of those after it.

        Whoever is throttled has been heard, and is to ask less often.
        """
        answered, clock = isinstance(outcome, Answer), self._pace.clock()
        if isinstance(outcome, Answer) or outcome.remedy is Remedy.PACE:
            if self._silence is not None and clock - self._silence.since > OUTAGE:
                self._answered = self._silence.answered
            self._silence = None
        elif self._silence is None:
            self._silence = _Silence(clock, self._answered)
        self._answered += ANSWERED_BY * (answered - self._answered)


class _Silence(NamedTuple):
    """Nothing has been heard of the service."""

    since: float
    answered: float
    """The part of the calls that brought an answer before."""


def _median(seconds: Collection[float]) -> float:
    return median(seconds) if seconds else 0.0


def _wanted(scan: Scan) -> Wanted:
    return scan.start, scan.until, scan.token
