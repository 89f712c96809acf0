"""The emulators come up, are empty, and keep tests apart."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import boto3
import pytest

from tests.emulators.process import Emulator
from tests.emulators.venv import emulator_venv


def _leave_a_log_group_behind(emulator: Emulator, monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in emulator.environment().items():
        monkeypatch.setenv(name, value)
    logs = boto3.Session().client("logs")
    assert logs.describe_log_groups()["logGroups"] == []
    logs.create_log_group(logGroupName="left-behind")
    assert [group["logGroupName"] for group in logs.describe_log_groups()["logGroups"]] == ["left-behind"]


@pytest.mark.parametrize("turn", ["first", "second"])
def test_ministack_is_empty_for_every_test(ministack: Emulator, turn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave_a_log_group_behind(ministack, monkeypatch)


@pytest.mark.slow
@pytest.mark.parametrize("turn", ["first", "second"])
def test_localemu_is_empty_for_every_test(localemu: Emulator, turn: str, monkeypatch: pytest.MonkeyPatch) -> None:
    _leave_a_log_group_behind(localemu, monkeypatch)


_BUILD = """
import sys
from tests.emulators import venv


def build(home, requirement, python):
    print("building", flush=True)
    (home / "bin").mkdir(parents=True)


venv._build = build
print(venv.emulator_venv("some", "1.0"))
"""


def test_several_processes_build_an_emulator_venv_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMWATCH_EMULATORS", str(tmp_path))
    builders = [
        subprocess.Popen(
            [sys.executable, "-c", _BUILD], stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[2]
        )
        for _ in range(3)
    ]
    said = [builder.communicate(timeout=60)[0].splitlines() for builder in builders]
    assert sorted(len(lines) for lines in said) == [1, 1, 2]


def test_a_broken_off_build_is_started_afresh(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SMWATCH_EMULATORS", str(tmp_path))
    with pytest.raises(RuntimeError, match="no-such-package-of-smwatch"):
        emulator_venv("no-such-package-of-smwatch", "0.0.0")
    left = tmp_path / "no-such-package-of-smwatch-0.0.0"
    assert not (left / ".ready").exists()
