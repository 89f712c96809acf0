"""A trail's log group over the wire: moto for the paging."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest

from smwatch.sources.coverage import Coverage
from smwatch.sources.errors import ConfigurationError
from smwatch.sources.log_group import LogGroup
from smwatch.sources.logs import logs_source
from smwatch.sources.pace import Paces
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Page, State
from smwatch.sources.tail import Tail
from tests.emulators.process import Emulator
from tests.emulators.records import record
from tests.sources.hurry import Hurry, follow
from tests.sources.reading import read

if TYPE_CHECKING:
    from mypy_boto3_logs import CloudWatchLogsClient

GROUP = "CloudTrail/SecretsManager"
NOW = datetime.now(UTC).replace(microsecond=0)


@pytest.fixture
def group(moto: Emulator, aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[CloudWatchLogsClient]:
    """An empty log group; a client to fill it."""
    monkeypatch.setenv("AWS_ENDPOINT_URL", moto.url)
    client = boto3.client("logs", region_name="eu-west-1")
    client.create_log_group(logGroupName=GROUP)
    yield client
    client.delete_log_group(logGroupName=GROUP)
    client.close()


def put(client: CloudWatchLogsClient, stream: str, messages: list[tuple[datetime, str]]) -> None:
    """Deliver these messages to a stream, as CloudTrail does: in batches, by time of delivery."""
    client.create_log_stream(logGroupName=GROUP, logStreamName=stream)
    events = [{"timestamp": int(at.timestamp() * 1000), "message": message} for at, message in sorted(messages)]
    for first in range(0, len(events), 5000):
        client.put_log_events(
            logGroupName=GROUP,
            logStreamName=stream,
            logEvents=events[first : first + 5000],  # type: ignore[arg-type]
        )


async def source_of(session: AwsSession, group: str = GROUP, **options: Any) -> Tail:
    since = options.pop("since", NOW - timedelta(hours=1))
    return await logs_source(session, None, group, since, paces=Paces(), rate=1000, **options)


async def test_every_page_of_every_stream_is_read(group: CloudWatchLogsClient, session: AwsSession) -> None:
    records = [record(NOW - timedelta(seconds=n / 4)) for n in range(11_000)]
    for stream in range(3):
        put(
            group,
            f"123456789012_CloudTrail_eu-west-1_{stream}",
            [(datetime.fromisoformat(one["eventTime"]), json.dumps(one)) for one in records[stream::3]],
        )
    source = await source_of(session)
    found, last, coverage = await read(source)
    assert last.state is State.DONE
    assert len(found) == len(records)
    assert {one["eventID"] for one in found} == {one["eventID"] for one in records}
    assert source.name == f"logs:123456789012:eu-west-1:{GROUP}"
    assert coverage.holds(NOW - timedelta(minutes=30))
    assert not coverage.holds(NOW - timedelta(minutes=1))


async def test_a_message_that_is_no_record_is_handed_over_as_it_is(
    group: CloudWatchLogsClient, session: AwsSession
) -> None:
    put(group, "s", [(NOW, "{not json")])
    pages = [item async for item in (await source_of(session)).read_once(Coverage()) if isinstance(item, Page)]
    assert [one.raw for page in pages for one in page.found] == ["{not json"]


async def test_a_group_that_does_not_exist_is_said_at_once(group: CloudWatchLogsClient, session: AwsSession) -> None:
    found, last, _ = await read(await source_of(session, "no/such/group"))
    assert found == []
    assert last.state is State.FAILING
    assert last.message.startswith("there is no log group no/such/group in eu-west-1: see `aws logs")


async def test_the_groups_own_arn_will_do(group: CloudWatchLogsClient, session: AwsSession) -> None:
    put(group, "s", [(NOW, json.dumps(record(NOW)))])
    arn = f"arn:aws:logs:eu-west-1:123456789012:log-group:{GROUP}:*"
    found, last, _ = await read(await source_of(session, arn))
    assert len(found) == 1
    assert last.state is State.DONE


async def test_what_the_groups_retention_dropped_is_a_gap(group: CloudWatchLogsClient, session: AwsSession) -> None:
    group.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    _, last, coverage = await read(await source_of(session, since=NOW - timedelta(days=3)))
    assert last.state is State.DONE
    (gap,) = last.gaps
    assert gap == coverage.gaps[0]
    assert gap.span.start == NOW - timedelta(days=3), "nothing of it was taken for read before that was known"
    assert abs(gap.span.end - (NOW - timedelta(hours=23))) < timedelta(minutes=30)
    assert gap.reason.startswith("older than what the service keeps")


async def test_what_the_groups_retention_dropped_is_a_gap_to_who_follows_it(
    group: CloudWatchLogsClient, session: AwsSession, hurry: Hurry
) -> None:
    group.put_retention_policy(logGroupName=GROUP, retentionInDays=1)
    since = NOW - timedelta(days=3)
    source = await logs_source(session, None, GROUP, since, **hurry.options())
    watched = await follow(source, lambda so_far: so_far.last.state is State.OK)
    (gap,) = watched.coverage.gaps
    assert gap.span.start == since
    assert abs(gap.span.end - (NOW - timedelta(hours=23))) < timedelta(minutes=30)


@pytest.mark.parametrize(
    ("text", "group"),
    [
        ("name", LogGroup("name")),
        (
            "arn:aws:logs:eu-west-1:123456789012:log-group:a/b:*",
            LogGroup("a/b", "eu-west-1", "123456789012", "arn:aws:logs:eu-west-1:123456789012:log-group:a/b"),
        ),
        (
            "arn:aws-cn:logs:cn-north-1:123456789012:log-group:a",
            LogGroup("a", "cn-north-1", "123456789012", "arn:aws-cn:logs:cn-north-1:123456789012:log-group:a"),
        ),
    ],
)
def test_a_group_is_given_by_name_or_arn(text: str, group: LogGroup) -> None:
    assert LogGroup.parse(text) == group


@pytest.mark.parametrize("text", ["", "x" * 513, "arn:aws:s3:::bucket", "arn:aws:logs:eu-west-1:1:log-group:"])
def test_what_is_no_group_is_refused(text: str) -> None:
    with pytest.raises(ConfigurationError):
        LogGroup.parse(text)
