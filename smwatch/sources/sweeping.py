"""How far back sweeps look, how often, and what they leave to be read once, a little later.

Where pages are small, calls are what limits latency, and most calls of a sweep bring rows that are known: those of the
last minutes, again and again. So sweeps reach no farther back than almost all records are late (the few others are read
once, when they are as old as the sweep lag), the next one begins when the budget allows it, and when that takes long,
the newest page is glanced at in between.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from smwatch.sources.agenda import Nature, Schedule, floor
from smwatch.sources.lateness import Lateness
from smwatch.sources.scan import Scan

HABITUAL, STILL_HABITUAL = 0.993, 0.985
"""The shares of the records for which sweeps reach back, and for which they need not do so at the price of a page."""
SHARE, DENSE_SHARE, MORE_SHARE = 0.38, 0.45, 0.0005
"""The part of the budget that sweeps use up: a little more for each page above some, up to a limit."""
DENSE_FROM = 20
SCRAP = 0.25
"""The part of a page for which a sweep asks for no other page."""
RESTED = 1 / 3
"""A sweep that took long is followed by a pause of this part of its time, for others in the account."""
RELAXED_EVERY = 30.0
"""Seconds between sweeps while something quicker shows what happens."""
GLANCE_FROM, GLANCE_EVERY = 1.5, 20.0
"""Glances begin where sweeps are this many times their shortest distance apart, at most one in so many seconds."""
STEADY = 3
LATE_PAGES, LATE_EVERY = 5.7, timedelta(seconds=140)
"""What sweeps leave is read when it fills so many pages, or every so often."""
LATE_LONGEST = timedelta(minutes=10)
EDGE, TOO_MANY_AT_EDGE, WIDEN, TELLING = 0.9, 0.02, 1.5, 100
"""When so many records are only just inside the sweep lag, some are beyond; so many records must have told."""
TELLING_PAUSE = 60.0
"""Sweeps farther apart tell too little of how late a record became visible."""
WIDE_FOR = 6 * 3600.0
"""Seconds for which a sweep lag stays widened."""


class Sweeps:
    """The plan of the sweeps of one source; pure."""

    def __init__(self, schedule: Schedule, nature: Nature, rate: float) -> None:
        self.lag = schedule.sweep_lag
        """Records at most this late are found within minutes of becoming visible."""
        self.swept_at: datetime | None = None
        """When the last complete sweep began; None before there was one."""
        self.pages = 0
        """How many pages the last complete sweep took."""
        self.pause = 0.0
        """Seconds from the beginning of one sweep to that of the next."""
        self.glance_at: float | None = None
        """When the newest page is to be looked at, if there is time for that before the next sweep."""
        self._schedule = schedule
        self._nature = nature
        self._rate = rate
        self._lateness = Lateness()
        self._low: datetime | None = None
        self._shallow = False
        self._late_to: datetime | None = None
        self._glanced_at = 0.0
        self._told = 0
        self._wide_until = 0.0

    @property
    def reach(self) -> timedelta:
        """How far before the beginning of the last sweep the next one looks."""
        if not self._nature.page:
            return self.lag
        habit = self._lateness.within(HABITUAL)
        if self.lag - habit < timedelta(seconds=self.pause / 2):
            return self.lag  # to read the rest by itself would cost more than it saves
        # a moment is looked at for the last time up to a pause later than that
        return habit - timedelta(seconds=self.pause / 3)

    def begin(self, low: datetime, at: datetime) -> None:
        """A sweep, with what is read aside for it, begins at server time `at` and reaches down to `low`."""
        if self.swept_at is None:
            self._late_to = floor(at - self.lag, self._nature.resolution)
        self._low = low
        self._shallow = self.swept_at is not None and low > self.swept_at - self.lag

    def ended(self, scan: Scan, clock: float, *, relaxed: bool) -> float:
        """A sweep has come to its end; when the next one begins."""
        assert self._late_to is not None
        assert self._low is not None
        if not self._shallow and self._late_to >= self._low:
            self._late_to = floor(scan.asked_at - self.lag, self._nature.resolution)
        self.swept_at = scan.asked_at
        self.pages = scan.pages
        every = RELAXED_EVERY if relaxed else self._schedule.sweep_every.total_seconds()
        self.pause = max(every, scan.pages / (share(scan.pages) * self._rate))
        if self._nature.page and self.pause > GLANCE_FROM * every and clock - self._glanced_at > GLANCE_EVERY:
            self.glance_at = scan.began + self.pause / 2
        self._look_further(clock)
        return max(scan.began + self.pause, clock + RESTED * (clock - scan.began))

    def glanced(self, clock: float) -> None:
        """The newest page is being looked at."""
        self.glance_at, self._glanced_at = None, clock

    def enough(self, scan: Scan, density: float) -> bool:
        """Whether hardly anything can be left for another page of this sweep, where rows are so dense."""
        if not self._shallow or scan.high is None or self.swept_at is None:
            return False
        left = (scan.high - scan.low).total_seconds() * density
        usual = self._lateness.within(STILL_HABITUAL) - timedelta(seconds=self.pause / 3)
        return left < SCRAP * self._nature.page and scan.high < self.swept_at - usual

    def steady(self, now: datetime) -> bool:
        """Whether what is found new now has just become visible, because a sweep was here a moment ago."""
        return self.swept_at is not None and now - self.swept_at <= STEADY * timedelta(seconds=self.pause)

    # -- what sweeps leave -------------------------------------------------------------------------------------------

    def left(self, at: datetime, density: float) -> tuple[datetime, datetime] | None:
        """The period that sweeps have left and that is worth reading by now, where rows are so dense."""
        if self._late_to is None or not self._shallow:
            return None
        end = floor(at - self.lag, self._nature.resolution)
        start = max(self._late_to, end - LATE_LONGEST)
        waiting = end - start
        if waiting < LATE_EVERY and waiting.total_seconds() * density < LATE_PAGES * self._nature.page:
            return None
        return start, end

    def read_left(self, end: datetime) -> None:
        """What sweeps had left is read up to this moment."""
        self._late_to = end

    # -- what was measured -------------------------------------------------------------------------------------------

    def saw(self, delay: timedelta) -> None:
        """A sweep saw a record for the first time, this long after its moment."""
        if self.pause <= TELLING_PAUSE:
            self._lateness.add(delay - timedelta(seconds=self.pause / 2))

    def left_out(self) -> None:
        """A record was among those that sweeps had left."""
        self._lateness.add((self.reach + self.lag) / 2)

    def widen(self, clock: float, factor: float, limit: timedelta) -> None:
        """Expect records to be later, for some hours."""
        self.lag = min(factor * self.lag, limit)
        self._wide_until = clock + WIDE_FOR
        self._told = self._lateness.added

    def narrow(self, clock: float) -> None:
        """Expect what was planned again, some hours after it was found to be too little."""
        if clock > self._wide_until:
            self.lag = self._schedule.sweep_lag

    def _look_further(self, clock: float) -> None:
        """Expect records that are later than could be seen, when many are almost as late as that."""
        if not self._nature.page or self._lateness.added - self._told < TELLING:
            return
        if self._lateness.beyond(EDGE * self.lag) > TOO_MANY_AT_EDGE:
            self.widen(clock, WIDEN, self._schedule.settle_lag)


def share(pages: int) -> float:
    """The part of the budget for sweeps of so many pages."""
    return min(DENSE_SHARE, SHARE + MORE_SHARE * max(0, pages - DENSE_FROM))
