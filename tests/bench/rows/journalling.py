"""The journal on disk: opened, and asked for the last hour.

Processor time over one file of a million events. The floor is Python's own sqlite3: it opens the same file and reads
one value, or fetches the same rows by the same index and makes nothing of them.
"""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from functools import partial
from itertools import islice
from pathlib import Path

import msgspec

from smwatch.journal import FILE_NAME, Journal
from tests.bench.harness import Pair, Row, clock
from tests.bench.traffic import PAGE, Traffic, arrivals

LAST = timedelta(hours=1)
NEWEST = "SELECT seq, at, seen_by, seen_at, raw FROM events WHERE at >= ? ORDER BY at DESC, identity DESC LIMIT 100000"


@contextmanager
def journal(size: int, *, opened: bool) -> Iterator[Pair]:
    """A journal of so many events, some 7 in a second; opened anew or, already open, asked for the last hour."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, FILE_NAME)
        traffic = Traffic(per_second=7)
        with closing(Journal(path)) as filled:
            for _ in range(0, size, PAGE):
                last = arrivals(traffic.texts(PAGE))
                filled.commit("logs", last)
        since = last[-1].event.at - LAST
        journal, connection = Journal(path), sqlite3.connect(path)

        def smwatch() -> float:
            began = clock()
            if opened:
                Journal(path).close()
            else:
                assert list(islice(journal.recent(since, size), 100_000))
            return clock() - began

        def floor() -> float:
            began = clock()
            if opened:
                with closing(sqlite3.connect(path)) as again:
                    again.execute("SELECT max(seq) FROM events").fetchone()
            else:
                assert connection.execute(NEWEST, (int(since.timestamp()),)).fetchall()
            return clock() - began

        yield Pair(smwatch, floor)
        journal.close()
        connection.close()


_last_hour = Row(
    name="journal-hour",
    what="events of the last hour",
    floor="sqlite3 reading the same rows",
    target=1.5,
    size=1_000_000,
    sized="events kept",
    largest=1_000_000,
    remark="would fill 20 GB",
    ready=partial(journal, opened=False),
)

ROWS = (
    msgspec.structs.replace(
        _last_hour,
        name="journal-open",
        what="journal opened",
        floor="sqlite3 opening it",
        ready=partial(journal, opened=True),
    ),
    _last_hour,
)
