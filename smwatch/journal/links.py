"""Which records of a journal belong together: a correction and its original, one call as several accounts saw it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from hashlib import blake2b

import msgspec

from smwatch.events.event import Arrival
from smwatch.events.reader import Reader
from smwatch.journal.errors import JournalCorruptError
from smwatch.journal.rows import IDENTITY, Stored, identity

LINKED = """seq > ? AND seq <= ? AND (instr(raw, '"sharedEventID"') OR instr(raw, '"addendum"'))"""
"""Of events with such numbers: those of which some may belong together."""
_MANY = 500
"""Values in one statement; SQLite once took 999."""


class Links:
    """Gives a correction, and what it corrects, one key even where they disagree about the eventTime.

    The one that is journaled first decides at which second both are kept, after a restart too.
    """

    def __init__(self) -> None:
        self._seconds: dict[int, int] = {}
        """By the eventID and account of what is corrected: the second that both are kept at."""
        self._stale = True

    def forget(self) -> None:
        """Look again next time: another process has written, or what was written here has been taken back."""
        self._stale = True

    def place(self, db: sqlite3.Connection, arrivals: Iterable[Arrival], *, note: bool) -> Sequence[Arrival]:
        """The same arrivals, their events at the seconds they are kept at; `note` has corrections remembered."""
        if self._stale:
            rows = db.execute("SELECT original, at FROM corrections").fetchall()
            if not all(isinstance(original, bytes) and isinstance(second, int) for original, second in rows):
                raise JournalCorruptError("a correction in it can't be read")
            self._seconds = {int.from_bytes(original): second for original, second in rows}
            self._stale = False
        arrivals = tuple(arrivals)
        corrections = {
            event.key & IDENTITY: event.seconds
            for arrival in arrivals
            if (event := arrival.event).odd_id and event.corrects
        }
        unknown = {one: second for one, second in corrections.items() if one not in self._seconds}
        if unknown:
            found = unknown | _seconds_of(db, unknown)
            if note:
                self._seconds |= found
                noted = [(identity(one), second) for one, second in found.items()]
                db.executemany("INSERT OR IGNORE INTO corrections VALUES (?, ?)", noted)
            seconds = self._seconds | found
        else:
            seconds = self._seconds
        return [_moved(arrival, seconds) for arrival in arrivals] if seconds else arrivals

    def link(self, db: sqlite3.Connection, journaled: Iterable[Stored]) -> None:
        """Place records that were journaled without looking what belongs together, as if they had just come."""
        reader = Reader()
        for stored in journaled:
            arrival = reader.read(stored.raw, seen_by=stored.seen_by, seen_at=stored.seen_at, at=stored.at)
            (placed,) = self.place(db, [arrival], note=True)
            if placed is not arrival:
                db.execute("UPDATE OR IGNORE events SET at = ? WHERE seq = ?", (placed.event.seconds, stored.seq))
            if arrival.shared_id:
                share(db, stored.seq, arrival.shared_id)


def _moved(arrival: Arrival, seconds: dict[int, int]) -> Arrival:
    event = arrival.event
    second = seconds.get(event.key & IDENTITY, -1)
    if second < 0 or second == event.seconds:
        return arrival
    return msgspec.structs.replace(arrival, event=event.moved(second), moved=True)


def _seconds_of(db: sqlite3.Connection, wanted: dict[int, int]) -> dict[int, int]:
    """The seconds at which these originals are kept, as far as they are there; the ones given are tried first."""
    find = "SELECT 1 FROM events WHERE at = ? AND identity = ?"
    missing = [one for one, second in wanted.items() if not db.execute(find, (second, identity(one))).fetchone()]
    found: dict[int, int] = {}
    for start in range(0, len(missing), _MANY):  # corrections are rare, and of another time rarer: all of the index
        some = [identity(one) for one in missing[start : start + _MANY]]
        marks = ", ".join("?" * len(some))
        rows = db.execute(f"SELECT identity, at FROM events WHERE identity IN ({marks})", some)  # noqa: S608
        found |= {int.from_bytes(one): second for one, second in rows}
    return found


def share(db: sqlite3.Connection, seq: int, shared_id: str) -> None:
    """Remember that the record with this number has this sharedEventID."""
    db.execute("INSERT OR IGNORE INTO shared VALUES (?, ?)", (seq, call_of(shared_id)))


def call_of(shared_id: str) -> bytes:
    """What a sharedEventID is looked up by, however long somebody has made it."""
    return blake2b(shared_id.encode("utf-8", "surrogatepass"), digest_size=16).digest()
