"""The tables of a journal, and how older ones become the newest."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable

from smwatch.journal.errors import JournalCorruptError, JournalError

MIGRATIONS: tuple[tuple[str, ...], ...] = (
    (
        """CREATE TABLE events (
          seq INTEGER PRIMARY KEY AUTOINCREMENT,  -- order of arrival, never used twice
          at INTEGER NOT NULL,                    -- eventTime, seconds since the epoch
          identity BLOB NOT NULL,                 -- eventID and recipient account, as in Event.key
          seen_by TEXT NOT NULL,
          seen_at INTEGER NOT NULL,               -- milliseconds since the epoch, server time
          raw BLOB                                -- the record, untouched; NULL once a journal in memory forgot it
        )""",
        "CREATE UNIQUE INDEX events_identity ON events (identity)",
        "CREATE INDEX events_at ON events (at)",
        "CREATE TABLE told (seq INTEGER PRIMARY KEY)",  # events that `smwatch tail` has printed
        """CREATE TABLE settled (
          source TEXT, start_us INTEGER, end_us INTEGER, PRIMARY KEY (source, start_us)
        ) WITHOUT ROWID""",
        """CREATE TABLE gaps (
          source TEXT, start_us INTEGER, end_us INTEGER, reason TEXT, PRIMARY KEY (source, start_us, end_us)
        ) WITHOUT ROWID""",
        "CREATE TABLE alarms (alarm_group TEXT PRIMARY KEY, alarm BLOB NOT NULL) WITHOUT ROWID",
        "CREATE TABLE facts (name TEXT PRIMARY KEY, value BLOB NOT NULL) WITHOUT ROWID",
    ),
    (
        # One index in the order of Event.key instead of two: identities are random, so that an index over them alone
        # is written to all over, while events come nearly in the order of their times.
        "CREATE UNIQUE INDEX events_key ON events (at, identity)",
        "DROP INDEX events_identity",
        "DROP INDEX events_at",
    ),
    (
        # Records that belong together: see links.py. What is journaled already is looked through bit by bit.
        "CREATE TABLE corrections (original BLOB PRIMARY KEY, at INTEGER NOT NULL) WITHOUT ROWID",
        "CREATE TABLE shared (seq INTEGER PRIMARY KEY, call BLOB NOT NULL)",
        "CREATE INDEX shared_call ON shared (call)",
        """INSERT INTO facts SELECT 'unlinked', CAST(newest AS BLOB)
          FROM (SELECT max(seq) AS newest FROM events) WHERE newest IS NOT NULL""",
    ),
    (
        # What `smwatch tail` has printed according to a damaged journal that was set aside, by the keys of events.
        "CREATE TABLE printed (at INTEGER, identity BLOB, PRIMARY KEY (at, identity)) WITHOUT ROWID",
    ),
    (
        # How late a source's records are: for the settle alone before, for sweeps as well from now on.
        """UPDATE facts SET
          name = replace(name, 'settle_lag ', 'lags '),
          value = CAST('{"settle":' || CAST(value AS TEXT) || '}' AS BLOB)
          WHERE name GLOB 'settle_lag *'""",
    ),
    (
        # How `smwatch tail` has written each alarm: what an older one that printed had of alarms, it had printed.
        """INSERT INTO facts SELECT 'written alarm ' || alarm_group, CAST(written AS BLOB)
          FROM (
            SELECT alarm_group, json_array(
              json_extract(alarm, '$.state'), json_extract(alarm, '$.severity'), json_extract(alarm, '$.count'),
              json_extract(alarm, '$.first_at'), json_extract(alarm, '$.last_at')
            ) AS written
            FROM (SELECT alarm_group, CAST(alarm AS TEXT) AS alarm FROM alarms WHERE json_valid(CAST(alarm AS TEXT)))
          )
          WHERE EXISTS (SELECT 1 FROM told) AND NOT EXISTS (SELECT 1 FROM facts WHERE name GLOB 'written alarm *')
            AND NOT EXISTS (SELECT 1 FROM json_each(written) WHERE type = 'null')""",
    ),
    (
        # How far log groups were said to be complete before it was by when records happened, not were delivered.
        """INSERT OR IGNORE INTO facts
          SELECT 'said ' || source, CAST(strftime('"%Y-%m-%dT%H:%M:%fZ"', end_us / 1000000.0, 'unixepoch') AS BLOB)
          FROM (SELECT source, min(end_us) AS end_us FROM settled WHERE source GLOB 'logs:*' GROUP BY source)
          WHERE typeof(end_us) = 'integer' AND abs(end_us) < 100000000000000000""",
    ),
)
"""What brings a journal from version n to n + 1; `PRAGMA user_version` says where one stands. Only ever added to."""


HEARS_EVERY = 100_000
"""Steps of SQLite after which it looks whether somebody wants an end."""

_COLUMNS: dict[str, tuple[str, ...]] = {
    "events": ("seq", "at", "identity", "seen_by", "seen_at", "raw"),
    "events_key": ("",),
    "sqlite_sequence": ("name", "seq"),
    "told": ("seq",),
    "printed": ("at", "identity"),
    "settled": ("source", "start_us", "end_us"),
    "gaps": ("source", "start_us", "end_us", "reason"),
    "alarms": ("alarm_group", "alarm"),
    "facts": ("name", "value"),
    "corrections": ("original", "at"),
    "shared": ("call", "seq"),
    "shared_call": ("",),
}
COMPLETE = frozenset((name, column) for name, columns in _COLUMNS.items() for column in columns)
"""The `shape` of a journal of the newest version. Said here, as to make one takes longer than to open a journal: serves
"journal-open"."""
_STATEMENTS = {
    "CREATE TABLE sqlite_sequence(name,seq)",  # SQLite's own, for AUTOINCREMENT
    *(statement for migration in MIGRATIONS for statement in migration),
}


def migrate(connection: sqlite3.Connection, upgrading: Callable[[int], None] = lambda _: None) -> None:
    """Bring a journal, or an empty file, to the newest version: by one transaction, so that all of it is done or none.

    `upgrading` is told before, of how many events: of a million it takes seconds, and Ctrl-C ends it. JournalError if
    it is newer than this smwatch, JournalCorruptError if it is another program's, or not what its version says.
    """
    if version(connection) < len(MIGRATIONS):
        connection.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
        try:
            if version(connection) == 0 and _names(connection):
                raise JournalCorruptError("it is a database of something else")
            if version(connection) and (events := connection.execute("SELECT max(seq) FROM events").fetchone()[0]):
                upgrading(events)
            connection.set_progress_handler(lambda: 0, HEARS_EVERY)
            for statement in (one for migration in MIGRATIONS[version(connection) :] for one in migration):
                connection.execute(statement)
            connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
            connection.execute("COMMIT")
        except BaseException as error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            match getattr(error, "sqlite_errorcode", None):
                case sqlite3.SQLITE_ERROR | sqlite3.SQLITE_CONSTRAINT_PRIMARYKEY | sqlite3.SQLITE_CONSTRAINT_UNIQUE:
                    raise JournalCorruptError(f"it is not what its version says: {error}") from error
                case sqlite3.SQLITE_INTERRUPT:
                    raise KeyboardInterrupt from None  # which Python itself lets go of in a progress handler
            raise
        finally:
            connection.set_progress_handler(None, 0)
    check(connection)


def check(connection: sqlite3.Connection) -> None:
    """Raise JournalCorruptError if a journal of the newest version lacks a table, a column or an index."""
    if version(connection) < len(MIGRATIONS) or _as_made(connection):
        return
    if missing := COMPLETE - shape(connection):
        (name, column), *_ = sorted(missing)
        raise JournalCorruptError(f"it lacks {name}{column and f'.{column}'} of a journal")


def version(connection: sqlite3.Connection) -> int:
    """The version that a file is of, 0 for an empty one; JournalError if it is too new."""
    found: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if found < 0:
        raise JournalCorruptError(f"it is of version {found}")
    if found > len(MIGRATIONS):
        raise JournalError(
            f"written by a newer smwatch (version {found}, this one knows {len(MIGRATIONS)}): "
            "update smwatch or name another --state-dir"
        )
    return found


def _names(connection: sqlite3.Connection) -> set[str]:
    rows = connection.execute("SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE 'sqlite_%'")
    return {name for (name,) in rows}


def _as_made(connection: sqlite3.Connection) -> bool:
    """Whether all of a journal still is what its migrations made; an older smwatch may have worded them otherwise.

    SQLite keeps each statement as it was, so that they are compared sooner than columns: serves "journal-open".
    """
    made = dict(connection.execute("SELECT name, sql FROM sqlite_master"))
    return made.keys() >= _COLUMNS.keys() and _STATEMENTS.issuperset(made[name] for name in _COLUMNS)


def shape(connection: sqlite3.Connection) -> set[tuple[str, str]]:
    """(table or index, column of it)."""
    columns = "SELECT m.name, c.name FROM sqlite_master m, pragma_table_info(m.name) c"
    indexes = "SELECT name, '' FROM sqlite_master WHERE type = 'index'"
    return set(connection.execute(f"{columns} WHERE m.type = 'table' UNION ALL {indexes}"))
