"""The agenda that ends."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smwatch.sources.agenda import Agenda
from smwatch.sources.coverage import Coverage, Gap, Span, join
from smwatch.sources.nature import Nature, Schedule
from smwatch.sources.scan import Kind, Scan, Took


class Once(Agenda):
    """What is missing since a moment, and what an earlier run could not settle yet."""

    def __init__(self, schedule: Schedule, nature: Nature, since: datetime, coverage: Coverage, rate: float) -> None:
        super().__init__(schedule, nature, since, coverage, rate)
        self.asked_at: datetime | None = None
        """The service's time when the reading began; None before."""
        self._spans: tuple[Span, ...] = ()

    def plan(self, at: datetime, clock: float, edge: datetime | None) -> tuple[Gap, ...]:
        """Begin the next scan; the periods before `edge` that can't be read any more."""
        self.clock = clock
        if self.scans or self.finished:
            return ()
        begins = self.asked_at is None
        self.asked_at = self.asked_at or at
        horizon = self._horizon(self.asked_at)
        self._asks.begin(horizon - self._nature.resolution, at, sure=self.sure)
        if begins:
            self._spans = self._wanted(horizon, at)
            self.base = self._asks.beginning(self.coverage, at)
        unreadable = self._unreadable(edge, horizon)
        if not self.sure and (unreadable or self.coverage.gaps):
            self._scan(Kind.GLANCE, horizon, None, self.asked_at)  # what is given up depends on the service's time
            return ()
        if unreadable:
            return unreadable
        self._begin(horizon, self.asked_at)
        return ()

    def enough(self, scan: Scan) -> bool:
        """Whether the rest of this scan is not worth its calls: a glance is for the time that comes with it."""
        return scan.kind is Kind.GLANCE

    def coming(self, scan: Scan, took: Took) -> Sequence[Scan]:
        """The scans whose next page is certain to be read after this page."""
        return () if took.done or took.astray or self.enough(scan) else (scan,)

    def ended(self, scan: Scan) -> None:
        """This scan has been read to its end."""
        super().ended(scan)
        self.finished = scan.kind is Kind.SWEEP and scan.period is None

    @property
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""
        return self.finished

    def caught_up_since(self, moment: datetime) -> bool:
        """Whether everything up to this moment of the service's time has been looked for since then."""
        return self.finished or (self.asked_at is not None and self.asked_at >= moment)

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        super().restart()
        self.asked_at = None
        self._asks.restart()

    def _begin(self, horizon: datetime, at: datetime) -> None:
        """Begin the next scan: what can be settled, oldest first, then the latest minutes."""
        for wanted in self._spans:
            if self._begin_settle(wanted.start, min(wanted.end, horizon), at):
                return
        self._scan(Kind.SWEEP, max(horizon, self._spans[-1].start), None, at)

    def _wanted(self, horizon: datetime, at: datetime) -> tuple[Span, ...]:
        since = min(self._since, horizon - self._nature.resolution)
        spans = [Span(since, at)]
        if self.coverage.settled:
            settled_to = self.coverage.settled[-1].end
            if settled_to < since:
                spans.append(Span(settled_to, settled_to + 2 * self.settle_lag))
        return join(spans)
