"""The agenda that never ends: sweeps for latency, settles for completeness, audits for drift."""

from __future__ import annotations

import math
from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from smwatch.sources.beginnings import SPLIT, Beginnings
from smwatch.sources.coverage import Gap, Lags, Noted, Span
from smwatch.sources.filling import BEHIND
from smwatch.sources.pace import Priority
from smwatch.sources.scan import Kind, Scan
from smwatch.sources.settle_lag import LONGEST, NEAR

PAGES_A_TOKEN = 5
"""So many pages of a sweep follow each other; then what remains is asked for anew. A token that counts rows brings
again what newer ones have pushed back meanwhile; to ask anew brings again the rows of one second."""
AUDITS_BEHIND = timedelta(hours=6)
"""How much time may be older than audits reach, and unread by them, before it is said that they don't keep up."""


class Following(Beginnings):
    """Everything since the beginning, then everything that comes.

    Records turn up out of order, minutes late, so a sweep reads the last minutes whole each time. After an outage,
    and at the start, what was missed is caught up with aside, while sweeps already show what happens now.
    """

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
        expected = self.sweeps.expected
        lag, until = (expected.now, expected.until) if expected.wide else (None, None)
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
            self.sweeps.expected.narrow(at)

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
        return (Kind.CATCH_UP, Kind.LATE, Kind.SETTLE) if self.sweeps.budget.plenty else ()

    def committed(self, scan: Scan, covered: Span | None) -> None:
        """A page of this scan is safe in the journal."""
        super().committed(scan, covered)
        if scan.kind is Kind.CATCH_UP and covered:
            self._catching_up.read(covered, self._horizon(self._at))
        if scan.kind is Kind.AUDIT:
            budget = self.sweeps.budget
            self._audits.committed(scan.remains, self.clock, budget.idle if self._audits.urgent else budget.for_audits)

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
        self.sweeps.expected.saw(delay, self._at, self.settle_lag)

    def settled_rows(self, rows: int, missed: int) -> None:
        """So many records were settled, and so many of them no sweep had seen: they are later than was thought."""
        self.sweeps.left_to_settle(rows, missed)
        if self._settles.missed(rows, missed, reads_late=self.sweeps.budget.reads_late):
            self.sweeps.widen(self._at, 2, self.settle_lag)

    def _swept_since(self, before: datetime | None) -> None:
        """A sweep has ended, and the one before it began then: what both have seen old enough needs no other."""
        at, to = self.sweeps.swept_at, self.sweeps.done_to
        assert at is not None
        assert to is not None
        joins = before is not None and at - before <= SPLIT * self.sweeps.lag
        self._catching_up.swept_to(to, self._horizon(self._at), joins=joins)
