"""Emulators live in virtual environments of their own: their pins clash with each other and with aiobotocore."""

from __future__ import annotations

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

_ROOT = Path(__file__).resolve().parents[2]
_CACHE = _ROOT / ".cache" / "emulators"


def emulator_venv(package: str, version: str, *, python: Path | None = None) -> Path:
    """Return the bin directory of a virtual environment that holds `package` at `version`, building it if needed.

    It is kept under `.cache/emulators/` of the repository; SMWATCH_EMULATORS names another folder (a CI cache, say).
    Safe to call from several processes at once: one builds, the others wait for it. A build that was broken off is
    started afresh, because only a finished one carries its marker. `python` is the interpreter to build it for, by
    default the running one.
    """
    cache = Path(os.environ.get("SMWATCH_EMULATORS", _CACHE))
    cache.mkdir(parents=True, exist_ok=True)
    home = cache / f"{package}-{version}"
    ready = home / ".ready"
    if ready.exists():
        return home / "bin"
    with (cache / f"{package}-{version}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not ready.exists():
            _build(home, f"{package}=={version}", python or Path(sys.executable))
            ready.touch()
    return home / "bin"


def interpreter(*at_least: int) -> Path | None:
    """Return a Python of that version or newer: the running one, one on the PATH, or one installed beside it."""
    if sys.version_info >= at_least:
        return Path(sys.executable)
    return next((python for python in _pythons() if _reports(python) >= at_least), None)


def _pythons() -> Iterator[Path]:
    names = [f"python3.{minor}" for minor in range(sys.version_info.minor + 1, sys.version_info.minor + 6)]
    for name in names:
        if found := shutil.which(name):
            yield Path(found)
        home = Path(sys.base_prefix)
        yield from home.parent.glob(f"*/bin/{name}")
        yield from home.parent.parent.glob(f"*/*/bin/{name}")


def _reports(python: Path) -> tuple[int, ...]:
    """Return the version it says it is; () if it does not run (a shim of something not installed, say)."""
    question = "import sys; print(*sys.version_info[:2])"
    done = subprocess.run(
        [python, "-c", question], stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False
    )
    return tuple(map(int, done.stdout.split())) if done.returncode == 0 else ()


def _build(home: Path, requirement: str, python: Path) -> None:
    if home.exists():
        shutil.rmtree(home)
    _run(str(python), "-m", "venv", str(home))
    _run(str(home / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", requirement)


def _run(*command: str) -> None:
    done = subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"{' '.join(command)} ended with {done.returncode}:\n{done.stdout}{done.stderr}")
