"""What stands in for sweeps where there is so much that they would come minutes apart.

A sweep reads every moment at whatever ages it happens to have: many of its pages are of records that have been seen,
and many of moments of which hardly anything is visible yet. Where calls are that scarce, each moment is read at two
ages alone: when so much of it is visible that reading it spares the most waiting, and when almost all is.
"""

from __future__ import annotations

from collections import deque
from datetime import datetime, timedelta

from smwatch.sources.coverage import Span
from smwatch.sources.lateness import Lateness
from smwatch.sources.nature import floor
from smwatch.sources.scan import Scan

EVERY = timedelta(seconds=62)
"""How much time is read at once: little enough to wait for, and enough for its last page to be worth its call."""
PIECES = 3
"""So many pieces of time have to be late at once for passes to have anything to part."""
MARGIN = 1.025
"""How much older than where sweeps stop a moment is when it is read for the last time: it comes there once alone."""
WORTH_KEEPING = 0.95
"""How good the distance of both readings may still be, of the best there is, for it to stay as it is."""
EARLY = 0.87
"""How many of the records that are visible at the early age are so when that reading comes."""
LEAD = timedelta(seconds=24)
"""How much earlier the readings begin than planned: their pages come one by one, and take their time."""


class Passes:
    """Plans the two readings of every moment; pure."""

    def __init__(self, resolution: timedelta) -> None:
        self.early_to: datetime | None = None
        """Up to where everything was read once; None while sweeps are what reads the latest minutes."""
        self._late_to: datetime | None = None
        self._ends: deque[tuple[datetime, datetime]] = deque()
        """Where early readings ended, and when they began: late ones read the same pieces, so none waits longer."""
        self._waiting: list[tuple[bool, Span]] = []
        self.apart: timedelta | None = None
        """How much later than the first time a moment is read for the second time."""
        self.read_to: datetime | None = None
        """Up to where everything was read as often as it is by now."""
        self._owed = 0.0
        """How much of an early reading the budget has room for, with what was left of it before."""
        self._resolution = resolution

    def start(self, swept_at: datetime, lateness: Lateness) -> None:
        """Go on from a sweep that began at this time, and has read all there was."""
        early, late = (floor(swept_at - age, self._resolution) for age in self._ages(lateness))
        self.early_to = early if self.early_to is None else max(self.early_to, early)
        self._late_to = late if self._late_to is None else max(self._late_to, late)
        end = self._ends[-1][0] if self._ends else self._late_to
        while end < self.early_to:
            end = min(end + EVERY, self.early_to)
            self._ends.append((end, swept_at))

    def stop(self) -> None:
        """Let sweeps go on instead."""
        self.early_to = self._late_to = None
        self._ends.clear()
        self._waiting.clear()

    def early_part(self, lateness: Lateness) -> float:
        """The part of the records that an early reading finds; it begins a little earlier than at its age."""
        return EARLY * (1 - lateness.beyond(self._ages(lateness)[0]))

    def plan(self, at: datetime, settled_to: datetime, lateness: Lateness, early: float = 1.0) -> None:
        """Begin at server time `at`; what is settled is left out.

        `early` is the share of all moments for which there are calls enough to read them both early and late; the
        others are read late alone.
        """
        assert self.early_to is not None
        assert self._late_to is not None
        ages = self._ages(lateness)
        early_to, due_to = (floor(at - age + EVERY / 2 + LEAD, self._resolution) for age in ages)
        self._owed = min(1.0, max(0.0, self._owed + early))
        if self._owed < 1:
            while self.early_to < early_to:  # as if it had been read now, for the late reading to come when it is due
                self.early_to = min(self.early_to + EVERY, early_to)
                self._ends.append((self.early_to, at))
        else:
            self._owed -= 1
        late_to = self._late_to
        while self._ends:
            end, read_at = self._ends[0]
            if end > due_to and at - read_at < ages[1] - ages[0] - EVERY / 2:
                break
            late_to, _ = self._ends.popleft()
        wanted = ((False, self.early_to, early_to), (True, self._late_to, late_to))
        pieces = ((late, max(start, settled_to), end) for late, start, end in wanted)
        self._waiting = [(late, Span(start, end)) for late, start, end in pieces if start < end]

    def next(self) -> Span | None:
        """What to read now: the older piece, then the younger one; None when there is nothing left of the plan."""
        return self._waiting[-1][1] if self._waiting else None

    def read(self, scan: Scan) -> bool:
        """The piece has been read; whether it was read for the last time."""
        late, piece = self._waiting.pop()
        if late:
            self._late_to = piece.end
        else:
            self.early_to = piece.end
            self._ends.append((piece.end, scan.asked_at))
        self.read_to = max(piece.end, self.read_to or piece.end)
        return late

    def dropped(self) -> None:
        """What has not been read becomes part of the next plan."""
        self._waiting.clear()

    def _ages(self, lateness: Lateness) -> tuple[timedelta, timedelta]:
        """How old a moment is when it is read; how far apart is changed only for something."""
        late = MARGIN * lateness.habit
        best = lateness.midway(late)
        kept = None if self.apart is None else late - self.apart
        if kept is None or kept < EVERY or lateness.spared(kept, late) < WORTH_KEEPING * lateness.spared(best, late):
            self.apart = max(1, round((late - best) / EVERY)) * EVERY
        assert self.apart is not None
        return max(late - self.apart, EVERY / 2), late
