"""What can be wrong with a journal, told apart by what is to be done about it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager

_DAMAGED = frozenset({sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB})
_BUSY = frozenset({sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED})
_OUTSIDE = frozenset(
    {
        *(sqlite3.SQLITE_FULL, sqlite3.SQLITE_IOERR, sqlite3.SQLITE_READONLY, sqlite3.SQLITE_CANTOPEN),
        *(sqlite3.SQLITE_PERM, sqlite3.SQLITE_PROTOCOL, sqlite3.SQLITE_NOMEM, sqlite3.SQLITE_NOLFS),
    }
)
_NO_TEXT = "Could not decode to UTF-8"
"""How Python's sqlite3, without a code, says that a text is none any more."""
_PRIMARY = 0xFF
"""The part of SQLite's extended result codes that holds the primary one."""


class JournalError(Exception):
    """The journal can't be used, or not now; one clause for a person.

    JournalError             full disk, lock, permissions, a newer version: may pass, and the file is as it was
    ├── JournalBusyError     another process writes just now
    └── JournalCorruptError  the file is damaged or is no journal: see `Journal.set_aside`
    """


class JournalBusyError(JournalError):
    """Another process writes to the journal at this moment."""


class JournalCorruptError(JournalError):
    """The journal's file is damaged or no journal."""


@contextmanager
def sqlite_errors_told_apart() -> Iterator[None]:
    """Raise what SQLite says of the file and the machine as JournalError; anything else is a bug and passes through."""
    try:
        yield
    except sqlite3.Error as error:
        code = getattr(error, "sqlite_errorcode", 0) & _PRIMARY
        if code in _DAMAGED or str(error).startswith(_NO_TEXT):
            raise JournalCorruptError(str(error)) from error
        if code in _BUSY:
            raise JournalBusyError(str(error)) from error
        if code in _OUTSIDE:
            raise JournalError(str(error)) from error
        raise
