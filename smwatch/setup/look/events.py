"""Events themselves: in the event history, in the log group, and against a filter pattern."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

from smwatch.setup.aws import Aws

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail.type_defs import LookupAttributeTypeDef

_PERIODS = tuple(timedelta(hours=hours) for hours in (0.25, 1, 6, 24, 7 * 24, 90 * 24))
_EMPTY_PAGES = 5
"""As many pages without events are turned for each period: AWS answers with empty ones."""


def looked_up(aws: Aws, region: str, name: str, since: datetime) -> Iterator[str]:
    """Yield the records of an event name since then, newest first, as JSON text."""
    attribute: LookupAttributeTypeDef = {"AttributeKey": "EventName", "AttributeValue": name}
    pages = (
        aws.cloudtrail(region)
        .get_paginator("lookup_events")
        .paginate(LookupAttributes=[attribute], StartTime=since, PaginationConfig={"PageSize": 50})
    )
    for page in pages:
        yield from (each.get("CloudTrailEvent", "") for each in page["Events"])


def logged(aws: Aws, region: str, group: str, pattern: str, since: datetime) -> Iterator[str]:
    """Yield the messages of a log group that match a pattern, delivered since then."""
    pages = (
        aws.logs(region)
        .get_paginator("filter_log_events")
        .paginate(logGroupName=group, filterPattern=pattern, startTime=int(since.timestamp() * 1000))
    )
    for page in pages:
        yield from (each.get("message", "") for each in page["events"])


def newest_event(aws: Aws, region: str, group: str, now: datetime) -> datetime | None:
    """Return when the newest event of a log group was delivered, None if it holds none of the last 90 days.

    Asked in growing periods, newest first, so that a busy group costs one call.
    """
    paginator = aws.logs(region).get_paginator("filter_log_events")
    for period in _PERIODS:
        since = int((now - period).timestamp() * 1000)
        pages = paginator.paginate(logGroupName=group, startTime=since, startFromHead=False)
        for page in islice(pages, _EMPTY_PAGES):
            if times := [each["timestamp"] for each in page["events"] if "timestamp" in each]:
                return datetime.fromtimestamp(max(times) / 1000, UTC)
    return None


def pattern_matches(aws: Aws, region: str, pattern: str, message: str) -> bool:
    """Ask AWS itself whether a filter pattern matches a message."""
    answer = aws.logs(region).test_metric_filter(filterPattern=pattern, logEventMessages=[message])
    return bool(answer["matches"])


def newest_lookup(aws: Aws, region: str) -> datetime | None:
    """Return the time of the newest event in the event history, None if it is empty."""
    answer = aws.cloudtrail(region).lookup_events(MaxResults=1)
    newest = next(iter(answer["Events"]), None)
    return newest["EventTime"].astimezone(UTC) if newest and "EventTime" in newest else None
