"""ministack: small, ready in 0.3 s; stores a set-up faithfully, evaluates no filter pattern."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.process import Emulator, free_port, post, running
from tests.emulators.venv import emulator_venv

VERSION = "1.5.33"


@pytest.fixture(scope="session")
def ministack_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One ministack for the whole run."""
    program = emulator_venv("ministack", VERSION) / "ministack"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(
        [str(program)],
        home=tmp_path_factory.mktemp("ministack"),
        environment={
            "GATEWAY_PORT": str(port),
            "BIND_HOST": "127.0.0.1",  # its default is every interface
            "IOT_MTLS_ENABLED": "0",  # or it opens a port of its own
            "SFTP_ENABLED": "0",
            "CLOUDTRAIL_RECORDING": "1",
        },
        ready=f"{url}/_ministack/health",
        within=120,
    ):
        yield Emulator(url)


@pytest.fixture
def ministack(ministack_server: Emulator) -> Emulator:
    """The ministack of this run, empty."""
    post(f"{ministack_server.url}/_ministack/reset")
    return ministack_server
