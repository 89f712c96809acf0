"""The stand-in for a log group gives pages as large as the service's, and each for what it costs by itself."""

from __future__ import annotations

from contextlib import closing
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, SupportsIndex, overload

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulators.log_group import GROUP, Held, LogGroupService
from tests.emulators.loopback import beside

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient

START = datetime(2026, 11, 30, tzinfo=UTC)
RECORD = '{"eventSource":"secretsmanager.amazonaws.com","eventID":"%024d"}'
SIZE = len(RECORD % 0)


def filled(size: int) -> LogGroupService:
    group = LogGroupService(lambda: START + timedelta(hours=1))
    for number in range(size):
        group.put(RECORD % number, START + timedelta(seconds=number))
    return group


def pages(group: LogGroupService, **asked: Any) -> list[list[str]]:
    token: dict[str, Any] = {}
    found = []
    while True:
        answer = group.filtered({"logGroupName": GROUP, **asked, **token})
        found.append([item["message"] for item in answer["events"]])
        if "nextToken" not in answer:
            return found
        token = {"nextToken": answer["nextToken"]}


@pytest.mark.parametrize("head", [True, False])
def test_a_page_holds_so_many_bytes_of_messages(*, head: bool) -> None:
    group = filled(10)
    group.page_bytes = 4 * SIZE
    found = pages(group, startTime=int(START.timestamp() * 1000), startFromHead=head)
    assert [len(page) for page in found] == [4, 4, 2, 0]
    expected = [RECORD % number for number in range(10)]
    assert [message for page in found for message in page] == (expected if head else expected[::-1])


def test_a_message_that_is_larger_than_a_page_has_one_of_its_own() -> None:
    group = filled(3)
    group.page_bytes = SIZE - 1
    assert [len(page) for page in pages(group)] == [1, 1, 1, 0]


def test_a_page_looks_at_no_more_events_than_it_has_room_for() -> None:
    group = filled(1_000)
    group.held = looked = LookedAt(group.held)
    group.page_bytes = 10 * SIZE
    assert len(pages(group, filterPattern='{ $.eventSource = "secretsmanager.amazonaws.com" }')) == 101
    assert looked.times <= 1_000 + 101 + 101 * 4 * len(bin(1_000)), "each once, and the way to the first of a page"


def test_no_more_calls_are_granted_than_the_quota_and_a_second_of_it_at_once() -> None:
    group, at = filled(1), START
    group.now = lambda: at
    group.quota = 10.0
    refused: list[Any] = []

    def granted(client: CloudWatchLogsClient) -> int:
        before = len(refused)
        for _ in range(30):
            try:
                client.filter_log_events(logGroupName=GROUP)
            except ClientError as error:
                refused.append(error.response["Error"])
        return 30 - (len(refused) - before)

    with beside(group), closing(client_of(group)) as client:
        assert granted(client) == 10
        at += timedelta(seconds=0.35)
        assert granted(client) == 3
        at += timedelta(minutes=1)
        assert granted(client) == 10
    assert all(error == {"Code": "ThrottlingException", "Message": "Rate exceeded"} for error in refused)


def client_of(group: LogGroupService) -> CloudWatchLogsClient:
    return boto3.client(
        "logs",
        endpoint_url=group.url,
        region_name="eu-west-1",
        aws_access_key_id="test",
        aws_secret_access_key="test",
        config=Config(retries={"total_max_attempts": 1}),
    )


class LookedAt(list[Held]):
    """Counts how often an event is looked at."""

    times = 0

    @overload
    def __getitem__(self, at: SupportsIndex) -> Held: ...
    @overload
    def __getitem__(self, at: slice) -> list[Held]: ...
    def __getitem__(self, at: SupportsIndex | slice) -> Held | list[Held]:
        found = super().__getitem__(at)
        self.times += len(found) if isinstance(at, slice) else 1
        return found
