"""The agenda that ends, in windows of a page or a few, so that several can be asked for at a time."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta
from math import ceil

from smwatch.sources.agenda import LONGEST_SLICE
from smwatch.sources.coverage import Coverage, Gap
from smwatch.sources.nature import Nature, Schedule
from smwatch.sources.once import Once
from smwatch.sources.scan import Kind, Scan, Took

FILLED = 0.85
"""The part of a page that a window is meant to fill: what is a little denser than the last one fits all the same."""
FEW = 3
"""How many pages a window is of where its end costs an empty page besides: at one page that were two calls for each."""
WORTH = 1.6
"""How many calls have to be under way for windows of a few pages to be worth their ends: as many as they take for a
page."""
GROWTH = 8
"""How many times as wide as the last window the next one may be."""
TELLING = 20
"""So many rows of a page tell by themselves how dense they are, however long there was nothing before them."""
TOO_LONG = 3
"""A window that would take so many more pages is cut after the page it is at."""
THE_BEGINNING = datetime.min.replace(tzinfo=UTC)


class Windows(Once):
    """What is missing since a moment, oldest first, in windows whose first pages can be asked for side by side.

    It is one scan in several pieces: at any time one of them is read, in the order of time, and of those after it only
    the first page is asked for, out of the same budget. What is asked of the service is hardly more than page after
    page would be, and one that looks through the whole period for every page of it, as emulators do, looks through each
    part once.

    Where a token comes with each page that has rows, as it has been seen to come from FilterLogEvents 34 times of 34,
    the end of a window costs an empty page besides, and its pages have to be waited for one after the other. Windows
    are as long as can be then, where a page has come by the time that it can be taken in; else they are of a few pages,
    and those that come next are read ahead to their ends. Serves `tail --once` of a log group.
    """

    def __init__(self, schedule: Schedule, nature: Nature, since: datetime, coverage: Coverage, rate: float) -> None:
        super().__init__(schedule, nature, since, coverage, rate)
        self._next: deque[Scan] = deque()
        self._from = THE_BEGINNING
        """Where the window after those in `_next` begins."""
        self._planned = False
        """Whether the last window is among those begun and planned."""
        self._full = 0
        """How many rows were on the last page that others followed."""
        self._ends_cost = False
        """Whether the end of each window costs a call."""
        self._before: tuple[int, timedelta] | None = None
        """The rows of a window's last page, and how much time they are of, if it may be full: FilterLogEvents gives a
        token with each page that has rows, so that only the next page tells."""

    def take(self, scan: Scan, moments: Sequence[datetime | None], token: str | None) -> Took:
        """Account for one page of a window; where the rest would take many more, the window ends there."""
        took = super().take(scan, moments, token)
        if scan.kind is Kind.GLANCE:
            return took
        before, self._before = self._before if scan.pages > 1 else None, None
        if before is not None and moments:
            self._learn_from_full(*before)
        if token is None:
            if moments:
                self._ends_cost = False
            elif before is not None:
                self._ends_cost = True
            if scan.pages == 1 or (before is not None and not moments and before[0] == scan.rows):
                self._learn_from_whole(scan)
            return took
        if took.settled is None:
            return took
        first = moments[0]
        if first is not None and len(moments) >= TELLING:
            reach = scan.low - first
        else:
            reach = (scan.low - scan.origin) / scan.pages
        if reach <= timedelta():  # rows of one moment, or of another time than was asked for
            return took
        rest = (scan.high or scan.asked_at) - scan.low
        if took.done or took.astray or self._long or rest <= TOO_LONG * reach:
            self._before = len(moments), reach
            return took
        self._learn_from_full(len(moments), reach)
        self._plan_from(scan.low)
        return Took(took.settled, done=True)

    def coming(self, scan: Scan, took: Took) -> Sequence[Scan]:
        """The next page of this window, and the first pages of those after it."""
        if scan.kind is Kind.GLANCE:
            return ()
        under_way = super().coming(scan, took)
        wanted = min(max(2, ceil(self.readers)), self._nature.side_by_side) - len(under_way)
        self.ahead = FEW + 1 if self._ends_cost and not self._long else 1
        while len(self._next) < wanted and not self._planned and not self._long:
            self._next.append(self._window(self._horizon(scan.asked_at), scan.asked_at))
        return (*under_way, *list(self._next)[:wanted])

    def ended(self, scan: Scan) -> None:
        """This window has been read to its end, or to where it was cut."""
        del self.scans[scan.kind]
        self.finished = self._planned and not self._next

    def dropped(self, scan: Scan) -> None:
        """This window came to nothing: what remains of it has to be read by others, before those after it."""
        del self.scans[scan.kind]
        self._slice = self._whole(self._slice / 2)
        self._ends_cost = False  # a window as long as can be would come to nothing at the same place
        self._plan_from(scan.low)

    def gave_up(self, gaps: Iterable[Gap]) -> None:
        """These periods are written down as unreadable: no window need look into them."""
        super().gave_up(gaps)
        self._plan_from(self._next[0].low if self._next else self._from)

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        super().restart()
        self._plan_from(THE_BEGINNING)

    @property
    def _long(self) -> bool:
        """Whether windows are as long as can be."""
        return self._ends_cost and self.readers < WORTH

    @property
    def _filled(self) -> float:
        """How many pages a window is meant to fill."""
        return FILLED + FEW - 1 if self._ends_cost else FILLED

    def _begin(self, horizon: datetime, at: datetime) -> None:
        scan = self._next.popleft() if self._next else self._window(horizon, at)
        self.scans[scan.kind] = scan

    def _window(self, horizon: datetime, at: datetime) -> Scan:
        """The next window; the last one has no end."""
        for wanted in self._spans:
            start, end = max(wanted.start, self._from), min(wanted.end, horizon)
            if start < end and (missing := self.coverage.missing(start, end)):
                first = missing[0]
                self._from = first.start + self._share(first.end - first.start)
                return self._made(Kind.SETTLE, first.start, self._from, at)
        start = max(horizon, self._spans[-1].start, self._from)
        if start + self._slice < at and not self._long:
            self._from = start + self._share(at - start)
            return self._made(Kind.SWEEP, start, self._from, at)
        self._planned = True
        return self._made(Kind.SWEEP, start, None, at)

    def _share(self, left: timedelta) -> timedelta:
        """How wide a window is, of a period that is cut into equal ones, if it has to be cut."""
        return left if self._long else self._whole(left / ceil(left / self._slice))

    def _whole(self, width: timedelta) -> timedelta:
        """The width rounded up to what the service tells apart."""
        return ceil(width / self._nature.resolution) * self._nature.resolution

    def _plan_from(self, moment: datetime) -> None:
        self._next.clear()
        self._from, self._planned = moment, False

    def _learn_from_full(self, rows: int, reach: timedelta) -> None:
        """Learn from a page of so many rows that are of so much time how wide windows had better be."""
        self._full = rows
        self._slice = self._whole(self._filled * reach)

    def _learn_from_whole(self, scan: Scan) -> None:
        """Learn from a window that was one page how wide the next ones had better be."""
        if scan.period is None:
            return
        filled = scan.rows / self._full if self._full else 0.0
        width = scan.period.end - scan.period.start
        fitting = min(self._whole(self._filled * width / max(filled, self._filled / GROWTH)), LONGEST_SLICE)
        # One that is nearly empty is no reason for narrower ones: perhaps all that was missing was a moment.
        self._slice = max(fitting, self._slice) if filled <= self._filled / GROWTH else fitting
