"""A log group over the wire whose events are ingested late, are found later, and fill many pages."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from smwatch.sources.logs import logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from smwatch.sources.tail import Tail
from tests.emulators.log_group import GROUP, LogGroupService
from tests.emulators.records import record
from tests.sources.hurry import Hurry
from tests.sources.reading import read

NOW = datetime.now(UTC).replace(microsecond=0)
HOUR = timedelta(hours=1)


@pytest.fixture
async def service(aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LogGroupService]:
    async with LogGroupService() as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL", service.url)
        yield service


async def source_of(session: AwsSession, hurry: Hurry, **options: Any) -> Tail:
    return await logs_source(session, None, GROUP, NOW - HOUR, **hurry.options() | options)


async def test_pages_are_followed_for_ten_minutes_and_then_asked_for_anew(
    service: LogGroupService, session: AwsSession
) -> None:
    held = [record(NOW - timedelta(minutes=55) + timedelta(seconds=n)) for n in range(12)]
    for one in held:
        service.put(one, datetime.fromisoformat(one["eventTime"]))
    service.page, hurry = 1, Hurry()

    def slowly(operation: str) -> None:
        hurry.slept += 130 if operation == "FilterLogEvents" else 0

    service.before_answer = slowly
    found, last, _ = await read(await source_of(session, hurry))
    assert last.state is State.DONE
    assert {one["eventID"] for one in found} == {one["eventID"] for one in held}
    asked = service.calls("FilterLogEvents")
    settling = [request for request in asked if "endTime" in request]
    assert len({request["endTime"] for request in settling}) == 1
    anew = [request["startTime"] for request in settling if "nextToken" not in request]
    assert len(anew) == 3, "after five pages, and again"
    read_to = [int(datetime.fromisoformat(held[n]["eventTime"]).timestamp() * 1000) for n in (4, 8)]
    assert anew[1:] == [moment - 1 for moment in read_to], "from where it had come to"
