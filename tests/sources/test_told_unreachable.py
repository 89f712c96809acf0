"""A service that can't be reached: its `--json` line, its sentence on the screen, all events in the end."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path
from typing import NamedTuple

import pytest

from smwatch.sources.session import AwsSession
from smwatch.sources.source import Source, State
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.tls_front import TlsFront
from tests.sources.reading import opened
from tests.sources.telling import Line, Told, UnknownHost, group_source, history_source, live_tail_sources

LOGS = "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS"

Following = Callable[[AwsSession, datetime], Awaitable[Sequence[Source]]]
"""The sources of a session that begin then."""


class Way(NamedTuple):
    """Where a service is, and what follows it."""

    service: str
    """As people call it."""
    upstream: str
    variable: str
    """What tells the AWS libraries where it is."""
    sources: Following
    """The one whose trouble is told, and what goes on beside it."""


@pytest.fixture(params=["event history", "log group", "Live Tail"])
def way(request: pytest.FixtureRequest, told: Told) -> Way:
    """Each of the three, with everything; firewalls may know the host of an API, and not the one of its streams."""
    match request.param:
        case "log group":
            return Way("CloudWatch Logs", request.getfixturevalue("held_group"), LOGS, of_one(group_source))
        case "Live Tail":
            return Way("CloudWatch Logs", request.getfixturevalue("held_live").url, LOGS, live_tail_sources)
        case _:
            history = request.getfixturevalue("history")
            history.region().add(told.held)
            return Way("CloudTrail", history.url, "AWS_ENDPOINT_URL_CLOUDTRAIL", of_one(history_source))


def of_one(source: Callable[[AwsSession, datetime], Awaitable[Source]]) -> Following:
    async def sources(session: AwsSession, since: datetime) -> Sequence[Source]:
        return (await source(session, since),)

    return sources


async def test_a_name_that_does_not_resolve_is_told_and_over_in_the_end(
    way: Way, monkeypatch: pytest.MonkeyPatch, told: Told
) -> None:
    host = UnknownHost(monkeypatch)
    port = way.upstream.rpartition(":")[2]
    monkeypatch.setenv(way.variable, f"http://{host.name}:{port}")
    async with opened() as session:
        source, *beside = await way.sources(session, told.since)
        await told.follow(source, State.UNREACHABLE, meanwhile=host.told, beside=beside)
    told.judge(
        State.UNREACHABLE,
        f"{way.service} in eu-west-1 can't be reached (no connection to {host.name}:{port}: Name or service"
        f" not known): check {way.variable} and the network; trying again",
    )


async def test_tls_that_fails_is_told_and_over_in_the_end(
    way: Way, monkeypatch: pytest.MonkeyPatch, told: Told, tmp_path: Path
) -> None:
    async with TlsFront(way.upstream, tmp_path) as front:
        monkeypatch.setenv(way.variable, front.url)
        monkeypatch.setenv("AWS_CA_BUNDLE", str(front.bundle))

        def mend(line: Line) -> None:
            front.works = front.works or line["state"] == "unreachable"

        async with opened() as session:
            source, *beside = await way.sources(session, told.since)
            await told.follow(source, State.UNREACHABLE, meanwhile=mend, beside=beside)
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
    async with opened() as session:
        source, *beside = await way.sources(session, told.since)
        await told.follow(source, State.UNREACHABLE, meanwhile=start, beside=beside)
    await proxy.stop()
    told.judge(
        State.UNREACHABLE,
        f"{way.service} in eu-west-1 can't be reached (no connection to 127.0.0.1:{port}: Connection refused):"
        f" check {way.variable} and the network; trying again",
    )
