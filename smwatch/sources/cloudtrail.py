"""CloudTrail's event history: LookupEvents, one Region of one account."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec

from smwatch.events.event import SeenBy
from smwatch.record import whole
from smwatch.sources.clock import LOCAL, LocalClock
from smwatch.sources.failures import malformed, told_apart
from smwatch.sources.item import completed
from smwatch.sources.nature import Nature, Schedule
from smwatch.sources.pace import PACES, Paces
from smwatch.sources.reader import Answer, Row
from smwatch.sources.refusals import date_of
from smwatch.sources.session import AwsSession
from smwatch.sources.signing import Signing
from smwatch.sources.source import Found
from smwatch.sources.tail import Tail
from smwatch.sources.telling import Named

API = "LookupEvents"
EVENT_SOURCE = "secretsmanager.amazonaws.com"
RATE = 1.0
"""Calls a second: half of what AWS grants to everybody in the account together."""
PAGE = 50
REACH = timedelta(days=90)
SCHEDULE = Schedule(
    sweep_every=timedelta(seconds=10),
    sweep_lag=timedelta(minutes=10),
    settle_every=timedelta(seconds=60),
    settle_lag=timedelta(minutes=60),
    audit_every=timedelta(hours=1),
)
SECOND = timedelta(seconds=1)
ACCOUNT = 12
"""Digits of an account's number."""


class LookupEvents:
    """Pages of the event history, newest first."""

    api = API
    nature = Nature(newest_first=True, resolution=SECOND, page=PAGE, reach=REACH)

    def __init__(self, session: AwsSession, region: str) -> None:
        self._session = session
        self._region = region
        self._signing = Signing(session)

    @property
    def remark(self) -> str:
        """That it is not known whose history this is, where it may be another account's."""
        return self._session.identity.remark("cloudtrail")

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        """One page of [start, until], both inclusive."""
        session = self._session
        call = session.call("cloudtrail", API, self._region, token=token is not None)
        self._signing.begin()
        request: dict[str, Any] = {
            "LookupAttributes": [{"AttributeKey": "EventSource", "AttributeValue": EVENT_SOURCE}],
            "StartTime": start,
            "MaxResults": PAGE,
        }
        if until is not None:
            request["EndTime"] = until
        if token is not None:
            request["NextToken"] = token
        with told_apart(call):
            client = await session.client("cloudtrail", self._region)
            generation = session.generation
            response: Mapping[str, Any] = await client.lookup_events(**request)
            if "Events" not in response:
                raise malformed(call, "something that is no page of events")
            rows = tuple(row_of(item) for item in response["Events"])
            session.identity.read(_accounts(rows), generation)
            self._signing.answered()
            return Answer(rows, response.get("NextToken") or None, date_of(response))

    def edge(self, at: datetime) -> datetime:
        """The event history reaches 90 days back."""
        return at - REACH

    def happened_at(self, row: Row) -> datetime | None:
        """The eventTime of the record."""
        return row.at

    def renew(self, *, force: bool) -> bool:
        """Look for other credentials; whether there may be some."""
        return self._signing.renew(force=force)

    async def close(self) -> None:
        """Nothing: the connections are the session's."""


async def cloudtrail_source(
    session: AwsSession,
    region: str | None,
    since: datetime,
    *,
    paces: Paces = PACES,
    schedule: Schedule = SCHEDULE,
    rate: float = RATE,
    local: LocalClock = LOCAL,
) -> Tail:
    """The event history of one Region; raises ConfigurationError where it can't start."""
    region = session.region(region)
    session.check_endpoints("cloudtrail")
    await session.check_credentials()
    account = await session.account(region, "cloudtrail")
    return Tail(
        LookupEvents(session, region),
        Named(f"cloudtrail:{account}:{region}", "CloudTrail", region, SeenBy.CLOUDTRAIL),
        since=since,
        schedule=schedule,
        pace=paces.of(account, region, API, rate),
        local=local,
    )


class _Recipient(msgspec.Struct):
    recipientAccountId: str = ""  # noqa: N815 - CloudTrail's name


def _accounts(rows: Sequence[Row]) -> set[str]:
    """Whose history these are of, as the first and the last of them say: a page is of one account."""
    found = set()
    for row in (*rows[:1], *rows[-1:]):
        with suppress(msgspec.MsgspecError):
            found.add(msgspec.json.decode(row.found.raw, type=_Recipient).recipientAccountId)
    return {account for account in found if len(account) == ACCOUNT and account.isdecimal()}


def row_of(item: Mapping[str, Any]) -> Row:
    """One item of `Events`; the record is in it as JSON text, complete."""
    moment = item.get("EventTime")
    at = moment.astimezone(UTC) if isinstance(moment, datetime) else None
    raw = item.get("CloudTrailEvent", "{}")
    if not isinstance(raw, str):  # AWS sends a string; stand-ins of it have been seen to send the object
        raw = msgspec.json.encode(raw).decode()
    raw = whole(raw)
    # nothing else was asked for
    raw = completed(raw, lambda: {**item, "EventSource": item.get("EventSource") or EVENT_SOURCE}, at)
    event_id = item.get("EventId")
    return Row(
        event_id if isinstance(event_id, str) and event_id else raw,
        None if at is None else at.replace(microsecond=0),
        Found(raw, at),
    )
