"""Each failure of Live Tail, made to happen on the wire: its line, its sentence, and the log group fills in for it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from smwatch.sources.live_tail import live_tail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.live_tail import OPENING, LiveTailService, update
from tests.emulators.tls_front import TlsFront
from tests.sources.hurry import Hurry
from tests.sources.telling import GROUP, HELD, SINCE, Failure, Fault, Line, Told, UnknownHost, of_any, patience, refusal

UNREADABLE = (
    "CloudWatch Logs in eu-west-1 answered with something unreadable (ChecksumMismatch); asking again"
    " (a proxy or a captive portal between?)"
)
OTHERWISE: dict[str, tuple[State, str]] = {
    "throttled": (State.THROTTLED, "AWS throttles StartLiveTail (Rate exceeded); trying again"),
    "the page of a captive portal": (State.FAILING, UNREADABLE),
    "an answer with bytes overwritten": (State.FAILING, UNREADABLE),
    "a compressed answer that unpacks without end": (State.FAILING, UNREADABLE),
}
"""What a stream is told by, where an answer that comes at once is told otherwise."""
SESSIONS: list[Failure] = [
    (name, fault, *OTHERWISE.get(name, (state, message)))
    for name, fault, state, message in of_any("CloudWatch Logs", "StartLiveTail", "logs:StartLiveTail", "updates")
    if name != "an answer cut short"
]
SESSIONS += [
    (
        "a stream cut short",
        {"end": 250, "times": 2},
        State.UNREACHABLE,
        "the Live Tail connection was closed; opening another",
    ),
    (
        "all sessions in use",
        refusal("LimitExceededException", "The maximum number of concurrent sessions was reached."),
        State.THROTTLED,
        "all Live Tail sessions of the account in eu-west-1 are in use; trying again in 5 min",
    ),
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
        "a group of the wrong class",
        refusal("InvalidOperationException", "StartLiveTail is not supported for the Infrequent Access log class"),
        State.FAILING,
        (
            f"the log group {GROUP} is of class Infrequent Access, which can't be followed:"
            " send the trail to a group of class Standard, or leave out --log-group"
        ),
    ),
    (
        "a service without it",
        refusal("UnknownOperationException"),
        State.FAILING,
        (
            "AWS offers no Live Tail in eu-west-1 (UnknownOperationException): the log group is followed without it,"
            " some seconds later; switch it off (V), or leave out `live_tail`"
        ),
    ),
]


@pytest.fixture
async def service(aws_environment: Path) -> AsyncIterator[LiveTailService]:
    """A log group that holds everything but the last record, which comes while a session is open, and is held too."""
    async with LiveTailService() as service:
        for one in HELD:
            at = datetime.fromisoformat(one["eventTime"])
            service.filtered_items.append((at, json.dumps(one), int(at.timestamp() * 1000)))
        at = datetime.fromisoformat(HELD[-1]["eventTime"])
        service.scripts.append([OPENING, update(json.dumps(HELD[-1]), at=int(at.timestamp() * 1000))])
        yield service


async def follow(told: Told, session: AwsSession, failed: State, **more: Any) -> None:
    """Live Tail beside what reads the log group, until it has failed so and goes on."""
    hurry = Hurry()
    truth = await logs_source(session, None, GROUP, SINCE, **hurry.options())
    live = await live_tail_source(session, None, GROUP, truth=truth, sleep=hurry.sleep, monotonic=hurry.monotonic)
    await told.follow(live, failed, beside=[truth], **more)


@pytest.mark.parametrize(("fault", "state", "message"), [row[1:] for row in SESSIONS], ids=[row[0] for row in SESSIONS])
async def test_a_failure_of_live_tail_is_told_and_over_in_the_end(
    service: LiveTailService, monkeypatch: pytest.MonkeyPatch, told: Told, fault: Fault, state: State, message: str
) -> None:
    async with FaultProxy(service.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", proxy.url)
        proxy.faults.append({**fault, "only": "StartLiveTail"})
        session = await AwsSession.open(read_timeouts={"logs": 30.0, **patience("live_tail", fault)})
        await follow(told, session, state)
        await session.close()
    told.judge(state, message)


async def test_a_host_of_live_tail_that_does_not_resolve_is_told_and_over_in_the_end(
    service: LiveTailService, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    """Firewalls and lists of allowed names know the host of the API, and not the one of its streams."""
    host = UnknownHost(monkeypatch)
    port = service.url.rpartition(":")[2]
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", f"http://{host.name}:{port}")
    session = await AwsSession.open()
    await follow(told, session, State.UNREACHABLE, meanwhile=host.told)
    await session.close()
    told.judge(
        State.UNREACHABLE,
        f"CloudWatch Logs in eu-west-1 can't be reached (Cannot connect to host {host.name}:{port} ssl:default"
        " [Name or service not known]): check the network; trying again",
    )


async def test_tls_of_live_tail_that_fails_is_told_and_over_in_the_end(
    service: LiveTailService, monkeypatch: pytest.MonkeyPatch, told: Told, tmp_path: Path
) -> None:
    async with TlsFront(service.url, tmp_path) as front:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", front.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(front.bundle))

        def mend(line: Line) -> None:
            front.works = front.works or line["state"] == "unreachable"

        session = await AwsSession.open()
        await follow(told, session, State.UNREACHABLE, meanwhile=mend)
        await session.close()
    (said, *_) = [line["message"] for line in told.statuses if line["state"] == "unreachable"]
    assert said.startswith("the TLS connection to CloudWatch Logs in eu-west-1 fails (")
    assert said.endswith("): behind an inspecting proxy, set AWS_CA_BUNDLE")
    told.judge(State.UNREACHABLE, said)
