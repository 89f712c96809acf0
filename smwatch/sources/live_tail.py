"""StartLiveTail: what is written to the log group, at once; never complete, so FilterLogEvents stays the truth.

AWS ends a session after three hours, leaves records out when there are many (and says so), and a broken connection
says nothing of what it has lost. Whatever may have been missed is read by the log group's own source, at once.
"""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import AsyncGenerator, Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import UTC, datetime
from typing import Any, NamedTuple

import msgspec

from smwatch.events.event import SeenBy
from smwatch.patterns import compile as compile_pattern
from smwatch.record import whole
from smwatch.sources.call import Call
from smwatch.sources.clock import ServerClock
from smwatch.sources.coverage import Coverage
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.failures import date_of, no_live_tail, told_apart
from smwatch.sources.logs import PATTERN as TRUTH
from smwatch.sources.logs import LogGroup, event_time, moment
from smwatch.sources.session import AwsSession
from smwatch.sources.sightings import Lag
from smwatch.sources.signing import Signing
from smwatch.sources.source import Found, Page, State, Status
from smwatch.sources.tail import Tail

API = "StartLiveTail"
COST = "Live Tail costs $0.01 a minute after 1,800 free minutes a month: about $414 for a month round the clock"
OFFERED_IN = "aws"
"""The partition that has Live Tail; China and GovCloud have none (aws-cli issue 8854)."""
PATTERN = '"secretsmanager.amazonaws.com"'
"""A term, not a JSON pattern: it takes in everything about Secrets Manager, and stand-ins of AWS know it as well."""
RENEW_AFTER = 170 * 60.0
"""Ten minutes before AWS ends a session."""
OVERLAP = 5.0
LONGEST_PAUSE = 60.0
WAIT_PAUSE = 60.0
SIGN_IN_PAUSE = 30.0
NO_SESSION_PAUSE = 300.0
HEALTHY_AFTER = 60.0
HEARTBEAT = 5.0
STALL = 5.0
FINDABLE_AFTER = 60.0
"""Seconds after which FilterLogEvents shows what was missed, nearly always; until then sweeps keep their pace."""
BACKLOG = 600
"""Messages (one a second) that may wait for the consumer before the oldest are left to FilterLogEvents."""
SAMPLED = "more records than Live Tail shows: the rest comes with the log group, a few seconds later"


class _Record(NamedTuple):
    """One record, where it is on the group's time line, and when the group had it."""

    raw: str
    at: datetime | None
    ingested_at: datetime | None


class _Heard(msgspec.Struct, frozen=True):
    """What one message of a session said, or how the session ended."""

    came_at: float
    found: tuple[_Record, ...] = ()
    sampled: bool = False
    """Whether AWS left records out."""
    ended: CallError | None = None


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
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
        monotonic: Callable[[], float],
    ) -> None:
        self.name = name
        self.region = region
        self._session = session
        self._signing = Signing(session)
        self._group = group
        self._truth = truth
        self._pattern = pattern
        self._sleep = sleep
        self._monotonic = monotonic
        self._now = now
        self._clock = ServerClock(now)
        self._on = asyncio.Event()
        self._heard: asyncio.Queue[_Heard] = asyncio.Queue(BACKLOG)
        self._lag = Lag()
        self._filled_at = 0.0
        """When what was missed last will have been read."""
        self._truth_shows = compile_pattern(TRUTH).matches
        self._state, self._message = State.STARTING, COST
        self._last_good_at: datetime | None = None
        self._calls = 0
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
            self._put(_Heard(self._monotonic()))

    async def follow(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:  # noqa: ARG002 - never complete
        """Yield what is written from now on, whenever it is switched on."""
        while True:
            await self._on.wait()
            self._state, self._message = State.STARTING, COST
            yield self._status()
            keeper = asyncio.create_task(self._keep_open())
            try:
                while self._on.is_set():
                    before = self._state, self._message
                    heard = await self._next(keeper)
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

    async def _next(self, keeper: asyncio.Task[None]) -> _Heard | None:
        """The next message; None when there was none for a while."""
        getting = asyncio.ensure_future(self._heard.get())
        try:
            await asyncio.wait((getting, keeper), timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                keeper.result()  # a bug: let it be seen
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()

    def _page(self, heard: _Heard) -> Page | None:
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

    def _put(self, heard: _Heard) -> None:
        """Never wait: a session that is not read loses its oldest messages anyway."""
        try:
            self._heard.put_nowait(heard)
        except asyncio.QueueFull:
            self._heard.get_nowait()
            self._heard.put_nowait(heard)
            self._missed()

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
            calls=self._calls,
        )

    # -- sessions ----------------------------------------------------------------------------------------------------

    async def _keep_open(self) -> None:
        """One session after the other; before AWS ends one, the next is open already."""
        failures = 0
        session: asyncio.Task[CallError] | None = None
        fresh: asyncio.Task[CallError] | None = None
        renewal: asyncio.Task[None] | None = None
        try:
            while True:
                began = self._monotonic()
                self._signing.begin()
                try:
                    fresh = await self._open()
                except CallError as refusal:
                    failures += 1
                    self._put(_Heard(self._monotonic(), ended=refusal))
                    if refusal.remedy is Remedy.SIGN_IN:
                        await self._other_credentials()
                    else:
                        await self._sleep(self._pause(refusal, failures))
                    continue
                if session is not None:
                    await self._sleep(OVERLAP)
                    session.cancel()
                session, fresh = fresh, None
                renewal = asyncio.ensure_future(self._wait(RENEW_AFTER))
                await asyncio.wait((session, renewal), return_when=asyncio.FIRST_COMPLETED)
                if session.done():
                    renewal.cancel()
                    end = session.result()
                    session = None
                    failures = 0 if self._monotonic() - began > HEALTHY_AFTER else failures + 1
                    await self._sleep(self._pause(end, failures))
        finally:
            for task in (session, fresh, renewal):
                if task is not None:
                    task.cancel()
                    await asyncio.wait((task,))

    async def _other_credentials(self) -> None:
        """Wait until the session has others than those; who keeps them elsewhere than in a file is asked in the end."""
        for left in reversed(range(round(SIGN_IN_PAUSE / HEARTBEAT))):
            await self._sleep(HEARTBEAT)
            if self._signing.renew(force=not left):
                return

    async def _wait(self, seconds: float) -> None:
        await self._sleep(seconds)

    async def _open(self) -> asyncio.Task[CallError]:
        """A new session, and the task that listens to it; raises CallError."""
        call = self._call(API)
        arn = await self._arn()
        with self._told_where_it_is_not_offered(call), told_apart(call):
            client = await self._session.client("logs", self.region, "live_tail")
            sent_at = self._now()
            self._calls += 1
            response: Any = await client.start_live_tail(
                logGroupIdentifiers=[arn], **({"logEventFilterPattern": self._pattern} if self._pattern else {})
            )
            if (date := date_of(response)) is not None:
                self._clock.heard(date, sent_at, self._now())
            stream = response["responseStream"]
            self._signing.answered()
        self._missed()
        return asyncio.create_task(self._listen(call, stream))

    @contextmanager
    def _told_where_it_is_not_offered(self, call: Call) -> Iterator[None]:
        """Outside of AWS's commercial Regions there is no Live Tail, and so no host of its name."""
        try:
            yield
        except CallError as error:
            partition = self._session.partition(self.region)
            if error.state is State.UNREACHABLE and partition != OFFERED_IN and not self._session.overridden("logs"):
                raise no_live_tail(call, f"partition {partition}") from error
            raise

    async def _listen(self, call: Call, stream: Any) -> CallError:
        """Hand on what a session says, until it ends; how it ended."""
        try:
            with told_apart(call):
                async for message in stream:
                    update: Mapping[str, Any] = message.get("sessionUpdate") or {}
                    results = update.get("sessionResults") or ()
                    found = tuple(_record(item) for item in results if isinstance(item.get("message"), str))
                    sampled = bool((update.get("sessionMetadata") or {}).get("sampled"))
                    self._put(_Heard(self._monotonic(), found, sampled))
            end = CallError(State.UNREACHABLE, "the Live Tail connection was closed; opening another", Remedy.RETRY)
        except CallError as error:
            end = error
        finally:
            stream.close()
        self._put(_Heard(self._monotonic(), ended=end))
        return end

    async def _arn(self) -> str:
        """The group's ARN, in the form that StartLiveTail wants: without the `:*` at its end."""
        group = self._group
        if group.arn:
            return group.arn
        with told_apart(self._call("DescribeLogGroups")):
            client = await self._session.client("logs", self.region)
            answer: Mapping[str, Any] = await client.describe_log_groups(logGroupNamePrefix=group.name)
            for item in answer["logGroups"]:
                if item["logGroupName"] == group.name:
                    arn = item.get("logGroupArn") or item["arn"].removesuffix(":*")
                    self._group = msgspec.structs.replace(group, arn=arn)
                    return str(arn)
        message = f"there is no log group {group.name} in {self.region}: see `aws logs describe-log-groups`"
        raise CallError(State.FAILING, message, Remedy.WAIT)

    def _call(self, operation: str) -> Call:
        return self._session.call("logs", operation, self.region, group=self._group.name)

    @staticmethod
    def _pause(error: CallError, failures: int) -> float:
        match error.remedy:
            case Remedy.WAIT | Remedy.SIGN_IN:
                return WAIT_PAUSE
            case Remedy.PACE:
                return NO_SESSION_PAUSE
            case _:
                return random.uniform(0, min(LONGEST_PAUSE, 2.0 ** min(failures, 10)))  # noqa: S311 - jitter


def _record(item: Mapping[str, Any]) -> _Record:
    return _Record(whole(item["message"]), moment(item.get("timestamp")), moment(item.get("ingestionTime")))


async def live_tail_source(
    session: AwsSession,
    region: str | None,
    group: str,
    *,
    truth: Tail,
    on: bool = True,
    pattern: str = PATTERN,
    now: Callable[[], datetime] = lambda: datetime.now(UTC),
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    monotonic: Callable[[], float] = time.monotonic,
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
        now=now,
        sleep=sleep,
        monotonic=monotonic,
    )
