"""Recorded events on the screen, beside two viewers of log files.

Each opens the same file of JSON lines on a terminal. What counts is the time by the clock until the first record is on
it, and the memory at the most until the last one is. The peers show lines as they are: lnav as fast as a disk gives
them, toolong with Textual, as smwatch does. They judge nothing, count nothing, and tell no secrets apart.

Measured only where it is asked for, and lnav only where it is installed:

    SMWATCH_BENCH_PEERS=1 python -m tests.bench view
"""

from __future__ import annotations

import os
import re
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from functools import partial
from operator import attrgetter
from pathlib import Path
from time import perf_counter

import msgspec
import pexpect

from tests.bench.harness import Row, Runs
from tests.bench.traffic import Traffic
from tests.emulators.venv import emulator_venv

TOOLONG_VERSION = "1.5.0"
ROOT = Path(__file__).parents[3]
PATIENCE = 120
"""Seconds for which the last record of a file is waited for."""
LAST = '{"eventVersion":"9.87","'
"""How the last line of the file begins: the two show the end of it once they have been through all."""
_PEAK = re.compile(r"VmHWM:\s+(\d+) kB")


class Viewed(msgspec.Struct, frozen=True):
    """What a program took to show a file."""

    first: float
    """Seconds from its start until a record is on the screen."""
    peak: float
    """MiB of memory at the most, until the last record was."""


def lnav() -> Sequence[str]:
    """The command `lnav`; none where it is not installed."""
    program = shutil.which("lnav")
    return [program] if program else []


def toolong() -> Sequence[str]:
    """The command `tl`."""
    return [str(emulator_venv("toolong", TOOLONG_VERSION) / "tl")]


@contextmanager
def viewing(
    size: int, *, peer: Callable[[], Sequence[str]]
) -> Iterator[tuple[Callable[[], Viewed], Callable[[], Viewed]]]:
    """JSON lines, so many of them; each side opens the file on a terminal of its own.

    `peer` is asked for its command, and may have to be installed for it, only where it is measured.
    """
    with tempfile.TemporaryDirectory() as name:
        path = Path(name, "events.json")
        texts = Traffic().texts(size)
        texts[-1] = LAST + texts[-1].partition('","')[2]
        path.write_text("\n".join((*texts, "")), encoding="utf-8")
        surroundings = {"HOME": name, "PYTHONPATH": str(ROOT)}

        def smwatch() -> Viewed:
            replay = [sys.executable, "-m", "smwatch", "replay", str(path)]
            return viewed(replay, rb"Secret(?!s)\w* ", rb"\b%s events" % f"{size:,}".encode(), surroundings)

        def theirs() -> Viewed:
            return viewed([*peer(), str(path)], rb"eventVersion", rb"9\.87", surroundings)

        yield smwatch, theirs


def viewed(command: Sequence[str], first: bytes, last: bytes, environment: Mapping[str, str]) -> Viewed:
    """Run a program until it has shown something first, and something last."""
    surroundings = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
    began = perf_counter()
    child = pexpect.spawn(
        command[0], list(command[1:]), env={**surroundings, **environment}, dimensions=(50, 160), timeout=PATIENCE
    )
    try:
        if child.expect([first, last]):
            raise AssertionError("the last was shown before the first")
        took = perf_counter() - began
        child.expect([last])
        peak = _PEAK.search(Path(f"/proc/{child.pid}/status").read_text(encoding="ascii"))
        assert peak is not None
        return Viewed(took, int(peak[1]) / 1024)
    finally:
        child.close(force=True)


def _rows(short: str, peer: Callable[[], Sequence[str]]) -> Iterator[Row]:
    runs = Runs(partial(viewing, peer=peer))
    first = Row(
        name=f"view-{short}",
        what="the first of many recorded events on the screen, by the clock",
        floor=short,
        target=1.0,
        size=100_000,
        sized="events",
        rounds=3,
        exact=True,
        largest=100_000,
        remark="minutes",
        ready=partial(runs.told, figure=attrgetter("first")),
    )
    return runs.rows(first, ("memory", "memory at the most until the last one is", "MiB", attrgetter("peak")))


ROWS = (*_rows("lnav", lnav), *_rows("toolong", toolong))
HERE = tuple(row for row in ROWS if lnav() or "lnav" not in row.name)
"""Those whose peer is there, or can be had."""
