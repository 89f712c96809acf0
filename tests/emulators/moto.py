"""moto as a process of its own: quick, has every service of a set-up, evaluates neither patterns nor alarms."""

from __future__ import annotations

import sys
from collections.abc import Iterator

import pytest

from tests.emulators.process import Emulator, free_port, post, running


@pytest.fixture(scope="session")
def moto_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One moto for the whole run."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(
        [sys.executable, "-m", "moto.server", "-H", "127.0.0.1", "-p", str(port)],
        home=tmp_path_factory.mktemp("moto"),
        environment={},
        ready=f"{url}/moto-api/",
        within=60,
    ):
        yield Emulator(url)


@pytest.fixture
def moto(moto_server: Emulator) -> Emulator:
    """The moto of this run, empty."""
    post(f"{moto_server.url}/moto-api/reset")
    return moto_server
