"""Each failure, made to happen on the wire: its `--json` line, its sentence on the screen, all events in the end."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Awaitable, Callable
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import boto3
import pytest

from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Source, State
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.log_group import LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.emulators.process import Emulator
from tests.emulators.tls_front import TlsFront
from tests.sources.hurry import Hurry
from tests.sources.telling import GROUP, HELD, SINCE, Fault, Line, Told, UnknownHost, of_any, patience, refusal

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


async def trail(session: AwsSession) -> Source:
    return await cloudtrail_source(session, None, SINCE, **Hurry().options())


@pytest.mark.parametrize(("fault", "state", "message"), [row[1:] for row in TRAIL], ids=[row[0] for row in TRAIL])
async def test_a_failure_of_event_history_is_told_and_over_in_the_end(
    history: LookupEvents, monkeypatch: pytest.MonkeyPatch, told: Told, fault: Fault, state: State, message: str
) -> None:
    history.region().add(HELD)
    async with FaultProxy(history.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", proxy.url)
        proxy.faults.append(dict(fault))
        session = await AwsSession.open(read_timeouts=patience("cloudtrail", fault))
        await told.follow(await trail(session), state)
        await session.close()
    told.judge(state, message)


@pytest.mark.parametrize(("fault", "state", "message"), [row[1:] for row in LOGS], ids=[row[0] for row in LOGS])
async def test_a_failure_of_the_log_group_is_told_and_over_in_the_end(
    group: str, monkeypatch: pytest.MonkeyPatch, told: Told, fault: Fault, state: State, message: str
) -> None:
    async with FaultProxy(group) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        proxy.faults.append({"only": "FilterLogEvents", **fault})
        session = await AwsSession.open(read_timeouts=patience("logs", fault))
        await told.follow(await log_group(session), state)
        await session.close()
    told.judge(state, message)


@pytest.fixture
def group(moto: Emulator, aws_environment: Path) -> str:
    """Where the log group with everything is."""
    client = boto3.client("logs", region_name="eu-west-1", endpoint_url=moto.url)
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="s")
    stamp = [int(datetime.fromisoformat(one["eventTime"]).timestamp() * 1000) for one in HELD]
    given = [{"timestamp": at, "message": json.dumps(one)} for at, one in zip(stamp, HELD, strict=True)]
    client.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=given)  # type: ignore[arg-type]
    client.close()
    return moto.url


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
    history.region().add(HELD)
    history.faults.append({**fault, "token_only": True})
    session = await AwsSession.open()
    await told.follow(await trail(session), State.CATCHING_UP, message)
    await session.close()
    told.judge(State.CATCHING_UP, f"{message}; reading on without it, from the last second that was read whole")


class Way(NamedTuple):
    """Where one of the two services is, and what reads it."""

    service: str
    """As people call it."""
    upstream: str
    variable: str
    """What tells the AWS libraries where it is."""
    source: Callable[[AwsSession], Awaitable[Source]]


@pytest.fixture(params=["trail", "log group"])
def way(request: pytest.FixtureRequest, history: LookupEvents) -> Way:
    """The event history, and the log group, with everything."""
    if request.param == "trail":
        history.region().add(HELD)
        return Way("CloudTrail", history.url, "AWS_ENDPOINT_URL_CLOUDTRAIL", trail)
    return Way("CloudWatch Logs", request.getfixturevalue("group"), "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", log_group)


async def log_group(session: AwsSession) -> Source:
    return await logs_source(session, None, GROUP, SINCE, **Hurry().options())


async def test_a_name_that_does_not_resolve_is_told_and_over_in_the_end(
    way: Way, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    host = UnknownHost(monkeypatch)
    port = way.upstream.rpartition(":")[2]
    monkeypatch.setenv(way.variable, f"http://{host.name}:{port}")
    session = await AwsSession.open()
    await told.follow(await way.source(session), State.UNREACHABLE, meanwhile=host.told)
    await session.close()
    told.judge(
        State.UNREACHABLE,
        f"{way.service} in eu-west-1 can't be reached (Cannot connect to host {host.name}:{port} ssl:default"
        " [Name or service not known]): check the network; trying again",
    )


async def test_tls_that_fails_is_told_and_over_in_the_end(
    way: Way, monkeypatch: pytest.MonkeyPatch, told: Told, tmp_path: Path
) -> None:
    async with TlsFront(way.upstream, tmp_path) as front:
        monkeypatch.setenv(way.variable, front.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(front.bundle))

        def mend(line: Line) -> None:
            front.works = front.works or line["state"] == "unreachable"

        session = await AwsSession.open()
        await told.follow(await way.source(session), State.UNREACHABLE, meanwhile=mend)
        await session.close()
    (said, *_) = [line["message"] for line in told.statuses if line["state"] == "unreachable"]
    assert said.startswith(f"the TLS connection to {way.service} in eu-west-1 fails (")
    assert said.endswith("): behind an inspecting proxy, set AWS_CA_BUNDLE")
    told.judge(State.UNREACHABLE, said)


async def test_a_service_that_nobody_runs_is_told_and_over_in_the_end(
    way: Way, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    proxy = FaultProxy(way.upstream)
    started: list[asyncio.Task[str]] = []

    def start(line: Line) -> None:
        if line["state"] == "unreachable" and not started:
            started.append(asyncio.create_task(proxy.start(port)))

    monkeypatch.setenv(way.variable, f"http://127.0.0.1:{port}")
    session = await AwsSession.open()
    await told.follow(await way.source(session), State.UNREACHABLE, meanwhile=start)
    await session.close()
    await proxy.stop()
    told.judge(
        State.UNREACHABLE,
        f"{way.service} in eu-west-1 can't be reached (Cannot connect to host 127.0.0.1:{port} ssl:default"
        f" [Connect call failed ('127.0.0.1', {port})]): check the network; trying again",
    )


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
        for one in HELD:
            service.put(one, datetime.fromisoformat(one["eventTime"]))
        service.page = 50
        for name, times in faults.items():
            setattr(service, name, times)
        session = await AwsSession.open()
        await told.follow(await log_group(session), State.CATCHING_UP, message)
        await session.close()
    told.judge(State.CATCHING_UP, f"{message}; reading on without it, from the last second that was read whole")
