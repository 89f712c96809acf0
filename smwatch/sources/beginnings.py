"""Which of the scans that never end is due, and what it is to read."""

from __future__ import annotations

import math
from datetime import datetime, timedelta

from smwatch.sources.agenda import Agenda
from smwatch.sources.audits import Audits
from smwatch.sources.catching_up import CatchingUp
from smwatch.sources.coverage import Coverage, Gap
from smwatch.sources.nature import Nature, Schedule, floor
from smwatch.sources.scan import Kind
from smwatch.sources.settles import Settles
from smwatch.sources.sweeping import Sweeps

SPLIT = 2
"""A first sweep, or one after an outage, that would be longer than this many sweep lags is divided."""
SETTLE_LOOKS = timedelta(seconds=1)
"""How often it looks whether it may begin."""
LOOK_AGAIN = timedelta(seconds=5)


class Beginnings(Agenda):
    """Begins sweeps, settles, audits and what goes with them; what comes of them is for `Following`."""

    def __init__(
        self,
        schedule: Schedule,
        nature: Nature,
        since: datetime,
        coverage: Coverage,
        rate: float,
        *,
        view: bool = False,
    ) -> None:
        """With `view`, the latest records come first of all where there is much to catch up with."""
        super().__init__(schedule, nature, since, coverage, rate)
        self._view = view
        self.sweeps = Sweeps(schedule, nature, rate, coverage.lags)
        self.watched_from: datetime | None = None
        """From where on sweeps have read everything, since the start or since they were away for long."""
        self.measured_from: datetime | None = None
        """From where on sweeps of this run have; what earlier ones have read tells nothing of how late records are."""
        self.began_at: datetime | None = None
        """The service's time when it was asked for the first time."""
        self._reached: datetime | None = None
        """From where on is to be read as well what lies before `base`."""
        self._catching_up = CatchingUp(coverage.swept)
        self._settles = Settles(nature.page, schedule.settle_every)
        self._audits = Audits(nature.page, nature.resolution, schedule.audit_every, coverage.audited)
        self._started = self._asked = False
        self._at = since
        """The service's time, as it was told last."""
        self._due = {
            Kind.SWEEP: -math.inf,
            Kind.GLANCE: math.inf,
            Kind.LATE: math.inf,
            Kind.SETTLE: -math.inf,
        }

    def plan(self, at: datetime, clock: float, edge: datetime | None) -> tuple[Gap, ...]:
        """Begin the scans that are due at server time `at`; the periods before `edge` that can't be read any more."""
        self.clock, self._at = clock, at
        self.sweeps.budget.rate = self.rate
        horizon = self._horizon(at)
        self._asks.begin(horizon - self._nature.resolution, at, sure=self.sure)
        if not self._started:
            self.began_at = at
            self._start(at)
        if self._is_due(Kind.SWEEP) and Kind.PASS not in self.scans:
            self._begin_sweep(at)
        if self._is_due(Kind.GLANCE):
            self._begin_glance(at)
        if self._is_due(Kind.LATE):
            self._begin_late(at)
        if Kind.CATCH_UP not in self.scans and (hole := self._catching_up.next()):
            self._scan(Kind.CATCH_UP, hole.start, hole.end, at)
        if self.sure and Kind.AUDIT not in self.scans and clock >= self._audits.begins_at:
            self._begin_audit(at)
        if Kind.SETTLE in self.scans:
            return ()
        if gaps := self._unreadable(edge, horizon):
            return gaps if self.sure else ()
        if self._is_due(Kind.SETTLE):
            if self._can_wait(self.complete_to, horizon):
                self._again(Kind.SETTLE, SETTLE_LOOKS)
            elif not self._begin_settle(self.base, horizon, at):
                self._again(Kind.SETTLE, self.schedule.settle_every)
        if Kind.SETTLE not in self.scans and self._reached is not None:
            self._read_older(self._reached, at)
        return ()

    def due_in(self) -> float:
        """Seconds until the next scan begins, or an audit goes on; 0 while another one is going on."""
        if self.scans.keys() - {Kind.AUDIT}:
            return 0.0
        due = min(at for kind, at in self._due.items() if kind not in self.scans)
        if self.scans:
            due = min(due, self._audits.page_at)
        elif self.sure:
            due = min(due, self._audits.begins_at)
        return max(0.0, due - self.clock)

    def reach(self, since: datetime) -> None:
        """Read on from an earlier moment as well.

        What lies before `base` is read between what is to be settled now: the mark goes on meanwhile, and counts from
        that moment on when all is read.
        """
        self._reached = min(since, self._reached or since)

    @property
    def wanted_from(self) -> datetime:
        """From where on everything is to be read."""
        return self.base if self._reached is None else min(self._reached, self.base)

    @property
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""
        return self.sweeps.swept_at is not None and not self._catching_up.left and Kind.CATCH_UP not in self.scans

    @property
    def sweeping(self) -> bool:
        """Whether what sweeps have not seen of the last minutes was not there yet, and not just unread for long."""
        return self.up_to_date and (not self._away(self._at) or self.sweeps.steady(self._at))

    def _start(self, at: datetime) -> None:
        self._started = True
        self._audits.begin(at, self.clock, settled=bool(self.coverage.settled))
        if self._nature.page:
            self._again(Kind.LATE, LOOK_AGAIN)
        self.base = self._asks.beginning(self.coverage, at)

    def _begin_sweep(self, at: datetime) -> None:
        sweeps = self.sweeps
        if self._begin_pass(at):
            return
        self._asked = False
        low = self._horizon(at)  # what is older is the settle's
        if sweeps.swept_at is not None:
            low = max(low, sweeps.swept_at - sweeps.lag if self._away(at) else sweeps.swept_at - sweeps.reach)
        low = self._floor(min(max(low, self.base), at - self._nature.resolution))
        joins = sweeps.swept_at is not None and low <= sweeps.swept_at - sweeps.lag
        if self.watched_from is None or (self._away(at) and not joins):
            self.watched_from = low
            self.measured_from = max((low, *(span.end for span in self.coverage.swept if span.end <= at)))
        sweeps.begin(low, at)
        if at - low > SPLIT * sweeps.lag:
            if self._view and sweeps.swept_at is None and Kind.VIEW not in self.scans:
                self._scan(Kind.VIEW, low, None, at)
            newest = self._floor(at - sweeps.lag)
            self._catching_up.leave_unswept(low, newest, at)
            low = newest
        self._scan(Kind.SWEEP, low, None, at)

    def _begin_pass(self, at: datetime) -> bool:
        """Begin what takes the place of a sweep where there is much, unless a sweep was asked for or time was lost."""
        sweeps = self.sweeps
        if sweeps.passes.early_to is None or self._asked or self._away(at):
            return False
        if not sweeps.passing:
            sweeps.passes.stop()
            return False
        if sweeps.passes.next() is None:
            sweeps.plan_passes(at, self.clock, self.complete_to)
        if piece := sweeps.passes.next():
            self._scan(Kind.PASS, piece.start, piece.end, at)
        else:
            self._again(Kind.SWEEP, LOOK_AGAIN)
        return True

    def _away(self, at: datetime) -> bool:
        """Whether the latest minutes were not read for so long that sweeps do not join any more."""
        swept_at = self.sweeps.swept_at
        return swept_at is not None and at - swept_at > SPLIT * self.sweeps.lag

    def _begin_glance(self, at: datetime) -> None:
        self._due[Kind.GLANCE] = math.inf
        if Kind.SWEEP not in self.scans and self.sweeps.swept_at is not None:
            self._scan(Kind.GLANCE, self._floor(self.sweeps.swept_at - self.sweeps.reach), None, at)

    def _begin_late(self, at: datetime) -> None:
        if self.sweeping and (left := self.sweeps.left(at, self._settles.density)):
            self._scan(Kind.LATE, *left, at)
        else:
            self._again(Kind.LATE, LOOK_AGAIN)

    def _can_wait(self, start: datetime, end: datetime) -> bool:
        """Whether there is so little to settle yet, all of it seen by sweeps, that more can wait with it.

        It also waits for the end of a sweep, which would take longer if they went in turns.
        """
        if self.watched_from is None or start < self.watched_from:
            return False
        under_way = Kind.SWEEP in self.scans or Kind.PASS in self.scans
        sweep_in = None if under_way else self._due[Kind.SWEEP] - self.clock
        return self._settles.can_wait(end - start, self.sweeps.budget, sweep_in, self.sweeps.pause)

    def _read_older(self, reached: datetime, at: datetime) -> None:
        """Begin the next slice of what lies before `base`; if nothing is left of it, all counts from there."""
        if reached >= self.base or not self._begin_settle(reached, self.base, at):
            self.base, self._reached = min(self.base, reached), None

    def _begin_audit(self, at: datetime) -> None:
        twice = self.sweeps.budget.audits_twice
        if span := self._audits.next(self.coverage, at, self.clock, self._settles.density, last=twice):
            self._scan(Kind.AUDIT, span.start, span.end, at)

    def _is_due(self, kind: Kind) -> bool:
        return kind not in self.scans and self.clock >= self._due[kind]

    def _again(self, kind: Kind, after: timedelta) -> None:
        self._due[kind] = self.clock + after.total_seconds()

    def _floor(self, moment: datetime) -> datetime:
        return floor(moment, self._nature.resolution)
