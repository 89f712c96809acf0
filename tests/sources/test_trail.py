"""A log group to which nothing comes any more: what CloudTrail says of the trail, over the wire."""

from __future__ import annotations

import json
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import msgspec
import pytest

from smwatch.sources.logs import SCHEDULE, logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from smwatch.sources.tail import Tail
from smwatch.sources.trail import History, TrailWatch
from tests.emulators.log_group import ARN, GROUP, TRAIL, LogGroupService
from tests.emulators.records import record
from tests.sources.hurry import Hurry, Watched, follow

MINUTE = timedelta(minutes=1)
SLOWLY = msgspec.structs.replace(SCHEDULE, sweep_every=MINUTE)
"""There is hardly anything to sweep."""
DOCTOR = f"`smwatch doctor --region eu-west-1 --log-group {GROUP}`"


class Shown:
    """An event history that has shown an event at some moments."""

    def __init__(self, *moments: datetime, region: str = "eu-west-1") -> None:
        self.region = region
        self._moments = moments

    def saw_between(self, start: datetime, end: datetime) -> bool:
        return any(start < moment < end for moment in self._moments)


@pytest.fixture
def source(session: AwsSession, hurry: Hurry) -> Callable[..., Any]:
    async def make(*histories: History) -> Tail:
        since = hurry.now() - 60 * MINUTE
        upstream = TrailWatch(session, None, GROUP, histories=histories, now=hurry.now, sleep=hurry.beside)
        return await logs_source(
            session, None, GROUP, since, upstream=upstream, schedule=SLOWLY, **hurry.options(hurry.local)
        )

    return make


def long_enough(log_group: LogGroupService, hurry: Hurry) -> Callable[[Watched], bool]:
    """Until the trail could have been called stale, and has been asked about if it may be."""
    end = hurry.now() + 40 * MINUTE
    return lambda so_far: so_far.last.state is State.STALE or hurry.now() > end


async def test_a_trail_that_is_switched_off_is_told_with_what_switches_it_on(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    log_group.trail_status = {"IsLogging": False, "StopLoggingTime": datetime.fromisoformat("2026-11-23T13:05:00Z")}
    watched = await follow(await source(), long_enough(log_group, hurry))
    (message,) = watched.said(State.STALE)
    start = f"aws cloudtrail start-logging --name {TRAIL} --region eu-west-1"
    assert message == f"the trail management is switched off since 2026-11-23 13:05Z: `{start}`"


async def test_a_trail_that_may_not_write_is_told_with_what_cloudtrail_says(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    log_group.trail_status["LatestCloudWatchLogsDeliveryError"] = "Access\nDenied"
    watched = await follow(await source(), long_enough(log_group, hurry))
    (message,) = watched.said(State.STALE)
    assert message == f"the trail management can't write to {GROUP} (Access Denied): {DOCTOR}"


async def test_a_trail_is_stale_that_leaves_out_what_the_event_history_has(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    at = hurry.now() - 2 * MINUTE
    log_group.put(record(at), at)
    log_group.trail_status["LatestCloudWatchLogsDeliveryTime"] = at + MINUTE
    watched = await follow(await source(Shown(at + 3 * MINUTE)), long_enough(log_group, hurry))
    (message,) = watched.said(State.STALE)
    assert message.startswith("the trail management has delivered nothing for ")
    assert message.endswith(f" min, though the event history has newer events: {DOCTOR}")
    assert len(watched.raw) == 1
    assert len(log_group.calls("GetTrailStatus")) <= 2


async def test_it_is_well_again_with_the_next_event(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    log_group.trail_status["IsLogging"] = False

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.STALE and not log_group.held:
            at = hurry.now() + 5 * timedelta(seconds=1)
            log_group.put(record(at), at)
        return bool(so_far.raw) and so_far.last.state is State.OK

    watched = await follow(await source(), until)
    assert watched.last.message == ""


@pytest.mark.parametrize(
    "case",
    [
        "another trail is well",
        "nonsense for an ARN",
        "quiet",
        "just delivered",
        "not due yet",
        "another Region",
        "no history",
        "denied",
        "no trail, no events",
    ],
)
async def test_silence_alone_is_peace(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry, case: str
) -> None:
    start = hurry.now()
    delivered, histories = start, [Shown()]
    match case:
        case "just delivered":
            delivered, histories = start + 60 * MINUTE, [Shown(start + 20 * MINUTE)]
        case "not due yet":
            histories = [Shown(start + 38 * MINUTE)]
        case "another Region":
            histories = [Shown(start + 5 * MINUTE, region="us-east-1")]
        case "no history":
            histories = []
        case "denied":
            histories = [Shown(start + 5 * MINUTE)]
            log_group.refusals.extend([("DescribeTrails", "AccessDeniedException", "no")] * 9)
        case "another trail is well":
            histories = [Shown(start + 5 * MINUTE)]
            log_group.trails.append({**log_group.trails[0], "TrailARN": f"{TRAIL}-2"})
            log_group.statuses[f"{TRAIL}-2"] = {
                "IsLogging": True,
                "LatestCloudWatchLogsDeliveryTime": start + 60 * MINUTE,
            }
        case "nonsense for an ARN":
            log_group.trails = [{**log_group.trails[0], "CloudWatchLogsLogGroupArn": "arn:aws:nonsense"}]
        case "no trail, no events":
            log_group.trails = []
    log_group.trail_status["LatestCloudWatchLogsDeliveryTime"] = delivered
    watched = await follow(await source(*histories), long_enough(log_group, hurry))
    assert watched.said(State.STALE) == []
    assert watched.last.state is State.OK
    assert watched.last.message == ""
    asked = len(log_group.calls("DescribeTrails"))
    assert asked == 1 if case == "denied" else 1 < asked < 7, "rarely"


async def test_a_group_to_which_no_trail_delivers_is_told(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    log_group.trails = [{**log_group.trails[0], "CloudWatchLogsLogGroupArn": f"{ARN}/other:*"}]
    watched = await follow(await source(Shown(hurry.now() + MINUTE)), long_enough(log_group, hurry))
    (message,) = watched.said(State.STALE)
    assert message.startswith(f"nothing has come to {GROUP} since ")
    assert message.endswith(f"Z, and no trail delivers to it: {DOCTOR}")


async def test_a_trail_of_all_regions_is_compared_with_each_of_them(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    log_group.trails[0]["IsMultiRegionTrail"] = True
    watched = await follow(
        await source(Shown(), Shown(hurry.now() + MINUTE, region="us-east-1")), long_enough(log_group, hurry)
    )
    assert watched.said(State.STALE)
    assert json.dumps(log_group.calls("GetTrailStatus")[0]) == json.dumps({"Name": TRAIL})


async def test_nobody_is_asked_while_events_come(
    log_group: LogGroupService, source: Callable[..., Any], hurry: Hurry
) -> None:
    for n in range(60):
        at = hurry.now() + n * MINUTE
        log_group.put(record(at), at)
    await follow(await source(), long_enough(log_group, hurry))
    assert {operation for operation, _ in log_group.asked} == {"FilterLogEvents", "DescribeLogGroups"}
