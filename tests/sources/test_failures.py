"""Every way in which AWS and the network fail, made to happen on the wire: a state, a sentence, and nothing lost."""

from __future__ import annotations

import asyncio
import json
import re
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import aclosing, closing
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.monitor import Monitor
from smwatch.monitor.upkeep import UNTIL_HEARD
from smwatch.sources.clock import LocalClock
from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.pace import Paces
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from smwatch.sources.tail import Tail
from tests import records as made
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.lookup_events import LookupEvents
from tests.emulators.records import record
from tests.monitor.test_monitor import size_limited
from tests.sources.hurry import Hurry, Watched, follow
from tests.sources.reading import opened, read

NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
async def proxy(history: LookupEvents, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(history.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", proxy.url)
        yield proxy


@pytest.fixture
async def session(aws_environment: Path) -> AsyncIterator[AwsSession]:
    session = await AwsSession.open(read_timeouts={"cloudtrail": 0.3})
    yield session
    await session.close()


async def source_of(session: AwsSession, hurry: Hurry | None = None, **options: Any) -> Tail:
    since = options.pop("since", NOW - timedelta(hours=2))
    return await cloudtrail_source(session, None, since, **{**(hurry or Hurry()).options(), **options})


def well(records: int = 0) -> Callable[[Watched], bool]:
    """All is well again, and everything was handed over."""
    return lambda so_far: so_far.last.state is State.OK and len(so_far.raw) >= records


def ids(raw: list[str]) -> list[str]:
    return sorted(json.loads(one)["eventID"] for one in raw)


WIRE: list[tuple[dict[str, Any], State, str]] = [
    ({"reset": True}, State.UNREACHABLE, "can't be reached"),
    ({"hang": 5}, State.UNREACHABLE, "did not answer in time"),
    ({"cut": 300}, State.UNREACHABLE, "can't be reached"),
    ({"truncate": 300}, State.FAILING, "no page of events"),
    ({"truncate": 0}, State.FAILING, "no page of events"),
    ({"body": "<html>Welcome to Hotel WiFi</html>"}, State.FAILING, "a captive portal between?"),
    ({"body": "[]"}, State.FAILING, "something unreadable"),
    ({"body": "null"}, State.FAILING, "something"),
    ({"body": '{"Events": 7}'}, State.FAILING, "something unreadable"),
    ({"body": '{"Events": [7]}'}, State.FAILING, "something unreadable"),
    ({"body": '{"Events": [{"EventTime": "soon"}]}'}, State.FAILING, "something unreadable"),
    ({"body": "[" * 100_000}, State.FAILING, "something unreadable"),
    ({"bomb": 64}, State.FAILING, "something unreadable"),
    ({"corrupt": True}, State.FAILING, "something unreadable"),
    ({"status": 500}, State.FAILING, "answered HTTP 500 without an AWS error"),
    ({"status": 503, "body": ""}, State.FAILING, "answered HTTP 503"),
    ({"status": 403, "body": "<html>Forbidden by policy</html>"}, State.FAILING, "a proxy between?"),
]


@pytest.mark.parametrize(("fault", "state", "words"), WIRE, ids=[str(fault)[:40] for fault, *_ in WIRE])
async def test_the_network_fails_and_recovers(
    history: LookupEvents,
    proxy: FaultProxy,
    session: AwsSession,
    fault: dict[str, Any],
    state: State,
    words: str,
) -> None:
    records = [record(NOW - timedelta(minutes=n / 2)) for n in range(240)]
    history.region().add(records)
    proxy.faults.append({**fault, "times": 1 if "hang" in fault else 6})
    watched = await follow(await source_of(session), well(len(records)))
    assert words in " ".join(watched.said(state))
    assert ids(watched.raw) == sorted(one["eventID"] for one in records)
    assert watched.coverage.gaps == ()


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
async def test_an_answer_that_was_packed_unasked_is_unpacked(
    history: LookupEvents, proxy: FaultProxy, session: AwsSession, encoding: str
) -> None:
    records = [record(NOW - timedelta(minutes=n)) for n in range(60)]
    history.region().add(records)
    proxy.faults.append({"encode": encoding, "times": 10**6})
    watched = await follow(await source_of(session), well(len(records)))
    assert {status.state for status in watched.statuses} <= {State.STARTING, State.CATCHING_UP, State.OK}
    assert ids(watched.raw) == sorted(one["eventID"] for one in records)


async def test_a_refusal_that_was_packed_unasked_is_understood(
    history: LookupEvents, proxy: FaultProxy, session: AwsSession
) -> None:
    history.faults.append({"error": "ThrottlingException", "times": 2})
    proxy.faults.append({"encode": "gzip", "times": 10**6})
    watched = await follow(await source_of(session), well())
    assert watched.said(State.THROTTLED)[0].startswith("AWS throttles LookupEvents")


AWS: list[tuple[dict[str, Any], State, str]] = [
    ({"error": "ThrottlingException", "message": "Rate exceeded"}, State.THROTTLED, "AWS throttles LookupEvents"),
    ({"error": "InternalFailure", "status": 500}, State.FAILING, "answered 500 InternalFailure"),
    ({"error": "ServiceUnavailable", "status": 503}, State.FAILING, "answered 503"),
    (
        {
            "error": "AccessDeniedException",
            "message": "User: arn:aws:iam::1:user/x is not authorized to perform: cloudtrail:LookupEvents",
        },
        State.DENIED,
        "AWS denies cloudtrail:LookupEvents to arn:aws:iam::1:user/x: attach the policy that `smwatch policy watch`",
    ),
    ({"error": "ExpiredTokenException"}, State.SIGN_IN, "have expired: start smwatch again with new AWS_… variables"),
    ({"error": "UnrecognizedClientException"}, State.SIGN_IN, "does not know these credentials"),
    (
        {"error": "InvalidSignatureException", "message": "The request signature we calculated does not match"},
        State.SIGN_IN,
        "the secret key does not belong to the key id",
    ),
    ({"error": "OptInRequired", "status": 403}, State.DENIED, "enable the Region"),
    ({"error": "SomethingNew", "message": "of 2027"}, State.FAILING, "refused LookupEvents: SomethingNew of 2027"),
]


@pytest.mark.parametrize(("fault", "state", "words"), AWS, ids=[fault["error"] for fault, *_ in AWS])
async def test_aws_refuses_and_relents(
    history: LookupEvents, session: AwsSession, fault: dict[str, Any], state: State, words: str
) -> None:
    records = [record(NOW - timedelta(minutes=n / 2)) for n in range(240)]
    history.region().add(records)
    history.faults.append({**fault, "times": 3})
    watched = await follow(await source_of(session), well(len(records)))
    assert words in " ".join(watched.said(state))
    assert ids(watched.raw) == sorted(one["eventID"] for one in records)


@pytest.mark.parametrize(
    "fault", [{"error": "InvalidNextTokenException", "times": 3}, {"loop": True}, {"loop": True, "times": 40}]
)
async def test_a_lost_token_costs_nothing_but_calls(
    history: LookupEvents, session: AwsSession, fault: dict[str, Any]
) -> None:
    records = [record(NOW - timedelta(minutes=n / 4)) for n in range(450)]
    history.region().add(records)
    history.faults.append({**fault, "token_only": True})
    watched = await follow(await source_of(session), well(len(records)))
    assert ids(watched.raw) == sorted(one["eventID"] for one in records)


async def test_a_wrong_clock_is_named_with_its_error(history: LookupEvents, session: AwsSession) -> None:
    history.offset = timedelta(minutes=11)
    watched = await follow(await source_of(session), lambda so_far: so_far.last.state is State.FAILING)
    assert "refuses the time of this machine's clock" in watched.last.message
    assert re.search(r"this machine's clock is 6(59|60) s behind AWS's", watched.last.message)


@pytest.mark.parametrize("dated", [True, False])
async def test_a_clock_that_nobody_confirms_lets_nothing_old_go(
    proxy: FaultProxy, history: LookupEvents, session: AwsSession, tmp_path: Path, dated: bool
) -> None:
    """This machine is 100 days ahead, the only good answer says so or tells no time, and then all calls fail."""
    rounds, failing, checked = 0, 0, asyncio.Event()

    async def deliver(delivery: Delivery) -> None:
        nonlocal failing
        for status in delivery.statuses:
            failing += status.state is State.FAILING
            if not proxy.faults:
                proxy.faults.append({"status": 500, "times": 1_000_000})

    async def sleep(seconds: float) -> None:
        nonlocal rounds
        rounds += failing > 1 and seconds >= UNTIL_HEARD.total_seconds()
        if rounds == 3:
            checked.set()
        await asyncio.sleep(0.001)

    then = NOW - timedelta(days=100)
    history.wrong_dates.append(then)
    history.dated = dated
    journal = Journal(tmp_path / FILE_NAME)
    old = [made.arrival(made.read(at=then - timedelta(minutes=n))) for n in range(30)]
    source = await source_of(session)
    journal.commit(source.name, old, settled=Span(then - timedelta(hours=1), then))
    watching = Monitor(journal, deliver=deliver, selects=lambda _: False, now=lambda: datetime.now(UTC), sleep=sleep)
    async with asyncio.timeout(20):
        following = asyncio.create_task(watching.follow([source]))
        await checked.wait()
        following.cancel()
        await asyncio.gather(following, return_exceptions=True)
    assert len(list(journal.recent(then - timedelta(days=1), journal.last_seq()))) == 30
    journal.close()


async def test_a_clock_that_is_two_minutes_off_is_only_a_warning(history: LookupEvents, session: AwsSession) -> None:
    history.offset = timedelta(minutes=2)
    history.region().add([record(NOW + timedelta(seconds=90))])
    watched = await follow(await source_of(session), well(1))
    assert watched.last.message in (
        "this machine's clock is 120 s behind AWS's: set it",
        "this machine's clock is 119 s behind AWS's: set it",
    )
    assert len(watched.raw) == 1


async def test_nobody_listens(aws_environment: Path, session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", f"http://127.0.0.1:{port}")
        source = await source_of(session)
        watched = await follow(source, lambda so_far: so_far.last.state is State.UNREACHABLE)
    assert watched.last.message == (
        f"CloudTrail in eu-west-1 can't be reached (no connection to 127.0.0.1:{port}: Connection refused):"
        " check AWS_ENDPOINT_URL_CLOUDTRAIL and the network; trying again"
    )


@pytest.mark.parametrize(
    ("config", "setting"),
    [
        ("endpoint_url = {}\n", "the profile's endpoint_url"),
        (
            "services = here\n[services here]\ncloudtrail =\n  endpoint_url = {}\n",
            "cloudtrail's endpoint_url in [services here]",
        ),
    ],
)
async def test_where_the_config_file_sets_an_endpoint_that_cannot_be_reached_its_key_is_named(
    aws_environment: Path, config: str, setting: str
) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        (aws_environment / ".aws" / "config").write_text(f"[default]\n{config.format(url)}")
        async with opened() as session:
            watched = await follow(await source_of(session), lambda so_far: so_far.last.state is State.UNREACHABLE)
    assert f"check {setting} and the network" in watched.last.message


async def test_a_source_that_was_never_read_is_complete_up_to_no_moment(
    proxy: FaultProxy, history: LookupEvents, session: AwsSession
) -> None:
    history.region().add([record(NOW - timedelta(minutes=30))])
    proxy.faults.append({"reset": True})
    watched = await follow(await source_of(session), lambda so_far: so_far.last.complete_to is not None)
    unread = [status for status in watched.statuses if status.last_good_at is None]
    assert State.UNREACHABLE in {status.state for status in unread}
    assert {status.complete_to for status in unread} == {None}


async def test_what_an_earlier_run_proved_is_told_also_on_a_disk_that_is_full_from_the_start(
    history: LookupEvents, session: AwsSession, tmp_path: Path
) -> None:
    history.region().add([record(NOW - timedelta(seconds=n)) for n in range(100)])
    marks: list[datetime | None] = []
    enough = asyncio.Event()

    async def deliver(delivery: Delivery) -> None:
        told = [status for status in delivery.statuses if status.source == source.name]
        marks.extend(status.complete_to for status in told)
        if any(status.state is State.OK for status in told):
            enough.set()

    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        source = await source_of(session)
        mark = NOW - timedelta(minutes=90)
        journal.commit(source.name, (), settled=Span(NOW - timedelta(hours=3), mark))
        size_limited(journal, True)
        monitor = Monitor(journal, deliver=deliver, selects=lambda _: False, now=lambda: datetime.now(UTC))
        following = asyncio.create_task(monitor.follow([source]))
        await enough.wait()
        following.cancel()
        await asyncio.wait([following])
        assert not journal.last_seq(), "there was room"
    assert set(marks) == {mark}


async def test_the_name_does_not_resolve(
    aws_environment: Path, session: AwsSession, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nowhere(*_: object, **__: object) -> None:
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", nowhere)
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", "http://cloudtrail.invalid")
    watched = await follow(await source_of(session), lambda so_far: so_far.last.state is State.UNREACHABLE)
    assert "Name or service not known" in watched.last.message


async def test_tls_fails(history: LookupEvents, session: AwsSession, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", history.url.replace("http:", "https:"))
    watched = await follow(await source_of(session), lambda so_far: so_far.last.state is State.UNREACHABLE)
    assert "the TLS connection to CloudTrail in eu-west-1 fails" in watched.last.message


async def test_reading_once_gives_up_on_a_denial_at_once(history: LookupEvents, session: AwsSession) -> None:
    history.faults.append({"error": "AccessDeniedException", "times": 99})
    found, last, _ = await read(await source_of(session))
    assert (found, last.state) == ([], State.DENIED)
    assert len(history.calls) == 1


async def test_reading_once_waits_a_minute_for_the_network(
    history: LookupEvents, proxy: FaultProxy, session: AwsSession
) -> None:
    history.region().add([record(NOW)])
    proxy.faults.append({"reset": True, "times": 4})
    found, last, _ = await read(await source_of(session))
    assert (len(found), last.state) == (1, State.DONE)
    proxy.faults.append({"reset": True, "times": 10**6})
    hurry = Hurry()
    _, last, _ = await read(await source_of(session, hurry))
    assert last.state is State.UNREACHABLE
    assert 60 <= hurry.slept <= 130


async def test_a_period_that_is_refused_becomes_a_gap_hour_by_hour(history: LookupEvents, session: AwsSession) -> None:
    history.region().reach = timedelta(days=3)
    records = [record(NOW - timedelta(minutes=10 * n)) for n in range(430)]
    history.region().add(records)
    watched = await follow(await source_of(session, since=NOW - timedelta(days=3, hours=5)), well(430))
    assert "refuses the period" in " ".join(watched.said(State.FAILING))
    given_up = [gap.span for gap in watched.coverage.gaps]
    assert given_up[0].start == NOW - timedelta(days=3, hours=5)
    assert timedelta() < given_up[-1].end - (NOW - timedelta(days=3)) < timedelta(hours=1)
    assert {gap.reason for gap in watched.coverage.gaps} == {"the service refuses to look that far back"}


async def test_a_refused_period_that_is_recent_is_asked_for_again(history: LookupEvents, session: AwsSession) -> None:
    history.region().add([record(NOW)])
    history.faults.append({"error": "InvalidTimeRangeException", "times": 3})
    watched = await follow(await source_of(session), well(1))
    assert watched.coverage.gaps == ()


async def test_reading_once_ends_even_if_the_tokens_never_do(history: LookupEvents, session: AwsSession) -> None:
    records = [record(NOW - timedelta(minutes=n / 4)) for n in range(450)]
    history.region().add(records)
    history.faults.append({"loop": True, "times": 10**6})
    hurry = Hurry()
    _, last, _ = await read(await source_of(session, hurry))
    assert last.state is State.FAILING
    assert "the page tokens lead in a circle" in last.message
    assert hurry.slept < 200


async def test_after_an_outage_what_is_new_comes_first(history: LookupEvents, session: AwsSession) -> None:
    now = datetime.now(UTC).replace(microsecond=0)  # what is older than sweeps reach back would come last
    records = [record(now - timedelta(seconds=n)) for n in range(500)]
    history.region().add(records)
    new = record(now, "DeleteSecret")
    read = 0

    def until(so_far: Watched) -> bool:
        nonlocal read
        if so_far.raw and not read:  # in the middle of the first sweep
            read = len(so_far.raw)
            history.region().add([new])
            history.faults.append({"error": "AccessDeniedException", "times": 10})
        return len(so_far.raw) > 500

    watched = await follow(await source_of(session), until)
    assert 0 < read < 500
    assert ["DeleteSecret" in raw for raw in watched.raw].index(True) == read


async def test_a_refusal_is_not_worn_down_by_what_may_have_been_missed_but_by_a_person(
    history: LookupEvents, session: AwsSession
) -> None:
    async def sleep(seconds: float) -> None:
        waits.put_nowait(seconds)
        await asyncio.Event().wait()

    async def watch() -> None:
        async with aclosing(source.follow(Coverage())) as flow:
            async for _ in flow:
                pass

    waits = asyncio.Queue[float]()
    history.faults.append({"error": "AccessDeniedException", "times": 99})
    source = await cloudtrail_source(
        session, None, NOW - timedelta(hours=2), paces=Paces(), rate=1000, local=LocalClock(sleep=sleep)
    )
    watching = asyncio.create_task(watch())
    calls = []
    for ask in (source.poll_soon, source.poll_now, source.poll_soon):
        await waits.get()
        calls.append(len(history.calls))
        ask()
    watching.cancel()
    await asyncio.wait([watching])
    assert calls == [1, 1, 2]
