"""How reading a log group fails on the wire and goes on: a state, a sentence, and nothing lost."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from smwatch.sources.description import EVERY
from smwatch.sources.logs import PATTERN, FilterLogEvents, logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from tests.emulators.fault_proxy import FaultProxy
from tests.emulators.process import Emulator
from tests.emulators.records import record
from tests.sources.hurry import Hurry, Watched, follow

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

GROUP = "CloudTrail/SecretsManager"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def logs(moto: Emulator, aws_environment: Path) -> Iterator[CloudWatchLogsClient]:
    """A client past the proxy; no log group is left behind."""
    client = boto3.client("logs", region_name="eu-west-1", endpoint_url=moto.url)
    yield client
    for group in client.describe_log_groups()["logGroups"]:
        client.delete_log_group(logGroupName=group["logGroupName"])
    client.close()


@pytest.fixture
async def proxy(moto: Emulator, aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[FaultProxy]:
    async with FaultProxy(moto.url) as proxy:
        monkeypatch.setenv("AWS_ENDPOINT_URL", proxy.url)
        yield proxy


@pytest.fixture
async def session(proxy: FaultProxy) -> AsyncIterator[AwsSession]:
    session = await AwsSession.open(read_timeouts={"logs": 0.5})
    yield session
    await session.close()


def fill(client: CloudWatchLogsClient, count: int = 20) -> list[str]:
    """The group with so many records; their eventIDs, sorted."""
    records = [record(NOW - timedelta(minutes=n)) for n in reversed(range(count))]
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="s")
    events = [
        {"timestamp": int(datetime.fromisoformat(one["eventTime"]).timestamp() * 1000), "message": json.dumps(one)}
        for one in records
    ]
    client.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=events)  # type: ignore[arg-type]
    return sorted(one["eventID"] for one in records)


def refusal(code: str, message: str = "", status: int = 400, only: str = "FilterLogEvents") -> dict[str, Any]:
    return {"status": status, "body": json.dumps({"__type": code, "message": message}), "times": 3, "only": only}


CLASS = "INFREQUENT_ACCESS"
INFREQUENT = {
    "body": json.dumps({"logGroups": [{"logGroupName": GROUP, "arn": "", "logGroupClass": CLASS}]}),
    "only": "DescribeLogGroups",
}
WAYS: list[tuple[dict[str, Any], State, str]] = [
    (INFREQUENT, State.FAILING, "of class Infrequent Access, which can't be followed: send the trail to a group of"),
    (
        refusal("InvalidOperationException", "FilterLogEvents is not supported for the Infrequent Access log class"),
        State.FAILING,
        "of class Infrequent Access",
    ),
    (refusal("ThrottlingException", "Rate exceeded"), State.THROTTLED, "AWS throttles FilterLogEvents"),
    (
        refusal("AccessDeniedException", "User: arn:aws:iam::1:user/x is not authorized"),
        State.DENIED,
        "AWS denies logs:FilterLogEvents to arn:aws:iam::1:user/x: attach the policy that `smwatch policy watch`",
    ),
    (refusal("ExpiredTokenException"), State.SIGN_IN, "the credentials have expired: start smwatch again with new AWS"),
    (refusal("ServiceUnavailableException", status=503), State.FAILING, "answered 503"),
    (refusal("InternalFailure", status=500), State.FAILING, "answered 500"),
    ({"status": 502, "body": "<html>Bad Gateway</html>", "times": 3}, State.FAILING, "answered HTTP 502"),
    ({"body": "<html>Hotel</html>", "times": 3, "only": "FilterLogEvents"}, State.FAILING, "a captive portal between?"),
    ({"truncate": 200, "times": 3, "only": "FilterLogEvents"}, State.FAILING, "CloudWatch Logs in eu-west-1"),
    ({"reset": True, "times": 3}, State.UNREACHABLE, "can't be reached"),
    ({"hang": 5, "only": "FilterLogEvents"}, State.UNREACHABLE, "did not answer in time"),
    ({"cut": 200, "times": 3, "only": "FilterLogEvents"}, State.UNREACHABLE, "can't be reached"),
]


@pytest.mark.parametrize(("fault", "state", "words"), WAYS, ids=[f"{state} {words[:30]}" for _, state, words in WAYS])
async def test_reading_fails_and_recovers(
    logs: CloudWatchLogsClient,
    proxy: FaultProxy,
    session: AwsSession,
    fault: dict[str, Any],
    state: State,
    words: str,
) -> None:
    expected = fill(logs)
    proxy.faults.append(dict(fault))
    source = await logs_source(session, None, GROUP, NOW - timedelta(hours=1), **Hurry().options())
    watched = await follow(
        source, lambda so_far: so_far.last.state is State.OK and len(so_far.raw) >= len(expected) and bool(proxy.struck)
    )
    assert words in " ".join(watched.said(state))
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == expected
    assert watched.coverage.gaps == ()


async def test_a_group_that_is_made_later_is_read_from_then_on(
    logs: CloudWatchLogsClient, proxy: FaultProxy, session: AwsSession
) -> None:
    expected: list[str] = []

    def until(so_far: Watched) -> bool:
        if so_far.last.state is State.FAILING and not expected:
            expected.extend(fill(logs))
        return so_far.last.state is State.OK and len(so_far.raw) >= len(expected) > 0

    source = await logs_source(session, None, GROUP, NOW - timedelta(hours=1), **Hurry().options())
    watched = await follow(source, until)
    (message,) = watched.said(State.FAILING)
    assert message.startswith(f"there is no log group {GROUP} in eu-west-1: see `aws logs describe-log-groups")
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == expected


@pytest.mark.parametrize(
    "fault",
    [refusal("ThrottlingException", "Rate exceeded", only="DescribeLogGroups"), {"body": "<html>Hotel</html>"}],
    ids=["throttled", "garbled"],
)
async def test_a_group_that_cannot_be_described_at_once_is_not_taken_for_one_that_keeps_all(
    logs: CloudWatchLogsClient, proxy: FaultProxy, session: AwsSession, fault: dict[str, Any]
) -> None:
    expected = fill(logs)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    proxy.faults.append({**fault, "times": 2, "only": "DescribeLogGroups"})
    since = NOW - timedelta(days=2)
    source = await logs_source(session, None, GROUP, since, **Hurry().options())
    watched = await follow(source, lambda so_far: so_far.last.state is State.OK and len(so_far.raw) >= len(expected))
    (gap,) = watched.coverage.gaps
    assert gap.span.start == since
    assert gap.reason.startswith("older than what the service keeps")


async def test_what_a_group_keeps_is_known_still_when_it_may_not_be_described_any_more(
    logs: CloudWatchLogsClient, proxy: FaultProxy, session: AwsSession, hurry: Hurry
) -> None:
    fill(logs)
    logs.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    reader = FilterLogEvents(session, "eu-west-1", GROUP, "", PATTERN, hurry.monotonic)
    await reader.page(NOW, None, None)
    edge = reader.edge(NOW)
    assert edge == NOW - timedelta(days=1)
    for code in ("AccessDeniedException", "ThrottlingException"):
        hurry.slept += EVERY + 1
        proxy.faults.append(refusal(code, only="DescribeLogGroups") | {"times": 1})
        struck = len(proxy.struck)
        await reader.page(NOW, None, None)
        assert len(proxy.struck) == struck + 1
        assert reader.edge(NOW) == edge


@pytest.mark.parametrize(
    "fault",
    [
        {"body": "<html>Hotel</html>"},
        {"status": 404, "body": "not here"},
        {"status": 500, "body": "{}"},
        refusal("AccessDeniedException"),
    ],
    ids=["garbled", "unknown", "broken", "denied"],
)
async def test_a_group_that_never_can_be_described_is_read_all_the_same_and_what_that_hides_is_said(
    logs: CloudWatchLogsClient, proxy: FaultProxy, session: AwsSession, fault: dict[str, Any]
) -> None:
    expected = fill(logs)
    proxy.faults.append({**fault, "times": 1000, "only": "DescribeLogGroups"})
    source = await logs_source(session, None, GROUP, NOW - timedelta(hours=1), **Hurry().options())
    watched = await follow(source, lambda so_far: so_far.last.state is State.OK and len(so_far.raw) >= len(expected))
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == expected
    message = watched.last.message
    assert message.startswith("what the log group no longer keeps counts as read, as its retention is not known: ")
    if "Denied" in fault["body"]:
        assert "AWS denies logs:DescribeLogGroups" in message
        assert message.endswith("attach the policy that `smwatch policy watch` prints")
