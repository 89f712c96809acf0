"""What is to be read next: sweeps for latency, settles for completeness, audits for drift."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec

from smwatch.sources.clock import NOTICEABLE
from smwatch.sources.coverage import Coverage, Gap, Span, join
from smwatch.sources.pace import Priority
from smwatch.sources.scan import Kind, Scan

SHARE = 0.6
"""The part of the budget that sweeps may use up."""
SPLIT = 2
"""A sweep longer than this many sweep lags leaves its older part to a scan of its own, to stay quick."""
FIRST_SLICE, SHORTEST_SLICE, LONGEST_SLICE = timedelta(hours=1), timedelta(minutes=1), timedelta(days=7)
PAGES_A_SLICE = (20, 40)
AUDIT_REACH, LONG_AUDIT_REACH, LONG_AUDIT_EVERY = timedelta(hours=6), timedelta(hours=48), 24
SETTLE_LAG_CAP = timedelta(hours=6)
LATE_FACTOR = 1.5
BEHIND = timedelta(minutes=10)
"""How far the settled past may lag behind its due end before it counts as back-filling."""
HOPELESS = timedelta(hours=2)
STEADY = 3
_EARLY = -1e9


class Schedule(msgspec.Struct, frozen=True):
    """How often each scan runs and how late records are expected."""

    sweep_every: timedelta
    sweep_lag: timedelta
    """Records at most this late are found by the first sweep after they become visible."""
    settle_every: timedelta
    settle_lag: timedelta
    """Records at most this late are never lost."""
    audit_every: timedelta


class Nature(msgspec.Struct, frozen=True):
    """How a service pages through its time line."""

    newest_first: bool
    resolution: timedelta


class Agenda:
    """The scans of one source; pure: it is told the time and what came of each page."""

    def __init__(self, schedule: Schedule, nature: Nature, since: datetime, coverage: Coverage, rate: float) -> None:
        self.schedule = schedule
        self.coverage = coverage
        self.base = since
        """From where on `complete_to` counts."""
        self.settle_lag = schedule.settle_lag
        self.scans: dict[Kind, Scan] = {}
        self.finished = False
        self._clock = 0.0
        self._nature = nature
        self._since = since
        self._rate = rate
        self._slice = FIRST_SLICE
        self._sliced = False
        self._fill: tuple[float, timedelta] | None = None
        self.sweep_pages = 0
        """How many pages the last complete sweep took."""
        self._turns = [Kind.SWEEP, Kind.RECENT, Kind.SETTLE]

    @property
    def complete_to(self) -> datetime:
        """Up to where nothing is missing."""
        return self.coverage.complete_to(self.base)

    def plan(self, at: datetime, clock: float, edge: datetime | None) -> tuple[Gap, ...]:
        """Begin the scans that are due at server time `at`; the periods before `edge` that can't be read any more."""
        raise NotImplementedError

    def pick(self) -> Scan | None:
        """The scan whose turn it is; an audit only when nothing else is to be done."""
        for kind in self._turns:
            if scan := self.scans.get(kind):
                self._turns.remove(kind)
                self._turns.append(kind)
                return scan
        return self.scans.get(Kind.AUDIT)

    def priority(self, scan: Scan) -> Priority:
        """How urgent a page of this scan is."""
        match scan.kind:
            case Kind.SWEEP | Kind.RECENT:
                return Priority.LIVE
            case Kind.SETTLE:
                return Priority.BACKFILL if self.behind(scan.asked_at) > BEHIND else Priority.LIVE
            case Kind.AUDIT:
                return Priority.AUDIT

    def committed(self, scan: Scan, covered: Span | None) -> None:
        """A page of this scan is safe in the journal."""
        if covered and scan.kind is Kind.SETTLE:
            self.coverage = self.coverage.with_settled(covered)

    def too_long(self, scan: Scan) -> bool:
        """Whether a slice turned out so dense that it had better be cut, for its older end to be settled soon."""
        return scan.kind is Kind.SETTLE and scan.newest_first and scan.pages > 2 * PAGES_A_SLICE[1]

    def gave_up(self, gaps: Iterable[Gap]) -> None:
        """These periods are written down as unreadable."""
        for gap in gaps:
            self.coverage = self.coverage.with_gap(gap)

    def ended(self, scan: Scan) -> None:
        """This scan has been read to its end."""
        del self.scans[scan.kind]
        if scan.kind is Kind.SETTLE:
            self._fit_slice(scan.pages)

    def dropped(self, scan: Scan) -> None:
        """This scan came to nothing: what remains of it has to be read by another."""
        del self.scans[scan.kind]
        if scan.kind is Kind.SETTLE:
            self._slice = max(self._slice / 2, SHORTEST_SLICE)

    def unreadable(self, scan: Scan, why: str) -> Gap | None:
        """A page of this scan never arrives though others do: narrow it down; the gap when it can't be narrower."""
        remains = Span(scan.low, scan.high) if scan.high is not None and scan.low < scan.high else None
        if scan.kind is Kind.SETTLE and remains and remains.end - remains.start <= SHORTEST_SLICE:
            del self.scans[scan.kind]
            return Gap(remains, why)
        self._sliced = True
        self.dropped(scan)
        return None

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        self.scans.clear()

    def woke(self) -> None:
        """The process did not run for a while: page tokens have gone stale, and the latest minutes come first."""
        for scan in tuple(self.scans.values()):
            scan.resume()

    def due_in(self) -> float:
        """Seconds until the next scan begins; 0 while one is going on."""
        return 0.0

    def progress(self, at: datetime, clock: float) -> tuple[str, timedelta | None]:
        """How far a back-fill has come, in words, and how long it will still take if that is known."""
        left = self.behind(at)
        if left <= BEHIND:
            self._fill = None
            return "", None
        if self._fill is None or left > self._fill[1] + BEHIND:
            self._fill = (clock, left)
        began, whole = self._fill
        spent, read = clock - began, whole - left
        if spent < 1 or read < BEHIND:
            return "back-filling", None
        remaining = timedelta(seconds=spent * (left / read))
        return f"back-filling {_of(timedelta(seconds=spent), timedelta(seconds=spent) + remaining)}", remaining

    @property
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""
        raise NotImplementedError

    def behind(self, at: datetime) -> timedelta:
        """How much of the past waits to be settled."""
        spans = self.coverage.missing(self.base, at - self.settle_lag)
        return sum((span.end - span.start for span in spans), timedelta())

    def _scan(self, kind: Kind, start: datetime, end: datetime | None, at: datetime) -> None:
        self.scans[kind] = Scan(
            kind,
            start,
            end,
            asked_at=at,
            began=self._clock,
            newest_first=self._nature.newest_first,
            resolution=self._nature.resolution,
        )

    def _begin_settle(self, start: datetime, end: datetime, at: datetime) -> bool:
        missing = self.coverage.missing(start, end)
        if not missing:
            return False
        first = missing[0]
        self._sliced = first.end - first.start > self._slice
        self._scan(Kind.SETTLE, first.start, min(first.end, first.start + self._slice), at)
        return True

    def _horizon(self, at: datetime) -> datetime:
        """The end of what is old enough to be settled."""
        return floor(at - self.settle_lag - NOTICEABLE, self._nature.resolution)

    def _unreadable(self, edge: datetime | None, until: datetime) -> tuple[Gap, ...]:
        if edge is None:
            return ()
        edge = floor(edge, self._nature.resolution)
        reason = f"older than what the service keeps (from {edge:%Y-%m-%d %H:%M}Z on)"
        return tuple(Gap(span, reason) for span in self.coverage.missing(self.base, min(edge, until)))

    def _fit_slice(self, pages: int) -> None:
        few, many = PAGES_A_SLICE
        if pages < few and self._sliced:
            self._slice = min(self._slice * 2, LONGEST_SLICE)
        elif pages > many:
            self._slice = max(self._slice / 2, SHORTEST_SLICE)


class Following(Agenda):
    """The endless agenda: everything since the beginning, then everything that comes."""

    def __init__(self, schedule: Schedule, nature: Nature, since: datetime, coverage: Coverage, rate: float) -> None:
        super().__init__(schedule, nature, since, coverage, rate)
        self.sweep_lag = schedule.sweep_lag
        self.swept_at: datetime | None = None
        """When the last complete sweep began; None before there was one."""
        self._started = False
        self._recent: Span | None = None
        self._due = {Kind.SWEEP: _EARLY, Kind.SETTLE: _EARLY}
        self._pause = 0.0
        self._audits = 0

    def plan(self, at: datetime, clock: float, edge: datetime | None) -> tuple[Gap, ...]:
        """Begin the scans that are due at server time `at`; the periods before `edge` that can't be read any more."""
        horizon = self._horizon(at)
        self._clock = clock
        if not self._started:
            self._started = True
            self._due[Kind.AUDIT] = self._clock + self.schedule.audit_every.total_seconds()
            self.base = min(self._since, horizon - self._nature.resolution, *_first_open(self.coverage))
        if self._is_due(Kind.SWEEP):
            self._begin_sweep(at)
        if self._recent and Kind.RECENT not in self.scans:
            self._scan(Kind.RECENT, self._recent.start, self._recent.end, at)
            self._recent = None
        if self._is_due(Kind.AUDIT):
            self._begin_audit(at)
        if not self._is_due(Kind.SETTLE):
            return ()
        if gaps := self._unreadable(edge, horizon):
            return gaps
        if not self._begin_settle(self.base, horizon, at):
            self._due[Kind.SETTLE] = self._clock + self.schedule.settle_every.total_seconds()
        return ()

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        super().restart()
        if self.swept_at is None:
            self._started = False
            self._recent = None

    def ended(self, scan: Scan) -> None:
        """This scan has been read to its end."""
        super().ended(scan)
        match scan.kind:
            case Kind.SWEEP:
                self.swept_at = scan.asked_at
                self.sweep_pages = scan.pages
                self._pause = max(self.schedule.sweep_every.total_seconds(), scan.pages / (SHARE * self._rate))
                self._due[Kind.SWEEP] = scan.began + self._pause
            case Kind.SETTLE:
                more = self.coverage.missing(self.base, self._horizon(scan.asked_at))
                self._due[Kind.SETTLE] = (
                    self._clock if more else scan.began + self.schedule.settle_every.total_seconds()
                )
            case Kind.AUDIT:
                self._due[Kind.AUDIT] = self._clock + self.schedule.audit_every.total_seconds()
            case Kind.RECENT:
                pass

    def dropped(self, scan: Scan) -> None:
        """This scan came to nothing: what remains of it has to be read by another."""
        super().dropped(scan)
        match scan.kind:
            case Kind.RECENT:
                if scan.high is not None and scan.low < scan.high:
                    self._later(Span(scan.low, scan.high))
            case Kind.SWEEP:
                self._due[Kind.SWEEP] = self._clock + self.schedule.sweep_every.total_seconds()
            case Kind.SETTLE:
                self._due[Kind.SETTLE] = self._clock
            case Kind.AUDIT:
                self._due[Kind.AUDIT] = self._clock + self.schedule.audit_every.total_seconds()

    def due_in(self) -> float:
        """Seconds until the next scan begins; 0 while one is going on."""
        if self.scans:
            return 0.0
        return 0.0 if self.scans else max(0.0, min(self._due.values()) - self._clock)

    def late_by(self, delay: timedelta) -> None:
        """A record came this long after its moment, past the settle lag: expect such delays from now on."""
        self.settle_lag = max(self.settle_lag, min(delay * LATE_FACTOR, SETTLE_LAG_CAP))

    @property
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""
        return self.swept_at is not None and self._recent is None and Kind.RECENT not in self.scans

    def woke(self) -> None:
        """The process did not run for a while: page tokens have gone stale, and the latest minutes come first."""
        super().woke()
        self.scans.pop(Kind.SWEEP, None)
        self._due[Kind.SWEEP] = self._clock

    def steady(self, scan: Scan) -> bool:
        """Whether sweeps follow each other so closely that what this one finds new has just become visible."""
        return self.swept_at is not None and scan.asked_at - self.swept_at <= STEADY * timedelta(seconds=self._pause)

    def _is_due(self, kind: Kind) -> bool:
        return kind not in self.scans and self._clock >= self._due[kind]

    def _begin_sweep(self, at: datetime) -> None:
        first_low = max(self.complete_to, at - self.settle_lag)
        low = first_low if self.swept_at is None else self.swept_at - self.sweep_lag
        newest = at - self.sweep_lag
        low = floor(min(max(low, self.base), at - self._nature.resolution), self._nature.resolution)
        if at - low > SPLIT * self.sweep_lag:
            newest = floor(newest, self._nature.resolution)
            self._later(Span(low, newest))
            low = newest
        self._scan(Kind.SWEEP, low, None, at)

    def _begin_audit(self, at: datetime) -> None:
        self._audits += 1
        reach = LONG_AUDIT_REACH if self._audits % LONG_AUDIT_EVERY == 0 else AUDIT_REACH
        start, end = max(self.base, floor(at - reach, self._nature.resolution)), self.complete_to
        if start < end:
            self._scan(Kind.AUDIT, start, end, at)
        else:
            self._due[Kind.AUDIT] = self._clock + self.schedule.audit_every.total_seconds()

    def _later(self, span: Span) -> None:
        if self._recent is None:
            self._recent = span
        else:
            self._recent = Span(min(self._recent.start, span.start), max(self._recent.end, span.end))


class Once(Agenda):
    """The agenda that ends: what is missing since a moment, and what an earlier run could not settle yet."""

    def __init__(self, schedule: Schedule, nature: Nature, since: datetime, coverage: Coverage, rate: float) -> None:
        super().__init__(schedule, nature, since, coverage, rate)
        self.asked_at: datetime | None = None
        """The service's time when the reading began; None before."""
        self._spans: tuple[Span, ...] = ()

    def plan(self, at: datetime, clock: float, edge: datetime | None) -> tuple[Gap, ...]:
        """Begin the next scan; the periods before `edge` that can't be read any more."""
        self._clock = clock
        if self.scans or self.finished:
            return ()
        if self.asked_at is None:
            self.asked_at = at
            horizon = self._horizon(at)
            self._spans = self._wanted(horizon, at)
            self.base = self._spans[0].start
        horizon = self._horizon(self.asked_at)
        if gaps := self._unreadable(edge, horizon):
            return gaps
        for wanted in self._spans:
            if self._begin_settle(wanted.start, min(wanted.end, horizon), self.asked_at):
                return ()
        self._scan(Kind.SWEEP, max(horizon, self._spans[-1].start), None, self.asked_at)
        return ()

    def ended(self, scan: Scan) -> None:
        """This scan has been read to its end."""
        super().ended(scan)
        self.finished = scan.kind is Kind.SWEEP

    @property
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""
        return self.finished

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        super().restart()
        self.asked_at = None

    def _wanted(self, horizon: datetime, at: datetime) -> tuple[Span, ...]:
        since = min(self._since, horizon - self._nature.resolution)
        spans = [Span(since, at)]
        if self.coverage.settled:
            settled_to = self.coverage.settled[-1].end
            if settled_to < since:
                spans.append(Span(settled_to, settled_to + 2 * self.settle_lag))
        return join(spans)


def floor(moment: datetime, resolution: timedelta) -> datetime:
    """The last moment of this resolution (a second or a millisecond) that is not after `moment`."""
    step = resolution // timedelta(microseconds=1)
    return moment.replace(microsecond=moment.microsecond // step * step)


def _first_open(coverage: Coverage) -> tuple[datetime, ...]:
    """The first moment that an earlier run left open, if there was one."""
    if not coverage.settled:
        return ()
    return (coverage.complete_to(coverage.settled[0].start),)


def _of(spent: timedelta, whole: timedelta) -> str:
    if whole < timedelta(minutes=1):
        return f"{spent.seconds} of ~{whole.seconds} s"
    if whole < HOPELESS:
        return f"{spent // timedelta(minutes=1)} of ~{max(1, round(whole / timedelta(minutes=1)))} min"
    return f"{spent / timedelta(hours=1):.1f} of ~{round(whole / timedelta(hours=1))} h"
