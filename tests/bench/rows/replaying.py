"""Recorded trail files, headless."""

from __future__ import annotations

import asyncio
import gzip
import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from time import perf_counter as clock

from smwatch.headless.jsonl import Lines
from smwatch.headless.output import Output
from smwatch.journal import Journal
from smwatch.monitor.monitor import Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.files import FileSource
from smwatch.sources.source import State
from smwatch.store.ledger import Ledger
from tests.bench.harness import Pair, Row, collecting
from tests.bench.rows.parsing import decode
from tests.bench.traffic import trail_files


@contextmanager
def replay(size: int) -> Iterator[Pair]:
    """Trail files as delivered to S3, read, journalled in memory, stored and written out as JSON lines."""
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as out:
        paths = trail_files(Path(folder), size)

        def smwatch() -> float:
            with collecting():
                return replayed()

        def replayed() -> float:
            began = clock()
            engine = Engine(combine(load_builtin()))
            journal, store = Journal(), Ledger(engine=engine)
            lines = Lines(store, journal, json=True, out=Output(out))
            source = FileSource(paths, now=lambda: datetime.now(UTC))
            monitor = Monitor(
                journal, deliver=lines.deliver, selects=engine.selects, now=lambda: datetime.now(UTC), alone=True
            )
            last = asyncio.run(monitor.read_once([source]))
            took = clock() - began
            assert last[source.name].state is State.DONE
            assert journal.last_seq() == size
            journal.close()
            return took

        def floor() -> float:
            began = clock()
            for path in paths:
                with gzip.open(path) as file:
                    decode(file.read())
            return clock() - began

        yield Pair(smwatch, floor)


ROWS = (
    Row(
        name="replay",
        what="replay of .json.gz files, headless, as JSON lines, by the clock",
        floor="gunzip and msgspec.json.decode",
        target=4.0,
        size=1_000_000,
        sized="events",
        rounds=1,
        largest=1_000_000,
        remark="takes half an hour",
        ready=replay,
    ),
)
