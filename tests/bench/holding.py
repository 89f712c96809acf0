"""A process that holds events, for the rows about memory: `python -m tests.bench.holding HOW TRAFFIC COUNT`.

It prints how much resident memory it holds, by /proc, and what that is compared with. Another process makes the records
up: what that takes is not counted. Nor are the 20,000 events before the first one that counts, after which Python, the
reader's tables and the allocators have grown as they do once.
"""

from __future__ import annotations

import argparse
import gc
import os
import subprocess
import sys
from collections.abc import Callable, Iterable, Iterator
from itertools import islice
from pathlib import Path

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from tests.records import AT

BATCH = 500
"""Records that are read and taken in at a time."""
BEFORE = 20_000
"""Events that are there before the first one is counted."""
PART = 20
"""A store holds one of so many events in the end, where it is to stay flat."""


class Holding:
    """A store, and what reads events for it."""

    def __init__(self, store: Store) -> None:
        self._store, self._reader = store, Reader()

    def take(self, batches: Iterable[list[str]]) -> int:
        """Take in all of these, time passing with them; returns how long their texts are together."""
        written, store = 0, self._store
        for texts in batches:
            written += sum(map(len, texts))
            store.add([self._reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in texts])
            store.tick(store.events[-1].at)
        return written


def an_event(traffic: str, count: int) -> tuple[float, float]:
    """Bytes of memory that each of so many events takes, and of its text."""
    holding = Holding(Store(capacity=sys.maxsize))
    holding.take(made(traffic, BEFORE, seed=2))
    before = resident()
    written = holding.take(made(traffic, count))
    return (resident() - before) / count, written / count


def in_time(traffic: str, count: int, engine: Engine | None = None) -> tuple[float, float]:
    """Megabytes that are held after so many events, and after a quarter of them."""
    holding = Holding(Store(capacity=count // PART, engine=engine))
    batches = made(traffic, count)
    holding.take(islice(batches, count // 4 // BATCH))
    before = resident()
    holding.take(batches)
    return resident() / 1e6, before / 1e6


def judged_in_time(traffic: str, count: int) -> tuple[float, float]:
    """The same where all built-in rules judge them."""
    return in_time(traffic, count, Engine(combine(load_builtin())))


def made(traffic: str, count: int, *, seed: int = 1) -> Iterator[list[str]]:
    """So many records, BATCH at a time."""
    command = [sys.executable, "-m", "tests.bench.traffic", traffic, str(count), str(seed)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as maker:
        assert maker.stdout is not None
        while batch := [line.rstrip() for line in islice(maker.stdout, BATCH)]:
            yield batch


def resident() -> int:
    """Bytes of memory that this process holds, what nobody can reach any more left out."""
    gc.collect()
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE")


HOW: dict[str, Callable[[str, int], tuple[float, float]]] = {
    "an-event": an_event,
    "in-time": in_time,
    "judged-in-time": judged_in_time,
}


def main() -> None:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.holding", description=__doc__)
    parser.add_argument("how", choices=HOW)
    parser.add_argument("traffic")
    parser.add_argument("count", type=int)
    options = parser.parse_args()
    print(*HOW[options.how](options.traffic, options.count))


if __name__ == "__main__":
    main()
