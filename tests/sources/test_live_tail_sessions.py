"""What Live Tail sessions say and how they end, message by message."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import AsyncIterator
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from smwatch.sources.clock import LocalClock
from smwatch.sources.coverage import Coverage
from smwatch.sources.live_sessions import OVERLAP
from smwatch.sources.live_tail import PATTERN, SAMPLED, live_tail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.pace import Paces
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Page, State, Status
from tests.emulators.live_tail import ARN, GROUP, OPENING, LiveTailService, exception, update
from tests.emulators.records import record
from tests.sources.hurry import Hurry, follow

NOW = datetime.now(UTC)


@pytest.fixture
async def service(aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LiveTailService]:
    async with LiveTailService() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDWATCH_LOGS", service.url)
        yield service


async def listen(
    session: AwsSession, service: LiveTailService, until: State | int, hurry: Hurry | None = None
) -> tuple[list[str], list[Status]]:
    """Listen until that state, or until so many records; what was heard and said."""
    hurry = hurry or Hurry()
    truth = await logs_source(session, None, GROUP, NOW - timedelta(minutes=1), paces=Paces())
    live = await live_tail_source(session, None, GROUP, truth=truth, local=hurry.waiting)
    found: list[str] = []
    statuses: list[Status] = []
    async with aclosing(live.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Page):
                assert item.settled is None
                found += [one.raw for one in item.found]
            else:
                statuses.append(item)
            if until in (len(found), statuses[-1].state):
                break
    assert truth._poked.is_set()  # whatever was missed is asked for at once
    return found, statuses


async def test_the_group_is_named_by_its_arn_and_the_pattern_is_a_term(
    session: AwsSession, service: LiveTailService
) -> None:
    service.scripts.append([OPENING, update("a"), update(), update("b", "c")])
    found, statuses = await listen(session, service, 3)
    assert found == ["a", "b", "c"]
    assert service.asked == [{"logGroupIdentifiers": [ARN], "logEventFilterPattern": PATTERN}]
    assert statuses[-1].state is State.OK


async def test_the_lag_is_measured_from_the_event(session: AwsSession, service: LiveTailService) -> None:
    text = json.dumps(record(datetime.now(UTC) - timedelta(seconds=100)))
    service.scripts.append([OPENING, update(text), exception("SessionTimeoutException", "3 h")])
    _, statuses = await listen(session, service, State.UNREACHABLE)
    assert statuses[-1].lag is not None
    assert timedelta(seconds=95) < statuses[-1].lag < timedelta(seconds=130)


async def test_a_sampled_update_says_that_records_were_left_out(session: AwsSession, service: LiveTailService) -> None:
    service.scripts.append([OPENING, update("a"), update("b", sampled=True)])
    truth = await logs_source(session, None, GROUP, NOW, paces=Paces())
    live = await live_tail_source(session, None, GROUP, truth=truth)
    async with aclosing(live.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Status) and item.state is State.OK and item.message:
                assert item.message == SAMPLED
                break
            if isinstance(item, Page) and item.found[0].raw == "a":
                truth._poked.clear()
    assert truth._poked.is_set()


async def test_after_a_gap_the_log_group_is_read_as_often_as_without_live_tail_for_a_minute(
    session: AwsSession, service: LiveTailService
) -> None:
    later = {"a": asyncio.Event(), "c": asyncio.Event()}
    service.scripts.append(
        [OPENING, update("a"), later["a"], update("b", sampled=True), update("c"), later["c"], update("d")]
    )
    hurry = Hurry()
    truth = await logs_source(session, None, GROUP, NOW, paces=Paces())
    live = await live_tail_source(session, None, GROUP, truth=truth, local=hurry.waiting)
    relaxed: dict[str, bool] = {}
    async with aclosing(live.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Page):
                (record,) = item.found
                relaxed[record.raw] = truth.relaxed
                if record.raw in later:
                    hurry.slept += 61
                    later[record.raw].set()
            if "d" in relaxed:
                break
    assert relaxed == {"a": False, "b": False, "c": False, "d": True}, "a minute after the start, and after b"


async def test_an_end_is_told_when_it_comes_also_while_the_next_session_is_refused(
    session: AwsSession, service: LiveTailService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The renewal is refused, and the old session goes on for a while."""
    monkeypatch.setattr("smwatch.sources.live_sessions.RENEW_AFTER", 0.01)
    end, over = asyncio.Event(), asyncio.Event()
    service.scripts.extend([[OPENING, update("a"), end], ("LimitExceededException", ""), [OPENING]])

    async def sleep(seconds: float) -> None:
        await (over.wait() if seconds >= 300 else asyncio.sleep(seconds))

    truth = await logs_source(session, None, GROUP, NOW, paces=Paces())
    live = await live_tail_source(session, None, GROUP, truth=truth, local=LocalClock(sleep=sleep))
    async with asyncio.timeout(10), aclosing(live.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Status) and item.state is State.THROTTLED:
                end.set()
            if isinstance(item, Status) and item.state is State.UNREACHABLE:
                assert not over.is_set()
                assert item.message == "the Live Tail connection was closed; opening another"
                break


async def test_what_the_log_group_does_not_show_yet_widens_its_sweeps(
    aws_environment: Path, session: AwsSession, service: LiveTailService, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Live Tail shows a record at once that FilterLogEvents can find a good minute later."""
    hurry = Hurry()
    service.now = hurry.now
    at = hurry.now()
    text = json.dumps(record(at))
    other = json.dumps(record(at) | {"eventSource": "ec2.amazonaws.com", "note": "secretsmanager.amazonaws.com"})
    milliseconds = int(at.timestamp() * 1000)
    service.scripts.append([OPENING, update(text, other, at=milliseconds)])
    service.filtered_items.append((at + timedelta(seconds=70), text, milliseconds))
    truth = await logs_source(session, None, GROUP, at - timedelta(minutes=1), **hurry.options(hurry.local))
    live = await live_tail_source(
        session, None, GROUP, truth=truth, local=LocalClock(hurry.now, hurry.beside, hurry.monotonic)
    )

    async def listen() -> None:
        async with aclosing(live.follow(Coverage())) as flow:
            async for _ in flow:
                pass

    listening = asyncio.create_task(listen())
    watched = await follow(truth, lambda so_far: bool(so_far.raw))
    listening.cancel()
    await asyncio.wait((listening,))
    assert watched.raw == [text]
    assert hurry.now() - at < timedelta(minutes=2), "by a sweep, long before it is settled"
    lag = watched.coverage.lags.sweep
    assert lag is not None
    assert lag > timedelta(seconds=72)


@pytest.mark.parametrize(
    ("end", "state", "words"),
    [
        (exception("SessionTimeoutException", "three hours"), State.UNREACHABLE, "AWS ended the Live Tail session"),
        (exception("SessionStreamingException", "internal"), State.UNREACHABLE, "AWS ended the Live Tail session"),
        (b"", State.UNREACHABLE, "the Live Tail connection was closed"),
        (update("x")[:-9], State.UNREACHABLE, "the Live Tail connection was closed"),
        (update("x")[:-4] + b"\0\0\0\0", State.FAILING, "something unreadable"),
    ],
    ids=["timeout", "streaming", "closed", "cut", "checksum"],
)
async def test_every_end_of_a_session_is_told_and_another_is_opened(
    session: AwsSession, service: LiveTailService, end: bytes, state: State, words: str
) -> None:
    service.scripts.extend([[OPENING, update("a"), end], [OPENING, update("b")]])
    found, statuses = await listen(session, service, 2)
    assert found == ["a", "b"]
    assert words in next(status.message for status in statuses if status.state is state)


@pytest.mark.parametrize(
    ("code", "state", "words", "pause"),
    [
        ("LimitExceededException", State.THROTTLED, "sessions of the account in eu-west-1 are in use", 300),
        ("AccessDeniedException", State.DENIED, "AWS denies logs:StartLiveTail: attach the policy that", 60),
        ("ExpiredTokenException", State.SIGN_IN, "the credentials have expired", 30),
        ("ResourceNotFoundException", State.FAILING, "there is no log group", 60),
        ("UnknownOperationException", State.FAILING, "AWS offers no Live Tail in eu-west-1", 300),
        ("InvalidOperationException", State.FAILING, "refused StartLiveTail: InvalidOperationException", 60),
    ],
)
async def test_a_session_that_is_refused_is_tried_again_later(
    session: AwsSession, service: LiveTailService, code: str, state: State, words: str, pause: float
) -> None:
    service.scripts.extend([(code, ""), [OPENING, update("a")]])
    hurry = Hurry()
    found, statuses = await listen(session, service, 1, hurry)
    assert found == ["a"]
    assert words in next(status.message for status in statuses if status.state is state)
    assert pause <= hurry.slept < pause + 10


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (
            "cn-north-1",
            "AWS offers no Live Tail in cn-north-1 (partition aws-cn): the log group is followed without it",
        ),
        ("us-gov-west-1", "AWS offers no Live Tail in us-gov-west-1 (partition aws-us-gov)"),
        ("eu-west-1", "can't be reached"),
    ],
)
async def test_a_partition_without_live_tail_is_told_from_a_broken_network(
    session: AwsSession, aws_environment: Path, monkeypatch: pytest.MonkeyPatch, region: str, words: str
) -> None:
    asked: list[object] = []

    def nowhere(host: object, *_: object, **__: object) -> None:
        asked.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    truth = await logs_source(session, region, GROUP, NOW, paces=Paces())
    arn = ARN.replace("eu-west-1", region)
    live = await live_tail_source(session, region, arn, truth=truth, local=LocalClock(sleep=Hurry().sleep))
    async with aclosing(live.follow(Coverage())) as flow:
        async for item in flow:
            if isinstance(item, Status) and item.state is not State.STARTING:
                assert words in item.message
                break
    suffix = ".cn" if region.startswith("cn") else ""
    assert f"stream-logs.{region}.amazonaws.com{suffix}" in asked


async def test_reading_once_leaves_everything_to_the_log_group(session: AwsSession, service: LiveTailService) -> None:
    truth = await logs_source(session, None, GROUP, NOW, paces=Paces())
    live = await live_tail_source(session, None, GROUP, truth=truth)
    (status,) = [item async for item in live.read_once(Coverage())]
    assert isinstance(status, Status)
    assert status.state is State.DONE
    assert service.asked == []


async def test_who_switches_off_while_sessions_overlap_pays_for_neither(
    session: AwsSession, service: LiveTailService, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("smwatch.sources.live_sessions.RENEW_AFTER", 0.01)
    service.scripts.extend([[OPENING, update("a"), asyncio.Event()], [OPENING, update("b"), asyncio.Event()]])

    async def sleep(seconds: float) -> None:
        if seconds == OVERLAP:
            live.switch(False)
            await asyncio.Event().wait()
        await asyncio.sleep(seconds)

    def listening() -> list[object]:
        coroutines = [task.get_coro() for task in asyncio.all_tasks()]
        return [one for one in coroutines if getattr(one, "__name__", "") == "_listen"]

    truth = await logs_source(session, None, GROUP, NOW, paces=Paces())
    live = await live_tail_source(session, None, GROUP, truth=truth, local=LocalClock(sleep=sleep))
    heard_from = 0
    async with asyncio.timeout(10), aclosing(live.follow(Coverage())) as flow:
        async for item in flow:
            heard_from = max(heard_from, len(listening()))
            if isinstance(item, Status) and item.state is State.DONE:
                break
    assert heard_from, "else this looks for the wrong thing"
    assert listening() == []
    service.closing.set()
