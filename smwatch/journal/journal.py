"""The journal: takes in pages whole or not at all, and gives back what it has taken in."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import UTC, datetime
from itertools import chain, islice
from pathlib import Path
from types import MappingProxyType

import msgspec

from smwatch.events.event import Arrival
from smwatch.journal import file
from smwatch.journal.arrived import Arrived
from smwatch.journal.copied import copy
from smwatch.journal.covered import ASKED, ASKED_FROM, SAID, SWEPT, cover, lose
from smwatch.journal.database import Opening
from smwatch.journal.errors import JournalCorruptError, JournalError, sqlite_errors_told_apart
from smwatch.journal.links import LINKED, Links, call_of, share
from smwatch.journal.printed import DEALT, FROM, OLDEST, TAKEN, note, printing, tell, tell_again, told_of
from smwatch.journal.rows import (
    SELECT,
    Stored,
    moment,
    rows_of,
    seconds,
    stored_of,
)
from smwatch.journal.salvage import salvage
from smwatch.journal.schema import MIGRATIONS, version
from smwatch.sources.coverage import Gap, Noted, Span

NO_MARKS: Mapping[str, datetime | None] = MappingProxyType({})
_SLAB = 5_000
_PAGES_GIVEN_BACK = 2_048
"""Of the file, after each slab: no fewer than a slab of large records fills."""
_UNLINKED = "unlinked"
"""Up to which seq an older smwatch has journaled events without looking which of them belong together."""
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


class Journal(Arrived):
    """Events by (eventTime, eventID, recipient account), coverage, alarms; every method is one transaction.

    Durability: WAL with synchronous=FULL (and F_FULLFSYNC where there is one): when a commit returns, it is on the
    disk, so that neither kill -9 nor a power loss takes back what was shown as complete. A commit holds the events
    *and* the coverage they prove. What `tail` has printed and what is pruned is on the disk with the commit after it:
    a power loss repeats lines, it loses none.

    Methods may be called from any thread. They raise JournalError for what may pass (full disk, lock, permissions),
    with the journal as it was, and JournalCorruptError for a damaged file: see `set_aside`.
    """

    def __init__(
        self,
        path: Path | None = None,
        *,
        read_only: bool = False,
        upgrading: Callable[[int], None] = lambda _: None,
        begin: Callable[[sqlite3.Connection], None] = lambda _: None,
        packing: bool = False,
    ) -> None:
        """Open or create the journal at `path`; None keeps it in memory. JournalError if that can't be.

        `read_only` leaves the file as it is, also one of an older version, on a medium that can't be written to, too.
        `upgrading` is told before an older one is brought up to date, with the number of its events; `begin` may fill
        an empty one in memory, see `copied`. `packing` compresses the records of one in memory.
        """
        super().__init__(Opening(path=path, read_only=read_only, upgrading=upgrading, begin=begin, packing=packing))
        self._printing = ExitStack()
        self._prints = False
        self._forgotten = 0
        self._last_seq = 0
        self._links = Links()
        self._repeating: set[str] = set()
        """The sources whose last page held something that was known."""
        self._salvaged = False
        """Whether events may come that were printed according to a journal before this one."""
        self.unsaved = ""
        """What could not be saved from a damaged journal before this one, in a clause."""
        with sqlite_errors_told_apart():
            self._last_seq = self._newest(self._write)

    def _opened(self, connection: sqlite3.Connection) -> None:
        if not self._read_only:
            self._salvaged = bool(connection.execute("SELECT EXISTS (SELECT 1 FROM printed)").fetchone()[0])

    def _taken_back(self) -> None:
        self._links.forget()

    def close(self) -> None:
        """Close the file; the journal is of no use afterwards."""
        with self._lock, self._read_lock:
            self._printing.close()
            self._disconnect()

    @classmethod
    def copied(cls, path: Path, keep: int) -> Journal:
        """A journal in memory that begins with what the one at `path` holds: of its events the newest `keep`.

        For one that can be read alone. JournalError if not even that can be.
        """
        return cls(begin=lambda db: copy(path, db, keep))

    # -- a damaged one

    @classmethod
    def recovered(cls, path: Path, now: datetime) -> tuple[Journal, Path | None]:
        """A new journal where a damaged one lay, and the name under which that one keeps existing: see `set_aside`."""
        with file.locked(path.with_name(file.LOCK), wait=True):
            try:
                return cls(path), None  # another process has been quicker
            except JournalCorruptError:
                aside = file.rename_damaged(path, now)
                journal = cls(path)
        journal._save_from(aside)
        return journal, aside

    def set_aside(self, now: datetime, marks: Mapping[str, datetime | None] = NO_MARKS) -> Path | None:
        """Give a damaged file (and its WAL) another name, never deleting it, and begin anew; returns that name.

        What the services can't give back, alarms with their notes, other facts and what was printed, is saved from it
        as far as it can still be read; `unsaved` says what can't. `marks` are how far sources were said to be complete,
        which is remembered, as what is lost (`Coverage.lost_to`). None if another process has already done so, or has
        deleted it: its journal is taken on.
        """
        assert self.path is not None
        with self._lock, self._read_lock:
            self._disconnect()
            self._last_seq = 0
            with file.locked(self.path.with_name(file.LOCK), wait=True):
                if self.replaced:
                    self._last_seq = self._newest(self._write)
                    self._lose(marks)
                    return None
                aside = file.rename_damaged(self.path, now)
                self._writing = self._open()
            self._save_from(aside)
            self._lose(marks)
        return aside

    def _lose(self, marks: Mapping[str, datetime | None]) -> None:
        with suppress(JournalError), self._transaction() as db:
            for source, mark in marks.items():
                if mark is not None:
                    lose(db, source, mark)

    def _save_from(self, aside: Path) -> None:
        self.unsaved = "nothing could be saved from it"
        with suppress(JournalError), self._transaction() as db:
            saved = salvage(aside, db, but=_OF_ONE_FILE)
            self.unsaved = str(saved)
            self._salvaged = saved.printed > 0

    # -- events and coverage

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

    # -- what `smwatch tail` has printed

    def begin_printing(self, since: datetime) -> datetime:
        """Become the one process that prints from this journal; JournalError if another one goes on doing so.

        Returns from which time of events on it does: since a moment, or since when one before it was to. What is older
        is `untold` until somebody asks for it.
        """
        self._prints = True
        if self.path is not None:
            self._printing.enter_context(printing(self.path))
        self._prints_from = 0  # where nothing can be read of it, nothing is left out
        with suppress(JournalError):
            before = self.fact_as(FROM, int)
            if before is None:  # an older smwatch printed all that it took in
                with self._look() as db:
                    before = db.execute(OLDEST).fetchone()[0]
            self._prints_from = seconds(since) if before is None else min(before, seconds(since))
            with self._transaction() as db:
                note(db, FROM, self._prints_from)
                if before is not None and self._prints_from < before:
                    note(db, DEALT, 0)  # of what is older nothing has been
        return datetime.fromtimestamp(max(self._prints_from, 0), UTC)

    def turn(self, lock: str) -> AbstractContextManager[object]:
        """Do what one process with this journal may do at a time, as the file `lock`; BlockingIOError: another does."""
        return file.locked(self.path.with_name(lock), wait=False) if self.path is not None else nullcontext()

    def tell(self, seqs: Iterable[int], *, dealt: int | None = None) -> None:
        """Note that these events have been printed, and that nothing up to `dealt` remains to be."""
        with self._transaction(at_once=False) as db:
            tell(db, seqs)
            if dealt is not None:
                note(db, DEALT, dealt)

    def told_before(self, seqs: Iterable[int]) -> set[int]:
        """Which of these events, new in this journal, have been printed according to a damaged one before it."""
        if not self._salvaged:
            return set()
        with self._look() as db:
            return told_of(db, seqs)

    # -- housekeeping

    def prune(self, before: datetime) -> int:
        """Delete a slab of the events older than a moment; returns how many, 0 when done. Alarms stay."""
        with self._transaction(at_once=False) as db:
            old = f"SELECT seq FROM events WHERE at < ? ORDER BY at LIMIT {_SLAB}"  # noqa: S608
            seqs = db.execute(old, (seconds(before),)).fetchall()
            db.executemany("DELETE FROM events WHERE seq = ?", seqs)
            db.executemany("DELETE FROM told WHERE seq = ?", seqs)
            db.executemany("DELETE FROM shared WHERE seq = ?", seqs)
            for table in ("corrections", "printed"):
                db.execute(f"DELETE FROM {table} WHERE at < ?", (seconds(before),))  # noqa: S608
        if seqs and self.path is not None:
            with self._lock, sqlite_errors_told_apart():
                self._write.execute(f"PRAGMA incremental_vacuum({_PAGES_GIVEN_BACK})").fetchall()
        return len(seqs)

    def kept_from(self, retained_from: datetime) -> datetime:
        """From when on all events are kept, if those from before `retained_from` are to go: the oldest go first."""
        with self._look() as db:
            (oldest,) = db.execute("SELECT min(at) FROM events").fetchone()
        try:
            return min(retained_from, moment(oldest)) if isinstance(oldest, int) else retained_from
        except OverflowError as error:
            raise JournalCorruptError("an event in it can't be read") from error

    def link_older(self) -> bool:
        """See what belongs together in a slab that an older smwatch has journaled; False: nothing is left to see."""
        upto = self._number(_UNLINKED)
        if not upto:
            return False
        with self._transaction(at_once=False) as db:
            self._links.link(db, stored_of(db.execute(f"{SELECT} WHERE {LINKED}", (upto - _SLAB, upto)).fetchall()))
            if upto > _SLAB:
                note(db, _UNLINKED, upto - _SLAB)
            else:
                db.execute("DELETE FROM facts WHERE name = ?", (_UNLINKED,))
        return True

    def forget(self, keep: int) -> None:
        """Let go of the records of all but the newest `keep` arrivals, yet know them when they come again.

        For a journal in memory, which would grow without end.
        """
        upto = self._last_seq - keep
        if upto <= self._forgotten:
            return
        assert self._records is not None
        with self._transaction() as db:
            db.execute("DELETE FROM shared WHERE seq <= ?", (upto,))
        self._records.forget(upto)
        self._forgotten = upto


_OF_ONE_FILE = (TAKEN, DEALT, _UNLINKED, ASKED, ASKED_FROM, SWEPT, SAID)
"""Begin the names of the facts that are about what this file holds."""
_GIVE_BACK = "UPDATE sqlite_sequence SET seq = ? WHERE name = 'events'"
_MANY = 50
"""Rows put in by one statement: each looks up, and writes, the highest seq given, which took a third of the time."""
_INSERT = "INSERT OR IGNORE INTO events (seq, at, identity, seen_by, seen_at, raw) VALUES (?, ?, ?, ?, ?, ?)"
_INSERT_MANY = _INSERT + ", (?, ?, ?, ?, ?, ?)" * (_MANY - 1)
_INSERT_BESIDE, _INSERT_MANY_BESIDE = (insert.replace("raw", "unused") for insert in (_INSERT, _INSERT_MANY))
"""Where the records themselves are beside SQLite."""
