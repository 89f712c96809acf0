"""How long a person waits for the command line."""

from __future__ import annotations

import resource
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.bench.harness import Pair, Row


@contextmanager
def version(size: int) -> Iterator[Pair]:
    """The shortest thing that the command line does."""
    yield Pair(
        lambda: process([sys.executable, "-m", "smwatch", "--version"]),
        lambda: process([sys.executable, "-c", "import click"]),
    )


def process(command: Sequence[str]) -> float:
    """Seconds of work that a process takes from its start to its end."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime


ROWS = (
    Row(
        name="version",
        what="smwatch --version",
        floor='python -c "import click"',
        target=1.3,
        size=1,
        sized="start",
        rounds=15,
        ready=version,
    ),
)
