"""The LookupEvents stand-in is as strict as the service."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import urllib.request
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import ClientError

from tests.emulators.lookup_events import LookupEvents
from tests.emulators.records import record

if TYPE_CHECKING:
    from mypy_boto3_cloudtrail import CloudTrailClient

NOW = datetime.now(UTC).replace(microsecond=0)
SOURCE = {"AttributeKey": "EventSource", "AttributeValue": "secretsmanager.amazonaws.com"}


@pytest.fixture
async def service() -> AsyncIterator[LookupEvents]:
    async with LookupEvents(rate=None) as service:
        service.region().add(record(NOW - timedelta(seconds=n // 2)) for n in range(120))
        yield service


def client(url: str, region: str = "eu-west-1") -> CloudTrailClient:
    return boto3.client(
        "cloudtrail",
        region_name=region,
        endpoint_url=url,
        aws_access_key_id="AKIAEXAMPLE",
        aws_secret_access_key="example",
        config=Config(retries={"total_max_attempts": 1}, parameter_validation=False),
    )


async def ask(service: LookupEvents, region: str = "eu-west-1", **request: Any) -> Any:
    asking = client(service.url, region)
    try:
        return await asyncio.to_thread(asking.lookup_events, **request)
    finally:
        asking.close()


async def refused(service: LookupEvents, **request: Any) -> str:
    with pytest.raises(ClientError) as caught:
        await ask(service, **request)
    return caught.value.response["Error"]["Code"]


async def test_pages_are_newest_first_and_hold_fifty(service: LookupEvents) -> None:
    first = await ask(service, LookupAttributes=[SOURCE])
    second = await ask(service, LookupAttributes=[SOURCE], NextToken=first["NextToken"])
    third = await ask(service, LookupAttributes=[SOURCE], NextToken=second["NextToken"])
    events = first["Events"] + second["Events"] + third["Events"]
    assert [len(page["Events"]) for page in (first, second, third)] == [50, 50, 20]
    assert "NextToken" not in third
    assert [event["EventTime"] for event in events] == sorted((e["EventTime"] for e in events), reverse=True)
    assert len({event["EventId"] for event in events}) == 120
    assert json.loads(events[0]["CloudTrailEvent"])["eventID"] == events[0]["EventId"]


async def test_times_are_inclusive_seconds(service: LookupEvents) -> None:
    second = NOW - timedelta(seconds=10)
    page = await ask(service, StartTime=second, EndTime=second)
    assert [event["EventTime"] for event in page["Events"]] == [second, second]


async def test_a_token_belongs_to_its_parameters(service: LookupEvents) -> None:
    token = (await ask(service, LookupAttributes=[SOURCE]))["NextToken"]
    assert await refused(service, NextToken=token) == "InvalidNextTokenException"
    moved = {"LookupAttributes": [SOURCE], "EndTime": NOW, "NextToken": token}
    assert await refused(service, **moved) == "InvalidNextTokenException"
    assert await refused(service, NextToken="made-up") == "InvalidNextTokenException"


@pytest.mark.parametrize(
    ("request_", "code"),
    [
        ({"LookupAttributes": [SOURCE, SOURCE]}, "InvalidLookupAttributesException"),
        ({"LookupAttributes": [{"AttributeKey": "Colour", "AttributeValue": "x"}]}, "InvalidLookupAttributesException"),
        ({"MaxResults": 51}, "InvalidMaxResultsException"),
        ({"MaxResults": 0}, "InvalidMaxResultsException"),
        ({"StartTime": NOW, "EndTime": NOW - timedelta(1)}, "InvalidTimeRangeException"),
        ({"StartTime": NOW - timedelta(91)}, "InvalidTimeRangeException"),
    ],
)
async def test_what_the_service_refuses_is_refused(service: LookupEvents, request_: dict[str, Any], code: str) -> None:
    assert await refused(service, **request_) == code


async def test_regions_are_kept_apart(service: LookupEvents) -> None:
    assert (await ask(service, region="us-east-1"))["Events"] == []


async def test_a_third_call_within_a_second_is_throttled() -> None:
    async with LookupEvents() as service:
        asking = client(service.url)
        codes = []
        for _ in range(4):
            try:
                await asyncio.to_thread(asking.lookup_events)
                codes.append("ok")
            except ClientError as error:
                codes.append(error.response["Error"]["Code"])
        asking.close()
    assert codes[:2] == ["ok", "ok"]
    assert "ThrottlingException" in codes


async def test_an_event_shows_only_after_its_delay(service: LookupEvents) -> None:
    late = record(NOW)
    service.region().add([late], visible_at=service.now() + timedelta(minutes=5))
    attribute = {"AttributeKey": "EventId", "AttributeValue": late["eventID"]}
    assert (await ask(service, LookupAttributes=[attribute]))["Events"] == []
    service.offset = timedelta(minutes=4)
    assert (await ask(service, LookupAttributes=[attribute]))["Events"] == []
    service.frozen = service.now() + timedelta(minutes=5)
    assert len((await ask(service, LookupAttributes=[attribute]))["Events"]) == 1


@pytest.fixture
def process(tmp_path: Path) -> Iterator[str]:
    """The stand-in as a process of its own; its URL."""
    running = subprocess.Popen(
        [sys.executable, "-m", "tests.emulators.lookup_events", "--rate", "0"],
        stdout=subprocess.PIPE,
        text=True,
        cwd=Path(__file__).resolve().parents[2],
        env={"PATH": os.defpath, "HOME": str(tmp_path)},
    )
    assert running.stdout is not None
    yield running.stdout.readline().strip()
    running.terminate()
    running.wait()
    running.stdout.close()


def test_it_is_controlled_from_outside(process: str) -> None:
    def control(what: str, body: dict[str, Any] | None = None) -> Any:
        request = urllib.request.Request(f"{process}/_control/{what}")
        if body is not None:
            request.data = json.dumps(body).encode()
            request.add_header("Content-Type", "application/json")
        with urllib.request.urlopen(request) as answer:
            return json.load(answer)

    soon = {**record(NOW - timedelta(seconds=30)), "_delay": 5}
    control("events", {"events": [soon, {**record(NOW), "_delay": 3600}]})
    control("faults", {"faults": [{"error": "AccessDeniedException"}]})
    asking = client(process)
    with pytest.raises(ClientError, match="AccessDeniedException"):
        asking.lookup_events()
    assert [event["EventId"] for event in asking.lookup_events()["Events"]] == [soon["eventID"]]
    assert [call["answer"][:5] for call in control("calls")] == ["Acces", "ok"]
    asking.close()
