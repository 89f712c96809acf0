"""Where and when the settled past is looked at again, for records that were later than the settle lag."""

from __future__ import annotations

import math
from collections import deque
from datetime import datetime, timedelta

from smwatch.sources.clock import NOTICEABLE
from smwatch.sources.coverage import Audited, Coverage, Span, join
from smwatch.sources.nature import floor

REACH = timedelta(hours=6)
"""Each round looks at all that was younger than this when the last one began: at every moment once it is older."""
LONG_REACH, LONG_ENDS = timedelta(hours=48), timedelta(hours=44)
"""How old a moment is, at the most and at the least, when it is looked at for the last time."""
SLICE_PAGES = 20
"""About so many pages are followed by one token."""
SOON = timedelta(minutes=5)
"""How soon the first round begins where an older smwatch has settled something, and noted nothing of its rounds."""
SELDOM = 60.0
"""Seconds from one page to the next, at the most, while nothing else is to be read: a round comes to an end also where
few calls are idle."""
OWED = 300.0
"""Seconds for which a round stands back while other scans always have something to read; then a page of it is read."""
LOOK_AGAIN = 5.0


class Audits:
    """Plans round after round over all that was settled lately, oldest first; pure: it is told the time.

    Where there is much, a round takes longer than its reach: the next one goes on from where it ended. What is `noted`
    in the journal lets the next process go on with the same round: see `begin`.
    """

    def __init__(self, page: int, resolution: timedelta, every: timedelta, before: Audited = Audited()) -> None:  # noqa: B008 - frozen
        """A round each `every` at the most; `before` is what was noted last."""
        self.urgent = before.urgent
        """Whether a record was late, and not all has been looked at since."""
        self.begins_at = math.inf
        """When the next slice is to be begun, on a clock that only runs forward."""
        self.page_at = -math.inf
        """When the next page may be read."""
        self._page = page
        self._resolution = resolution
        self._every = every
        self._before = before
        self._due_at, self._turn_at = before.due_at, before.turn_at
        self._owed_at = math.inf
        """When a page is read whatever else there is to be read."""
        self._slice: Span | None = None
        """What remains of the slice that is being read."""
        self._waiting = deque(before.left)
        self._failed: set[Span] = set()
        """What failed in this round, and was put back."""
        self._unread = before.unread
        """What failed once more and was let be, and no later round has read."""
        self._found = before.urgent_next
        self._round: tuple[Span, datetime] | None = None
        """What the last round is about, and when it was planned."""
        if before.round and before.planned_at:
            self._round = before.round, before.planned_at
        self._last_to = before.last_to
        """Up to where everything was looked at for the last time."""

    @property
    def under_way(self) -> bool:
        """Whether a round has something left to begin with."""
        return bool(self._waiting)

    @property
    def noted(self) -> Audited:
        """What another process needs to go on from here."""
        left: list[Span] = []
        for span in (*((self._slice,) if self._slice else ()), *self._waiting):
            if left and left[-1].end == span.start:
                left[-1] = Span(left[-1].start, span.end)
            else:
                left.append(span)
        period, planned_at = self._round or (None, None)
        return Audited(
            due_at=self._due_at,
            turn_at=self._turn_at,
            left=tuple(left),
            round=period,
            planned_at=planned_at,
            last_to=self._last_to,
            unread=self._unread,
            urgent=self.urgent,
            urgent_next=self._found,
        )

    # -- when

    def begin(self, at: datetime, clock: float, *, settled: bool) -> None:
        """Begin where the process before left off, at server time `at`; `settled` says whether it left anything."""
        due_at, latest = self._before.due_at, at + self._every
        if due_at is None and settled:
            due_at = at + SOON
        self._due_at = min(due_at or latest, latest)
        self.begins_at = clock if self._waiting else self._at_clock(self._due_at, at, clock)
        turn_at = self._before.turn_at
        waited = (at - turn_at).total_seconds() if turn_at is not None and turn_at <= at else 0.0
        self._owed_at = clock + max(0.0, OWED - waited)

    def owed(self, clock: float) -> bool:
        """Whether everything else has had its turn for so long that a page is read now."""
        return clock >= self._owed_at

    def takes_turn(self, at: datetime, clock: float) -> bool:
        """Whether a page may be read now; if so, it is."""
        if clock < self.page_at:
            return False
        self._turn_at, self._owed_at = at, clock + OWED
        return True

    def committed(self, remains: Span | None, clock: float, calls: float) -> None:
        """A page was read, and this remains of its slice; there are so many calls a second for audits."""
        self._slice = remains
        if self._page:
            self.page_at = clock + min(1 / calls if calls else SELDOM, SELDOM)

    # -- where

    def next(self, coverage: Coverage, at: datetime, clock: float, density: float, *, last: bool) -> Span | None:
        """What to read next at server time `at`, where there are `density` records a second; None if nothing.

        With `last`, a round has what is two days old as well.
        """
        if not self._waiting:
            self.urgent, self._found = self._found, False
            self._failed.clear()
            self._due_at, self._turn_at = at + self._every, at
            self._owed_at = clock + OWED
            self._plan(coverage, at, last=last)
        while self._waiting:
            if (span := self._cut(self._waiting.popleft(), density)).end > at - LONG_REACH:
                self._slice = span
                return span
        self.begins_at = self._next_round(at, clock)
        return None

    def read(self, span: Span | None, at: datetime, clock: float) -> None:
        """The slice was read to its end: this."""
        self._slice = None
        self.begins_at = clock if self._waiting else self._next_round(at, clock)
        if span is None:
            return
        parts = ((one.start, min(one.end, span.start), max(one.start, span.end), one.end) for one in self._unread)
        left = (pair for start, end, begin, stop in parts for pair in ((start, end), (begin, stop)))
        self._unread = tuple(Span(start, end) for start, end in left if start < end)

    def failed(self, remains: Span | None, at: datetime, clock: float) -> None:
        """The slice came to nothing, and this remains of it: it is read next, or by the next round if it failed twice.

        Until then it is among what is `unread`.
        """
        self._slice = None
        if remains is not None and remains in self._failed:
            self._unread = join((*self._unread, remains))
        elif remains is not None:
            self._failed.add(remains)
            self._waiting.appendleft(remains)
        again_at = clock + LOOK_AGAIN
        self.begins_at = again_at if self._waiting else max(again_at, self._next_round(at, clock))

    def put_back(self) -> None:
        """What remains of the slice is to be asked for anew."""
        if self._slice is not None:
            self._waiting.appendleft(self._slice)
            self._slice = None

    def found(self) -> None:
        """A record was late: the rest of this round and the next one are urgent."""
        self.urgent = self._found = True

    # -- how well

    def unread(self, at: datetime) -> tuple[Span, ...]:
        """What could not be looked at again, as far as it is young enough for a round to reach it."""
        return tuple(span for span in self._unread if span.end > at - LONG_REACH)

    def behind(self, at: datetime) -> timedelta:
        """How much time has become older than a round reaches without having been looked at."""
        if self._round is None:
            return timedelta()
        period, _ = self._round
        first = self._slice or (self._waiting[0] if self._waiting else None)
        read_to = first.start if first is not None and first.start >= period.start else period.end
        return max(timedelta(), at - REACH - read_to)

    def _next_round(self, at: datetime, clock: float) -> float:
        return clock if self._due_at is None else self._at_clock(self._due_at, at, clock)

    def _at_clock(self, moment: datetime, at: datetime, clock: float) -> float:
        """When this moment comes, on the clock; a round that a wrong clock put off is due in time all the same."""
        return clock + max(0.0, min(moment - at, self._every).total_seconds())

    def _plan(self, coverage: Coverage, at: datetime, *, last: bool) -> None:
        oldest, start = at - LONG_REACH, at - REACH
        if self._round is not None and self._round[1] <= at + NOTICEABLE:  # else a wrong clock planned it
            period, planned_at = self._round
            start = min(period.end, max(planned_at, oldest) - REACH)
        start = floor(max(oldest, start), self._resolution)
        if (settled := coverage.settled) and start < settled[-1].end:
            self._round = Span(start, settled[-1].end), at
            self._waiting += coverage.within(start, settled[-1].end)
        if last:
            end, read_to = floor(at - LONG_ENDS, self._resolution), self._last_to
            start = max(oldest, read_to) if read_to is not None and read_to <= end + NOTICEABLE else oldest
            self._last_to = max(start, end)
            self._waiting += coverage.within(start, end)

    def _cut(self, span: Span, density: float) -> Span:
        """The first of it that is read by one token; the rest waits."""
        if not self._page or not density:
            return span
        length = timedelta(seconds=SLICE_PAGES * self._page / density)
        if span.end - span.start <= length:
            return span
        end = max(floor(span.start + length, self._resolution), span.start + self._resolution)
        if end >= span.end:
            return span
        self._waiting.appendleft(Span(end, span.end))
        return Span(span.start, end)
