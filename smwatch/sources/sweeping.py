"""How far back sweeps look, how often, and what they leave to be read once, a little later.

Where pages are small, calls are what limits latency, and most calls of a sweep bring rows that are known: those of the
last minutes, again and again. So sweeps reach no farther back than almost all records are late (the few others are read
once, when they are as old as the sweep lag), the next one begins when the budget allows it, and when that takes long,
the newest page is glanced at in between.
"""

from __future__ import annotations

import math
from datetime import datetime, timedelta
from typing import NamedTuple

from smwatch.sources.budget import Budget
from smwatch.sources.coverage import Lags
from smwatch.sources.lateness import Lateness
from smwatch.sources.nature import Nature, Schedule, floor
from smwatch.sources.passes import EVERY, PIECES, Passes
from smwatch.sources.scan import Scan
from smwatch.sources.sweep_lag import SweepLag


class Manner(NamedTuple):
    """How sweeps go about it."""

    habitual: float
    """How much of the reach is far enough back where more would cost a page."""
    smooth: float
    """How soon their distance follows their length: where it changes little, nothing waits longer than others."""
    scrap: float
    """The part of a page (or so many pages) for which a sweep asks for no other page: of such old rows hardly any are
    new, and the time their calls take is waited for by all that are."""
    surge: float
    """So many times as long, or as short, as the last ones is a sweep that is taken for what the next ones will be: to
    forget a long one bit by bit would take half an hour. Of few pages, one more or less and a glance change nothing:
    it is for the longest distance that the 99th of a hundred waits."""


CLOSE, APART = Manner(0.99, 0.1, 0.8, 1.35), Manner(0.95, 0.15, 1.5, 1.2)
"""Where sweeps follow each other soon, and where they are `FARTHER` apart; found by simulation."""
JOIN = 0.2
"""The part of a pause by which sweeps may reach less far: the last one to see a moment is so much later at times."""
LEAVE, LEAVE_LATER, FAR = 0.0125, 0.008, 66.0
"""The share of the records that sweeps may leave to the settle where they are too many to be read by themselves and
sweeps are so many seconds apart; where they are closer, as much less. Whoever would leave one in a hundred, in one half
hour or another, would show the 99th of a hundred an hour late. So many are left, and no fewer, once it is known well
how late records are; until then they are taken for later than they are, and fewer are. What is thought of the latest
ones wanders by a quarter in hours, as they are few: where the settle finds that more were left, fewer may be."""
LEARNT = 36_000
"""So many records, some hours of them, tell that well."""
HABITUAL = 1.15
"""So many times as late as nearly all records are is as far as sweeps go back for the few that are later."""
PAGED = 0.3
"""The part of a sweep's own time by which it may reach less far back: its last pages come at its end, and hold what has
become visible meanwhile. To count on all of it would leave too many wherever records are a little later than before."""
FARTHER = 75.0
"""Seconds between sweeps from which on each call of theirs is waited for by many. Nearer, a page and a half holds more
time than may be left out: one in a hundred would be shown an hour late."""
SHOWN_BY = 0.978
"""The part of the shortest distance of sweeps after which the next begins: its own time is the rest."""
RESTED = 1 / 3
"""A sweep that took long is followed by a pause of this part of its time, for others in the account."""
RELAXED_EVERY = 30.0
"""Seconds between sweeps while something quicker shows what happens."""
GLANCE_FROM, GLANCE_EVERY = 1.3, 20.0
"""Glances begin where sweeps are this many times their shortest distance apart, at most one in so many seconds. The
newest page in between halves the wait of the youngest records, which are many, and costs all others less than that."""
STEADY = 3
"""So many pauses after a sweep, what is found new may have been visible for long."""
SLOW = 120.0
"""Seconds between two looks at a moment from which on somebody who waits should know of a quicker way."""
LATE_PAGES, LATE_EVERY = 5.7, timedelta(seconds=140)
"""What sweeps leave is read when it fills so many pages, or every so often."""
LATE_LONGEST = timedelta(minutes=10)
TOLD_BY = timedelta(minutes=1)
"""How much time a sweep has to show for its rows to tell how dense they are."""
TELLING = 1800
"""So many records of one sweep lag tell well enough how late they are."""
SURPRISING = 1.5
"""How many times as many as was thought must have been left by passes for that to be learnt from."""
FADE, DOUBT, TRUSTED = 0.9, 20, (0.8, 1.25)
"""How much of what was left to the settle counts still with the next one, how many such records tell nothing yet, and
how much less or more than was thought there may be, for what is thought from now on."""
EDGE, TOO_MANY_AT_EDGE, WIDEN, ENOUGH = 0.9, 0.02, 1.5, 100
"""When so many records are only just inside the sweep lag, some are beyond; so many records must have told."""


class Sweeps:
    """The plan of the sweeps of one source; pure."""

    def __init__(self, schedule: Schedule, nature: Nature, rate: float, lags: Lags) -> None:
        self.expected = SweepLag(schedule.sweep_lag, lags)
        """How late records are expected to be."""
        self.swept_at: datetime | None = None
        """When the last complete sweep began; None before there was one."""
        self.pause = 0.0
        """Seconds from the beginning of one sweep to that of the next."""
        self.glance_at = math.inf
        """When the newest page is to be looked at, if that is worth it before the next sweep."""
        self.budget = Budget(nature.page, rate)
        self.passes = Passes(nature.resolution)
        self._schedule = schedule
        self._nature = nature
        self._lateness = Lateness()
        self._low: datetime | None = None
        self._shallow = False
        self._late_to: datetime | None = None
        self._glanced_at = self._passes_at = 0.0
        self._last = (self.lag,) * 3
        """At what age (least, middle, most) a moment is read before it is settled, or read by itself."""
        self._took = timedelta()
        self._left = [0.0, 0.0, 0.0]
        self._missed = self._expected = self._settled = 0.0
        self._glance: Scan | None = None
        self._glances = 0
        self._cost = 1.0
        self._told = 0

    @property
    def lag(self) -> timedelta:
        """Records at most this late are found within minutes of becoming visible."""
        return self.expected.now

    @property
    def reach(self) -> timedelta:
        """How far before the beginning of the last sweep the next one looks."""
        if not self._nature.page:
            return self.lag
        if not self.budget.reads_late:
            share = self._leave * min(1.0, self.pause / FAR)
            farthest = min(HABITUAL * self._lateness.usual, self._lateness.leaving(share, self._pause))
            return max(farthest - self._paged, timedelta())
        habit = self._lateness.habit
        if self.lag - habit < self._pause / 2:
            return self.lag  # to read the rest by itself would cost more than it saves
        # a moment is looked at for the last time up to a pause later than that
        return habit - JOIN * self._pause

    @property
    def slow(self) -> bool:
        """Whether it takes minutes until records are shown, though more often was wanted."""
        return bool(self._nature.page) and self.pause > max(SLOW, self._schedule.sweep_every.total_seconds())

    def begin(self, low: datetime, at: datetime) -> None:
        """A sweep, with what is read aside for it, begins at server time `at` and reaches down to `low`."""
        if self.swept_at is None:
            self._late_to = floor(at - self.lag, self._nature.resolution)
        self.passes.dropped()
        self._low = low
        self._shallow = self.swept_at is not None and low > self.swept_at - self.lag

    def ended(self, scan: Scan, clock: float, *, relaxed: bool) -> float:
        """A sweep has come to its end; when the next one begins."""
        assert self._late_to is not None
        assert self._low is not None
        if not self._shallow and self._late_to >= self._low:
            self._late_to = floor(scan.asked_at - self.lag, self._nature.resolution)
        self.swept_at = scan.asked_at
        self._took = timedelta(seconds=clock - scan.began)
        # of what has turned up meanwhile, what is older than the page of that moment was among it
        self._count(scan.rows, self._lateness.visible(scan.asked_at - scan.origin) + self._took / 2)
        every = RELAXED_EVERY if relaxed else self._schedule.sweep_every.total_seconds()
        cost = scan.pages + self._glances
        surge = self._manner.surge
        usual = self._cost / surge <= cost <= surge * self._cost
        self._cost = self._cost + self._manner.smooth * (cost - self._cost) if usual else cost
        self._glances, self.glance_at = 0, math.inf
        self.pause = max(SHOWN_BY * every, self._cost / self.budget.for_sweeps)
        worth_it = self.pause > GLANCE_FROM * every
        if self._nature.page and worth_it and clock - self._glanced_at > GLANCE_EVERY:
            self.glance_at = scan.began + self.pause / 2
        read_at = scan.asked_at + self._paged
        bottom = read_at - (self._low if scan.token is None or scan.high is None else scan.high)
        self._last = (bottom - self._pause, bottom - self._pause / 2, bottom)
        self._look_further(scan.asked_at)
        rested = clock + RESTED * (clock - scan.began)
        if self.passing:
            self.passes.start(scan.asked_at, self._lateness)
            return rested
        return max(scan.began + self.pause, rested)

    def glanced(self, scan: Scan, clock: float) -> None:
        """The newest page has been looked at."""
        self._glances, self._glanced_at, self._glance = 1, clock, scan

    def enough(self, scan: Scan) -> bool:
        """Whether what is left of this sweep would not fill another page, and hardly anything can be news."""
        if not self._shallow or scan.high is None or self.swept_at is None:
            return False
        left = (scan.high - scan.low).total_seconds() * self.budget.density
        if self.budget.reads_late:
            usual = self._lateness.usual - JOIN * self._pause
        else:
            usual = self._manner.habitual * self.reach
        return left < self._manner.scrap * self._nature.page and scan.high < self.swept_at - usual

    def steady(self, now: datetime) -> bool:
        """Whether what is found new now has just become visible, because a sweep was here a moment ago."""
        return self.swept_at is not None and now - self.swept_at <= STEADY * self._pause

    @property
    def passing(self) -> bool:
        """Whether the latest minutes are read by passes now, because there is so much that sweeps would take long."""
        if not self._nature.page or self._lateness.habit < PIECES * EVERY:
            return False
        return self.budget.passes(already=self.passes.early_to is not None)

    def plan_passes(self, at: datetime, clock: float, settled_to: datetime) -> None:
        """Passes begin at server time `at`."""
        self._passes_at = clock
        self.passes.plan(at, settled_to, self._lateness, self.budget.early(self.passes.early_part(self._lateness)))

    def passed(self, scan: Scan, clock: float) -> float:
        """A pass has come to its end; when the next ones begin."""
        assert scan.period is not None
        if self.passes.read(scan):
            self._count(scan.rows, scan.period.end - scan.period.start)
        if self.passes.next() is not None:
            return clock
        late = self._lateness.habit
        self._last = (late - EVERY / 2, late, late + EVERY / 2)
        assert self.passes.apart is not None
        self.swept_at, self.pause = self.passes.read_to, self.passes.apart.total_seconds()
        return max(self._passes_at + EVERY.total_seconds(), clock + RESTED * (clock - self._passes_at))

    @property
    def _manner(self) -> Manner:
        """How sweeps go about it: where they are far apart, many records wait for each call of theirs."""
        return APART if self.pause > FARTHER else CLOSE

    @property
    def _leave(self) -> float:
        """The share of the records that sweeps may leave: less, where the settle found that they left more of late."""
        if self._lateness.added < LEARNT:
            return LEAVE
        found = self._missed / max(self._settled, DOUBT / LEAVE_LATER)
        return LEAVE_LATER * min(1.0, LEAVE_LATER / found) if found else LEAVE_LATER

    @property
    def _paged(self) -> timedelta:
        """How long after its beginning a sweep is taken to read what is oldest; of a burst, all is that old."""
        return PAGED * self._took if self.budget.lasting and self.budget.plenty else timedelta()

    @property
    def _pause(self) -> timedelta:
        return timedelta(seconds=self.pause)

    def _count(self, rows: int, visible: timedelta) -> None:
        if visible >= TOLD_BY:
            self.budget.density = rows / visible.total_seconds()

    # -- what sweeps leave -------------------------------------------------------------------------------------------

    def left(self, at: datetime, density: float) -> tuple[datetime, datetime] | None:
        """The period that sweeps have left and that is worth reading by now, where rows are so dense."""
        if self._late_to is None or not self._shallow or not self.budget.reads_late:
            return None
        end = floor(at - self.lag, self._nature.resolution)
        start = max(self._late_to, end - LATE_LONGEST)
        waiting = end - start
        if waiting < LATE_EVERY and waiting.total_seconds() * density < LATE_PAGES * self._nature.page:
            return None
        return start, end

    @property
    def done_to(self) -> datetime | None:
        """Up to where both are done: sweeps, and the late reading of what they leave; None before the first sweep."""
        if self.swept_at is None:
            return None
        swept_to = floor(self.swept_at - self.lag, self._nature.resolution)
        return swept_to if self._late_to is None or not self.budget.reads_late else min(swept_to, self._late_to)

    def read_left(self, end: datetime) -> None:
        """What sweeps had left is read up to this moment."""
        self._late_to = end

    # -- what was measured -------------------------------------------------------------------------------------------

    def saw(self, at: datetime, now: datetime) -> None:
        """A record of this moment was seen for the first time now."""
        if not self._nature.page or self.passing:  # two looks at each moment say nothing of what was in between
            return
        age = max(now - at, timedelta())
        unseen_at = self._read_at(at) - at
        wanted = TELLING / max(TELLING, self.budget.density * self.lag.total_seconds())
        self._lateness.hold(at, max(unseen_at, timedelta()), age, wanted)
        released = self._lateness.release(now - self.lag - self._pause, wanted)
        if not self.budget.reads_late:  # what is left to the settle is not known for an hour: so much it will be
            least, most = TRUSTED
            misjudged = min(max((self._missed + DOUBT) / (self._expected + DOUBT), least), most)
            for n, last in enumerate(self._last):
                self._left[n] += misjudged * released * self._lateness.beyond(last) / len(self._last)
        self._learn_left()

    def _read_at(self, at: datetime) -> datetime:
        """When this moment was read before the scan under way."""
        assert self.swept_at is not None
        if self._glance is not None and self._glance.high is not None and at > self._glance.high:
            return max(self.swept_at, self._glance.asked_at)
        depth = max(timedelta(), self.swept_at - at) / max(self._last[2], EVERY)
        return self.swept_at + min(depth * depth, 1.0) * self._took  # what is younger fills fewer pages

    def left_out(self) -> None:
        """A record was among those that sweeps had left."""
        self._lateness.add_between(self._last[0], max(self.lag, self._last[0]))

    def left_to_settle(self, rows: int, missed: int) -> None:
        """So many records were settled, and so many of them neither sweep nor pass had seen."""
        if not self.budget.reads_late:
            expected = rows * sum(map(self._lateness.beyond, self._last)) / len(self._last)
            self._expected = FADE * self._expected + expected
            self._missed = FADE * self._missed + missed
            self._settled = FADE * self._settled + rows
            if self.passing and self._missed > SURPRISING * (self._expected + DOUBT):
                self._left[1] += missed
                self._learn_left()

    def _learn_left(self) -> None:
        for n, age in enumerate(self._last):
            while self._left[n] >= 1:
                self._left[n] -= 1
                self._lateness.add_between(age, max(self.lag, age))

    def widen(self, at: datetime, factor: float, limit: timedelta) -> None:
        """Expect records to be so many times as late, for some hours."""
        self.expected.widen(at, factor, limit)
        self._told = self._lateness.added

    def _look_further(self, at: datetime) -> None:
        """Expect records that are later than could be seen, when many are almost as late as that."""
        if not self._nature.page or self._lateness.added - self._told < ENOUGH:
            return
        if self._lateness.beyond(EDGE * self.lag) > TOO_MANY_AT_EDGE:
            self.widen(at, WIDEN, self._schedule.settle_lag)
