"""What a journal that can't be written to holds, taken over into one in memory, which can."""

from __future__ import annotations

import sqlite3
from pathlib import Path

from smwatch.journal import file
from smwatch.journal.errors import JournalCorruptError
from smwatch.journal.schema import MIGRATIONS, check, version

STILL_READ = 49 * 3600
"""Of so many seconds before the newest event each one is known: they are read again by audits."""
_EVENTS = "SELECT seq, at, identity, seen_by, seen_at, {raw} FROM events"


def copy(path: Path, db: sqlite3.Connection, keep: int) -> None:
    """Take over a journal, of whatever version, into an empty database: of its events the newest `keep`.

    JournalError, or what SQLite says, where it can't be read.
    """
    kept = file.connect_to_read(path)
    try:
        found = version(kept)
        if not found:
            raise JournalCorruptError("it is no journal")
        check(kept)
        db.execute("BEGIN")
        for statement in (one for migration in MIGRATIONS[:found] for one in migration):
            db.execute(statement)
        _copy_events(kept, db, keep)
        for (table,) in kept.execute(
            "SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        ):
            if table != "events":
                _copy_rows(kept, db, table, f"SELECT * FROM {table}")  # noqa: S608 - a journal's own
        for table in ("told", "shared"):  # the numbers of other events will be given anew
            if db.execute("SELECT 1 FROM sqlite_master WHERE name = ?", (table,)).fetchone():
                db.execute(f"DELETE FROM {table} WHERE seq NOT IN (SELECT seq FROM events)")  # noqa: S608
        db.execute(f"PRAGMA user_version = {found}")
        db.execute("COMMIT")
    except sqlite3.OperationalError as error:
        if error.sqlite_errorcode == sqlite3.SQLITE_ERROR:
            raise JournalCorruptError(f"it is not what its version says: {error}") from error
        raise
    finally:
        kept.close()


def _copy_events(kept: sqlite3.Connection, db: sqlite3.Connection, keep: int) -> None:
    newest = "ORDER BY at DESC, identity DESC LIMIT ?"
    _copy_rows(kept, db, "events", f"{_EVENTS.format(raw='raw')} {newest}", keep)
    end, start = db.execute("SELECT max(at), min(at) FROM events").fetchone()
    if end is not None and start > end - STILL_READ:
        others = f"{_EVENTS.format(raw='NULL')} WHERE at <= ? AND at > ?"
        _copy_rows(kept, db, "events", others, start, end - STILL_READ)


def _copy_rows(kept: sqlite3.Connection, db: sqlite3.Connection, table: str, select: str, *given: int) -> None:
    rows = kept.execute(select, given)
    places = ", ".join("?" * len(rows.description))
    db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({places})", rows)  # noqa: S608
