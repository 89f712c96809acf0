"""How a journal takes in pages: whole or not at all, each event once, and those that another process has put in."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from contextlib import suppress
from itertools import chain, islice

import msgspec

from smwatch.events.event import Arrival
from smwatch.journal.arrived import Arrived
from smwatch.journal.covered import cover
from smwatch.journal.database import Opening
from smwatch.journal.errors import JournalError, sqlite_errors_told_apart
from smwatch.journal.links import Links, call_of, share
from smwatch.journal.printed import TAKEN, note, tell_again
from smwatch.journal.rows import SELECT, Stored, rows_of, stored_of
from smwatch.journal.schema import MIGRATIONS, version
from smwatch.sources.coverage import Gap, Noted, Span

_ACCOUNTS = 8
"""Records of one call that are looked at: it is seen by two accounts, and who claims more may not make work."""


class Committed(msgspec.Struct, frozen=True):
    """What a commit found to be new."""

    seqs: Sequence[int]
    """Of the events that were not in the journal, in the order given."""
    arrivals: Sequence[Arrival]
    """Those events."""
    foreign: tuple[Stored, ...]
    """Events that another process has put into the same journal since the last commit."""

    @property
    def fresh(self) -> tuple[tuple[int, Arrival], ...]:
        """(seq, arrival) of what was not in the journal."""
        return tuple(zip(self.seqs, self.arrivals, strict=True))


class Taking(Arrived):
    """The events and the coverage in the file of a journal, to be added to; every method is one transaction."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._prints = False
        """Whether this is the one process that prints."""
        self._links = Links()
        self._repeating: set[str] = set()
        """The sources whose last page held something that was known."""
        self._salvaged = False
        """Whether events may come that were printed according to a journal before this one."""
        with sqlite_errors_told_apart():
            self._last_seq = self._newest(self._write)

    def _opened(self, connection: sqlite3.Connection) -> None:
        if not self._read_only:
            self._salvaged = bool(connection.execute("SELECT EXISTS (SELECT 1 FROM printed)").fetchone()[0])

    def _taken_back(self) -> None:
        self._links.forget()
        if self._records is not None:
            self._records.take_back(self._last_seq)

    def commit(
        self,
        source: str,
        arrivals: Iterable[Arrival],
        *,
        settled: Span | None = None,
        gaps: Sequence[Gap] = (),
        untrue: Sequence[Gap] = (),
        noted: Noted | None = None,
    ) -> Committed:
        """Take in a page: its events and the coverage they prove, together or not at all."""
        with self._transaction() as db:
            foreign = self._foreign(db)
            # With AUTOINCREMENT and the write lock held, the rows get the numbers that follow.
            seq = max(self._newest(db), self._last_seq)
            if foreign:
                self._links.forget()
            seqs, fresh = self._put(db, source, seq + 1, self._links.place(db, arrivals, note=True))
            seq += len(fresh)
            cover(db, source, settled, gaps, untrue, noted)
            if self._prints and (fresh or foreign):
                note(db, TAKEN, seq)
            self._write_unkept(db)
        self._last_seq = seq
        self._forget_unkept()
        return Committed(seqs, fresh, foreign)

    def _put(
        self, db: sqlite3.Connection, source: str, first: int, arrivals: Sequence[Arrival]
    ) -> tuple[Sequence[int], Sequence[Arrival]]:
        """Insert events, numbered from `first` on, and return the numbers of those that are new, and those."""
        whole = self._records is None
        insert, insert_many = (_INSERT, _INSERT_MANY) if whole else (_INSERT_BESIDE, _INSERT_MANY_BESIDE)
        fresh: Sequence[Arrival] = arrivals
        # A source that goes on brings nothing twice: then its page goes in at one go (see the row "ingest" of the
        # benchmarks), and which of its events are new is asked of each only where some are not.
        if source not in self._repeating:
            before, rows = db.total_changes, rows_of(first, arrivals, whole=whole)
            for _ in range(len(arrivals) // _MANY):
                db.execute(insert_many, list(chain.from_iterable(islice(rows, _MANY))))
            db.executemany(insert, rows)
            if db.total_changes - before != len(arrivals):
                self._repeating.add(source)
                db.execute("DELETE FROM events WHERE seq >= ?", (first,))
        if source in self._repeating:
            execute, seq, fresh = db.cursor().execute, first, []
            for arrival, row in zip(arrivals, rows_of(first, arrivals, whole=whole), strict=True):
                if execute(insert, (seq, *row[1:])).rowcount:
                    fresh.append(arrival)
                    seq += 1
            db.execute(_GIVE_BACK, (seq - 1,))  # SQLite takes a number for given that it has been offered
            if len(fresh) == len(arrivals):
                self._repeating.discard(source)
        seqs = range(first, first + len(fresh))
        if self._records is not None:
            self._records.hold(zip(seqs, fresh, strict=True))
        for seq, arrival in zip(seqs, fresh, strict=True):
            if arrival.shared_id:
                share(db, seq, arrival.shared_id)
            if self._salvaged:
                tell_again(db, seq, arrival.event)
        return seqs, fresh

    def placed(self, arrivals: Iterable[Arrival]) -> Sequence[Arrival]:
        """The same arrivals with the keys that a commit would give them, for when nothing can be committed."""
        with self._look() as db:
            return self._links.place(db, arrivals, note=False)

    def same_call(self, shared_id: str) -> tuple[Stored, ...]:
        """The records of one call, as several accounts have them: those with this sharedEventID, first come first."""
        with self._look() as db:
            if not self._links_events(db):
                return ()
            numbers = "SELECT seq FROM shared WHERE call = ? ORDER BY seq LIMIT ?"
            select = f"{SELECT} WHERE seq IN ({numbers}) AND raw IS NOT NULL ORDER BY seq"
            return stored_of(db.execute(select, (call_of(shared_id), _ACCOUNTS)))

    def _links_events(self, db: sqlite3.Connection) -> bool:
        """Whether it remembers what belongs together: one that is only read may be of an older version."""
        return not self._read_only or version(db) == len(MIGRATIONS)

    @property
    def caught_up_to(self) -> int:
        """The number of the last arrival that `commit` and `foreign` no more tell of."""
        return self._last_seq

    def catch_up(self) -> int:
        """The number of the newest arrival, for who reads all up to it: `commit` and `foreign` tell of what is later.

        If this is what prints, a run after it prints what of that it had not come to.
        """
        with self._lock, sqlite_errors_told_apart():
            newest = self._newest(self._write)
            with suppress(JournalError):  # without room, the next run prints as much as it is asked for
                self._take_in(newest)
            self._last_seq = newest
        return newest

    def foreign(self) -> tuple[Stored, ...]:
        """Events that another process has put in since the last commit here."""
        with self._lock, sqlite_errors_told_apart():
            stored = self._foreign(self._write)
            if stored:
                self._take_in(stored[-1].seq)
            return stored

    def _take_in(self, seq: int) -> None:
        if self._prints:
            with self._transaction(at_once=False) as db:
                note(db, TAKEN, seq)
        self._last_seq = seq

    def _foreign(self, db: sqlite3.Connection) -> tuple[Stored, ...]:
        return stored_of(db.execute(f"{SELECT} WHERE seq > ? AND raw IS NOT NULL ORDER BY seq", (self._last_seq,)))


_GIVE_BACK = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'"
_MANY = 50
"""Rows put in by one statement: each looks up, and writes, the highest seq given, which took a third of the time."""
_INSERT = "INSERT OR IGNORE INTO events (seq, at, identity, seen_by, seen_at, raw) VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_MANY = _INSERT + ", (?, ?, ?, ?, ?, ?)" * (_MANY - 1)
_INSERT_BESIDE, _INSERT_MANY_BESIDE = (insert.replace("raw", "unused") for insert in (_INSERT, _INSERT_MANY))
"""Where the records themselves are beside SQLite."""
