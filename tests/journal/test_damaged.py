"""Any column of a journal may hold anything: what can't be read is put aside, or the file is; watching goes on."""

from __future__ import annotations

import asyncio
import json
import shutil
import sqlite3
from collections.abc import AsyncIterator
from contextlib import closing
from datetime import UTC, datetime, timedelta
from io import StringIO
from pathlib import Path

import msgspec
import pytest

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.headless.jsonl import Lines
from smwatch.headless.output import Output
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.rules.alarm import Decision, Mute
from smwatch.running.parts import FILTERS, Parts
from smwatch.settings import Settings
from smwatch.sources.coverage import Asked, Audited, Coverage, Gap, Lags, Noted, Span
from smwatch.sources.source import Found, Page, State, Status
from smwatch.store.store import Store
from tests import records
from tests.headless.test_tail import an_account

START = datetime.now(UTC).replace(microsecond=0) - timedelta(hours=3)
HOUR, MINUTE = timedelta(hours=1), timedelta(minutes=1)
NAME = "cloudtrail:111122223333:eu-west-1"
GAP = Gap(Span(START - 2 * HOUR, START - HOUR), "older than what the service keeps")
ROWIDS = frozenset({"events", "told", "shared"})
ID = "{:08}-0000-4000-8000-000000000000"
NEW = ID.format(10)
GARBAGE: tuple[object, ...] = ("garbage", b"\xff\x00{", 1 << 62)
ODD_JSON = (b"null", b"[]", b'{"a": 1}', b'"2026-11-28"', b"-1")
COLUMNS = {
    "events": ("at", "identity", "seen_by", "seen_at", "raw"),
    "told": ("seq",),
    "settled": ("source", "start_us", "end_us"),
    "gaps": ("source", "start_us", "end_us", "reason"),
    "alarms": ("alarm_group", "alarm"),
    "facts": ("name", "value"),
    "corrections": ("original", "at"),
    "shared": ("seq", "call"),
    "printed": ("at", "identity"),
}


class Book:
    """A source with ten records of its first hour, and one of the second that is there from the second time on."""

    name, label, seen_by = NAME, "CloudTrail", SeenBy.CLOUDTRAIL

    def __init__(self, *, again: bool) -> None:
        at = [START + n * MINUTE for n in range(12)]
        self.records: list[Record] = [
            *(records.read(f"prod/s{n}", at=at[n], id=ID.format(n)) for n in range(7)),
            records.read_deleted("prod/gone", at=at[7], id=ID.format(7)),
            records.read("prod/s8", at=at[8], id=ID.format(8), sharedEventID="shared"),
            records.read(
                "prod/s8",
                at=at[9],
                id=ID.format(9),
                addendum={"reason": "UPDATED_DATA", "originalEventID": ID.format(8)},
            ),
        ]
        if again:
            self.records.append(records.read("prod/new", at=START + HOUR, id=NEW))

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """All there is, with what it proves, and then that it is done."""
        span = Span(START, START + HOUR)
        found = tuple(Found(records.raw(record)) for record in self.records)
        yield Page(self.name, self.seen_by, found, START + 2 * HOUR, span, gaps=(GAP,))
        lags = Lags(settle=2 * HOUR, settle_until=START + 9 * HOUR)
        yield Page(self.name, self.seen_by, (), START + 2 * HOUR, noted=Noted(lags=lags))
        audited = Audited(due_at=START + 2 * HOUR, left=(span,), round=span, planned_at=START + HOUR)
        noted = Noted(audited=audited, asked=(Asked(START, START),), swept=(span,))
        yield Page(self.name, self.seen_by, (), START + 2 * HOUR, noted=noted)
        yield Status(self.name, self.label, State.DONE, complete_to=span.end)

    read_once = follow

    async def close(self) -> None:
        """Nothing is held."""


class Run:
    """What `smwatch tail --once --json` does with a journal, and a little of what the screen does."""

    def __init__(self, folder: Path, *, again: bool) -> None:
        settings = Settings(state_dir=str(folder), since=(START - HOUR).isoformat())
        self.parts = parts = Parts(settings, Store, remember=True)
        self.said = [parts.notice]
        out = StringIO()
        prints_from = parts.journal.begin_printing(parts.since)
        lines = Lines(
            parts.store,
            parts.journal,
            json=True,
            keep=parts.keep,
            since=parts.since,
            prints_from=prints_from,
            out=Output(out),
        )

        async def deliver(delivery: Delivery) -> None:
            self.said += [status.message for status in delivery.statuses]
            await lines.deliver(delivery)

        async def run() -> None:
            await parts.monitor(lines.remember).past.recall(parts.looks_back_to, 1000, printing_from=parts.since)
            monitor = parts.monitor(deliver)
            await monitor.past.recall_untold(parts.since)
            await monitor.read_once([Book(again=again)])
            parts.decisions.news()
            while parts.journal.link_older():
                pass

        try:
            asyncio.run(run())
            self.typed = parts.filters_typed
            for event in parts.store.events:
                parts.evidence.record_of(event)
            parts.keep(list(parts.engine.alarms.values()))
            self.alarms = {alarm.rule for alarm in parts.engine.alarms.values()}
            between = parts.journal.between(START - HOUR, START + 2 * HOUR)
            self.journaled = {row.read(Reader()).event.id for row in between}
        finally:
            parts.journal.close()
        told = [json.loads(line) for line in out.getvalue().splitlines()]
        self.printed = [line["id"] for line in told if line["type"] == "event"]


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A state directory that has something of everything."""
    folder = tmp_path_factory.mktemp("whole")
    assert len(Run(folder, again=False).printed) == 10
    with closing(Journal(folder / FILE_NAME)) as journal:
        alarms = journal.alarms()
        decided = Decision(START + HOUR, 0, note="seen")
        facts = {
            "mutes": msgspec.json.encode([Mute(START + 99 * HOUR, rule="SMW-READ-01")]),
            "known since": msgspec.json.encode(START),
            "decision taken": b"abc",
            FILTERS: msgspec.json.encode(["name:Get*"]),
            "decided " + alarms[0].group: msgspec.json.encode((decided, None)),
            "lost " + NAME: msgspec.json.encode(START),
            "account unknown-12345678": b"111122223333",
            "unlinked": b"3",
        }
        journal.keep(alarms, facts)
        with journal._transaction() as db:
            db.execute("INSERT INTO printed VALUES (1, x'00')")
    for table, columns in COLUMNS.items():
        with closing(sqlite3.connect(folder / FILE_NAME)) as db:
            assert db.execute(f"SELECT {', '.join(columns)} FROM {table}").fetchone() is not None, table
    return folder


CASES = [
    *((table, column, garbage) for table, columns in COLUMNS.items() for column in columns for garbage in GARBAGE),
    *((table, column, odd) for table, column in (("alarms", "alarm"), ("facts", "value")) for odd in ODD_JSON),
]


def damage(journal: Path, table: str, column: str, garbage: object) -> None:
    """Put garbage into this column, in each row where SQLite takes it; IntegrityError where it takes it in none."""
    with closing(sqlite3.connect(journal)) as db:
        rows = db.execute(f"SELECT rowid FROM {table}").fetchall() if table in ROWIDS else [(None,)]
        for (rowid,) in rows:
            where = "" if rowid is None else f" WHERE rowid = {rowid}"
            db.execute(f"UPDATE OR IGNORE {table} SET {column} = ?{where}", (garbage,))
        db.commit()


@pytest.mark.parametrize(("table", "column", "garbage"), CASES)
def test_garbage_in_any_column_stops_nothing(
    whole: Path, tmp_path: Path, table: str, column: str, garbage: object
) -> None:
    shutil.copytree(whole, state := tmp_path / "state")
    try:
        damage(state / FILE_NAME, table, column, garbage)
    except sqlite3.IntegrityError:
        pytest.skip("SQLite does not take it")
    run = Run(state, again=True)
    again = Run(state, again=True)
    assert NEW in run.printed
    assert again.printed == [], "each event once"
    assert not any("damaged" in said for said in again.said), "it is put aside once"
    if (table, column) != ("events", "raw") or isinstance(garbage, int | float) or garbage == b"\xff\x00{":
        # a text may be a record, however odd
        everything = {ID.format(n) for n in range(10)} | {NEW}
        assert run.journaled >= everything
        assert again.journaled >= everything
        assert "SMW-DEL-01" in again.alarms


@pytest.mark.parametrize(
    ("table", "column", "says"),
    [
        ("facts", "value", "put aside in it, and ignored: facts "),
        ("alarms", "alarm", "put aside in it, and ignored: alarms SMW-DEL-01:"),
        ("settled", "end_us", "put aside in it, and ignored: settled cloudtrail:"),
        ("events", "seen_by", "an event in it can't be read); it is set aside as journal.sqlite3.corrupt-"),
    ],
)
async def test_the_real_process_says_what_is_damaged_and_goes_on(
    tmp_path: Path, table: str, column: str, says: str
) -> None:
    async with an_account(tmp_path) as account:
        at = datetime.now(UTC) - 30 * MINUTE
        account.history.region().add([records.read_deleted("prod/gone", at=at, id=NEW)])
        account.held.add(NEW)
        account.happen(5)
        await account.read()
        damage(account.state / FILE_NAME, table, column, "garbage")
        account.happen(1, ago=5 * MINUTE)
        printed, code, said = await account.read()
        assert code == 0
        assert says in said
        assert printed == ["event-6"], "each event once"
        assert set(account.journaled()) == account.held
        assert "damaged" not in (await account.read())[2]
