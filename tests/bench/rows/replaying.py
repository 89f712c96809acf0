"""Recorded trail files, headless.

All of `smwatch replay --json` but the start of the process: files to JSON lines on /dev/null, with journal (in memory)
and rules. The floor unpacks the same files and decodes each to dicts, in one thread. `replay` is by the clock,
`replay-cpu` of all threads' work: smwatch reads files in a thread beside the other work.
"""

from __future__ import annotations

import asyncio
import gzip
import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from functools import partial
from operator import attrgetter
from pathlib import Path
from time import perf_counter, process_time

import msgspec

from smwatch.headless.jsonl import Lines
from smwatch.headless.output import Output
from smwatch.journal import Journal
from smwatch.monitor.monitor import Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.files import FileSource
from smwatch.sources.source import State
from smwatch.store.ledger import Ledger
from tests.bench.harness import Row, Runs, collecting
from tests.bench.rows.parsing import decode
from tests.bench.traffic import trail_files


class Spent(msgspec.Struct, frozen=True):
    """Seconds that something took."""

    clock: float
    """What a person waits."""
    processor: float
    """Of work, in all threads."""


def spent(work: Callable[[], object]) -> Spent:
    """Do it."""
    began, worked = perf_counter(), process_time()
    work()
    return Spent(perf_counter() - began, process_time() - worked)


@contextmanager
def replay(size: int) -> Iterator[tuple[Callable[[], Spent], Callable[[], Spent]]]:
    """Trail files as delivered to S3, read, journalled in memory, stored and written out as JSON lines."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as out:
        paths = trail_files(Path(folder), size)

        def smwatch() -> None:
            with collecting():
                replayed()

        def replayed() -> None:
            engine = Engine(combine(load_builtin()))
            journal, store = Journal(), Ledger(engine=engine)
            lines = Lines(store, journal, json=True, out=Output(out))
            source = FileSource(paths, now=lambda: datetime.now(UTC))
            monitor = Monitor(
                journal, deliver=lines.deliver, selects=engine.selects, now=lambda: datetime.now(UTC), alone=True
            )
            last = asyncio.run(monitor.read_once([source]))
            assert last[source.name].state is State.DONE
            assert journal.last_seq() == size
            journal.close()

        def floor() -> None:
            for path in paths:
                with gzip.open(path) as file:
                    decode(file.read())

        yield partial(spent, smwatch), partial(spent, floor)


_runs = Runs(replay)

ROWS = tuple(
    _runs.rows(
        Row(
            name="replay",
            what="replay of .json.gz files, headless, as JSON lines, by the clock",
            floor="gunzip and msgspec.json.decode",
            target=4.0,
            size=1_000_000,
            sized="events",
            rounds=1,
            exact=True,
            largest=1_000_000,
            remark="takes half an hour",
            ready=partial(_runs.told, figure=attrgetter("clock")),
        ),
        ("cpu", "the same, processor: files are read by a thread of their own", "s", attrgetter("processor")),
    )
)
