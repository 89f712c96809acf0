"""Live Tail against a real emulator, through a proxy that breaks the connection."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from smwatch.sources.coverage import Coverage
from smwatch.sources.live_tail import COST, LiveTail, live_tail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.pace import Paces
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Page, State, Status
from smwatch.sources.tail import Tail
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.process import Emulator
from tests.emulators.records import record

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

GROUP = "CloudTrail/SecretsManager"


@pytest.fixture
async def proxy(
    ministack: Emulator, aws_environment: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(ministack.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture
def group(ministack: Emulator, proxy: FaultProxy) -> Iterator[CloudWatchLogsClient]:
    """An empty log group; a client to fill it, past the proxy."""
    client = boto3.client("logs", region_name="eu-west-1", endpoint_url=ministack.url)
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="123456789012_CloudTrail_eu-west-1")
    yield client
    client.close()


@pytest.fixture
async def session(proxy: FaultProxy) -> AsyncIterator[AwsSession]:
    session = await AwsSession.open(read_timeouts={"logs": 5, "live_tail": 3})
    yield session
    await session.close()


def put(client: CloudWatchLogsClient, name: str = "GetSecretValue") -> str:
    one = record(datetime.now(UTC), name)
    client.put_log_events(
        logGroupName=GROUP,
        logStreamName="123456789012_CloudTrail_eu-west-1",
        logEvents=[{"timestamp": int(time.time() * 1000), "message": json.dumps(one)}],
    )
    return str(one["eventID"])


class Pair:
    """Live Tail and the log group's own source, followed side by side."""

    def __init__(self, live: LiveTail, truth: Tail) -> None:
        self.live, self.truth = live, truth
        self.found: dict[str, list[str]] = {"live_tail": [], "logs": []}
        self.statuses: list[Status] = []
        self._changed = asyncio.Event()
        self._tasks = [asyncio.create_task(self._follow(source)) for source in (live, truth)]

    async def _follow(self, source: LiveTail | Tail) -> None:
        async with aclosing(source.follow(Coverage())) as flow:
            async for item in flow:
                if isinstance(item, Page):
                    self.found[item.seen_by] += [json.loads(one.raw)["eventID"] for one in item.found]
                elif source is self.live:
                    self.statuses.append(item)
                self._changed.set()

    async def until(self, met: Callable[[], bool], within: float = 20) -> None:
        async with asyncio.timeout(within):
            while not met():
                for task in self._tasks:
                    assert not task.done(), task.result()
                await self._changed.wait()
                self._changed.clear()

    def lives(self) -> bool:
        return bool(self.statuses) and self.statuses[-1].state is State.OK

    async def stop(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)


@pytest.fixture
async def pair_of(session: AwsSession, group: CloudWatchLogsClient) -> AsyncIterator[Callable[..., Any]]:
    pairs = []

    async def make(**options: Any) -> Pair:
        since = datetime.now(UTC) - timedelta(minutes=5)
        truth = await logs_source(session, None, GROUP, since, paces=Paces(), rate=100)
        live = await live_tail_source(session, None, GROUP, truth=truth, **options)
        pairs.append(Pair(live, truth))
        return pairs[-1]

    yield make
    for pair in pairs:
        await pair.stop()


async def test_what_is_written_is_seen_at_once_and_once_more_by_the_log_group(
    group: CloudWatchLogsClient, pair_of: Callable[..., Any]
) -> None:
    pair: Pair = await pair_of()
    await pair.until(pair.lives)
    assert pair.statuses[0].message == COST
    written_at = time.monotonic()
    event = await asyncio.to_thread(put, group)
    await pair.until(lambda: event in pair.found["live_tail"])
    assert time.monotonic() - written_at < 3
    pair.truth.poll_now()
    await pair.until(lambda: event in pair.found["logs"])


async def test_a_broken_connection_is_filled_and_opened_again(
    group: CloudWatchLogsClient, proxy: FaultProxy, pair_of: Callable[..., Any]
) -> None:
    proxy.faults.append({"cut": 1500, "only": "StartLiveTail"})
    pair: Pair = await pair_of()
    written = []
    while not any(status.state is State.UNREACHABLE for status in pair.statuses):
        written.append(await asyncio.to_thread(put, group))
        await asyncio.sleep(0.05)
    await pair.until(lambda: set(written) <= set(pair.found["logs"]))
    await pair.until(pair.lives)
    event = await asyncio.to_thread(put, group)
    await pair.until(lambda: event in pair.found["live_tail"])


async def test_a_clean_end_of_the_stream_is_a_disconnect(
    group: CloudWatchLogsClient, proxy: FaultProxy, pair_of: Callable[..., Any]
) -> None:
    proxy.faults.append({"end": 700, "only": "StartLiveTail"})
    pair: Pair = await pair_of()
    await pair.until(lambda: any(status.state is State.UNREACHABLE for status in pair.statuses))
    await pair.until(pair.lives)


async def test_silence_is_noticed(group: CloudWatchLogsClient, proxy: FaultProxy, pair_of: Callable[..., Any]) -> None:
    proxy.faults.append({"stall": 700, "only": "StartLiveTail"})
    pair: Pair = await pair_of()
    await pair.until(lambda: any("did not answer in time" in status.message for status in pair.statuses))
    await pair.until(pair.lives)


async def test_it_can_be_switched_off_and_on(group: CloudWatchLogsClient, pair_of: Callable[..., Any]) -> None:
    pair: Pair = await pair_of(on=False)
    await pair.until(lambda: bool(pair.found["logs"]) or pair.truth._asking.calls > 2)
    assert pair.statuses == []
    pair.live.switch(True)
    await pair.until(pair.lives)
    pair.live.switch(False)
    await pair.until(lambda: pair.statuses[-1].state is State.DONE)
    assert not pair.live.on


async def test_sessions_overlap_at_renewal(
    group: CloudWatchLogsClient, proxy: FaultProxy, pair_of: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smwatch.sources.live_sessions.RENEW_AFTER", 0.5)
    monkeypatch.setattr("smwatch.sources.live_sessions.OVERLAP", 0.2)
    pair: Pair = await pair_of()
    await pair.until(pair.lives)
    written = []
    while pair.live._sessions.calls < 4:
        written.append(await asyncio.to_thread(put, group))
        await asyncio.sleep(0.02)
    await pair.until(lambda: set(written) <= set(pair.found["live_tail"]))
    assert {status.state for status in pair.statuses} <= {State.STARTING, State.OK}
    # those who were listened to twice are told twice: the journal knows them
    assert len(pair.found["live_tail"]) >= len(written)


async def test_a_group_that_does_not_exist(session: AwsSession, group: CloudWatchLogsClient) -> None:
    since = datetime.now(UTC)
    truth = await logs_source(session, None, "no/group", since, paces=Paces())
    live = await live_tail_source(session, None, "no/group", truth=truth)
    async with aclosing(live.follow(Coverage())) as flow:
        statuses = []
        async for item in flow:
            assert isinstance(item, Status)
            statuses.append(item)
            if item.state is State.FAILING:
                break
    assert statuses[-1].message == "there is no log group no/group in eu-west-1: see `aws logs describe-log-groups`"
