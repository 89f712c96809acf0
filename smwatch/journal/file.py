"""The journal as a file: opened privately, told from one that took its place, set aside when damaged."""

from __future__ import annotations

import fcntl
import os
import sqlite3
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path

from smwatch.journal.errors import JournalError

FILE_NAME = "journal.sqlite3"
LOCK = "journal.lock"
"""Held while a damaged journal is being set aside."""
PRINTING_LOCK = "tail.lock"
"""Held by the one `smwatch tail` that prints."""
BUSY_SECONDS = 0.5
"""How long a statement waits for another smwatch that writes to the same journal; nothing else goes on meanwhile."""
PAGE_BYTES = 16384
"""A dozen records each: fewer pages, and less of each left empty, to write for an event than with SQLite's own 4096.

Serves "ingest".
"""
CACHE_KIB = 500
"""Of pages that SQLite keeps at hand: as events come nearly in order, more saves nothing. Serves "tail-…-memory"."""
CHECKPOINT_PAGES = 500
"""Pages, 8 MB, after which what was written is put from the WAL into the file itself."""


Inode = tuple[int, int]
"""What tells a file from another of the same name."""


def prepare(path: Path) -> tuple[Inode, bool]:
    """Make the folder and the file if they are missing, for nobody else; JournalError if that can't be.

    Returns what the file is, and whether it is empty.
    """
    try:
        try:
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        except FileNotFoundError:
            path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        found = os.fstat(handle)
        os.close(handle)
    except OSError as error:
        raise JournalError(f"{error.strerror}; name another --state-dir") from error
    return (found.st_dev, found.st_ino), not found.st_size


def connect(path: Path | None, *, new: bool = False) -> sqlite3.Connection:
    """A connection that loses nothing it has committed, even when the power fails; None for one in memory."""
    connection = sqlite3.connect(
        path or ":memory:", timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False
    )
    if new:  # these stay with the file, and would be written again
        connection.execute(f"PRAGMA page_size = {PAGE_BYTES}")
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
    if path is not None:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT_PAGES}")
        connection.execute("PRAGMA journal_size_limit = 16000000")
        if sys.platform == "darwin":
            connection.execute("PRAGMA fullfsync = ON")  # fsync itself promises little there
    connection.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
    return connection


def connect_to_read(path: Path) -> sqlite3.Connection:
    """A connection to a journal that can't be written to, perhaps because nothing can be written beside it."""
    uri = f"{path.absolute().as_uri()}?mode=ro"
    connection = sqlite3.connect(uri, uri=True, timeout=BUSY_SECONDS, isolation_level=None, check_same_thread=False)
    try:
        connection.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone()
    except sqlite3.OperationalError:
        connection.close()
        if path.with_name(path.name + "-wal").exists():
            raise
        # What nobody can write to will not change: SQLite need not make files beside it to see that it doesn't.
        return sqlite3.connect(f"{uri}&immutable=1", uri=True, isolation_level=None, check_same_thread=False)
    return connection


def inode(path: Path) -> Inode | None:
    """What tells this file from another of the same name; None if there is none."""
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_dev, found.st_ino


def rename_damaged(path: Path, now: datetime) -> Path:
    """Give a damaged journal (and its WAL) a name that says so and that nothing has yet; nothing is deleted."""
    aside = first = path.with_name(f"{path.name}.corrupt-{now:%Y%m%dT%H%M%SZ}")
    number = 1
    while aside.exists():
        number += 1
        aside = first.with_name(f"{first.name}-{number}")
    for suffix in ("", "-wal", "-shm"):
        part = path.with_name(path.name + suffix)
        if part.exists():
            part.rename(aside.with_name(aside.name + suffix))
    return aside


@contextmanager
def locked(path: Path, *, wait: bool) -> Iterator[None]:
    """Hold a lock of this name beside the journal, which ends with the process; BlockingIOError without `wait`."""
    handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | (0 if wait else fcntl.LOCK_NB))
        yield
    finally:
        os.close(handle)
