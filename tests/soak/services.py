"""Where smwatch finds the services, and how it is configured for a soak."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import boto3

from smwatch.record import Record
from tests import records
from tests.emulators.moto import started

if TYPE_CHECKING:
    from mypy_boto3_logs.client import CloudWatchLogsClient
    from mypy_boto3_logs.type_defs import InputLogEventTypeDef

REGION = "eu-west-1"
GROUP = "trail"
ROOT = Path(__file__).parents[2]
CONFIG = """
[cloudtrail]
rate = 2.0
sweep_every = "2s"
sweep_lag = "20s"
settle_every = "3s"
settle_lag = "12s"
audit_every = "20s"
[logs]
sweep_every = "1s"
sweep_lag = "10s"
settle_every = "3s"
settle_lag = "6s"
audit_every = "20s"
[store]
capacity = 2000
"""
"""Lags of seconds instead of an hour, so that a minute is as good as days; a store that is soon full, so that from then
on nothing more need be kept."""


def surroundings(folder: Path, history: str, logs: str) -> dict[str, str]:
    """Surroundings in which smwatch asks these two for the event history and the log group."""
    (folder / "config.toml").write_text(CONFIG, encoding="utf-8")
    return {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": str(ROOT),
        "HOME": str(folder),
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_REGION": REGION,
        "AWS_ENDPOINT_URL_CLOUDTRAIL": history,
        "AWS_ENDPOINT_URL_CLOUDWATCH_LOGS": logs,
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def _logs(url: str) -> CloudWatchLogsClient:
    return boto3.client(
        "logs",
        endpoint_url=url,
        region_name=REGION,
        aws_access_key_id="AKIAEXAMPLEEXAMPLE00",
        aws_secret_access_key="example",
    )


@asynccontextmanager
async def log_group(home: Path) -> AsyncIterator[str]:
    """The URL of an empty log group."""
    with started(home) as emulator:
        url = emulator.url
        client = await asyncio.to_thread(_logs, url)
        await asyncio.to_thread(client.create_log_group, logGroupName=GROUP)
        await asyncio.to_thread(client.create_log_stream, logGroupName=GROUP, logStreamName="1")
        yield url


def put(url: str, batch: list[Record], at: datetime) -> None:
    """Have records delivered to the log group."""
    stamp = int(at.timestamp() * 1000)
    events: list[InputLogEventTypeDef] = [{"timestamp": stamp, "message": records.raw(record)} for record in batch]
    _logs(url).put_log_events(logGroupName=GROUP, logStreamName="1", logEvents=events)
