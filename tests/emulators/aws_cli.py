"""The AWS CLI, to run commands as people paste them; in a virtual environment of its own, as it pins its botocore."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

from tests.emulators.venv import emulator_venv

VERSION = "1.46.3"


@pytest.fixture(scope="session")
def aws_cli() -> Path:
    """The program `aws`."""
    return emulator_venv("awscli", VERSION) / "aws"


def pasted(program: Path, command: str) -> None:
    """Run a command that begins with `aws` in a shell, with the standard AWS variables of this process."""
    done = subprocess.run(
        ["/bin/sh", "-c", command],
        env={**os.environ, "PATH": f"{program.parent}{os.pathsep}{os.environ.get('PATH', os.defpath)}"},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, f"{command}\n{done.stdout}{done.stderr}"
