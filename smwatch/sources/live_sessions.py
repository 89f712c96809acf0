"""Sessions of StartLiveTail, one after the other without a gap, and what they say, message by message.

AWS ends a session after three hours, and a broken connection says nothing of what it has lost.
"""

from __future__ import annotations

import asyncio
import random
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from datetime import datetime
from typing import Any, NamedTuple

import msgspec

from smwatch.record import whole
from smwatch.sources.api_call import ApiCall
from smwatch.sources.clock import LocalClock, ServerClock
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.failures import told_apart
from smwatch.sources.log_group import LogGroup
from smwatch.sources.logs import moment
from smwatch.sources.refusals import date_of, no_live_tail
from smwatch.sources.session import AwsSession
from smwatch.sources.signing import Signing
from smwatch.sources.source import State

API = "StartLiveTail"
OFFERED_IN = "aws"
"""The partition that has Live Tail; China and GovCloud have none (aws-cli issue 8854)."""
RENEW_AFTER = 170 * 60.0
"""Ten minutes before AWS ends a session."""
OVERLAP = 5.0
LONGEST_PAUSE = 60.0
WAIT_PAUSE = 60.0
SIGN_IN_PAUSE = 30.0
NO_SESSION_PAUSE = 300.0
HEALTHY_AFTER = 60.0
HEARTBEAT = 5.0
BACKLOG = 600
"""Messages (one a second) that may wait for the consumer before the oldest are left to FilterLogEvents."""


class Record(NamedTuple):
    """One record, where it is on the group's time line, and when the group had it."""

    raw: str
    at: datetime | None
    ingested_at: datetime | None


class Heard(msgspec.Struct, frozen=True):
    """What one message of a session said, or how the session ended."""

    came_at: float
    found: tuple[Record, ...] = ()
    sampled: bool = False
    """Whether AWS left records out."""
    ended: CallError | None = None


class LiveSessions:
    """Keeps a session open; whoever asks hears what it says. `missed` is told whenever something may have been."""

    def __init__(
        self,
        session: AwsSession,
        region: str,
        group: LogGroup,
        *,
        pattern: str,
        clock: ServerClock,
        missed: Callable[[], None],
        local: LocalClock,
    ) -> None:
        """`clock` learns the service's time; `pattern` is what a session takes in, "" for everything."""
        self.calls = 0
        """How many sessions were asked for."""
        self._session = session
        self._region = region
        self._group = group
        self._pattern = pattern
        self._clock = clock
        self._missed = missed
        self._now, self._sleep, self._monotonic = local.now, local.sleep, local.monotonic
        self._signing = Signing(session)
        self._heard: asyncio.Queue[Heard] = asyncio.Queue(BACKLOG)

    async def next(self, keeper: asyncio.Task[None]) -> Heard | None:
        """The next message; None when there was none for a while."""
        getting = asyncio.ensure_future(self._heard.get())
        try:
            await asyncio.wait((getting, keeper), timeout=HEARTBEAT, return_when=asyncio.FIRST_COMPLETED)
            if keeper.done():
                keeper.result()  # a bug: let it be seen
            return getting.result() if getting.done() else None
        finally:
            getting.cancel()

    def put(self, heard: Heard) -> None:
        """Have this heard as well, and never wait: a session that is not read loses its oldest messages anyway."""
        try:
            self._heard.put_nowait(heard)
        except asyncio.QueueFull:
            self._heard.get_nowait()
            self._heard.put_nowait(heard)
            self._missed()

    async def keep_open(self) -> None:
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
                    self.put(Heard(self._monotonic(), ended=refusal))
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
        """Wait for other credentials in a file, SIGN_IN_PAUSE at the most: then whoever else gives them is asked."""
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
            client = await self._session.client("logs", self._region, "live_tail")
            sent_at = self._now()
            self.calls += 1
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
    def _told_where_it_is_not_offered(self, call: ApiCall) -> Iterator[None]:
        """Outside of AWS's commercial Regions there is no Live Tail, and so no host of its name."""
        try:
            yield
        except CallError as error:
            partition = self._session.partition(self._region)
            if error.state is State.UNREACHABLE and partition != OFFERED_IN and not self._session.overridden("logs"):
                raise no_live_tail(call, f"partition {partition}") from error
            raise

    async def _listen(self, call: ApiCall, stream: Any) -> CallError:
        """Hand on what a session says, until it ends; how it ended."""
        try:
            with told_apart(call):
                async for message in stream:
                    update: Mapping[str, Any] = message.get("sessionUpdate") or {}
                    results = update.get("sessionResults") or ()
                    found = tuple(_record(item) for item in results if isinstance(item.get("message"), str))
                    sampled = bool((update.get("sessionMetadata") or {}).get("sampled"))
                    self.put(Heard(self._monotonic(), found, sampled))
            end = CallError(State.UNREACHABLE, "the Live Tail connection was closed; opening another", Remedy.RETRY)
        except CallError as error:
            end = error
        finally:
            stream.close()
        self.put(Heard(self._monotonic(), ended=end))
        return end

    async def _arn(self) -> str:
        """The group's ARN, in the form that StartLiveTail wants: without the `:*` at its end."""
        group = self._group
        if group.arn:
            return group.arn
        with told_apart(self._call("DescribeLogGroups")):
            client = await self._session.client("logs", self._region)
            answer: Mapping[str, Any] = await client.describe_log_groups(logGroupNamePrefix=group.name)
            for item in answer["logGroups"]:
                if item["logGroupName"] == group.name:
                    arn = item.get("logGroupArn") or item["arn"].removesuffix(":*")
                    self._group = msgspec.structs.replace(group, arn=arn)
                    return str(arn)
        message = f"there is no log group {group.name} in {self._region}: see `aws logs describe-log-groups`"
        raise CallError(State.FAILING, message, Remedy.WAIT)

    def _call(self, operation: str) -> ApiCall:
        return self._session.call("logs", operation, self._region, group=self._group.name)

    @staticmethod
    def _pause(error: CallError, failures: int) -> float:
        match error.remedy:
            case Remedy.WAIT | Remedy.SIGN_IN:
                return WAIT_PAUSE
            case Remedy.PACE:
                return NO_SESSION_PAUSE
            case _:
                return random.uniform(0, min(LONGEST_PAUSE, 2.0 ** min(failures, 10)))  # noqa: S311 - jitter


def _record(item: Mapping[str, Any]) -> Record:
    return Record(whole(item["message"]), moment(item.get("timestamp")), moment(item.get("ingestionTime")))
