"""StartLiveTail: what is written to the log group, at once; never complete, so FilterLogEvents stays the truth.

AWS ends a session after three hours, leaves records out when there are many (and says so), and a broken connection
says nothing of what it has lost. Whatever may have been missed is read by the log group's own source, at once.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from datetime import datetime

from smwatch.events.event import SeenBy
from smwatch.patterns import compile as compile_pattern
from smwatch.sources.clock import LOCAL, LocalClock, ServerClock
from smwatch.sources.coverage import Coverage
from smwatch.sources.live_sessions import Heard, LiveSessions
from smwatch.sources.log_group import LogGroup
from smwatch.sources.logs import PATTERN as TRUTH
from smwatch.sources.logs import event_time
from smwatch.sources.session import AwsSession
from smwatch.sources.sightings import Lag
from smwatch.sources.source import Found, Page, State, Status
from smwatch.sources.tail import Tail

COST = "Live Tail costs $0.01 a minute after 1,800 free minutes a month: about $414 for a month round the clock"
PATTERN = '"secretsmanager.amazonaws.com"'
"""A term, not a JSON pattern: it takes in everything about Secrets Manager, and stand-ins of AWS know it as well."""
STALL = 5.0
FINDABLE_AFTER = 60.0
"""Seconds after which FilterLogEvents shows what was missed, nearly always; until then sweeps keep their pace."""
SAMPLED = "more records than Live Tail shows: the rest comes with the log group, a few seconds later"


class LiveTail:
    """A source beside the log group's own (`truth`), for the seconds that polling takes; can be switched on and off."""

    seen_by = SeenBy.LIVE_TAIL
    label = "Live Tail"

    def __init__(
        self,
        session: AwsSession,
        region: str,
        group: LogGroup,
        *,
        name: str,
        truth: Tail,
        pattern: str,
        on: bool,
        local: LocalClock,
    ) -> None:
        self.name = name
        self.region = region
        self._truth = truth
        self._monotonic = local.monotonic
        self._clock = ServerClock(local.now)
        self._sessions = LiveSessions(
            session,
            region,
            group,
            pattern=pattern,
            clock=self._clock,
            missed=self._missed,
            local=local,
        )
        self._on = asyncio.Event()
        self._lag = Lag()
        self._filled_at = 0.0
        """When what was missed last will have been read."""
        self._truth_shows = compile_pattern(TRUTH).matches
        self._state, self._message = State.STARTING, COST
        self._last_good_at: datetime | None = None
        if on:
            self._on.set()

    @property
    def on(self) -> bool:
        """Whether sessions are kept open (and paid for)."""
        return self._on.is_set()

    def switch(self, on: bool) -> None:
        """Open a session, or close it; COST says what that means."""
        if on:
            self._on.set()
        else:
            self._on.clear()
            self._sessions.put(Heard(self._monotonic()))

    async def follow(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:  # noqa: ARG002 - never complete
        """Yield what is written from now on, whenever it is switched on."""
        while True:
            await self._on.wait()
            self._state, self._message = State.STARTING, COST
            yield self._status()
            keeper = asyncio.create_task(self._sessions.keep_open())
            try:
                while self._on.is_set():
                    before = self._state, self._message
                    heard = await self._sessions.next(keeper)
                    if heard is not None and (page := self._page(heard)):
                        yield page
                    if heard is None or (self._state, self._message) != before:
                        yield self._status()
            finally:
                keeper.cancel()
                await asyncio.wait((keeper,))
                self._truth.relax(False)
            self._state, self._message = State.DONE, "switched off"
            yield self._status()

    async def read_once(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:  # noqa: ARG002
        """Nothing: FilterLogEvents reads what there is."""
        self._state, self._message = State.DONE, ""
        yield self._status()

    async def close(self) -> None:
        """Nothing: the connections are the session's."""

    # -- hearing -----------------------------------------------------------------------------------------------------

    def _page(self, heard: Heard) -> Page | None:
        """What a message brings, and what it says of what it does not bring."""
        now = self._clock.now()
        if heard.ended is not None:
            self._state, self._message = heard.ended.state, heard.ended.message
        else:
            self._state, self._message = State.OK, SAMPLED if heard.sampled else ""
            self._last_good_at = now if self._clock.sure else None
        if heard.ended or heard.sampled or self._monotonic() - heard.came_at > STALL:
            self._missed()
        self._truth.relax(heard.ended is None and self._monotonic() > self._filled_at)
        for record in heard.found:
            if (happened_at := event_time(record.raw)) is not None:
                self._lag.add(now, now - happened_at)
            if record.at is not None and record.ingested_at is not None and self._truth_shows(record.raw):
                self._truth.expect(record.raw, record.at, record.ingested_at)
        found = tuple(Found(record.raw, record.at) for record in heard.found)
        return Page(self.name, self.seen_by, found, now) if found else None

    def _missed(self) -> None:
        """Something may have been missed: have the log group read at once, and often until all of it can be found."""
        self._filled_at = self._monotonic() + FINDABLE_AFTER
        self._truth.relax(False)
        self._truth.poll_soon()

    def _status(self) -> Status:
        now = self._clock.now()
        lag, lag_max = self._lag.at(now)
        return Status(
            self.name,
            self.label,
            self._state,
            self._message,
            at=now,
            last_good_at=self._last_good_at,
            lag=lag,
            lag_max=lag_max,
            region=self.region,
            calls=self._sessions.calls,
        )


async def live_tail_source(
    session: AwsSession,
    region: str | None,
    group: str,
    *,
    truth: Tail,
    on: bool = True,
    pattern: str = PATTERN,
    local: LocalClock = LOCAL,
) -> LiveTail:
    """Live Tail on the log group that `truth` reads; raises ConfigurationError where it can't start."""
    named = LogGroup.parse(group)
    region = session.region(named.region or region)
    return LiveTail(
        session,
        region,
        named,
        name=truth.name.replace("logs:", "live_tail:", 1),
        truth=truth,
        pattern=pattern,
        on=on,
        local=local,
    )
