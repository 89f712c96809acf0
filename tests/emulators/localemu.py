"""localemu: heavy, but the whole chain runs in it (log event → metric → alarm → SNS → SQS), and IAM policies bite."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.emulators.process import Emulator, free_port, running
from tests.emulators.venv import emulator_venv, interpreter

VERSION = "1.3.2"
_ACCOUNTS = range(100000000001, 100000000200)


@pytest.fixture(scope="session")
def localemu_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One localemu for the whole run."""
    yield from _serve(tmp_path_factory, {})


@pytest.fixture(scope="session")
def localemu_enforcing_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Emulator]:
    """One localemu that evaluates the IAM policies of whoever calls."""
    yield from _serve(tmp_path_factory, {"IAM_ENFORCEMENT": "1", "ROOT_ACCESS_KEYS": ",".join(map(str, _ACCOUNTS))})


@pytest.fixture(scope="session")
def _accounts() -> Iterator[str]:
    return map(str, _ACCOUNTS)


@pytest.fixture
def localemu(localemu_server: Emulator, _accounts: Iterator[str]) -> Emulator:
    """The localemu of this run, in an account nobody has used: it has no reset, but a 12-digit key is an account."""
    return Emulator(localemu_server.url, access_key=next(_accounts))


@pytest.fixture
def localemu_enforcing(localemu_enforcing_server: Emulator, _accounts: Iterator[str]) -> Emulator:
    """The enforcing localemu of this run, as the root of an account nobody has used."""
    return Emulator(localemu_enforcing_server.url, access_key=next(_accounts))


def _serve(folders: pytest.TempPathFactory, environment: dict[str, str]) -> Iterator[Emulator]:
    python = interpreter(3, 13)
    if python is None:
        pytest.skip(f"localemu {VERSION} needs Python 3.13 or newer, and none was found")
    program = emulator_venv("localemu", VERSION, python=python) / "localemu"
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    with running(
        [str(program), "start", "--host", "127.0.0.1", "--port", str(port)],
        home=folders.mktemp("localemu"),
        environment={
            "GATEWAY_SERVER": "hypercorn",  # its default gateway ignores the host and binds every interface
            "GATEWAY_LISTEN": f"127.0.0.1:{port}",
            "DISABLE_EVENTS": "1",
            **environment,
        },
        ready=f"{url}/_localemu/health",
        within=120,
    ):
        yield Emulator(url)
