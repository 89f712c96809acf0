"""The agenda that never ends: sweeps for latency, settles for completeness, audits for drift."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from smwatch.sources.agenda import Agenda, Nature, Schedule, floor
from smwatch.sources.audits import Audits
from smwatch.sources.catching_up import CatchingUp
from smwatch.sources.coverage import Coverage, Gap, Lags, Noted, Span
from smwatch.sources.filling import BEHIND
from smwatch.sources.pace import Priority
from smwatch.sources.scan import Kind, Scan
from smwatch.sources.settle_lag import LONGEST, NEAR
from smwatch.sources.settles import Settles
from smwatch.sources.sweeping import Sweeps

SPLIT = 2
"""A first sweep, or one after an outage, that would be longer than this many sweep lags is divided."""
PAGES_A_TOKEN = 5
"""So many pages of a sweep follow each other; then what remains is asked for anew. A token that counts rows brings
again what newer ones have pushed back meanwhile; to ask anew brings again the rows of one second."""
SETTLE_LOOKS = timedelta(seconds=1)
"""How often it looks whether it may begin."""
AUDITS_BEHIND = timedelta(hours=6)
"""How much time may be older than audits reach, and unread by them, before it is said that they don't keep up."""
LOOK_AGAIN = timedelta(seconds=5)


class Following(Agenda):
    """Everything since the beginning, then everything that comes.

    Records turn up out of order, minutes late, so a sweep reads the last minutes whole each time. After an outage,
    and at the start, what was missed is caught up with aside, while sweeps already show what happens now.
    """

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

    def unread(self, since: datetime, until: datetime) -> tuple[Span, ...]:
        """The parts of this period, as far as it is old enough to be settled, that are yet to be read, ascending.

        Without the last minutes of what is: they wait for the next settle, as ever, and more grow old until then.
        """
        end = min(until, self._horizon(self._at))
        missing = self.coverage.missing(since, end)
        return tuple(span for span in missing if span.end < end or span.end - span.start > BEHIND)

    @property
    def lags(self) -> Lags:
        """How late records have to be expected, where that is later than planned."""
        sweeps = self.sweeps
        lag, until = (sweeps.lag, sweeps.wide_until) if sweeps.wide else (None, None)
        return msgspec.structs.replace(super().lags, sweep=lag, sweep_until=until)

    @property
    def noted(self) -> Noted:
        """What the next run is to know; how far audits and sweeps are once the time is certain."""
        noted = super().noted
        if not (self.sure and self._started):
            return noted
        return Noted(self.lags, self._audits.noted, noted.asked, self._catching_up.swept, self.coverage.said_to)

    def priority(self, scan: Scan) -> Priority:
        """How urgent a page of this scan is."""
        older = scan.kind is Kind.SETTLE and scan.origin < self.base
        return Priority.BACKFILL if older else super().priority(scan)

    def narrow(self, at: datetime) -> None:
        """Expect records less late again if it is time for that, at server time `at`."""
        super().narrow(at)
        if self.sure:
            self.sweeps.narrow(at)

    def took_back(self, untrue: Iterable[Gap]) -> None:
        """These gaps are written down no longer: what an earlier run left open before them is to be read as well."""
        super().took_back(untrue)
        if self._started:
            self.base = min(self.base, self._asks.beginning(self.coverage, self._at))

    def ended(self, scan: Scan) -> None:
        """This scan has been read to its end."""
        super().ended(scan)
        match scan.kind:
            case Kind.SWEEP:
                before = self.sweeps.swept_at
                self._due[Kind.SWEEP] = self.sweeps.ended(scan, self.clock, relaxed=self.relaxed)
                self._due[Kind.GLANCE] = self.sweeps.glance_at
                self._swept_since(before)
            case Kind.PASS:
                before = self.sweeps.swept_at
                again_at = self.sweeps.passed(scan, self.clock)
                self._due[Kind.SWEEP] = self.clock if self._asked else again_at
                self._swept_since(before)
            case Kind.GLANCE:
                self.sweeps.glanced(scan, self.clock)
            case Kind.CATCH_UP | Kind.VIEW:
                pass
            case Kind.LATE:
                assert scan.period is not None
                self._settles.count(scan)
                self.sweeps.read_left(scan.period.end)
            case Kind.SETTLE if scan.origin < self.base:
                pass  # of how things are now it tells nothing
            case Kind.SETTLE:
                self._settles.count(scan)
                self.sweeps.budget.settled_density = self._settles.density
                more = self.coverage.missing(self.base, self._horizon(scan.asked_at))
                again_at = scan.began + self.schedule.settle_every.total_seconds()
                self._due[Kind.SETTLE] = self.clock if more else again_at
            case Kind.AUDIT:
                self._audits.read(scan.period, self._at, self.clock)

    def dropped(self, scan: Scan) -> None:
        """This scan came to nothing: what remains of it has to be read by another."""
        super().dropped(scan)
        match scan.kind:
            case Kind.SWEEP | Kind.PASS:
                self._again(Kind.SWEEP, self.schedule.sweep_every)
                self.sweeps.passes.dropped()
            case Kind.CATCH_UP:
                self._catching_up.leave(scan.remains)
            case Kind.GLANCE | Kind.LATE | Kind.VIEW:
                pass
            case Kind.SETTLE:
                if scan.origin >= self.base:
                    self._due[Kind.SETTLE] = self.clock
            case Kind.AUDIT:
                self._audits.failed(scan.remains, self._at, self.clock)

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        hole = self.scans.get(Kind.CATCH_UP)
        super().restart()
        self._audits.put_back()
        if self.sweeps.swept_at is None:
            self._started = False
            self._asks.restart()
            self.watched_from = None
            self._catching_up.restart(self.coverage.swept)
        elif hole:
            self._catching_up.leave(hole.remains)

    def cut_off(self) -> None:
        """Nothing comes for long: what comes first after it is to be new, and not the rest of a sweep from before."""
        for kind in (Kind.SWEEP, Kind.PASS, Kind.GLANCE):
            self.scans.pop(kind, None)
        if hole := self.scans.pop(Kind.CATCH_UP, None):
            self._catching_up.leave(hole.remains)  # the next sweep leaves it as well: it is to be read once
        self.poll_now()

    def poll_now(self) -> None:
        """Let the next sweep begin at once."""
        self._asked = True
        self._due[Kind.SWEEP] = -math.inf

    def pick(self) -> Scan | None:
        """The scan whose turn it is; an audit when nothing else is to be done, and seldom when something always is."""
        audit = self.scans.get(Kind.AUDIT)
        owed = audit is not None and self._audits.owed(self.clock)
        scan = audit if owed else self._turns.next(self.scans, self._standing_back)
        if scan is not audit or scan is None:
            return scan
        return scan if self._audits.takes_turn(self._at, self.clock) else None

    @property
    def _standing_back(self) -> tuple[Kind, ...]:
        """What is read from the calls that what is new leaves, where those are enough."""
        return (Kind.CATCH_UP, Kind.SETTLE) if self.sweeps.budget.plenty else ()

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

    def committed(self, scan: Scan, covered: Span | None) -> None:
        """A page of this scan is safe in the journal."""
        super().committed(scan, covered)
        if scan.kind is Kind.CATCH_UP and covered:
            self._catching_up.read(covered, self._horizon(self._at))
        if scan.kind is Kind.AUDIT:
            budget = self.sweeps.budget
            self._audits.committed(scan.remains, self.clock, budget.idle if self._audits.urgent else budget.for_audits)

    @property
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""
        return self.sweeps.swept_at is not None and not self._catching_up.left and Kind.CATCH_UP not in self.scans

    @property
    def sweeping(self) -> bool:
        """Whether what sweeps have not seen of the last minutes was not there yet, and not just unread for long."""
        return self.up_to_date and (not self._away(self._at) or self.sweeps.steady(self._at))

    def _left(self, at: datetime) -> timedelta:
        """How much time is yet to be read once, with what the first sweep, and what is read aside for it, have left."""
        left = super()._left(at) + self._catching_up.left
        kinds = [Kind.CATCH_UP] if self.sweeps.swept_at is not None else [Kind.CATCH_UP, Kind.SWEEP]
        for kind in kinds:
            if scan := self.scans.get(kind):
                left += max((scan.high or scan.asked_at) - scan.low, timedelta())
        return left

    def caught_up_since(self, moment: datetime) -> bool:
        """Whether everything up to this moment of the service's time has been looked for since then."""
        return self.up_to_date and self.sweeps.swept_at is not None and self.sweeps.swept_at >= moment

    @property
    def starved(self) -> bool:
        """Whether so few calls bring an answer that what could be settled waits."""
        return self.sweeps.budget.starved and self.behind(self._at) > BEHIND

    @property
    def audits_fail(self) -> bool:
        """Whether there are too few calls for audits to read all that is settled."""
        return bool(self._nature.page) and self._audits.behind(self._at) > AUDITS_BEHIND

    @property
    def unaudited(self) -> tuple[Span, ...]:
        """What audits could not look at again, though they tried twice."""
        return self._audits.unread(self._at)

    def enough(self, scan: Scan) -> bool:
        """Whether the rest of this scan is not worth its calls."""
        match scan.kind:
            case Kind.GLANCE | Kind.VIEW:
                return True
            case Kind.SWEEP:
                return self.sweeps.enough(scan)
            case _:
                return False

    def pushed(self, scan: Scan) -> bool:
        """Whether so much may have turned up since this scan began that its token brings rows again."""
        return bool(self._nature.page) and scan.kind is Kind.SWEEP and scan.pages % PAGES_A_TOKEN == 0

    # -- what was measured -------------------------------------------------------------------------------------------

    def late_by(self, delay: timedelta) -> None:
        """A record came this long after its moment, which had been settled: expect such delays from now on."""
        self._audits.found()
        self.settling.widen(delay, self._at)

    def turned_up(self, delay: timedelta) -> None:
        """A record could be found this long after its moment, and no sooner: expect such delays from now on."""
        if NEAR * self.settle_lag < delay <= LONGEST:  # for what is later still no settling can wait
            self.settling.widen(delay, self._at)
        else:
            self.settling.saw(delay, self._at)
        self.sweeps.expect(delay, self._at, self.settle_lag)

    def settled_rows(self, rows: int, missed: int) -> None:
        """So many records were settled, and so many of them no sweep had seen: they are later than was thought."""
        self.sweeps.left_to_settle(rows, missed)
        if self._settles.missed(rows, missed, reads_late=self.sweeps.budget.reads_late):
            self.sweeps.widen(self._at, 2, self.settle_lag)

    # -- beginnings --------------------------------------------------------------------------------------------------

    def _start(self, at: datetime) -> None:
        self._started = True
        self._audits.begin(at, self.clock, settled=bool(self.coverage.settled))
        if self._nature.page:
            self._again(Kind.LATE, LOOK_AGAIN)
        self.base = self._asks.beginning(self.coverage, at)

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

    def _swept_since(self, before: datetime | None) -> None:
        """A sweep has ended, and the one before it began then: what both have seen old enough needs no other."""
        at, to = self.sweeps.swept_at, self.sweeps.done_to
        assert at is not None
        assert to is not None
        joins = before is not None and at - before <= SPLIT * self.sweeps.lag
        self._catching_up.swept_to(to, self._horizon(self._at), joins=joins)

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
