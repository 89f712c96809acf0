"""The trail's log group: FilterLogEvents."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from smwatch.events.event import SeenBy
from smwatch.record import whole
from smwatch.sources.answers import LogEvent
from smwatch.sources.clock import LOCAL, LocalClock
from smwatch.sources.description import Description
from smwatch.sources.errors import CallError
from smwatch.sources.failures import malformed, told_apart
from smwatch.sources.log_group import LogGroup
from smwatch.sources.nature import Nature, Schedule
from smwatch.sources.pace import PACES, Paces
from smwatch.sources.reader import Answer, Row, Upstream
from smwatch.sources.refusals import date_of
from smwatch.sources.session import AwsSession
from smwatch.sources.signing import Signing
from smwatch.sources.source import DELIVERED_WITHIN, Found
from smwatch.sources.tail import Tail
from smwatch.sources.telling import Named

API = "FilterLogEvents"
QUOTA = 10.0
QUOTAS = {
    "us-east-1": 25.0,
    **dict.fromkeys(("ap-northeast-3", "ap-southeast-3", "ca-west-1", "eu-central-1", "il-central-1"), 5.0),
}
"""Calls a second that AWS grants an account, where they are not QUOTA (CloudWatch Logs quotas, user guide)."""
SHARE, SHARE_ONCE = 0.2, 0.8
"""What may be taken of the quota: by what follows, and by a reading that somebody waits for and that ends.

Together all of it, so that neither has the other refused, nor what others follow: whoever asks for more is refused
himself now and then as well, and goes on at half the rate.
"""
LEFT = 1.0
"""Calls a second that a reading that ends leaves to others as long as it is not refused: what follows a group of 30
records a second and keeps up asks 0.9 times. Only where somebody catches up is it refused, and keeps to its share."""
SCHEDULE = Schedule(
    sweep_every=timedelta(seconds=3),
    sweep_lag=timedelta(seconds=60),
    settle_every=timedelta(seconds=60),
    settle_lag=timedelta(minutes=15),
    audit_every=timedelta(hours=1),
)
PATTERN = (
    '{ $.eventSource = "secretsmanager.amazonaws.com"'
    ' || ($.eventSource = "kms.amazonaws.com" && $.userIdentity.invokedBy = "secretsmanager.amazonaws.com") }'
)
"""What is asked of the service; the client decides by itself what it keeps."""
MILLISECOND = timedelta(milliseconds=1)
SIDE_BY_SIDE = 4
"""Pages that a reading that ends has under way at the most: enough for the rate where AWS takes half a second for one.
How long it takes is nowhere said, and measured."""
EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
LONGEST_PASS = timedelta(minutes=10)
"""How long page tokens are followed; AWS lets them last for a day."""
PAGE = 2_000
"""Events in a page at the most. It takes 10,000, but gives no more than 1 MB, in which there is room for about 1,000 of
a trail's records: only emulators ever fill one, and with 5,000 `tail --once` would take 11 MiB more."""

LATEST = 500
"""How many of the latest events come first at the start of a screen."""
NO_SUCH_ORDER = frozenset({"InvalidParameterException", "ValidationException", "SerializationException"})
"""How `startFromHead` is refused: before 2024 there is no other order, and stand-ins of AWS may not know it."""


def rate_in(region: str, *, once: bool = False) -> float:
    """Calls a second, of which the account has as many as AWS grants there; `once` for a reading that ends."""
    return (SHARE_ONCE if once else SHARE) * QUOTAS.get(region, QUOTA)


def unrefused_in(region: str) -> float:
    """Calls a second of a reading that ends, until AWS says no to one of them; serves "tail-aws"."""
    return QUOTAS.get(region, QUOTA) - LEFT


class FilterLogEvents:
    """Pages of a log group, oldest first, by the time of delivery."""

    api = API
    nature = Nature(
        newest_first=False,
        resolution=MILLISECOND,
        longest=LONGEST_PASS,
        side_by_side=SIDE_BY_SIDE,
        delivered_within=DELIVERED_WITHIN,
    )

    def __init__(
        self,
        session: AwsSession,
        region: str,
        group: str,
        arn: str,
        pattern: str,
        monotonic: Callable[[], float],
    ) -> None:
        self._session = session
        self._region = region
        self._group = group
        self._arn = arn
        self._pattern = pattern
        self._signing = Signing(session)
        self._description = Description(session, region, group, arn, self._signing, monotonic)

    @property
    def remark(self) -> str:
        """What is not known of the group: what it has dropped already, or that it is not another account's."""
        whose = self._session.identity.remark("logs")
        return "; ".join(filter(None, (self._description.remark, whose)))

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        """One page of [start, until], both inclusive."""
        await self._description.keep_up()
        # AWS sorts by time whatever is asked; stand-ins of it do so only when asked
        request: dict[str, Any] = {"startTime": _milliseconds(start), "limit": PAGE, "interleaved": True}
        if until is not None:
            request["endTime"] = _milliseconds(until)
        if token is not None:
            request["nextToken"] = token
        return await self._asked(request)

    async def latest(self, start: datetime) -> Answer:
        """The latest events since `start`, oldest first; none where the service can't be asked for them."""
        from botocore.exceptions import ClientError

        await self._description.keep_up()
        request = {"startTime": _milliseconds(start), "limit": LATEST, "startFromHead": False}
        try:
            answer = await self._asked(request)
        except CallError as error:
            cause = error.__cause__
            if isinstance(cause, ClientError) and cause.response.get("Error", {}).get("Code") in NO_SUCH_ORDER:
                return Answer((), None, error.date)
            raise
        return msgspec.structs.replace(answer, rows=tuple(sorted(answer.rows, key=lambda row: row.at or EPOCH)))

    async def _asked(self, request: dict[str, Any]) -> Answer:
        session = self._session
        call = session.call("logs", API, self._region, group=self._group, token="nextToken" in request)
        self._signing.begin()
        group: dict[str, Any] = {"logGroupIdentifier": self._arn} if self._arn else {"logGroupName": self._group}
        with told_apart(call):
            client = await session.client("logs", self._region)
            response: Mapping[str, Any] = await client.filter_log_events(
                filterPattern=self._pattern, **group, **request
            )
            if "events" not in response:
                raise malformed(call, "something that is no page of log events")
            session.identity.read((), session.generation)  # a group may hold the events of several accounts
            self._signing.answered()
            rows = tuple(row_of(item) for item in response["events"])
            return Answer(rows, response.get("nextToken") or None, date_of(response))

    def edge(self, at: datetime) -> datetime | None:
        """How far the group's retention reaches back, where that is known."""
        retention = self._description.retention
        return None if retention is None else at - retention

    def happened_at(self, row: Row) -> datetime | None:
        """The eventTime of the record, which is minutes before the time of its delivery."""
        return event_time(row.found.raw)

    def renew(self, *, force: bool) -> bool:
        """Look for other credentials; whether there may be some."""
        return self._signing.renew(force=force)

    async def close(self) -> None:
        """Nothing: the connections are the session's."""


class _EventTime(msgspec.Struct):
    eventTime: datetime  # noqa: N815 - CloudTrail's name


def event_time(record: str) -> datetime | None:
    """The eventTime of a record; None if it has none that can be read."""
    try:
        at = msgspec.json.decode(record, type=_EventTime).eventTime
    except msgspec.MsgspecError:
        return None
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


async def logs_source(
    session: AwsSession,
    region: str | None,
    group: str,
    since: datetime,
    *,
    paces: Paces = PACES,
    pattern: str = PATTERN,
    schedule: Schedule = SCHEDULE,
    rate: float | None = None,
    once: bool = False,
    latest_first: bool = False,
    upstream: Upstream | None = None,
    local: LocalClock = LOCAL,
) -> Tail:
    """The log group of a trail, by name or ARN; raises ConfigurationError where it can't start.

    It is asked `rate` times a second at the most, or as `rate_in` and `unrefused_in` say; with `once` for a reading
    that ends. With `latest_first` the latest events come first of all, for a screen. `upstream` looks after the trail;
    see TrailWatch.
    """
    named = LogGroup.parse(group)
    region = session.region(named.region or region)
    session.check_endpoints("logs")
    await session.check_credentials()
    account = await session.account(region, "logs")
    foreign = bool(named.account) and named.account != account
    unrefused = unrefused_in(region) if once and rate is None else 0.0
    reader = FilterLogEvents(session, region, named.name, named.arn if foreign else "", pattern, local.monotonic)
    return Tail(
        reader,
        Named(f"logs:{named.account or account}:{region}:{named.name}", "Logs", region, SeenBy.LOGS),
        since=since,
        schedule=schedule,
        pace=paces.of(account, region, API, rate or rate_in(region, once=once), unrefused=unrefused),
        latest=reader.latest if latest_first else None,
        upstream=upstream,
        local=local,
    )


def _milliseconds(moment: datetime) -> int:
    return max(0, (moment - EPOCH) // MILLISECOND)


def row_of(item: LogEvent | Mapping[str, Any]) -> Row:
    """One item of `events`."""
    if isinstance(item, LogEvent):
        at = moment(item.timestamp)
        return Row(item.eventId, at, Found(item.message, at), moment(item.ingestionTime))
    message, stamp, ingested = item.get("message"), item.get("timestamp"), item.get("ingestionTime")
    if not isinstance(message, str):
        message = msgspec.json.encode(item).decode()
    message = whole(message)
    row_id = str(item.get("eventId") or f"{item.get('logStreamName')} {stamp} {message}")
    at = moment(stamp)
    return Row(row_id, at, Found(message, at), moment(ingested))


def moment(milliseconds: object) -> datetime | None:
    """A time as CloudWatch Logs writes it, in milliseconds since 1970; None for anything else."""
    if not isinstance(milliseconds, int):
        return None
    try:
        return EPOCH + milliseconds * MILLISECOND
    except OverflowError:
        return None
