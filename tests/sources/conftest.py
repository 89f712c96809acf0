"""Sources against stand-ins of AWS on the loopback."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from moto.server import ThreadedMotoServer

from smwatch.sources.session import AwsSession
from tests.emulators.lookup_events import LookupEvents


@pytest.fixture(scope="module")
def moto() -> Iterator[str]:
    """CloudWatch Logs as moto has it; its URL."""
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    yield f"http://{host}:{port}"
    server.stop()


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
