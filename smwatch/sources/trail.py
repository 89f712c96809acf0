"""Whether the trail still delivers to the log group that is read: asked while nothing comes, and rarely."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from shlex import quote
from typing import Any, Protocol

import msgspec

from smwatch.sources.api_call import ApiCall, with_profile
from smwatch.sources.errors import CallError, ConfigurationError
from smwatch.sources.failures import told_apart
from smwatch.sources.log_group import LogGroup
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State

SILENT = timedelta(minutes=15)
"""So long after the last delivery the trail is asked about, and stale if the event history has newer events."""
USUAL = timedelta(minutes=10)
"""How late a trail that works delivers, of a thousand events all but one."""
LOOK_EVERY, ASK_EVERY = timedelta(minutes=1), timedelta(minutes=5)
DENIED_FOR = timedelta(hours=1)


class History(Protocol):
    """What else knows of events: the event history of one Region."""

    region: str

    def saw_between(self, start: datetime, end: datetime) -> bool:
        """Whether it has shown an event of that time."""
        ...


class Trail(msgspec.Struct, frozen=True):
    """A trail that delivers to the log group."""

    name: str
    arn: str
    home: str
    everywhere: bool
    """Whether it logs all Regions."""


class Delivery(msgspec.Struct, frozen=True):
    """What GetTrailStatus says of a trail's delivery to CloudWatch Logs."""

    logging: bool
    stopped_at: datetime | None
    error: str
    delivered_at: datetime | None


class TrailWatch:
    """Asks CloudTrail how the trail behind a log group is doing; where that is not allowed, it says nothing.

    DescribeTrails and GetTrailStatus have quotas of their own: LookupEvents loses no call to them.
    """

    def __init__(
        self,
        session: AwsSession,
        region: str | None,
        group: str,
        *,
        histories: Sequence[History] = (),
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        """Of a log group by name or ARN; what it should hold is told by `histories`. Raises ConfigurationError."""
        named = LogGroup.parse(group)
        self._session = session
        self._region = session.region(named.region or region)
        self._group = named.name
        self._account = named.account
        self._histories = histories
        self._now = now
        self._sleep = sleep
        self._told: tuple[str, datetime] = "", datetime.min.replace(tzinfo=UTC)

    def trouble(self, newest_at: datetime | None) -> str:
        """Why nothing has come since the newest event that was read, as a sentence; "" where nothing is known."""
        sentence, since = self._told
        return sentence if newest_at is None or newest_at <= since else ""

    async def watch(self, newest_at: Callable[[], datetime | None]) -> None:
        """Look after the trail for ever; `newest_at` tells when the newest event that was read had been delivered."""
        began_at = self._now()
        while True:
            now, since = self._now(), newest_at() or began_at
            pause = LOOK_EVERY
            if now - since > SILENT:
                pause = ASK_EVERY
                try:
                    self._told = await self._look(since, now), since
                except CallError as error:  # what keeps the log group from being read as well is said there
                    self._told = "", since
                    pause = DENIED_FOR if error.state is State.DENIED else pause
            await self._sleep(pause.total_seconds())

    async def _look(self, since: datetime, now: datetime) -> str:
        """What is wrong with the delivery; one trail that is well is enough."""
        trails = await self._trails()
        if not trails and self._seen_elsewhere(None, since, now):
            return f"nothing has come to {self._group} since {_at(since)}, and no trail delivers to it: {self._doctor}"
        wrong = [await self._wrong_with(trail, since, now) for trail in trails]
        return wrong[0] if wrong and all(wrong) else ""

    async def _wrong_with(self, trail: Trail, since: datetime, now: datetime) -> str:
        delivery = await self._delivery(trail)
        if not delivery.logging:
            when = f" since {_at(delivery.stopped_at)}" if delivery.stopped_at is not None else ""
            start = self._command(f"aws cloudtrail start-logging --name {trail.arn} --region {trail.home}")
            return f"the trail {trail.name} is switched off{when}: {start}"
        if delivery.error:
            return f"the trail {trail.name} can't write to {self._group} ({delivery.error}): {self._doctor}"
        since = max(filter(None, (delivery.delivered_at, since)))
        if now - since > SILENT and self._seen_elsewhere(trail, since, now):
            silent = round((now - since) / timedelta(minutes=1))
            return (
                f"the trail {trail.name} has delivered nothing for {silent} min, though the event history has newer"
                f" events: {self._doctor}"
            )
        return ""

    def _seen_elsewhere(self, trail: Trail | None, since: datetime, now: datetime) -> bool:
        """Whether there were events that a trail would have delivered by now."""
        return any(
            history.saw_between(since, now - USUAL)
            for history in self._histories
            if trail is None or trail.everywhere or history.region == trail.home
        )

    @property
    def _doctor(self) -> str:
        return self._command(f"smwatch doctor --region {self._region} --log-group {quote(self._group)}")

    def _command(self, command: str) -> str:
        return f"`{with_profile(command, self._call('').profile)}`"

    async def _trails(self) -> list[Trail]:
        """The trails that deliver to the group."""
        with told_apart(self._call("DescribeTrails")):
            client = await self._session.client("cloudtrail", self._region)
            answer: Mapping[str, Any] = await client.describe_trails(includeShadowTrails=True)
            return [
                Trail(
                    each["Name"],
                    each["TrailARN"],
                    each.get("HomeRegion") or self._region,
                    bool(each.get("IsMultiRegionTrail")),
                )
                for each in answer["trailList"]
                if self._is_ours(str(each.get("CloudWatchLogsLogGroupArn") or ""))
            ]

    def _is_ours(self, arn: str) -> bool:
        try:
            group = LogGroup.parse(arn)
        except ConfigurationError:
            return False
        place = (group.name, group.region, self._account and group.account)
        return place == (self._group, self._region, self._account)

    async def _delivery(self, trail: Trail) -> Delivery:
        with told_apart(self._call("GetTrailStatus")):
            client = await self._session.client("cloudtrail", trail.home)
            answer: Mapping[str, Any] = await client.get_trail_status(Name=trail.arn)
            delivered_at = answer.get("LatestCloudWatchLogsDeliveryTime")
            stopped_at = answer.get("StopLoggingTime")
            return Delivery(
                bool(answer["IsLogging"]),
                stopped_at.astimezone(UTC) if isinstance(stopped_at, datetime) else None,
                " ".join(str(answer.get("LatestCloudWatchLogsDeliveryError") or "").split())[:200],
                delivered_at.astimezone(UTC) if isinstance(delivered_at, datetime) else None,
            )

    def _call(self, operation: str) -> ApiCall:
        return self._session.call("cloudtrail", operation, self._region)


def _at(moment: datetime) -> str:
    return f"{moment:%Y-%m-%d %H:%M}Z"
