"""Each failure, made to happen on the wire: its `--json` line, its sentence on the screen, all events in the end."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from pathlib import Path

import pytest

from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.source import State
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.log_group import LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.sources.hurry import Hurry
from tests.sources.reading import opened
from tests.sources.telling import (
    GROUP,
    Fault,
    Line,
    Told,
    group_source,
    history_source,
    of_any,
    patience,
    refusal,
)

ASLEEP = "this machine was asleep for 60 min; reading what was missed"
TRAIL = of_any("CloudTrail", "LookupEvents", "cloudtrail:LookupEvents", "events")
WRONG_CLASS = (
    f"the log group {GROUP} is of class Infrequent Access, which can't be followed:"
    " send the trail to a group of class Standard, or leave out --log-group"
)
LOGS = [
    *of_any("CloudWatch Logs", "FilterLogEvents", "logs:FilterLogEvents", "log events"),
    (
        "no such group",
        refusal("ResourceNotFoundException", "The specified log group does not exist."),
        State.FAILING,
        (
            f"there is no log group {GROUP} in eu-west-1:"
            " see `aws logs describe-log-groups --region eu-west-1`, or leave out --log-group"
        ),
    ),
    (
        "a group that says it is of the wrong class",
        {
            "body": json.dumps({"logGroups": [{"logGroupName": GROUP, "logGroupClass": "INFREQUENT_ACCESS"}]}),
            "only": "DescribeLogGroups",
        },
        State.FAILING,
        WRONG_CLASS,
    ),
    (
        "a group of the wrong class",
        refusal("InvalidOperationException", "FilterLogEvents is not supported for the Infrequent Access log class"),
        State.FAILING,
        WRONG_CLASS,
    ),
]


@pytest.mark.parametrize(("fault", "state", "message"), [row[1:] for row in TRAIL], ids=[row[0] for row in TRAIL])
async def test_a_failure_of_event_history_is_told_and_over_in_the_end(
    history: LookupEvents, monkeypatch: pytest.MonkeyPatch, told: Told, fault: Fault, state: State, message: str
) -> None:
    history.region().add(told.held)
    async with FaultProxy(history.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", proxy.url)
        proxy.faults.append(dict(fault))
        async with opened(read_timeouts=patience("cloudtrail", fault)) as session:
            await told.follow(await history_source(session, told.since), state)
    told.judge(state, message)


@pytest.mark.parametrize(("fault", "state", "message"), [row[1:] for row in LOGS], ids=[row[0] for row in LOGS])
async def test_a_failure_of_the_log_group_is_told_and_over_in_the_end(
    held_group: str, monkeypatch: pytest.MonkeyPatch, told: Told, fault: Fault, state: State, message: str
) -> None:
    async with FaultProxy(held_group) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", proxy.url)
        proxy.faults.append({"only": "FilterLogEvents", **fault})
        async with opened(read_timeouts=patience("logs", fault)) as session:
            await told.follow(await group_source(session, told.since), state)
    told.judge(state, message)


@pytest.mark.parametrize(
    ("fault", "message"),
    [
        ({"error": "InvalidNextTokenException", "times": 2}, "CloudTrail in eu-west-1 refused a page token"),
        ({"loop": True, "times": 9}, "the page tokens lead in a circle"),
    ],
)
async def test_page_tokens_that_lead_nowhere_are_told_and_over_in_the_end(
    history: LookupEvents, told: Told, fault: Fault, message: str
) -> None:
    history.region().add(told.held)
    history.faults.append({**fault, "token_only": True})
    async with opened() as session:
        await told.follow(await history_source(session, told.since), State.CATCHING_UP, message)
    told.judge(State.CATCHING_UP, f"{message}; reading on without it, from the last second that was read whole")


INVALID = "The specified nextToken is invalid."


@pytest.mark.parametrize(
    ("faults", "message"),
    [
        ({"refused_tokens": 2}, f"CloudWatch Logs in eu-west-1 refused a page token ({INVALID})"),
        ({"repeated_tokens": 9}, "the page tokens lead in a circle"),
    ],
)
async def test_page_tokens_of_the_log_group_that_lead_nowhere_are_told_and_over_in_the_end(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch, told: Told, faults: dict[str, int], message: str
) -> None:
    async with LogGroupService() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", service.url)
        for one in told.held:
            service.put(one, datetime.fromisoformat(one["eventTime"]))
        service.page = 50
        for name, times in faults.items():
            setattr(service, name, times)
        async with opened() as session:
            await told.follow(await group_source(session, told.since), State.CATCHING_UP, message)
    told.judge(State.CATCHING_UP, f"{message}; reading on without it, from the last second that was read whole")


async def test_an_hour_of_sleep_is_told_and_read_from_event_history(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch, told: Told, hurry: Hurry
) -> None:
    """The connection is dead when the machine wakes up, and nobody says so."""
    hurry.away = -timedelta(hours=1)
    moments = [datetime.fromisoformat(one["eventTime"]) for one in told.held]
    before = sum(at < hurry.now() for at in moments)
    assert 0 < before < len(told.held)
    async with LookupEvents(rate=None, now=hurry.now) as history, FaultProxy(history.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", proxy.url)
        for one, at in zip(told.held, moments, strict=True):
            history.region().add([one], visible_at=at)

        def fall_asleep(line: Line) -> None:
            if line["state"] == "ok" and hurry.away and len(told.events) >= before:
                proxy.faults.append({"hang": 3})
                hurry.away = timedelta()

        async with opened(read_timeouts={"cloudtrail": 0.5}) as session:
            source = await cloudtrail_source(session, None, told.since, **hurry.options(hurry.local))
            await told.follow(source, State.UNREACHABLE, meanwhile=fall_asleep)
    dead = "CloudTrail in eu-west-1 did not answer in time; trying again"
    assert [line["message"] for line in told.statuses if line["state"] == "unreachable"][:1] == [dead]
    said = [line for line in told.statuses if line["message"] == ASLEEP]
    assert {line["state"] for line in said} == {"catching up"}
    for message in (dead, ASLEEP):
        assert any(sentence.endswith(f": {message}") for sentence in told.said), "not on the main screen"
    assert sorted(line["id"] for line in told.events) == sorted(one["eventID"] for one in told.held)
    assert told.statuses[-1]["gaps"] == []
    marks = [line["complete_to"] for line in told.statuses if line["complete_to"]]
    assert marks == sorted(marks)
