"""The journal as a file: there, private, sound, and of a version this smwatch knows."""

from __future__ import annotations

import sqlite3
import stat
import time
from pathlib import Path

import msgspec

CHECK_WITHIN = 10.0
"""Seconds for SQLite to look through the whole file; a larger one is only opened."""


class JournalSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What was found where the journal should be."""

    path: str
    exists: bool = True
    mode: int = 0o600
    folder_mode: int = 0o700
    size: int = 0
    version: int = 0
    known_version: int = 0
    """The newest version this smwatch knows."""
    fault: str = ""
    """What SQLite says is wrong, "" for nothing."""
    looked_through: bool = True
    """Whether there was time to check all of it."""


def see_journal(folder: Path) -> JournalSeen:
    """Look at the journal in this folder without changing anything."""
    from smwatch.journal import FILE_NAME, MIGRATIONS

    path = folder / FILE_NAME
    try:
        found = path.stat()
        folder_mode = stat.S_IMODE(folder.stat().st_mode)
    except FileNotFoundError:
        return JournalSeen(path=str(path), exists=False)
    except OSError as error:
        return JournalSeen(path=str(path), fault=str(error))
    version, fault, whole = _looked_into(path)
    return JournalSeen(
        path=str(path),
        mode=stat.S_IMODE(found.st_mode),
        folder_mode=folder_mode,
        size=found.st_size,
        version=version,
        known_version=len(MIGRATIONS),
        fault=fault,
        looked_through=whole,
    )


def _looked_into(path: Path) -> tuple[int, str, bool]:
    """Return (version, what is wrong, whether all of it was looked through)."""
    deadline = time.monotonic() + CHECK_WITHIN
    try:
        connection = sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro", uri=True, timeout=2)
    except sqlite3.Error as error:
        return 0, str(error), False
    version = 0
    try:
        (version,) = connection.execute("PRAGMA user_version").fetchone()
        connection.set_progress_handler(lambda: time.monotonic() > deadline, 100_000)
        (said,) = connection.execute("PRAGMA quick_check(1)").fetchone()
    except sqlite3.OperationalError as error:
        if time.monotonic() > deadline:
            return version, "", False
        return version, str(error), False
    except sqlite3.Error as error:
        return version, str(error), False
    else:
        return version, "" if said == "ok" else str(said), True
    finally:
        connection.close()
