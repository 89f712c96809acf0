"""What is to be read next, as far as following and reading once have it in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

import msgspec

from smwatch.sources.asks import Asks
from smwatch.sources.clock import NOTICEABLE
from smwatch.sources.coverage import Coverage, Gap, Lags, Noted, Span
from smwatch.sources.filling import BEHIND, Filling
from smwatch.sources.nature import Nature, Schedule, floor
from smwatch.sources.pace import Priority
from smwatch.sources.scan import Kind, Scan, Took
from smwatch.sources.settle_lag import LONGEST, SettleLag
from smwatch.sources.turns import Turns

FIRST_SLICE, SHORTEST_SLICE, LONGEST_SLICE = timedelta(hours=1), timedelta(minutes=1), timedelta(days=7)
PAGES_A_SLICE = (20, 40)
LONG_BEFORE = timedelta(hours=3)
"""So much more than was asked for is not taken for granted by who waits for it."""
EDGE_GRACE = timedelta(hours=1)
OLDER = "older than what the service keeps"


class Agenda(ABC):
    """The scans of one source; pure: it is told the time and what came of each page."""

    def __init__(self, schedule: Schedule, nature: Nature, since: datetime, coverage: Coverage, rate: float) -> None:
        self.schedule = schedule
        self.coverage = coverage
        self.base = since
        """From where on `complete_to` counts."""
        self.sure = True
        """Whether the time is the service's own, so that what it no longer keeps can be given up."""
        self.settling = SettleLag(schedule.settle_lag, coverage.lags)
        kept = Lags(settle=coverage.lags.delivery, settle_until=coverage.lags.delivery_until)
        self.delivery = SettleLag(nature.delivered_within, kept)
        """How long after they happened records are delivered, at present."""
        self.scans: dict[Kind, Scan] = {}
        self.finished = False
        self.relaxed = False
        """Whether something quicker shows what happens, so that there is no hurry."""
        self.clock = 0.0
        """The time on a clock that only runs forward, in seconds, as it was told last."""
        self._nature = nature
        self._since = since
        self._first = not coverage.settled and not coverage.asked
        """Whether nothing was read, or asked for, before."""
        self.rate = rate
        """Calls a second that bring an answer, at present."""
        self.readers = 0.0
        """How many calls have to be under way for an answer to be there whenever one can be had, or taken in."""
        self.ahead = 1
        """How many pages of each of the scans that are `coming` are worth asking for now."""
        self._slice = FIRST_SLICE
        self._sliced = False
        self._filling = Filling()
        self._asks = Asks(since, coverage)
        self._turns = Turns()

    @property
    def wanted_from(self) -> datetime:
        """From where on everything is to be read."""
        return self.base

    @property
    def owed_from(self) -> datetime | None:
        """From where on what an earlier run left is read as well, where that is long before what this one asks for."""
        return self.base if self._since - self.base > LONG_BEFORE else None

    @property
    def complete_to(self) -> datetime:
        """Up to where nothing is missing, on the service's own time line."""
        return self.coverage.complete_to(self.base)

    @property
    def told_to(self) -> datetime:
        """Up to where nothing that happened is missing: what is told.

        Records that are delivered after they happened may be missing for as long below `complete_to`. Nothing that
        happened before everything was asked for is promised, so that it begins there.
        """
        begun = [each.since for each in self._asks.all[:1]]
        if self.base == self._since or self._first:
            begun.append(self.base)
        whole = self.complete_to
        told = self.coverage.told_to(self.base, self.delivery.now)
        return max((told, *(moment for moment in begun if moment <= whole)))

    @property
    def ever_read(self) -> bool:
        """Whether something was read, or given up, up to `complete_to`: else that is only where reading begins."""
        whole = self.complete_to
        spans = (*self.coverage.settled, *(gap.span for gap in self.coverage.gaps))
        return any(span.start < whole <= span.end for span in spans)

    @property
    def told_gaps(self) -> tuple[Gap, ...]:
        """The gaps, by when what is missing happened."""
        gaps = (gap for gap in self.coverage.gaps if gap.span.end > self.wanted_from)
        return tuple(gap.happened(self.wanted_from, self.delivery.now) for gap in gaps)

    @property
    def lost_to(self) -> datetime | None:
        """How far everything had been read once, as long as that is farther than it is now."""
        lost_to = self.coverage.lost_to
        return lost_to if lost_to is not None and lost_to > self.told_to else None

    @property
    def settle_lag(self) -> timedelta:
        """Records at most this late are never lost, at present."""
        return self.settling.now

    @property
    def lags(self) -> Lags:
        """How late records have to be expected, where that is later than planned."""
        settling, delivery = self.settling, self.delivery
        return msgspec.structs.replace(
            self.coverage.lags,
            settle=settling.now if settling.wide else None,
            settle_until=settling.until,
            delivery=delivery.now if delivery.wide else None,
            delivery_until=delivery.until,
        )

    @property
    def noted(self) -> Noted:
        """What the next run is to know."""
        if not self.sure:
            return Noted(asked=self._asks.all)
        held = self.coverage
        return Noted(self.lags, held.audited, self._asks.all, held.swept, held.said_to)

    def narrow(self, at: datetime) -> None:
        """Expect records less late again if it is time for that, at server time `at`."""
        if self.sure:
            self.settling.narrow(at)
            self.delivery.narrow(at)

    def delivered(self, delay: timedelta, at: datetime) -> None:
        """A record was delivered so long after it happened; it is server time `at`."""
        if not self.delivery.now < delay <= LONGEST:  # for what is later still no mark can wait
            self.delivery.saw(delay, at)
            return
        said_to, told_to = self.coverage.said_to, self.told_to
        if said_to is None or said_to < told_to:
            self.coverage = msgspec.structs.replace(self.coverage, said_to=told_to)
        self.delivery.widen(delay, at)

    def told_before(self, happened_at: datetime) -> bool:
        """Whether nothing of this moment was said to be missing."""
        begun = min((self.base, *(each.since for each in self._asks.all)))
        return begun <= happened_at < self.told_to

    @abstractmethod
    def plan(self, at: datetime, clock: float, edge: datetime | None) -> tuple[Gap, ...]:
        """Begin the scans that are due at server time `at`; the periods before `edge` that can't be read any more."""

    def pick(self) -> Scan | None:
        """The scan whose turn it is; an audit only when nothing else is to be done."""
        return self._turns.next(self.scans)

    def priority(self, scan: Scan) -> Priority:
        """How urgent a page of this scan is."""
        match scan.kind:
            case Kind.VIEW | Kind.SWEEP | Kind.PASS | Kind.GLANCE | Kind.LATE | Kind.CATCH_UP:
                return Priority.LIVE
            case Kind.SETTLE:
                return Priority.BACKFILL if self.behind(scan.asked_at) > BEHIND else Priority.LIVE
            case Kind.AUDIT:
                return Priority.AUDIT

    def take(self, scan: Scan, moments: Sequence[datetime | None], token: str | None) -> Took:
        """Account for one page of a scan: the times of its rows, in its order, and the token of the next one."""
        return scan.take(moments, token)

    def coming(self, scan: Scan, took: Took) -> Sequence[Scan]:  # noqa: ARG002 - who follows waits between pages
        """The scans whose next page is certain to be read after this page, in their order: worth asking for now."""
        return ()

    def committed(self, scan: Scan, covered: Span | None) -> None:
        """A page of this scan is safe in the journal."""
        if covered and scan.kind is Kind.SETTLE:
            self.coverage = self.coverage.with_settled(covered)

    def enough(self, scan: Scan) -> bool:  # noqa: ARG002 - what is read for good is read whole
        """Whether the rest of this scan is not worth its calls."""
        return False

    def pushed(self, scan: Scan) -> bool:  # noqa: ARG002 - nothing new turns up in what is long past
        """Whether so much may have turned up since this scan began that its token brings rows again."""
        return False

    def too_long(self, scan: Scan) -> bool:
        """Whether a slice turned out so dense that it had better be cut, for its older end to be settled soon."""
        long = scan.pages > 2 * PAGES_A_SLICE[1] and scan.moved
        return scan.kind is Kind.SETTLE and scan.newest_first and long

    def gave_up(self, gaps: Iterable[Gap]) -> None:
        """These periods are written down as unreadable."""
        for gap in gaps:
            self.coverage = self.coverage.with_gap(gap)

    def untrue_gaps(self, at: datetime) -> tuple[Gap, ...]:
        """The gaps that are none: what is not too old yet, or is yet to come, was given up when a clock was wrong."""
        if not self.sure or not self.coverage.gaps:
            return ()
        edge = at - self._nature.reach + 2 * EDGE_GRACE if self._nature.reach is not None else at
        return tuple(gap for gap in self.coverage.gaps if gap.span.end > (edge if OLDER in gap.reason else at))

    def took_back(self, untrue: Iterable[Gap]) -> None:
        """These gaps are written down no longer."""
        self.coverage = self.coverage.without_gaps(untrue)

    def ended(self, scan: Scan) -> None:
        """This scan has been read to its end."""
        del self.scans[scan.kind]
        if scan.kind is Kind.SETTLE:
            self._fit_slice(scan)

    def dropped(self, scan: Scan) -> None:
        """This scan came to nothing: what remains of it has to be read by another."""
        del self.scans[scan.kind]
        if scan.kind is Kind.SETTLE:
            self._slice = max(self._slice / 2, SHORTEST_SLICE)

    def unreadable(self, scan: Scan, why: str) -> Gap | None:
        """A page of this scan never arrives though others do: narrow it down; the gap when it can't be narrower."""
        remains = scan.remains
        if scan.kind is Kind.SETTLE and remains and remains.end - remains.start <= SHORTEST_SLICE:
            del self.scans[scan.kind]
            return Gap(remains, why)
        self._sliced = True
        self.dropped(scan)
        return None

    def restart(self) -> None:
        """Begin all scans anew: the time of their start was not the service's."""
        self.scans.clear()

    def cut_off(self) -> None:  # noqa: B027 - reading once has no order to change
        """Nothing comes for long: what comes first after it is to be new."""

    def poll_now(self) -> None:  # noqa: B027 - nor anything to hurry
        """Let what is quickest begin at once."""

    def due_in(self) -> float:
        """Seconds until the next scan begins; 0 while one is going on."""
        return 0.0

    def progress(self, at: datetime, clock: float) -> tuple[str, timedelta | None]:
        """How far a back-fill has come, in words, and how long it will still take if that is known."""
        return self._filling.progress(self._left(at), clock)

    @property
    @abstractmethod
    def up_to_date(self) -> bool:
        """Whether the latest minutes, and all since the last time they were read, are known."""

    @abstractmethod
    def caught_up_since(self, moment: datetime) -> bool:
        """Whether everything up to this moment of the service's time has been looked for since then."""

    def behind(self, at: datetime) -> timedelta:
        """How much of the past waits to be settled, from where on `complete_to` counts."""
        return self._unread(self.base, at)

    def _left(self, at: datetime) -> timedelta:
        """How much time is yet to be read once."""
        return self._unread(self.wanted_from, at)

    def _unread(self, start: datetime, at: datetime) -> timedelta:
        spans = self.coverage.missing(start, at - self.settle_lag)
        return sum((span.end - span.start for span in spans), timedelta())

    def _scan(self, kind: Kind, start: datetime, end: datetime | None, at: datetime) -> None:
        self.scans[kind] = self._made(kind, start, end, at)

    def _made(self, kind: Kind, start: datetime, end: datetime | None, at: datetime) -> Scan:
        return Scan(
            kind,
            start,
            end,
            asked_at=at,
            began=self.clock,
            newest_first=self._nature.newest_first or kind is Kind.VIEW,
            resolution=self._nature.resolution,
        )

    def _begin_settle(self, start: datetime, end: datetime, at: datetime) -> bool:
        missing = self.coverage.missing(start, end)
        if not missing:
            return False
        first = missing[0]
        self._sliced = first.end - first.start > self._slice
        # the service cuts fractions off: with one, the second at the end would count as read
        slice_end = floor(first.start + self._slice, self._nature.resolution)
        self._scan(Kind.SETTLE, first.start, min(first.end, slice_end), at)
        return True

    def _horizon(self, at: datetime) -> datetime:
        """The end of what is old enough to be settled."""
        return floor(at - self.settle_lag - NOTICEABLE, self._nature.resolution)

    def _unreadable(self, edge: datetime | None, until: datetime) -> tuple[Gap, ...]:
        """What has fallen out of the service's memory, and what would while it is read."""
        if edge is None or not self.coverage.missing(self.wanted_from, min(edge, until)):
            return ()
        edge = floor(edge + EDGE_GRACE, self._nature.resolution)
        reason = f"{OLDER} (from {edge:%Y-%m-%d %H:%M}Z on)"
        return tuple(Gap(span, reason) for span in self.coverage.missing(self.wanted_from, min(edge, until)))

    def _fit_slice(self, scan: Scan) -> None:
        few, many = PAGES_A_SLICE
        if scan.pages < few and self._sliced:
            self._slice = min(self._slice * 2, LONGEST_SLICE)
        elif scan.pages > many:
            self._slice = max(self._slice / 2, SHORTEST_SLICE)
