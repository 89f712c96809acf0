"""Where the settled past is looked at again, for records that were later than the settle lag."""

from __future__ import annotations

from datetime import datetime, timedelta

from smwatch.sources.coverage import Span

REACH, LONG_REACH, LONG_EVERY = timedelta(hours=6), timedelta(hours=48), 24
PLACES = 8
"""How many pages an audit of more reads as long as nothing is found; a burst of late records fills some minutes."""
WHOLE_PAGES = 60
"""Where the records of REACH fill no more pages than that, an audit reads them all, every time."""
FILL = 0.8
GOLDEN = 0.618


class Audits:
    """Plans one audit after the other: samples at equal distances, and all there is once something was found."""

    def __init__(self, page: int, resolution: timedelta) -> None:
        self._page = page
        self._resolution = resolution
        self._planned = 0
        self._alarmed = False
        self._waiting: list[Span] = []

    @property
    def under_way(self) -> bool:
        """Whether an audit has still places to look at."""
        return bool(self._waiting)

    def found(self) -> None:
        """A record was late: the next audit reads everything."""
        self._alarmed = True

    def next(self, base: datetime, complete_to: datetime, at: datetime, density: float) -> Span | None:
        """Where to look next at server time `at`, where there are `density` records a second; None if nowhere."""
        if not self._waiting:
            self._waiting = self._plan(base, complete_to, at, density)
        return self._waiting.pop() if self._waiting else None

    def _plan(self, base: datetime, end: datetime, at: datetime, density: float) -> list[Span]:
        self._planned += 1
        start = max(base, at - (LONG_REACH if self._planned % LONG_EVERY == 0 else REACH))
        start -= (start - base) % self._resolution
        if start >= end:
            return []
        apart = self._whole((end - start) / PLACES)
        length = self._whole(timedelta(seconds=FILL * self._page / density)) if self._page and density else apart
        little = REACH.total_seconds() * density <= WHOLE_PAGES * self._page
        if self._alarmed or little or length >= apart:
            self._alarmed = False
            return [Span(start, end)]
        first = start + self._whole((apart - length) * (self._planned * GOLDEN % 1))
        return [Span(first + n * apart, first + n * apart + length) for n in range(PLACES)]

    def _whole(self, length: timedelta) -> timedelta:
        """This length in whole steps of the service's time line, at least one."""
        return max(self._resolution, length // self._resolution * self._resolution)
