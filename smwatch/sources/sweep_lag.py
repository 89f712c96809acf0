"""How late records are expected to be seen by sweeps: later, for some hours, once they were."""

from __future__ import annotations

from datetime import datetime, timedelta

from smwatch.sources.coverage import Lags
from smwatch.sources.settle_lag import LATE_FACTOR, LONGEST, NEAR

OUTLIER = 5
"""How many times as late as planned one record alone may be for sweeps to reach further back because of it."""
WIDE_FOR = timedelta(hours=6)
"""How long a sweep lag stays widened, over restarts as well."""


class SweepLag:
    """The sweep lag of one source; pure: it is told the time. A `limit` is the settle lag."""

    def __init__(self, planned: timedelta, lags: Lags) -> None:
        self.planned = planned
        self.now = max(planned, min(lags.sweep or timedelta(), LONGEST))
        """What it is at present: records at most this late are found within minutes of becoming visible."""
        self.until = lags.sweep_until
        """How long that is more than was planned, if it is."""

    @property
    def wide(self) -> bool:
        """Whether records are expected to be later than was planned."""
        return self.now > self.planned

    def widen(self, at: datetime, factor: float, limit: timedelta) -> None:
        """Expect records to be so many times as late, for some hours."""
        self.now = min(factor * self.now, limit)
        self.until = at + WIDE_FOR

    def saw(self, delay: timedelta, at: datetime, limit: timedelta) -> None:
        """Records are this late: expect that and a little more, for some hours; what is far later is the settle's."""
        if not NEAR * self.planned < delay <= OUTLIER * self.planned:
            return
        if delay > NEAR * self.now:
            self.now = min(max(self.now, LATE_FACTOR * delay), limit)
        self.until = at + WIDE_FOR

    def narrow(self, at: datetime) -> None:
        """Expect what was planned again, some hours after it was found to be too little."""
        if not self.wide:
            return
        latest = at + WIDE_FOR
        self.until = min(self.until or latest, latest)  # a wrong clock may have said otherwise
        if at > self.until:
            self.now, self.until = self.planned, None
