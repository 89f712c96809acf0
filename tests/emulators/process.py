"""An emulator as a process of its own on a free loopback port."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Emulator:
    """Where an emulator listens, and as whom to talk to it."""

    url: str
    access_key: str = "test"
    secret_key: str = "test"
    region: str = "us-east-1"

    def environment(self) -> dict[str, str]:
        """Return the standard AWS variables that send every client there, and none of the machine's own."""
        return {
            "AWS_ENDPOINT_URL": self.url,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_REGION": self.region,
            "AWS_DEFAULT_REGION": self.region,
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
            "AWS_EC2_METADATA_DISABLED": "true",
            "AWS_DISABLE_HOST_PREFIX_INJECTION": "true",
        }


def free_port() -> int:
    """Return a loopback port that nobody listens on right now."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
    return port


@contextmanager
def running(
    command: Sequence[str], *, home: Path, environment: Mapping[str, str], ready: str, within: float
) -> Iterator[None]:
    """Run `command` until the block ends; the block begins when a GET of `ready` answers 200.

    The process gets a bare environment with `home` as its home and temporary folder; its output is kept in
    `home/log` and shown if it does not come up `within` so many seconds.
    """
    home.mkdir(parents=True, exist_ok=True)
    log = home / "log"
    variables = {"PATH": os.environ.get("PATH", os.defpath), "HOME": str(home), "TMPDIR": str(home), **environment}
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=home,
            env=variables,
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
        )
    try:
        deadline = time.monotonic() + within
        while not _answers(ready):
            if process.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError(f"{command[0]} did not come up:\n{log.read_text(errors='replace')}")
            time.sleep(0.05)
        yield
    finally:
        _end(process)


def post(url: str) -> None:
    """POST nothing to `url` and want a 2xx answer."""
    with urllib.request.urlopen(urllib.request.Request(url, data=b"", method="POST"), timeout=30) as answer:
        answer.read()


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=2) as answer:
            return bool(answer.status == 200)
    except urllib.error.HTTPError as refused:
        refused.close()
        return False
    except OSError:
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """End the process and whatever it started: it leads a process group of its own."""
    for sign in (signal.SIGTERM, signal.SIGKILL):
        try:
            os.killpg(process.pid, sign)
            process.wait(timeout=2)  # localemu does not heed the first
        except ProcessLookupError:
            break
        except subprocess.TimeoutExpired:
            continue
    process.wait(timeout=60)
