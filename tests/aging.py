"""Weeks in minutes: what one process holds day after day, once its store is full and its caches are.

    python -m tests.aging                     two months of 1,500 events a day; a line a day, and the verdict
    python -m tests.aging --trace             and the lines of code whose memory grew in the second half

Events of a busy account, whose sessions, keys and addresses change all the time, go the way of `smwatch tail` with
dossiers: monitor, journal on the disk (kept for two days), store of 2,000, all rules, lines. Their times are the clock.
Counted is what is alive (blocks that Python has allocated), which the resident memory follows in steps. Some of it is
meant to grow, to bounds that months don't reach: alarms, and who did what for the first time (10,000 of each).
"""

from __future__ import annotations

import argparse
import asyncio
import gc
import os
import statistics
import sys
import tempfile
import tracemalloc
from collections import Counter
from datetime import timedelta
from pathlib import Path

from smwatch.headless.jsonl import Lines
from smwatch.headless.output import Output
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.monitor import Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from tests.bench.holding import resident
from tests.bench.traffic import Pages, Traffic
from tests.records import AT

DAY = timedelta(days=1)
HOURS = 24
CAPACITY = 2_000
RETENTION = timedelta(days=2)
GROWTH = 1.1
"""What may be alive on the days of the last quarter, compared with those of the second: some MiB in a month."""


class Process:
    """All of `smwatch tail` but its sources."""

    def __init__(self, folder: Path, per_day: int, out: Output) -> None:
        self.now = AT
        self._per_hour = per_day // HOURS
        self._journal = Journal(folder / FILE_NAME)
        self._engine = Engine(combine(load_builtin()))
        store = Store(capacity=CAPACITY, engine=self._engine)
        self._lines = Lines(store, self._journal, json=True, out=out)
        self._monitor = Monitor(
            self._journal, deliver=self._lines.deliver, selects=self._engine.selects, now=lambda: self.now, alone=True
        )
        self._traffic = Traffic(start=AT, per_second=per_day / DAY.total_seconds())

    async def live(self) -> None:
        """One more day."""
        for _ in range(HOURS):
            self.now += DAY / HOURS
            await self._monitor.read_once([Pages(self._traffic.texts(self._per_hour))])
            await self._lines.tick(self.now)
            while self._journal.prune(self.now - RETENTION):
                pass

    @property
    def alarms(self) -> int:
        """How many it remembers."""
        return len(self._engine.alarms)

    def close(self) -> None:
        """Leave the journal."""
        self._journal.close()


def growth(blocks: list[int]) -> float:
    """The last quarter by the second one."""
    quarter = len(blocks) // 4
    return statistics.median(blocks[-quarter:]) / statistics.median(blocks[quarter : 2 * quarter])


async def age(days: int, per_day: int, *, trace: bool = False, told: bool = True) -> list[int]:
    """Live so long; the blocks that were alive at the end of each day."""
    blocks: list[int] = []
    kinds: Counter[str] = Counter()
    middle: tracemalloc.Snapshot | None = None
    if trace:
        tracemalloc.start(8)
    with tempfile.TemporaryDirectory() as folder, Path(os.devnull).open("w", encoding="utf-8") as nowhere:  # noqa: ASYNC230
        process = Process(Path(folder), per_day, Output(nowhere))
        for day in range(1, days + 1):
            await process.live()
            gc.collect()
            blocks.append(sys.getallocatedblocks())
            if told:
                held = f"{blocks[-1]:>9,} blocks alive  {resident() / 2**20:.1f} MiB resident"
                print(f"day {day:>3}  {held}  {process.alarms:,} alarms", flush=True)
            if day == days // 2:
                kinds = Counter(type(each).__qualname__ for each in gc.get_objects())
                middle = tracemalloc.take_snapshot() if trace else None
        if told:
            more = Counter(type(each).__qualname__ for each in gc.get_objects())
            more.subtract(kinds)
            print("more of:", ", ".join(f"{kind} {count:+,}" for kind, count in more.most_common(8)))
        if middle is not None:
            for line in tracemalloc.take_snapshot().compare_to(middle, "traceback")[:12]:
                print(f"{line.size_diff / 1024:+,.0f} KiB", *line.traceback.format()[-6:], sep="\n")
        process.close()
    return blocks


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--days", type=int, default=60)
    parser.add_argument("--per-day", type=int, default=1_500)
    parser.add_argument("--trace", action="store_true", help="say what grew, ten times as slowly")
    options = parser.parse_args()
    grown = growth(asyncio.run(age(options.days, options.per_day, trace=options.trace)))
    print(f"alive in the last quarter: {grown:.3f} times of what it was in the second")
    sys.exit(grown > GROWTH)
