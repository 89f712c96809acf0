"""The records of a journal in memory, beside SQLite: it would copy each one, and takes long to give its room back."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable
from itertools import takewhile

from smwatch.events.event import Arrival

_TABLE = (
    # SQLite before 3.35 can't drop a column.
    "ALTER TABLE events RENAME COLUMN raw TO unused",
    "ALTER TABLE events ADD COLUMN raw GENERATED ALWAYS AS (record_of(seq)) VIRTUAL",
)
_HELD = "SELECT seq, raw FROM events WHERE raw IS NOT NULL ORDER BY seq"


class Records:
    """Records by seq, as what they are read from in SQL too: the column `raw` of a database in memory.

    Serves the row "replay" of the benchmarks.
    """

    def __init__(self) -> None:
        self._held: dict[int, str | bytes] = {}
        """Ascending by seq."""

    def serve(self, connection: sqlite3.Connection) -> None:
        """Be the column `raw` of the events in this database from now on, and hold what is in it."""
        self._held = dict(connection.execute(_HELD))
        if self._held:
            connection.execute("UPDATE events SET raw = NULL")
            connection.execute("VACUUM")
        connection.execute("PRAGMA trusted_schema = ON")
        connection.create_function("record_of", 1, self._held.get, deterministic=True)
        for statement in _TABLE:
            connection.execute(statement)

    def hold(self, fresh: Iterable[tuple[int, Arrival]]) -> None:
        """Hold the records of events that were put in, by seq."""
        # The text itself, as its arrival has it, but where Python takes up to four bytes for a character.
        self._held.update((seq, raw if (raw := each.raw).isascii() else as_bytes(raw)) for seq, each in fresh)

    def forget(self, upto: int) -> None:
        """Let go of the records up to a seq."""
        for seq in tuple(takewhile(upto.__ge__, self._held)):
            del self._held[seq]


def as_bytes(raw: str) -> bytes:
    """A record's text in UTF-8, also where half of a surrogate pair is in it, as JSON may hold."""
    return raw.encode("utf-8", "surrogatepass")
