"""The engine shared by everything that is polled: reads a time line for ever, knows what is complete."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from typing import NamedTuple, assert_never

from smwatch.events.event import SeenBy
from smwatch.sources.agenda import Agenda, Schedule
from smwatch.sources.asking import HEARTBEAT, OUTAGE, Asking
from smwatch.sources.clock import ServerClock
from smwatch.sources.coverage import Coverage, Gap, Noted, Span
from smwatch.sources.delays import Delays
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.following import Following
from smwatch.sources.health import Health
from smwatch.sources.once import Once
from smwatch.sources.pace import Pace
from smwatch.sources.reader import Answer, Reader, Row, Upstream
from smwatch.sources.scan import Kind, Scan, Took
from smwatch.sources.sightings import HORIZON, Sightings
from smwatch.sources.source import Found, Page, Receipt, State, Status
from smwatch.sources.windows import Windows

PATIENCE = 60.0
"""How long `read_once` puts up with failures that may pass."""
LONGEST_PAUSE = 60.0
WAIT_PAUSE = 60.0
SIGN_IN_PAUSE = 30.0
UNREADABLE_AFTER = 4
LONG_AGO, GIVEN_UP_AT_ONCE = timedelta(days=1), timedelta(hours=1)


class Tail:
    """A source that reads one time line, page by page, by the agenda of sweep, settle and audit.

    The consumer asks for the next item when the last page is in the journal, or is held in memory to be written: only
    then does anything count as read. It shows `complete_to` no further than the journal proves; see monitor.Monitor.
    """

    def __init__(
        self,
        reader: Reader,
        *,
        name: str,
        label: str,
        region: str,
        seen_by: SeenBy,
        since: datetime,
        schedule: Schedule,
        pace: Pace,
        latest: Callable[[datetime], Awaitable[Answer]] | None = None,
        upstream: Upstream | None = None,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        monotonic: Callable[[], float] = time.monotonic,
    ) -> None:
        """`latest`, if it is given, asks for the latest rows since a moment: what somebody at a screen wants first.

        `upstream` tells why nothing comes where nothing is wrong with asking.
        """
        self.name = name
        self.label = label
        self.region = region
        self.seen_by = seen_by
        self._reader = reader
        self._since = since
        self._schedule = schedule
        self._pace = pace
        self._upstream = upstream
        self._newest_at: datetime | None = None
        self._now = now
        self._sleep = sleep
        self._monotonic = monotonic
        self._clock = ServerClock(now)
        self._sightings = Sightings()
        self._delays = Delays(reader.happened_at)
        self._health = Health(reader, pace, self._clock, monotonic)
        self._asking = Asking(reader, pace, self._clock, now, latest=latest, told_time=self._health.answered)
        self._last_trouble: CallError | None = None
        self._failing_since: float | None = None
        self._advanced_at = 0.0
        self._failures = 0
        self._held_until = 0.0
        self._poked = asyncio.Event()
        self._impatient = False
        self.relaxed = False
        """Whether sweeps may take their time; see `relax`."""
        self._told: Status | None = None
        self._told_at = 0.0
        self._following: Following | None = None
        self._reached: datetime | None = None
        self._reaching: list[_Reach] = []

    def follow(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:
        """Yield pages for ever, beginning with what `coverage` (what the journal already holds) leaves open."""
        nature, rate, view = self._reader.nature, self._pace.ceiling, self._asking.has_latest
        following = Following(self._schedule, nature, self._since, coverage, rate, view=view)
        if self._reached is not None:
            following.reach(self._reached)
        self._following = following
        return self._run(following)

    def read_once(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:
        """Yield everything up to now, then end. The last Status says DONE, or why something could not be read."""
        nature = self._reader.nature
        reading = Windows if nature.side_by_side > 1 else Once
        return self._run(reading(self._schedule, nature, self._since, coverage, self._pace.ceiling))

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        await self._reader.close()

    def poll_now(self) -> None:
        """Ask at once, whatever is being waited for: somebody wants to know."""
        self._impatient = True
        self._poked.set()

    def poll_soon(self) -> None:
        """Ask at once, unless that is held back by trouble: something may have been missed."""
        self._poked.set()

    async def reach(self, since: datetime) -> bool:
        """Have what is followed read from an earlier moment on as well; whether all up to now could be read.

        False as soon as part of it turns out to be a gap, or to wait for something that may take long; what waits is
        read as soon as that is possible all the same.
        """
        self._reached = min(since, self._reached or since)
        if self._following is not None:
            self._following.reach(since)
        reach = _Reach(since, self._clock.now(), asyncio.get_running_loop().create_future())
        self._reaching.append(reach)
        self.poll_soon()
        try:
            return await reach.whole
        finally:
            self._reaching.remove(reach)

    def expect(self, raw: str, at: datetime, ingested_at: datetime) -> None:
        """Something quicker has shown this record: it tells how late it can be found."""
        self._delays.expect(raw, at, ingested_at)

    def relax(self, relaxed: bool) -> None:
        """Something quicker shows what happens (or does so no longer): sweeps may take their time."""
        self.relaxed = relaxed

    def saw_between(self, start: datetime, end: datetime) -> bool:
        """Whether it has handed over a record of that time, to the minute, since it is followed."""
        return self._sightings.any_between(start, end)

    async def _run(self, agenda: Agenda) -> AsyncGenerator[Page | Status, None]:
        self._told = None
        self._advanced_at = self._monotonic()
        upstream = self._upstream if isinstance(agenda, Following) else None
        noted = agenda.noted
        looking = asyncio.create_task(upstream.watch(lambda: self._newest_at)) if upstream is not None else None
        try:
            while not agenda.finished:
                if looking is not None and looking.done():
                    looking.result()  # a bug: let it be seen
                at = self._clock.now()
                agenda.relaxed = self.relaxed
                agenda.sure = self._clock.sure
                agenda.rate = self._asking.rate
                agenda.narrow(at)
                if untrue := agenda.untrue_gaps(at):
                    yield self._page((), untrue=untrue)
                    agenda.took_back(untrue)
                if gaps := agenda.plan(at, self._monotonic(), self._edge(at)):
                    yield self._page((), gaps=gaps)
                    agenda.gave_up(gaps)
                    continue
                if agenda.noted != noted:  # before anything is asked: there may be no network until the end
                    yield self._page((), noted=(noted := agenda.noted))
                scan = agenda.pick() if self._monotonic() >= self._held_until else None
                if scan is None:
                    await self._idle(agenda)
                else:
                    answer = await self._asking.ask(agenda, scan)
                    agenda.sure = self._clock.sure
                    if agenda.noted != noted:  # before anything that was read: it may be what was asked for
                        yield self._page((), noted=(noted := agenda.noted))
                    if isinstance(answer, Answer):
                        came_at = self._clock.now()
                        edges = (scan.low, scan.high)
                        took = agenda.take(scan, [row.at for row in answer.rows], answer.token)
                        took = took.kept_from(self._edge(came_at))  # which may just have become known, or passed by
                        coming = agenda.coming(scan, took)
                        self._asking.expect([(scan, agenda.priority(scan)) for scan in coming])
                        fresh = self._fresh(agenda, scan, answer.rows)
                        settled = took.settled if scan.kind is Kind.SETTLE else None
                        behind = self._delays.behind(agenda, fresh) if isinstance(agenda, Following) else []
                        receipt = Receipt() if behind else None
                        if fresh or settled:
                            yield self._page(tuple(row.found for row in fresh), settled, receipt=receipt)
                        if isinstance(agenda, Following):
                            new = receipt.new if receipt is not None else ()
                            late = [row for row in behind if row.found.raw in new]
                            self._delays.came_late(agenda, late, came_at)
                            self._delays.found(agenda, scan, took, answer.rows, fresh)
                            self._delays.delivered(agenda, fresh, came_at)
                        self._committed(agenda, scan, took, answer.rows, fresh)
                        if took.done or fresh or edges != (scan.low, scan.high):
                            self._advanced_at = self._monotonic()
                    elif isinstance(answer, CallError) and (gap := self._met(agenda, scan, answer)):
                        yield self._page((), gaps=(gap,))
                        agenda.gave_up((gap,))
                    if self._cut_off:
                        agenda.cut_off()
                if agenda.noted != noted:
                    yield self._page((), noted=(noted := agenda.noted))
                if isinstance(agenda, Once) and not agenda.finished and self._gives_up():
                    break
                if isinstance(agenda, Following):
                    self._answer_reaching(agenda)
                if news := self._news(agenda):
                    yield news
        finally:
            self._asking.drop()
            if looking is not None:
                looking.cancel()
        yield self._status(agenda)

    def _edge(self, at: datetime) -> datetime | None:
        """The earliest moment that the service still keeps, as far as it is known, at its time `at`."""
        return self._reader.edge(min(at, self._now()))  # a service's time that is far ahead gives nothing up

    # -- what came ---------------------------------------------------------------------------------------------------

    def _fresh(self, agenda: Agenda, scan: Scan, rows: Sequence[Row]) -> list[Row]:
        """The rows that were not handed over before; of a reading that ends, which reads hardly any twice, all."""
        once = {row.id: row for row in rows}.values()
        if isinstance(agenda, Once):
            return [] if scan.kind is Kind.GLANCE else list(once)  # what is glanced at is yet to be read
        return [row for row in once if not self._sightings.knows(row.id, row.at)]

    def _committed(self, agenda: Agenda, scan: Scan, took: Took, rows: Sequence[Row], fresh: list[Row]) -> None:
        """The consumer came back: what was handed over is kept, or held to be."""
        now = self._clock.now()
        agenda.clock = self._monotonic()
        self._failing_since = None
        self._health.trouble = None
        self._health.answered_at = now
        self._failures = 0
        self._newest_at = max(filter(None, (self._newest_at, *(row.at for row in rows))), default=None)
        if isinstance(agenda, Following):
            self._delays.committed(agenda, scan, rows, fresh, now)
            for row in fresh:
                self._sightings.add(row.id, row.at)
        agenda.committed(scan, took.settled)
        if took.done and scan.kind is not Kind.VIEW:
            agenda.ended(scan)
            self._health.last_good_at = now
            self._sightings.forget_before(now - HORIZON)
        elif agenda.enough(scan):
            agenda.ended(scan)
        elif took.astray:
            self._resume(agenda, scan, "the page tokens lead in a circle")
        elif agenda.pushed(scan) and scan.moved:
            scan.resume()
        elif agenda.too_long(scan) or (self._overdue(scan) and not scan.resume()):
            agenda.dropped(scan)

    def _overdue(self, scan: Scan) -> bool:
        """Whether the tokens of this scan have grown old."""
        longest = self._reader.nature.longest
        return longest is not None and scan.overdue(self._monotonic(), longest)

    @property
    def _cut_off(self) -> bool:
        """Whether nothing has come for so long that it is an outage."""
        return self._failing_since is not None and self._monotonic() - self._failing_since > OUTAGE

    # -- trouble -----------------------------------------------------------------------------------------------------

    def _met(self, agenda: Agenda, scan: Scan, trouble: CallError) -> Gap | None:
        """Decide how to go on after a failed call; the gap that it leaves, if it leaves one."""
        clock = agenda.clock = self._monotonic()
        self._last_trouble = trouble
        self._failing_since = clock if self._failing_since is None else self._failing_since
        match trouble.remedy:
            case Remedy.PACE:
                return None  # the budget knows, and others' turns are put off by it as well
            case Remedy.RESUME:
                self._resume(agenda, scan, trouble.message)
                return None
            case Remedy.CLAMP:
                return self._refused_range(agenda, scan, trouble)
            case Remedy.WAIT:
                self._hold(trouble, WAIT_PAUSE)
            case Remedy.SIGN_IN:
                self._hold(trouble, SIGN_IN_PAUSE)
            case Remedy.RETRY:
                self._hold(trouble, self._growing_pause())
            case Remedy.GARBLED:
                others_work = scan.failures > 0 and self._failures == 0
                scan.failures += 1
                self._hold(trouble, self._growing_pause())
                if others_work and scan.failures >= UNREADABLE_AFTER:
                    return agenda.unreadable(scan, trouble.message)
            case _ as never:
                assert_never(never)
        return None

    def _resume(self, agenda: Agenda, scan: Scan, why: str) -> None:
        """Go on without the token; if that leads nowhere, let the scan go and wait a while."""
        if scan.resume():
            message = f"{why}; reading on without it, from the last second that was read whole"
            self._health.trouble = CallError(State.CATCHING_UP, message, Remedy.RESUME)  # until the next page
            return
        self._hold(CallError(State.FAILING, f"{why}; reading that part again", Remedy.RETRY), self._growing_pause())
        agenda.dropped(scan)

    def _refused_range(self, agenda: Agenda, scan: Scan, trouble: CallError) -> Gap | None:
        """The service says that the period begins too early: give it up hour by hour, unless that can't be meant."""
        self._hold(trouble, self._growing_pause())
        agenda.dropped(scan)
        period = scan.remains
        if period is None or period.end - period.start > GIVEN_UP_AT_ONCE:
            return None
        if not self._clock.sure or self._clock.now() - period.start < LONG_AGO:
            return None
        return Gap(period, "the service refuses to look that far back")

    def _growing_pause(self) -> float:
        self._failures += 1
        return min(LONGEST_PAUSE, 2.0 ** min(self._failures - 1, 10)) * random.uniform(0.7, 1.0)  # noqa: S311 - jitter

    def _hold(self, trouble: CallError, seconds: float) -> None:
        self._health.trouble = self._last_trouble = trouble
        self._held_until = self._monotonic() + seconds

    def _gives_up(self) -> bool:
        """Whether waiting longer would be of no use to somebody who wants an end."""
        trouble = self._health.trouble
        if trouble is not None and trouble.remedy in (Remedy.WAIT, Remedy.SIGN_IN):
            return True
        if self._monotonic() - self._advanced_at < PATIENCE:
            return False
        self._health.trouble = self._last_trouble
        return True

    def _answer_reaching(self, agenda: Following) -> None:
        """Tell whoever waits for an earlier moment to be reached how that went."""
        trouble, since = self._health.trouble, self._failing_since
        lasts = trouble is not None and (
            trouble.remedy in (Remedy.WAIT, Remedy.SIGN_IN)
            or (since is not None and self._monotonic() - since > PATIENCE)
        )
        for reach in self._reaching:
            if not reach.whole.done() and (lasts or not agenda.unread(reach.since, reach.until)):
                gaps = any(reach.since < gap.span.end and gap.span.start < reach.until for gap in agenda.coverage.gaps)
                reach.whole.set_result(not lasts and not gaps)

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def _idle(self, agenda: Agenda) -> None:
        clock = self._monotonic()
        held = self._held_until - clock
        trouble = self._health.trouble
        if trouble is not None and trouble.remedy is Remedy.SIGN_IN:
            last = held <= HEARTBEAT  # who keeps credentials anywhere but in a file is asked again at the end
            if self._reader.renew(force=last) and not last:
                self._held_until = held = 0.0
        due = agenda.due_in() if held <= 0 else held
        sleeping = asyncio.ensure_future(self._sleep(min(max(due, 0.01), HEARTBEAT)))
        poked = asyncio.ensure_future(self._poked.wait())
        try:
            await asyncio.wait((sleeping, poked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            poked.cancel()
        if self._poked.is_set():
            self._poked.clear()
            if self._impatient:
                self._impatient = False
                self._held_until = 0.0
            agenda.poll_now()

    # -- telling -----------------------------------------------------------------------------------------------------

    def _page(
        self,
        found: tuple[Found, ...],
        settled: Span | None = None,
        gaps: tuple[Gap, ...] = (),
        untrue: tuple[Gap, ...] = (),
        noted: Noted | None = None,
        receipt: Receipt | None = None,
    ) -> Page:
        now = self._clock.now()
        return Page(self.name, self.seen_by, found, now, settled, gaps, untrue, noted, receipt)

    def _news(self, agenda: Agenda) -> Status | None:
        """The status, if it has changed or was not told for a while."""
        status = self._status(agenda)
        clock = self._monotonic()
        if self._told is not None and clock - self._told_at < HEARTBEAT and _same(status, self._told):
            return None
        self._told, self._told_at = status, clock
        return status

    def _status(self, agenda: Agenda) -> Status:
        now = self._clock.now()
        lag, lag_max = self._delays.lag.at(now)
        state, message, progress = self._health.of(agenda, now)
        if state is State.OK and self._upstream is not None and (stale := self._upstream.trouble(self._newest_at)):
            state, message = State.STALE, stale
        return Status(
            self.name,
            self.label,
            state,
            message,
            at=now,
            last_good_at=self._health.last_good_at,
            answered_at=self._health.answered_at,
            service_at=self._health.service_at,
            lag=lag,
            lag_max=lag_max,
            complete_to=agenda.told_to,
            gaps=agenda.told_gaps,
            progress=progress,
            region=self.region,
            calls=self._asking.calls,
            late_events=self._delays.late_events,
        )


class _Reach(NamedTuple):
    """Somebody waits for all of a period to be read."""

    since: datetime
    until: datetime
    whole: asyncio.Future[bool]


def _same(one: Status, other: Status) -> bool:
    """Whether two statuses differ in nothing that is worth telling at once."""
    return (one.state, one.message, one.progress, one.complete_to, one.gaps, one.late_events) == (
        other.state,
        other.message,
        other.progress,
        other.complete_to,
        other.gaps,
        other.late_events,
    )
