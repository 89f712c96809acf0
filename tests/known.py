"""What smwatch knows of records that come one by one: through a monitor into a journal, a store and printed lines."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Iterable
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec

from smwatch.events.event import Arrival, SeenBy
from smwatch.headless.lines import event_line
from smwatch.journal import MIGRATIONS, Journal
from smwatch.journal.rows import rows_of
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.monitor import Monitor
from smwatch.record import Record
from smwatch.rules.alarm import Alarm
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.sources.coverage import Coverage
from smwatch.sources.source import Found, Page, Status
from smwatch.store.store import Store
from tests import records

DAY = timedelta(days=1)


class Known:
    """One run; close its journal in the end."""

    def __init__(self, path: Path | None = None) -> None:
        """Over the journal at `path`; None keeps it in memory."""
        self._path = path
        self.journal = Journal(path)
        self.store = Store(engine=Engine(combine(load_builtin())))
        self.lines: list[dict[str, Any]] = []
        """What `--json` would have printed of events."""
        self.monitor = Monitor(
            self.journal, deliver=self._deliver, selects=lambda _: False, now=lambda: records.AT + timedelta(hours=1)
        )

    async def read(self, *found: Record) -> None:
        """A source brings these records."""
        await self.monitor.read_once([Bringing(found)])

    async def restarted(self) -> Known:
        """The next run, which has recalled what the journal holds."""
        self.journal.close()
        again = Known(self._path)
        engine = Engine(combine(load_builtin()))
        engine.restore(again.journal.alarms())
        again.store = Store(engine=engine)
        again.store.recall()
        await again.monitor.past.recall(records.AT - DAY, 10_000)
        return again

    def restart_memory(self) -> None:
        """As after very many events: the store has let go of all it had, the journal has not."""
        self.store = Store(engine=Engine(combine(load_builtin())))

    def alarms(self, rule: str) -> list[Alarm]:
        """The alarms of a rule."""
        return [alarm for alarm in self.store.alarms.values() if alarm.rule == rule]

    @property
    def printed(self) -> list[str]:
        """The eventIDs of the lines."""
        return [line["id"] for line in self.lines]

    async def _deliver(self, delivery: Delivery) -> None:
        self.store.fold(delivery.renamed)
        self.journal.keep(self.store.add([arrival for _, arrival in delivery.arrivals]).alarms.values())
        self.lines += [msgspec.json.decode(event_line(arrival)) for _, arrival in delivery.arrivals]


class Bringing:
    """A source that brings what it was given."""

    name, label, seen_by = "logs", "Logs", SeenBy.LOGS

    def __init__(self, given: Iterable[Record], *, ends: bool = True) -> None:
        self._ends = ends
        self._page = Page(self.name, self.seen_by, tuple(Found(records.raw(each)) for each in given), records.AT)

    async def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """The one page."""
        del coverage
        yield self._page
        if not self._ends:
            await asyncio.Event().wait()

    follow = read_once

    async def close(self) -> None:
        """There is nothing to close."""


def journal_of_version(path: Path, number: int, arrivals: Iterable[Arrival] = ()) -> sqlite3.Connection:
    """A journal as an older smwatch left it."""
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    for statement in (one for migration in MIGRATIONS[:number] for one in migration):
        db.execute(statement)
    db.execute(f"PRAGMA user_version = {number}")
    rows = rows_of(1, arrivals, whole=True)
    db.executemany("INSERT INTO events VALUES (?, ?, ?, ?, ?, ?)", rows)
    return db
