"""The engine shared by everything that is polled: reads a time line for ever, knows what is complete."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Sequence
from datetime import datetime

from smwatch.sources.agenda import Agenda
from smwatch.sources.asking import HEARTBEAT, Asking
from smwatch.sources.clock import LOCAL, LocalClock, ServerClock
from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.delays import Delays
from smwatch.sources.errors import CallError
from smwatch.sources.following import Following
from smwatch.sources.health import Health
from smwatch.sources.nature import Schedule
from smwatch.sources.once import Once
from smwatch.sources.pace import Pace
from smwatch.sources.reaching import Reaching
from smwatch.sources.reader import Answer, Reader, Row, Upstream
from smwatch.sources.scan import Kind, Scan, Took
from smwatch.sources.sightings import HORIZON, Sightings
from smwatch.sources.source import Page, Receipt, Status
from smwatch.sources.telling import Named, Telling
from smwatch.sources.trouble import Trouble
from smwatch.sources.windows import Windows

PART = 1_000
"""Records that a reading which ends hands over at a time, whatever came at a time: what is read of them takes three
times as much memory as they do. Serves "tail-…-memory"."""
SET_BY = 2.0
"""Seconds that this machine's clock has to jump for it to have been set."""


class Tail:
    """A source that reads one time line, page by page, by the agenda of sweep, settle and audit.

    The consumer asks for the next item when the last page is in the journal, or is held in memory to be written: only
    then does anything count as read. It shows `complete_to` no further than the journal proves; see monitor.Monitor.
    """

    def __init__(
        self,
        reader: Reader,
        named: Named,
        *,
        since: datetime,
        schedule: Schedule,
        pace: Pace,
        latest: Callable[[datetime], Awaitable[Answer]] | None = None,
        upstream: Upstream | None = None,
        local: LocalClock = LOCAL,
    ) -> None:
        """`latest`, if it is given, asks for the latest rows since a moment: what somebody at a screen wants first.

        `upstream` tells why nothing comes where nothing is wrong with asking.
        """
        self.name, self.label, self.region, self.seen_by = named.name, named.label, named.region, named.seen_by
        self._reader = reader
        self._since = since
        self._schedule = schedule
        self._pace = pace
        self._upstream = upstream
        self._local = local
        self._clock = ServerClock(local.now)
        self._sightings = Sightings()
        self._delays = Delays(reader.happened_at)
        self._health = Health(reader, pace, self._clock, local.monotonic)
        self._asking = Asking(reader, pace, self._clock, local.now, latest=latest, told_time=self._health.answered)
        self._trouble = Trouble(self._health, self._clock, local.monotonic)
        self._poked = asyncio.Event()
        self._impatient = False
        self.relaxed = False
        """Whether sweeps may take their time; see `relax`."""
        self._telling = Telling(named, self._health, self._delays, self._asking, upstream, self._clock, local.monotonic)
        self._following: Following | None = None
        self._reaching = Reaching()

    def follow(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:
        """Yield pages for ever, beginning with what `coverage` (what the journal already holds) leaves open."""
        nature, rate, view = self._reader.nature, self._pace.ceiling, self._asking.has_latest
        following = Following(self._schedule, nature, self._since, coverage, rate, view=view)
        if self._reaching.since is not None:
            following.reach(self._reaching.since)
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
        if self._following is not None:
            self._following.reach(since)
        self.poll_soon()
        return await self._reaching.wait(since, self._clock.now())

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
        self._telling.begin()
        self._trouble.advanced()
        upstream = self._upstream if isinstance(agenda, Following) else None
        noted = agenda.noted
        looking = asyncio.create_task(upstream.watch(lambda: self._telling.newest_at)) if upstream is not None else None
        try:
            while not agenda.finished:
                if looking is not None and looking.done():
                    looking.result()  # a bug: let it be seen
                at = self._clock.now()
                agenda.relaxed = self.relaxed
                agenda.sure = self._clock.sure
                agenda.rate, agenda.readers = self._asking.rate, self._asking.readers
                agenda.narrow(at)
                if untrue := agenda.untrue_gaps(at):
                    yield self._telling.page((), untrue=untrue)
                    agenda.took_back(untrue)
                if gaps := agenda.plan(at, self._local.monotonic(), self._edge(at)):
                    yield self._telling.page((), gaps=gaps)
                    agenda.gave_up(gaps)
                    continue
                if self._telling.silent and agenda.ever_read and (news := self._telling.news(agenda)):
                    yield news  # the mark of before, while nothing is held that could not be written
                if agenda.noted != noted:  # before anything is asked: there may be no network until the end
                    yield self._telling.page((), noted=(noted := agenda.noted))
                scan = agenda.pick() if self._trouble.held <= 0 else None
                if scan is None:
                    await self._idle(agenda)
                else:
                    answer = await self._asking.ask(agenda, scan)
                    agenda.sure = self._clock.sure
                    if agenda.noted != noted:  # before anything that was read: it may be what was asked for
                        yield self._telling.page((), noted=(noted := agenda.noted))
                    pages = self._handed_over(agenda, scan, answer)
                    del answer  # it is large, and a reading that ends lets go of it
                    for page in pages:
                        yield page
                    if self._trouble.cuts_off:
                        agenda.cut_off()
                if agenda.noted != noted:
                    yield self._telling.page((), noted=(noted := agenda.noted))
                if isinstance(agenda, Once) and not agenda.finished and self._trouble.gives_up:
                    break
                if isinstance(agenda, Following):
                    self._reaching.answer(agenda, stuck=self._trouble.lasts)
                if news := self._telling.news(agenda):
                    yield news
        finally:
            self._asking.drop()
            if looking is not None:
                looking.cancel()
        yield self._telling.status(agenda)

    def _edge(self, at: datetime) -> datetime | None:
        """The earliest moment that the service still keeps, as far as it is known, at its time `at`."""
        return self._reader.edge(min(at, self._local.now()))  # a service's time that is far ahead gives nothing up

    # -- what came ---------------------------------------------------------------------------------------------------

    def _handed_over(self, agenda: Agenda, scan: Scan, answer: Answer | CallError | None) -> Iterator[Page]:
        """What a scan has brought, page by page: the next one is asked for when the last one is taken in."""
        match answer:
            case Answer():
                return self._brought(agenda, scan, answer)
            case CallError():
                return self._failed(agenda, scan, answer)
            case None:
                return iter(())

    def _failed(self, agenda: Agenda, scan: Scan, error: CallError) -> Iterator[Page]:
        if gap := self._trouble.met(agenda, scan, error):
            yield self._telling.page((), gaps=(gap,))
            agenda.gave_up((gap,))

    def _brought(self, agenda: Agenda, scan: Scan, answer: Answer) -> Iterator[Page]:
        came_at, edges = self._clock.now(), (scan.low, scan.high)
        rows = answer.rows
        moments = [row.at for row in rows]
        took = agenda.take(scan, moments, answer.token)
        took = took.kept_from(self._edge(came_at))  # which may just have become known, or passed by
        coming = agenda.coming(scan, took)
        self._asking.expect([(scan, agenda.priority(scan)) for scan in coming], agenda.ahead)
        fresh = self._fresh(agenda, scan, rows)
        if isinstance(agenda, Once):
            del answer  # of what is handed over nothing is asked again, and it is large
            rows = ()
        settled = took.settled if scan.kind is Kind.SETTLE else None
        behind = self._delays.behind(agenda, fresh) if isinstance(agenda, Following) else []
        receipt = Receipt() if behind else None
        yield from self._pages(agenda, fresh, settled, receipt)
        if isinstance(agenda, Following):
            new = receipt.new if receipt is not None else ()
            late = [row for row in behind if row.found.raw in new]
            self._delays.came_late(agenda, late, came_at)
            self._delays.found(agenda, scan, took, rows, fresh)
            self._delays.delivered(agenda, fresh, came_at)
        self._telling.brought(moments)
        self._committed(agenda, scan, took, rows, fresh)
        if took.done or fresh or edges != (scan.low, scan.high):
            self._trouble.advanced()

    def _fresh(self, agenda: Agenda, scan: Scan, rows: Sequence[Row]) -> list[Row]:
        """The rows that were not handed over before; of a reading that ends, which reads hardly any twice, all."""
        once = {row.id: row for row in rows}.values()
        if isinstance(agenda, Once):
            return [] if scan.kind is Kind.GLANCE else list(once)  # what is glanced at is yet to be read
        return [row for row in once if not self._sightings.knows(row.id, row.at)]

    def _pages(self, agenda: Agenda, fresh: list[Row], settled: Span | None, receipt: Receipt | None) -> Iterator[Page]:
        """What is to be handed over; of a reading that ends in parts that are let go of, whose last proves it all."""
        while isinstance(agenda, Once) and len(fresh) > PART:
            part = tuple(row.found for row in fresh[:PART])
            del fresh[:PART]
            yield self._telling.page(part)
        if fresh or settled:
            yield self._telling.page(tuple(row.found for row in fresh), settled, receipt=receipt)

    def _committed(self, agenda: Agenda, scan: Scan, took: Took, rows: Sequence[Row], fresh: list[Row]) -> None:
        """The consumer came back: what was handed over is kept, or held to be."""
        now = self._clock.now()
        agenda.clock = self._local.monotonic()
        self._health.answered_at = now
        self._trouble.over()
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
            self._trouble.resume(agenda, scan, "the page tokens lead in a circle")
        elif agenda.pushed(scan) and scan.moved:
            scan.resume()
        elif agenda.too_long(scan) or (self._overdue(scan) and not scan.resume()):
            agenda.dropped(scan)

    def _overdue(self, scan: Scan) -> bool:
        """Whether the tokens of this scan have grown old."""
        longest = self._reader.nature.longest
        return longest is not None and scan.overdue(self._local.monotonic(), longest)

    # -- waiting -----------------------------------------------------------------------------------------------------

    async def _idle(self, agenda: Agenda) -> None:
        held = self._trouble.held
        if self._trouble.signing_in:
            last = held <= HEARTBEAT  # who keeps credentials anywhere but in a file is asked again at the end
            if self._reader.renew(force=last) and not last:
                self._trouble.let_go()
                held = 0.0
        due = agenda.due_in() if held <= 0 else held
        at, clock = self._local.now(), self._local.monotonic()
        sleeping = asyncio.ensure_future(self._local.sleep(min(max(due, 0.01), HEARTBEAT)))
        poked = asyncio.ensure_future(self._poked.wait())
        try:
            await asyncio.wait((sleeping, poked), return_when=asyncio.FIRST_COMPLETED)
        finally:
            sleeping.cancel()
            poked.cancel()
        jumped = (self._local.now() - at).total_seconds() - (self._local.monotonic() - clock)
        if self._trouble.clock_refused and abs(jumped) > SET_BY:
            self._trouble.let_go()
        if self._poked.is_set():
            self._poked.clear()
            if self._impatient:
                self._impatient = False
                self._trouble.let_go()
            agenda.poll_now()
