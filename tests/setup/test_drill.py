"""The drill as a process of its own: whenever Ctrl-C comes, no secret is left behind."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.emulators.gate import Gate, gate
from tests.emulators.process import Emulator
from tests.setup.account import Account

HERE = "us-east-1"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
def gated(account: Account, moto: Emulator) -> Iterator[Gate]:
    """The way to an empty account, with a gate on it."""
    with gate(moto.url) as made:
        yield made


@contextmanager
def drilling(through: Gate, home: Path, *options: str) -> Iterator[subprocess.Popen[str]]:
    """Run `smwatch drill` until the block ends."""
    process = subprocess.Popen(
        [sys.executable, "-m", "smwatch", "drill", "--yes", *options],
        cwd=ROOT,
        env={
            "PATH": os.environ["PATH"],
            "HOME": str(home),
            "XDG_CONFIG_HOME": str(home),
            **Emulator(through.url).environment(),
        },
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    said, told = process.communicate(timeout=60)
    assert "Traceback" not in told, told
    return process.returncode, said, told


def secrets(account: Account) -> list[str]:
    found = account.aws.secretsmanager(HERE).list_secrets(IncludePlannedDeletion=True)["SecretList"]
    return [each["Name"] for each in found]


def told_until(process: subprocess.Popen[str], words: str) -> str:
    assert process.stderr is not None
    told = ""
    while words not in told:
        line = process.stderr.readline()
        assert line, told
        told += line
    return told


SIGNALS = [signal.SIGINT, signal.SIGTERM, signal.SIGHUP]
PHASES = [
    pytest.param("DeleteSecret", True, id="before its deletion is scheduled"),
    pytest.param("DeleteSecret", False, id="when its deletion was scheduled"),
    pytest.param("GetSecretValue", True, id="before it is read"),
    pytest.param("GetSecretValue", False, id="when reading was refused"),
    pytest.param("LookupEvents", True, id="while waiting"),
]


@pytest.mark.slow
@pytest.mark.parametrize(("operation", "before"), PHASES)
def test_ctrl_c_leaves_no_secret_behind(
    account: Account, gated: Gate, tmp_path: Path, operation: str, before: bool
) -> None:
    gated.hold(operation, before=before)
    with drilling(gated, tmp_path) as process:
        assert gated.reached.wait(timeout=60)
        process.send_signal(signal.SIGINT)
        code, _, told = ended(process)
    assert code == 1
    assert "Interrupted" in told
    assert secrets(account) == []


@pytest.mark.slow
@pytest.mark.parametrize("sign", SIGNALS, ids=lambda sign: sign.name)
@pytest.mark.parametrize("before", [True, False], ids=["before the secret is made", "before the answer"])
def test_a_signal_while_the_secret_is_made_waits_for_the_answer(
    account: Account, gated: Gate, tmp_path: Path, sign: signal.Signals, before: bool
) -> None:
    gated.hold("CreateSecret", before=before)
    with drilling(gated, tmp_path) as process:
        assert gated.reached.wait(timeout=60)
        process.send_signal(sign)
        told_until(process, "A moment")
        gated.open()
        code, _, told = ended(process)
    assert code == 1
    assert "Deleted" in told
    assert secrets(account) == []


def test_a_signal_while_it_cleans_up_waits_too(account: Account, gated: Gate, tmp_path: Path) -> None:
    gated.hold("LookupEvents", before=True)
    with drilling(gated, tmp_path) as process:
        assert gated.reached.wait(timeout=60)
        gated.hold("DeleteSecret", before=True)
        process.send_signal(signal.SIGINT)
        assert gated.reached.wait(timeout=60)
        process.send_signal(signal.SIGINT)
        told_until(process, "A moment")
        gated.open()
        code, said, told = ended(process)
    assert code == 1
    assert "Deleted" in told
    assert "reading refused" in said
    assert secrets(account) == []


def test_who_can_not_wait_is_told_what_to_do_by_hand(gated: Gate, tmp_path: Path) -> None:
    gated.hold("LookupEvents", before=True)
    with drilling(gated, tmp_path) as process:
        assert gated.reached.wait(timeout=60)
        gated.hold("DeleteSecret", before=True)
        process.send_signal(signal.SIGINT)
        assert gated.reached.wait(timeout=60)
        for _ in range(2):
            process.send_signal(signal.SIGINT)
            told_until(process, "A moment")
        process.send_signal(signal.SIGINT)
        code, _, told = ended(process)
    assert code == 1
    assert "By hand: aws secretsmanager delete-secret --secret-id smwatch-drill-" in told


def test_without_consent_nothing_is_made(account: Account, gated: Gate, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "smwatch", "drill"],
        cwd=ROOT,
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path), **Emulator(gated.url).environment()},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 2
    assert "There is nobody to ask: add --yes." in done.stderr
    assert "Makes the secret smwatch-drill-" in done.stderr
    assert secrets(account) == []
