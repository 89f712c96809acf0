"""What `smwatch tail` has printed of the events in a journal, each once, by one process at a time."""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Iterable
from contextlib import AbstractContextManager, ExitStack
from pathlib import Path

from smwatch.events.event import Event
from smwatch.journal import file
from smwatch.journal.errors import JournalError
from smwatch.journal.rows import identity

PATIENCE_SECONDS = 2.0
"""How long a tail waits for the one before it to end, as when a supervisor starts it again."""
TAKEN, DEALT = "tail.taken", "tail.dealt"
"""The facts up to which seq events have been taken in while printing, and up to which none is left to be printed."""
FROM = "tail.from"
"""The fact from which second of event time on events are printed: the earliest that any run was asked for."""
WRITTEN = "written alarm "
"""Before an alarm's group: the fact that says how it was written last."""
OLDEST = f"""SELECT CASE WHEN
  EXISTS (SELECT 1 FROM told) OR EXISTS (SELECT 1 FROM printed) OR EXISTS (SELECT 1 FROM facts WHERE name = '{TAKEN}')
  THEN (SELECT min(at) FROM (SELECT min(at) AS at FROM events UNION ALL SELECT min(at) FROM printed)) END"""  # noqa: S608
"""The second of the oldest event, if some run has printed from the journal."""
TOLD = "EXISTS (SELECT 1 FROM told WHERE told.seq = events.seq)"
"""Of an event: whether it has been printed."""
UNTOLD = f" AND NOT {TOLD}"
"""Of a SELECT from events: those that have not been printed."""


def printing(path: Path) -> AbstractContextManager[object]:
    """Be the one process that prints from this journal; JournalError if another one goes on doing so."""
    lock, deadline = ExitStack(), time.monotonic() + PATIENCE_SECONDS
    while True:
        try:
            lock.enter_context(file.locked(path.with_name(file.PRINTING_LOCK), wait=False))
        except BlockingIOError:
            if time.monotonic() > deadline:
                raise JournalError(
                    f"another smwatch tail prints each event of {path.parent} once: "
                    "give this one a --state-dir of its own"
                ) from None
            time.sleep(0.05)
        except OSError:
            return lock  # no room for a lock file: what is printed matters more
        else:
            return lock


def tell(db: sqlite3.Connection, seqs: Iterable[int]) -> None:
    """Note that these events have been printed."""
    db.executemany("INSERT OR IGNORE INTO told VALUES (?)", [(seq,) for seq in seqs])


def told_of(db: sqlite3.Connection, seqs: Iterable[int]) -> set[int]:
    """Those of these events that have been printed."""
    return {seq for seq in seqs if db.execute("SELECT 1 FROM told WHERE seq = ?", (seq,)).fetchone()}


def tell_again(db: sqlite3.Connection, seq: int, event: Event) -> None:
    """Note as printed what was printed according to a damaged journal."""
    key = event.seconds, identity(event.own_key)
    if db.execute("DELETE FROM printed WHERE at = ? AND identity = ?", key).rowcount:
        tell(db, [seq])


def note(db: sqlite3.Connection, name: str, number: int) -> None:
    """Keep a number under a name, as a fact."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (name, b"%d" % number))
