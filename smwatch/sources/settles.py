"""When what is old enough is settled, and what that tells: how dense records are, and how many sweeps have left."""

from __future__ import annotations

from datetime import timedelta

from smwatch.sources.budget import Budget
from smwatch.sources.scan import Scan
from smwatch.sources.sweeping import TOLD_BY

MISSED_BY_SWEEPS, LEFT_BY_SWEEPS = (3, 0.005), 0.03
"""So many records, and such a share, may be settled unseen before the sweep lag is doubled; and such a share where what
sweeps leave is too much to be read by itself."""
SETTLE_PAGES, SETTLE_LONGEST, SETTLE_LONGER = 20, timedelta(minutes=5), timedelta(minutes=1)
"""What is to be settled waits until it fills so many pages, or for so long: half filled pages cost calls as well. For
so much longer it waits for a sweep to end."""
SETTLE_OFTEN = 0.5
"""Who asks for settling more often than that gets it where it takes no more than this part of the calls there are."""


class Settles:
    """Counts what is settled of one source, and decides what can wait; pure."""

    def __init__(self, page: int, every: timedelta) -> None:
        """A page holds so many rows, 0 where pages are large; settling was asked for so often."""
        self.density = 0.0
        """Records a second, where a period was read whole last."""
        self._page = page
        self._every = every
        self._rows, self._length = 0, timedelta()
        """What was read whole since the density was reckoned."""
        self._settled = self._missed = 0

    def count(self, scan: Scan) -> None:
        """This scan has read its period whole."""
        assert scan.period is not None
        self._rows += scan.rows
        self._length += scan.period.end - scan.period.start
        if self._length >= TOLD_BY:
            self.density = self._rows / self._length.total_seconds()
            self._rows, self._length = 0, timedelta()

    def missed(self, rows: int, missed: int, *, reads_late: bool) -> bool:
        """Count records that were settled, and those of them that no sweep had seen; whether these are too many.

        With `reads_late`, what sweeps leave is read by itself before it is settled.
        """
        self._settled += rows
        self._missed += missed
        least, share = MISSED_BY_SWEEPS
        if not reads_late:
            share = LEFT_BY_SWEEPS
        if self._missed < least or self._missed <= share * self._settled:
            return False
        self._settled = self._missed = 0
        return True

    def can_wait(self, waiting: timedelta, budget: Budget, sweep_in: float | None, pause: float) -> bool:
        """Whether `waiting`, a period that sweeps have seen all of, may be settled later, together with what follows.

        The next sweep begins in `sweep_in` seconds, and the one after it a `pause` later. None says that one is under
        way: its end is waited for, as it would take longer if the two went in turns.
        """
        if not self._page or self._often(budget.rate) or not timedelta() < waiting < SETTLE_LONGEST + SETTLE_LONGER:
            return False
        if sweep_in is None:
            return True
        pages = waiting.total_seconds() * self.density / self._page
        in_its_way = sweep_in < pages / budget.rate < pause / 2
        return in_its_way or (waiting < SETTLE_LONGEST and pages < SETTLE_PAGES)

    def _often(self, rate: float) -> bool:
        """Whether somebody wants the mark to follow more closely than is planned, and there are calls for that."""
        calls = 1 / self._every.total_seconds() + self.density / self._page
        return self._every < SETTLE_LONGER and calls <= SETTLE_OFTEN * rate
