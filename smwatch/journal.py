"""The memory that outlives the process: events, what has been read whole, alarms. SQLite, one file, private."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from threading import RLock

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival, Event, SeenBy
from smwatch.rules.alarm import Alarm
from smwatch.sources.coverage import Coverage, Gap, Span, join

FILE_NAME = "journal.sqlite3"
BUSY_SECONDS = 10.0
"""How long a statement waits for another smwatch that writes to the same journal."""

_IDENTITY_BYTES = (ID_BITS + ACCOUNT_BITS) // 8
_IDENTITY_MASK = (1 << (ID_BITS + ACCOUNT_BITS)) - 1
_CHUNK = 500

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
)
"""What brings a journal from version n to n + 1; `PRAGMA user_version` says where one stands. Only ever added to."""


class JournalError(Exception):
    """The journal can't be used; one sentence for a person, with what to do."""


class JournalCorruptError(JournalError):
    """The journal's file is damaged or no journal: see `set_aside`."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An event as the journal holds it."""

    seq: int
    at: datetime
    seen_by: SeenBy
    seen_at: datetime
    raw: str


class Committed(msgspec.Struct, frozen=True):
    """What a commit found to be new."""

    fresh: tuple[tuple[int, Arrival], ...]
    """(seq, arrival) of the events that were not in the journal, in the order given."""
    foreign: tuple[Stored, ...]
    """Events that another process has put into the same journal since the last commit."""


class Journal:
    """Events by (recipient account, eventID), coverage, alarms; every method is one transaction.

    Durability: WAL with synchronous=NORMAL. A power loss may take back the last commits, but whole ones and in order,
    and a commit holds the events *and* the coverage they prove: what is taken back is read again. Methods may be called
    from any thread. sqlite3 errors pass through; `sqlite3.DatabaseError` that is not an `OperationalError` means
    corruption: see `set_aside`.
    """

    def __init__(self, path: Path | None = None) -> None:
        """Open or create the journal at `path`; None keeps it in memory. JournalError if that can't be."""
        self.path = path
        self._lock = RLock()
        self._write = self._open(path)
        self._read = self._connect(path) if path is not None else self._write
        self._read_lock = RLock() if path is not None else self._lock
        self._last_seq = self.last_seq()

    def _open(self, path: Path | None) -> sqlite3.Connection:
        try:
            if path is not None:
                path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
                os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
            connection = self._connect(path)
            _migrate(connection)
        except sqlite3.OperationalError as error:
            raise JournalError(f"can't open the journal {path}: {error}") from error
        except sqlite3.DatabaseError as error:
            raise JournalCorruptError(f"the journal {path} is damaged: {error}") from error
        except OSError as error:
            raise JournalError(
                f"can't keep a journal in {path.parent if path else ''}: {error.strerror}; name another --state-dir"
            ) from error
        return connection

    @staticmethod
    def _connect(path: Path | None) -> sqlite3.Connection:
        connection = sqlite3.connect(
            path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
        )
        for pragma in (
            "auto_vacuum = INCREMENTAL",
            "journal_mode = WAL",
            "synchronous = NORMAL",
            "cache_size = -16000",
        ):
            connection.execute(f"PRAGMA {pragma}")
        return connection

    @classmethod
    def recovered(cls, path: Path, now: datetime) -> Journal:
        """A new journal where a damaged one lay, which keeps existing under another name."""
        _rename_damaged(path, now)
        return cls(path)

    def close(self) -> None:
        """Close the file; the journal is of no use afterwards."""
        with self._lock:
            if self._read is not self._write:
                self._read.close()
            self._write.close()

    def set_aside(self, now: datetime) -> Path:
        """Give a damaged file (and its WAL) another name, never deleting it, and begin anew; returns that name."""
        assert self.path is not None
        with self._lock, self._read_lock:
            self.close()
            aside = _rename_damaged(self.path, now)
            self._write, self._read = self._open(self.path), self._connect(self.path)
            self._last_seq = 0
        return aside

    @contextmanager
    def _transaction(self) -> Iterator[sqlite3.Connection]:
        with self._lock:
            self._write.execute("BEGIN IMMEDIATE")
            try:
                yield self._write
            except BaseException:
                self._write.execute("ROLLBACK")
                raise
            self._write.execute("COMMIT")

    # -- events and coverage

    def commit(
        self, source: str, arrivals: Sequence[Arrival], *, settled: Span | None = None, gaps: Sequence[Gap] = ()
    ) -> Committed:
        """Take in a page: its events and the coverage they prove, together or not at all."""
        with self._transaction() as db:
            last: int = db.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
            foreign = _stored(db.execute(f"{_SELECT} WHERE seq > ? ORDER BY seq", (self._last_seq,)))
            # With AUTOINCREMENT and the write lock held, the rows get the numbers that follow.
            first = max(last, self._last_seq) + 1
            fresh = tuple(enumerate(_unknown(db, arrivals), first))
            db.executemany(
                "INSERT INTO events (seq, at, identity, seen_by, seen_at, raw) VALUES (?, ?, ?, ?, ?, ?)",
                [_row(seq, arrival) for seq, arrival in fresh],
            )
            if settled is not None:
                _settle(db, source, settled)
            db.executemany(
                "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?)",
                [(source, _us(gap.span.start), _us(gap.span.end), gap.reason) for gap in gaps],
            )
        self._last_seq = first + len(fresh) - 1
        return Committed(fresh, foreign)

    def coverage(self, source: str) -> Coverage:
        """What this source has settled, and its gaps."""
        with self._read_lock:
            spans = self._read.execute(
                "SELECT start_us, end_us FROM settled WHERE source = ? ORDER BY start_us", (source,)
            )
            settled = tuple(Span(_instant(start), _instant(end)) for start, end in spans)
            rows = self._read.execute(
                "SELECT start_us, end_us, reason FROM gaps WHERE source = ? ORDER BY start_us", (source,)
            )
            return Coverage(settled, tuple(Gap(Span(_instant(start), _instant(end)), why) for start, end, why in rows))

    def sources(self) -> tuple[str, ...]:
        """The names of the sources that have settled anything."""
        with self._read_lock:
            rows = self._read.execute("SELECT source FROM settled UNION SELECT source FROM gaps ORDER BY 1").fetchall()
        return tuple(row[0] for row in rows)

    def last_seq(self) -> int:
        """The number of the newest arrival; 0 for an empty journal."""
        with self._read_lock:
            seq: int = self._read.execute("SELECT coalesce(max(seq), 0) FROM events").fetchone()[0]
            return seq

    def foreign(self) -> tuple[Stored, ...]:
        """Events that another process has put in since the last commit here."""
        with self._lock:
            stored = _stored(self._write.execute(f"{_SELECT} WHERE seq > ? ORDER BY seq", (self._last_seq,)))
            if stored:
                self._last_seq = stored[-1].seq
            return stored

    def recent(self, since: datetime, upto_seq: int, *, told: bool = False) -> Iterator[Stored]:
        """The events (or only the told ones) since a moment that had arrived by `upto_seq`, newest first, in chunks."""
        select = (
            f"{_SELECT} WHERE (at, seq) < (?, ?) AND at >= ? AND seq <= ? AND raw IS NOT NULL{_TOLD if told else ''}"
        )
        at, seq = 1 << 62, 0
        while True:
            with self._read_lock:
                rows = self._read.execute(
                    f"{select} ORDER BY at DESC, seq DESC LIMIT ?", (at, seq, int(since.timestamp()), upto_seq, _CHUNK)
                )
                stored = _stored(rows)
            yield from stored
            if len(stored) < _CHUNK:
                return
            at, seq = int(stored[-1].at.timestamp()), stored[-1].seq

    def between(self, start: datetime, end: datetime) -> Iterator[Stored]:
        """All events with start <= eventTime < end, oldest first, read in chunks."""
        return self._paged(f"{_PAGE} AND at < ?", start, int(end.timestamp()))

    def _paged(self, select: str, since: datetime, *more: int) -> Iterator[Stored]:
        at, seq = int(since.timestamp()), 0
        while True:
            with self._read_lock:
                stored = _stored(self._read.execute(f"{select} ORDER BY at, seq LIMIT ?", (at, seq, *more, _CHUNK)))
            yield from stored
            if len(stored) < _CHUNK:
                return
            at, seq = int(stored[-1].at.timestamp()), stored[-1].seq

    def raw(self, event: Event) -> str | None:
        """The untouched record behind an event; None when it has been pruned or forgotten."""
        with self._read_lock:
            row = self._read.execute("SELECT raw FROM events WHERE identity = ?", (_identity(event.key),)).fetchone()
        return None if row is None or row[0] is None else _text(row[0])

    # -- what `smwatch tail` has printed

    def untold(self, since: datetime) -> Iterator[Stored]:
        """Events since a moment that have not been printed yet, oldest first, read in chunks."""
        return self._paged(_PAGE + _UNTOLD, since)

    def tell(self, seqs: Iterable[int]) -> None:
        """Note that these events have been printed."""
        with self._transaction() as db:
            db.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(seq,) for seq in seqs])

    # -- alarms and other facts

    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms ever kept."""
        with self._read_lock:
            rows = self._read.execute("SELECT alarm FROM alarms").fetchall()
        return tuple(msgspec.json.decode(row[0], type=Alarm) for row in rows)

    def keep(self, alarms: Iterable[Alarm], facts: dict[str, bytes] | None = None) -> None:
        """Keep alarms by group, with whatever else must be known after a restart."""
        with self._transaction() as db:
            db.executemany(
                "INSERT OR REPLACE INTO alarms VALUES (?, ?)",
                [(alarm.group, msgspec.json.encode(alarm)) for alarm in alarms],
            )
            db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", (facts or {}).items())

    def fact(self, name: str) -> bytes | None:
        """What was kept under a name."""
        with self._read_lock:
            row = self._read.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        return None if row is None else bytes(row[0])

    # -- housekeeping

    def prune(self, before: datetime) -> int:
        """Delete a slab of the events older than a moment; returns how many, 0 when done. Alarms stay."""
        with self._transaction() as db:
            old = "SELECT seq FROM events WHERE at < ? ORDER BY at LIMIT 5000"
            seqs = db.execute(old, (int(before.timestamp()),)).fetchall()
            db.executemany("DELETE FROM events WHERE seq = ?", seqs)
            db.executemany("DELETE FROM told WHERE seq = ?", seqs)
        if not seqs and self.path is not None:
            with self._lock:
                self._write.execute("PRAGMA incremental_vacuum").fetchall()
        return len(seqs)

    def forget(self, keep: int) -> None:
        """Let go of the records of all but the newest `keep` arrivals, yet know them when they come again.

        For journals in memory, which would grow without end.
        """
        with self._transaction() as db:
            db.execute("UPDATE events SET raw = NULL WHERE seq <= ? AND raw IS NOT NULL", (self._last_seq - keep,))


def _rename_damaged(path: Path, now: datetime) -> Path:
    """Give a damaged journal (and its WAL) a name that says so and returns it; nothing is deleted."""
    aside = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%SZ}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


_SELECT = "SELECT seq, at, seen_by, seen_at, raw FROM events"
_TOLD = " AND EXISTS (SELECT 1 FROM told WHERE told.seq = events.seq)"
_UNTOLD = " AND NOT EXISTS (SELECT 1 FROM told WHERE told.seq = events.seq)"
_PAGE = f"{_SELECT} WHERE (at, seq) > (?, ?) AND raw IS NOT NULL"
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def _migrate(connection: sqlite3.Connection) -> None:
    if _version(connection) == len(MIGRATIONS):
        return
    connection.execute("BEGIN IMMEDIATE")  # another process may be about to do the same
    try:
        for statement in (statement for migration in MIGRATIONS[_version(connection) :] for statement in migration):
            connection.execute(statement)
        connection.execute(f"PRAGMA user_version = {len(MIGRATIONS)}")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    connection.execute("COMMIT")


def _version(connection: sqlite3.Connection) -> int:
    version: int = connection.execute("PRAGMA user_version").fetchone()[0]
    if version > len(MIGRATIONS):
        raise JournalError(
            f"the journal was written by a newer smwatch (version {version}, this one knows {len(MIGRATIONS)}): "
            "update smwatch or name another --state-dir"
        )
    return version


def _unknown(db: sqlite3.Connection, arrivals: Sequence[Arrival]) -> list[Arrival]:
    by_identity: dict[bytes, Arrival] = {}
    for arrival in arrivals:
        by_identity.setdefault(_identity(arrival.event.key), arrival)
    identities = list(by_identity)
    for i in range(0, len(identities), _CHUNK):
        chunk = identities[i : i + _CHUNK]
        marks = ",".join("?" * len(chunk))
        for (known,) in db.execute(f"SELECT identity FROM events WHERE identity IN ({marks})", chunk):  # noqa: S608
            del by_identity[known]
    return list(by_identity.values())


def _row(seq: int, arrival: Arrival) -> tuple[int, int, bytes, str, int, bytes]:
    event = arrival.event
    raw = arrival.raw.encode("utf-8", "surrogatepass")
    return seq, event.seconds, _identity(event.key), event.seen_by, _ms(event.seen_at), raw


def _settle(db: sqlite3.Connection, source: str, span: Span) -> None:
    start, end = _us(span.start), _us(span.end)
    touching = db.execute(
        "SELECT start_us, end_us FROM settled WHERE source = ? AND start_us <= ? AND end_us >= ?", (source, end, start)
    ).fetchall()
    db.executemany("DELETE FROM settled WHERE source = ? AND start_us = ?", [(source, other) for other, _ in touching])
    (whole,) = join([span, *(Span(_instant(a), _instant(b)) for a, b in touching)])
    db.execute("INSERT INTO settled VALUES (?, ?, ?)", (source, _us(whole.start), _us(whole.end)))


def _stored(rows: Iterable[tuple[int, int, str, int, bytes]]) -> tuple[Stored, ...]:
    return tuple(
        Stored(seq, _EPOCH + timedelta(seconds=at), SeenBy(seen_by), _moment(seen_at), _text(raw))
        for seq, at, seen_by, seen_at, raw in rows
        if raw is not None
    )


def _identity(key: int) -> bytes:
    return (key & _IDENTITY_MASK).to_bytes(_IDENTITY_BYTES)


def _text(raw: bytes) -> str:
    return raw.decode("utf-8", "surrogatepass")


def _ms(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(milliseconds=1)


def _us(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(microseconds=1)


def _instant(us: int) -> datetime:
    return _EPOCH + timedelta(microseconds=us)


def _moment(ms: int) -> datetime:
    return _EPOCH + timedelta(milliseconds=ms)
