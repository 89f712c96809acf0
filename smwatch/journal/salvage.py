"""What the services can't give back is read from a damaged journal, as far as it can still be read."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import closing, suppress
from pathlib import Path

import msgspec

from smwatch.journal import file
from smwatch.journal.covered import lose
from smwatch.journal.errors import JournalError
from smwatch.journal.rows import instant

_SLAB = 500
"""Events looked for at a time where pages of the file are broken: so many are given up with one of them."""
_PRINTED = "SELECT at, identity FROM events {how} WHERE EXISTS (SELECT 1 FROM told WHERE told.seq = events.seq)"


class Saved(msgspec.Struct, frozen=True):
    """What came of it."""

    whole: bool
    """Whether all alarms and facts were there."""
    printed: int
    """Of how many events it is known that `tail` has printed them."""
    told: int | None
    """How many it has printed; None where that can't be read."""

    def __str__(self) -> str:
        """What could not be saved, in a clause; "" if everything was."""
        lost = []
        if not self.whole:
            lost.append("not all of its alarms and notes could be read")
        if self.told is None:
            lost.append("what `smwatch tail` has printed can't be read from it: lines may be repeated")
        elif self.told > self.printed:
            forgotten = f"{self.told - self.printed:,} of {self.told:,} printed lines"
            lost.append(f"{forgotten} can't be read from it: they may be repeated")
        return "; ".join(lost)


def salvage(aside: Path, db: sqlite3.Connection, *, but: tuple[str, ...]) -> Saved:
    """Copy alarms, facts and what was printed from a damaged file into a new journal's transaction.

    No facts whose names begin like one in `but`: they say something of what is lost.
    """
    whole = {table: _copied(aside, db, table) for table in ("alarms", "facts")}
    db.executemany("DELETE FROM facts WHERE substr(name, 1, ?) = ?", [(len(name), name) for name in but])
    ends = "SELECT source, max(end_us) FROM settled WHERE typeof(end_us) = 'integer' GROUP BY source"
    for source, end in _Rows(aside, ends):
        with suppress(OverflowError):
            if isinstance(source, str) and isinstance(end, int):
                lose(db, source, instant(end))
    _note_printed(db, _Rows(aside, "SELECT at, identity FROM printed"))  # according to one that was damaged before
    printed = before = _printed(db)
    told = None
    with suppress(sqlite3.Error, JournalError), closing(file.connect_to_read(aside)) as damaged:
        told = before + int(damaged.execute("SELECT count(*) FROM told").fetchone()[0])
    for rows in (
        _Rows(aside, _PRINTED.format(how="INDEXED BY events_key") + " ORDER BY at, identity"),
        _Rows(aside, _PRINTED.format(how="INDEXED BY events_key") + " ORDER BY at DESC, identity DESC"),
        _by_slabs(aside, _PRINTED.format(how="NOT INDEXED") + " AND seq > ? AND seq <= ?"),
    ):
        if printed != told:
            _note_printed(db, rows)
            printed = _printed(db)
    return Saved(all(whole.values()), printed, told)


def _note_printed(db: sqlite3.Connection, rows: Iterable[tuple[object, ...]]) -> None:
    good = (row for row in rows if isinstance(row[0], int) and isinstance(row[1], bytes))
    db.executemany("INSERT OR IGNORE INTO printed VALUES (?, ?)", good)


def _printed(db: sqlite3.Connection) -> int:
    return int(db.execute("SELECT count(*) FROM printed").fetchone()[0])


def _copied(aside: Path, db: sqlite3.Connection, table: str) -> bool:
    """Copy a table of names and values up to the first row that can't be read; whether that was all."""
    rows = _Rows(aside, f"SELECT * FROM {table}")  # noqa: S608
    good = (row for row in rows if len(row) == 2 and isinstance(row[0], str) and isinstance(row[1], bytes))
    db.executemany(f"INSERT OR REPLACE INTO {table} VALUES (?, ?)", good)  # noqa: S608
    return rows.whole


class _Rows:
    """What a SELECT finds in a damaged file, up to where that ends."""

    def __init__(self, aside: Path, select: str, *given: int) -> None:
        self.whole = False
        self._aside, self._select, self._given = aside, select, given

    def __iter__(self) -> Iterator[tuple[object, ...]]:
        with suppress(sqlite3.Error, JournalError), closing(file.connect_to_read(self._aside)) as damaged:
            yield from damaged.execute(self._select, self._given)
            self.whole = True


def _by_slabs(aside: Path, select: str) -> Iterator[tuple[object, ...]]:
    """What a SELECT finds between two numbers, for all numbers; a slab that can't be read is left out."""
    newest = 0
    with suppress(sqlite3.Error, JournalError, ValueError), closing(file.connect_to_read(aside)) as damaged:
        newest = int(damaged.execute("SELECT seq FROM sqlite_sequence WHERE name = 'events'").fetchone()[0])
    for start in range(0, newest, _SLAB):
        yield from _Rows(aside, select, start, start + _SLAB)
