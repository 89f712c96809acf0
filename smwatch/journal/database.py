"""One SQLite file: opened when it is needed, locked, and written to as a whole or not at all."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from threading import RLock

import msgspec

from smwatch.journal import file
from smwatch.journal.errors import sqlite_errors_told_apart
from smwatch.journal.records import Records
from smwatch.journal.schema import check, migrate


class Opening(msgspec.Struct, frozen=True, kw_only=True):
    """How the file of a journal is opened: see `Journal`."""

    path: Path | None
    read_only: bool
    upgrading: Callable[[int], None]
    begin: Callable[[sqlite3.Connection], None]
    packing: bool = False


class Database:
    """The file of a journal and its connections; methods may be called from any thread."""

    def __init__(self, opening: Opening) -> None:
        self.path = path = opening.path
        self._records = Records(packing=opening.packing) if path is None else None
        self._begin = opening.begin
        self._read_only = opening.read_only
        self._upgrading = opening.upgrading
        self._lock = RLock()
        self._read_lock = RLock() if path is not None else self._lock
        self._writing: sqlite3.Connection | None = None
        self._reading: sqlite3.Connection | None = None
        self._inode: file.Inode | None = None

    @property
    def _write(self) -> sqlite3.Connection:
        if self._writing is None:
            self._writing = self._open()
        return self._writing

    @property
    def _read(self) -> sqlite3.Connection:
        """Its own connection, so that a look at a record never waits for a page that is being written."""
        if self.path is None or self._read_only:
            return self._write
        if self._reading is None:
            self._reading = file.connect(self.path)
        return self._reading

    def _open(self) -> sqlite3.Connection:
        with sqlite_errors_told_apart():
            if self.path is not None and self._read_only:
                connection = file.connect_to_read(self.path)
                check_it: Callable[..., object] = check
            elif self.path is not None:
                self._inode, new = file.prepare(self.path)
                connection = file.connect(self.path, new=new)
                check_it = partial(migrate, upgrading=self._upgrading)
            else:
                connection = file.connect(None)
                check_it = migrate
            try:
                if self.path is None:
                    self._begin(connection)
                check_it(connection)
                if self._records is not None:
                    self._records.serve(connection)
                self._opened(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    @property
    def replaced(self) -> bool:
        """Whether the file has been renamed or deleted since it was opened, so that what is written goes astray."""
        return self.path is not None and not self._read_only and file.inode(self.path) != self._inode

    def _opened(self, connection: sqlite3.Connection) -> None:
        """The file has been opened, and is a journal's."""

    def _taken_back(self) -> None:
        """A transaction came to nothing."""

    def _disconnect(self) -> None:
        for connection in (self._reading, self._writing):
            if connection is not None:
                with suppress(sqlite3.Error):  # a damaged file may not even be closed well
                    connection.close()
        self._reading = self._writing = None

    @contextmanager
    def _transaction(self, *, at_once: bool = True) -> Iterator[sqlite3.Connection]:
        """All of the block or nothing; `at_once` False leaves it to the next transaction to be put on the disk."""
        with self._lock, sqlite_errors_told_apart():
            db = self._write
            if not at_once:
                db.execute("PRAGMA synchronous = NORMAL")
            try:
                db.execute("BEGIN IMMEDIATE")
                yield db
                db.execute("COMMIT")
            except BaseException:
                self._taken_back()
                if db.in_transaction:  # a full disk may have ended it already
                    db.execute("ROLLBACK")
                raise
            finally:
                if not at_once:
                    db.execute("PRAGMA synchronous = FULL")

    @contextmanager
    def _look(self) -> Iterator[sqlite3.Connection]:
        with self._read_lock, sqlite_errors_told_apart():
            yield self._read
