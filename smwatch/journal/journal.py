"""The journal: opened, set aside where it is damaged, printed from by one process, and kept small."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Mapping
from contextlib import AbstractContextManager, ExitStack, nullcontext, suppress
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType

from smwatch.journal import file
from smwatch.journal.copied import copy
from smwatch.journal.covered import ASKED, ASKED_FROM, SAID, SWEPT, lose
from smwatch.journal.database import Opening
from smwatch.journal.errors import JournalCorruptError, JournalError, sqlite_errors_told_apart
from smwatch.journal.links import LINKED
from smwatch.journal.printed import DEALT, FROM, OLDEST, TAKEN, note, printing, tell, told_of
from smwatch.journal.rows import SELECT, moment, seconds, stored_of
from smwatch.journal.salvage import salvage
from smwatch.journal.taking import Taking

NO_MARKS: Mapping[str, datetime | None] = MappingProxyType({})
_SLAB = 5_000
_PAGES_GIVEN_BACK = 2_048
"""Of the file, after each slab: no fewer than a slab of large records fills."""
_UNLINKED = "unlinked"
"""Up to which seq an older smwatch has journaled events without looking which of them belong together."""


class Journal(Taking):
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
        self._forgotten = 0
        self.unsaved = ""
        """What could not be saved from a damaged journal before this one, in a clause."""

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
