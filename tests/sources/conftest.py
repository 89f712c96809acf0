"""Sources against stand-ins of AWS on the loopback."""

from __future__ import annotations

import json
import os
from collections.abc import AsyncIterator, Iterator
from contextlib import closing
from datetime import datetime
from pathlib import Path

import boto3
import pytest

from smwatch.journal import FILE_NAME, Journal
from smwatch.sources.session import AwsSession
from tests.emulators.live_tail import OPENING, LiveTailService, update
from tests.emulators.log_group import LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.emulators.process import Emulator
from tests.sources.hurry import Hurry
from tests.sources.telling import GROUP, Told


@pytest.fixture
def aws_environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home folder without credentials, static keys in the environment, no way to the real AWS; the folder."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        monkeypatch.delenv(name)
    home = tmp_path / "home"
    (home / ".aws").mkdir(parents=True)
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAEXAMPLEEXAMPLE00")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")
    monkeypatch.setenv("AWS_REGION", "eu-west-1")
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    return home


@pytest.fixture
async def history(aws_environment: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[LookupEvents]:
    """LookupEvents, reached the way the AWS libraries reach a custom endpoint."""
    async with LookupEvents(rate=None) as service:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", service.url)
        yield service


@pytest.fixture
async def session(aws_environment: Path) -> AsyncIterator[AwsSession]:
    session = await AwsSession.open()
    yield session
    await session.close()


@pytest.fixture
def hurry() -> Hurry:
    """The clock of what waits without waiting."""
    return Hurry()


@pytest.fixture
async def log_group(
    aws_environment: Path, monkeypatch: pytest.MonkeyPatch, hurry: Hurry
) -> AsyncIterator[LogGroupService]:
    """A log group and its trail, whose time is `hurry`'s."""
    async with LogGroupService(hurry.now) as service:
        for name in ("CLOUDTRAIL", "CLOUDWATCH_LOGS"):
            monkeypatch.setenv(f"AWS_ENDPOINT_URL_{name}", service.url)
        yield service


@pytest.fixture
def told(tmp_path: Path) -> Iterator[Told]:
    """What is said and written of what sources bring into a journal."""
    with closing(Journal(tmp_path / FILE_NAME)) as journal:
        yield Told(journal)


@pytest.fixture
def held_group(moto: Emulator, aws_environment: Path, told: Told) -> str:
    """Where the log group with everything is."""
    client = boto3.client("logs", region_name="eu-west-1", endpoint_url=moto.url)
    client.create_log_group(logGroupName=GROUP)
    client.create_log_stream(logGroupName=GROUP, logStreamName="s")
    stamp = [int(datetime.fromisoformat(one["eventTime"]).timestamp() * 1000) for one in told.held]
    given = [{"timestamp": at, "message": json.dumps(one)} for at, one in zip(stamp, told.held, strict=True)]
    client.put_log_events(logGroupName=GROUP, logStreamName="s", logEvents=given)  # type: ignore[arg-type]
    client.close()
    return moto.url


@pytest.fixture
async def held_live(aws_environment: Path, told: Told) -> AsyncIterator[LiveTailService]:
    """A log group that holds everything but the last record, which comes while a session is open, and is held too."""
    async with LiveTailService() as service:
        for one in told.held:
            at = datetime.fromisoformat(one["eventTime"])
            service.filtered_items.append((at, json.dumps(one), int(at.timestamp() * 1000)))
        at = datetime.fromisoformat(told.held[-1]["eventTime"])
        service.scripts.append([OPENING, update(json.dumps(told.held[-1]), at=int(at.timestamp() * 1000))])
        yield service
