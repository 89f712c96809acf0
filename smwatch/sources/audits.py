"""Where the settled past is looked at again, for records that were later than the settle lag."""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from smwatch.sources.agenda import floor
from smwatch.sources.coverage import Span, join

REACH = timedelta(hours=6)
"""Each round looks at all that was younger than this when the last one began: at every moment once it is older."""
LONG_REACH, LONG_ENDS = timedelta(hours=48), timedelta(hours=44)
"""How old a moment is, at the most and at the least, when it is looked at for the last time."""
SLICE_PAGES = 20
"""About so many pages are followed by one token."""


class Audits:
    """Plans round after round over all that was settled lately, oldest first; pure.

    Where there is much, a round takes longer than its reach: the next one goes on from where it ended.
    """

    def __init__(self, page: int, resolution: timedelta) -> None:
        self.urgent = False
        """Whether a record was late, and not all has been looked at since."""
        self._page = page
        self._resolution = resolution
        self._waiting: deque[Span] = deque()
        self._failed: set[Span] = set()
        """What failed in this round, and was put back."""
        self._unread: tuple[Span, ...] = ()
        """What failed once more and was let be, and no later round has read."""
        self._found = False
        self._round: tuple[Span, datetime] | None = None
        """What the last round is about, and when it was planned."""
        self._last_to: datetime | None = None
        """Up to where everything was looked at for the last time."""

    @property
    def under_way(self) -> bool:
        """Whether a round has something left to look at."""
        return bool(self._waiting)

    def found(self) -> None:
        """A record was late: the rest of this round and the next one are urgent."""
        self.urgent = self._found = True

    def next(self, base: datetime, complete_to: datetime, at: datetime, density: float, *, last: bool) -> Span | None:
        """What to read next at server time `at`, where there are `density` records a second; None if nothing.

        With `last`, a round has what is two days old as well.
        """
        if not self._waiting:
            self.urgent, self._found = self._found, False
            self._failed.clear()
            self._plan(base, complete_to, at, density, last=last)
        return self._waiting.popleft() if self._waiting else None

    def put_back(self, span: Span, *, failed: bool) -> None:
        """This is what remains to be read next; if reading it has `failed` and fails again at once, by the next round.

        Until then it is among what is `unread`.
        """
        if failed and span in self._failed:
            self._unread = join((*self._unread, span))
            return
        if failed:
            self._failed.add(span)
        self._waiting.appendleft(span)

    def read(self, span: Span) -> None:
        """This has been read."""
        parts = ((one.start, min(one.end, span.start), max(one.start, span.end), one.end) for one in self._unread)
        left = (pair for start, end, begin, stop in parts for pair in ((start, end), (begin, stop)))
        self._unread = tuple(Span(start, end) for start, end in left if start < end)

    def unread(self, at: datetime) -> tuple[Span, ...]:
        """What could not be looked at again, as far as it is young enough for a round to reach it."""
        return tuple(span for span in self._unread if span.end > at - LONG_REACH)

    def behind(self, at: datetime) -> timedelta:
        """How much time has become older than a round reaches without having been looked at."""
        if self._round is None:
            return timedelta()
        period, _ = self._round
        reading = self._waiting and self._waiting[0].start >= period.start
        read_to = self._waiting[0].start if reading else period.end
        return max(timedelta(), at - REACH - read_to)

    def _plan(self, base: datetime, complete_to: datetime, at: datetime, density: float, *, last: bool) -> None:
        oldest = max(base, at - LONG_REACH)
        start = at - REACH
        if self._round is not None:
            period, planned_at = self._round
            start = min(period.end, planned_at - REACH)
        start = floor(max(oldest, start), self._resolution)
        if start < complete_to:
            self._round = Span(start, complete_to), at
            self._add(start, complete_to, density)
        if last:
            start, end = max(oldest, self._last_to or oldest), floor(at - LONG_ENDS, self._resolution)
            self._last_to = max(start, end)
            self._add(start, end, density)

    def _add(self, start: datetime, end: datetime, density: float) -> None:
        while start < end:
            pages_end = end
            if self._page and density:
                length = timedelta(seconds=SLICE_PAGES * self._page / density)
                pages_end = min(end, max(floor(start + length, self._resolution), start + self._resolution))
            self._waiting.append(Span(start, pages_end))
            start = pages_end
