"""moto as a process of its own: quick, has every service of a set-up, evaluates neither patterns nor alarms."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulators.process import Emulator, free_port, post, running


@contextmanager
def started(home: Path) -> Iterator[Emulator]:
    """A moto for a block, with this folder as its home."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        home=home,
        environment={},
        ready=f"{url}/moto-api/",
        within=120,
    ):
        yield Emulator(url)


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One moto for the whole run."""
    with started(tmp_path_factory.mktemp("moto")) as emulator:
        yield emulator


@pytest.fixture
def moto(moto_server: Emulator) -> Emulator:
    """The moto of this run, empty."""
    post(f"{moto_server.url}/moto-api/reset")
    return moto_server
