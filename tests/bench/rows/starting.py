"""How long a person waits for the command line.

Each round starts a program on a terminal and takes the time by the clock from its start until a text that tells is
written to the terminal: a word of the first frame, of the footer (the whole screen), of an event, or the number of all
events. The floor is the first frame of a Textual app with one word on it, started in the same way; also for the whole
screen, for which it does much less. For `filled-journal` it is sqlite3 reading the same rows, for `version` the
processor time of a Python that imports click.
"""

from __future__ import annotations

import os
import re
import resource
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from time import perf_counter

import msgspec
import pexpect

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from tests.bench.harness import Pair, Row
from tests.bench.rows.journalling import NEWEST
from tests.bench.traffic import PAGE, Traffic

PATIENCE = 60
"""Seconds for which a first frame is waited for."""
EMPTY = """
from textual.app import App
from textual.widgets import Static
class Empty(App):
    def compose(self):
        yield Static("smwatch")
Empty().run()
"""
"""An empty Textual app but for the word by which its first frame is known."""


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


NAME = re.compile(rb"(?<!\x1b\]2;)smwatch")
"""It stands in every first frame; in the terminal's title, too, which is set before."""
WHOLE = re.compile(rb"quit")
"""A key that the footer names: it is painted last."""
EVENT = re.compile(rb"GetSecretValue")
"""What most of the events are, of which the newest are to be seen."""


@contextmanager
def demonstrated(size: int, *, until: re.Pattern[bytes] = NAME) -> Iterator[Pair]:
    """The demo, which begins with nothing."""
    with tempfile.TemporaryDirectory() as home:
        yield Pair(
            partial(painted, until, [sys.executable, "-m", "smwatch", "demo"], {"HOME": home}),
            partial(painted, NAME, [sys.executable, "-c", EMPTY], {"HOME": home}),
        )


@contextmanager
def remembered(size: int, *, until: re.Pattern[bytes] = NAME) -> Iterator[Pair]:
    """A screen over a journal that is full already."""
    with tempfile.TemporaryDirectory() as home:
        fill(Path(home) / FILE_NAME, size)
        yield Pair(
            partial(painted, until, _watching(home), _nowhere(home)),
            partial(painted, NAME, [sys.executable, "-c", EMPTY], _nowhere(home)),
        )


@contextmanager
def filled(size: int) -> Iterator[Pair]:
    """A screen over a journal, until it says that it has all of its events."""
    with tempfile.TemporaryDirectory() as home:
        path = Path(home) / FILE_NAME
        fill(path, size)
        all_of_them = re.compile(f"{size:,} events".encode())

        def read() -> float:
            began = perf_counter()
            with closing(sqlite3.connect(path)) as connection:
                assert len(connection.execute(NEWEST, (0,)).fetchall()) == size
            return perf_counter() - began

        yield Pair(partial(painted, all_of_them, _watching(home), _nowhere(home)), read)


def _watching(home: str) -> list[str]:
    return [sys.executable, "-m", "smwatch", "--state-dir", home]


def _nowhere(home: str) -> Mapping[str, str]:
    """Surroundings in which AWS is not there."""
    return {
        "HOME": home,
        "AWS_ENDPOINT_URL": "http://127.0.0.1:9",
        "AWS_REGION": "eu-west-1",
        "AWS_ACCESS_KEY_ID": "AKIAEXAMPLEEXAMPLE00",
        "AWS_SECRET_ACCESS_KEY": "example",
        "AWS_EC2_METADATA_DISABLED": "true",
    }


def fill(path: Path, count: int) -> None:
    """Write a journal of so many events of the last hour."""
    reader, journal = Reader(), Journal(path)
    traffic = Traffic(start=datetime.now(UTC) - timedelta(hours=1), per_second=max(1.0, count / 3600))
    for start in range(0, count, PAGE):
        texts = traffic.texts(min(PAGE, count - start))
        seen_at = datetime.now(UTC)
        journal.commit("logs", [reader.read(text, seen_by=SeenBy.LOGS, seen_at=seen_at) for text in texts])
    journal.close()


def painted(what: re.Pattern[bytes], command: Sequence[str], environment: Mapping[str, str]) -> float:
    """Seconds by the clock until a program on a terminal has painted something."""
    surroundings = {"TERM": "xterm-256color", "COLORTERM": "truecolor", "LANG": "C.UTF-8", "PATH": os.environ["PATH"]}
    surroundings |= {"PYTHONPATH": str(Path.cwd()), **environment}
    began = perf_counter()
    child = pexpect.spawn(command[0], list(command[1:]), env=surroundings, dimensions=(50, 160), timeout=PATIENCE)
    try:
        child.expect_exact(b"\x1b[?1049h")
        child.expect([what])
        return perf_counter() - began
    finally:
        child.close(force=True)


_demo = Row(
    name="first-demo",
    what="first frame of smwatch demo, by the clock",
    floor="an empty Textual app's",
    target=1.2,
    size=1,
    sized="start",
    rounds=9,
    largest=1,
    ready=demonstrated,
)

_journal = msgspec.structs.replace(
    _demo,
    name="first-journal",
    what="first frame of smwatch over its journal, by the clock",
    target=1.4,
    size=100_000,
    sized="events kept",
    largest=1_000_000,
    ready=remembered,
)


def _whole(row: Row, target: float, ready: Callable[..., object]) -> Row:
    return msgspec.structs.replace(
        row,
        name=f"{row.name}-whole",
        what=row.what.replace("first frame", "whole screen"),
        target=target,
        ready=partial(ready, until=WHOLE),
    )


ROWS = (
    _demo,
    _whole(_demo, 1.6, demonstrated),
    _journal,
    _whole(_journal, 1.6, remembered),
    msgspec.structs.replace(
        _journal,
        name="first-journal-event",
        what="first event of smwatch over its journal on the screen, by the clock",
        target=1.6,
        ready=partial(remembered, until=EVENT),
    ),
    msgspec.structs.replace(
        _journal,
        name="filled-journal",
        what="all events of a journal in the stream, from the start of smwatch, by the clock",
        floor="sqlite3 reading the same rows",
        target=2.0,
        absolute=True,
        size=40_000,
        rounds=3,
        largest=40_000,
        remark="the store holds no more",
        ready=filled,
    ),
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
