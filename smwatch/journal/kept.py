"""What a journal keeps beside events: alarms and facts, by name. What can't be read of it any more is put aside."""

from __future__ import annotations

import sqlite3
import sys
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, TypeVar

import msgspec

from smwatch.journal.database import Database, Opening
from smwatch.journal.errors import JournalError
from smwatch.rules.alarm import Alarm

T = TypeVar("T")

DAMAGED = "damaged "
"""Begins the name of a fact that holds what could not be read in its place."""
NAMED = 3
"""So many of the things that could not be read are named; of more, how many they are."""
_KEYS = {
    "alarms": ("alarm_group",),
    "facts": ("name",),
    "settled": ("source", "start_us"),
    "gaps": ("source", "start_us", "end_us"),
}
"""What tells a row of these tables from the others: their first columns."""


class Kept(Database):
    """Alarms and facts in the file of a journal; every method is one transaction."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._unkept: dict[str, Alarm] = {}
        self._unkept_facts: dict[str, bytes] = {}
        self._unreadable: dict[str, None] = {}

    # -- alarms

    def alarms(self) -> tuple[Alarm, ...]:
        """All alarms ever kept, as far as they can be read; see `unreadable`."""
        with self._look() as db:
            rows = db.execute("SELECT alarm_group, alarm FROM alarms").fetchall()
        read = (self._decoded("alarms", row, Alarm) for row in rows)
        return tuple(alarm for alarm in read if alarm is not None)

    def keep(self, alarms: Iterable[Alarm], facts: dict[str, bytes] | None = None) -> None:
        """Keep alarms by group, with whatever else must be known after a restart; one with count 0 is taken back.

        What can't be kept now (JournalError) is kept together with whatever is committed or kept next.
        """
        with self._lock:
            self._unkept |= {alarm.group: alarm for alarm in alarms}
            self._unkept_facts |= facts or {}
            with self._transaction() as db:
                self._write_unkept(db)
            self._forget_unkept()

    def _write_unkept(self, db: sqlite3.Connection) -> None:
        """As part of a transaction; after it, `_forget_unkept`."""
        alarms = [(group, msgspec.json.encode(alarm)) for group, alarm in self._unkept.items() if alarm.count]
        db.executemany("INSERT OR REPLACE INTO alarms VALUES (?, ?)", alarms)
        taken_back = [(group,) for group, alarm in self._unkept.items() if not alarm.count]
        db.executemany("DELETE FROM alarms WHERE alarm_group = ?", taken_back)
        db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", self._unkept_facts.items())

    def _forget_unkept(self) -> None:
        self._unkept, self._unkept_facts = {}, {}

    # -- facts

    def fact(self, name: str) -> bytes | None:
        """What was kept under a name."""
        with self._look() as db:
            row = db.execute("SELECT value FROM facts WHERE name = ?", (name,)).fetchone()
        if row is None:
            return None
        value: object = row[0]
        if isinstance(value, bytes):
            return value
        self._put_aside("facts", (name, value))
        return None

    def facts(self, prefix: str) -> dict[str, bytes]:
        """What was kept under the names that begin so, by what follows in them."""
        with self._look() as db:
            select = "SELECT name, value FROM facts WHERE name >= ? AND name < ?"
            rows = db.execute(select, (prefix, prefix + chr(sys.maxunicode))).fetchall()
        for row in rows:
            if not isinstance(row[1], bytes):
                self._put_aside("facts", row)
        return {name.removeprefix(prefix): value for name, value in rows if isinstance(value, bytes)}

    def fact_as(self, name: str, kind: type[T]) -> T | None:
        """What was kept under a name as JSON; None also for null, and for what can't be read: see `unreadable`."""
        value = self.fact(name)
        return None if value in (None, b"null") else self._decoded("facts", (name, value), kind)

    def facts_as(self, prefix: str, kind: type[T]) -> dict[str, T]:
        """What was kept as JSON under the names that begin so, by what follows in them."""
        read = {
            name: self._decoded("facts", (prefix + name, value), kind) for name, value in self.facts(prefix).items()
        }
        return {name: value for name, value in read.items() if value is not None}

    def forget_of_no_alarm(self, prefixes: Iterable[str]) -> None:
        """Delete the facts named by one of these and then the group of an alarm that is kept no more."""
        gone = (
            "DELETE FROM facts WHERE name >= ? AND name < ? AND substr(name, ?) NOT IN (SELECT alarm_group FROM alarms)"
        )
        with self._transaction(at_once=False) as db:
            db.executemany(gone, [(each, each + chr(sys.maxunicode), len(each) + 1) for each in prefixes])

    def forget_facts(self, prefix: str) -> None:
        """Delete the facts whose names begin so."""
        with self._transaction(at_once=False) as db:
            db.execute("DELETE FROM facts WHERE name >= ? AND name < ?", (prefix, prefix + chr(sys.maxunicode)))

    # -- what can't be read

    def unreadable(self) -> str:
        """What could not be read since this was asked last, as a clause for a person; "" for nothing."""
        names, self._unreadable = list(self._unreadable), {}
        if not names:
            return ""
        more = f" and {len(names) - NAMED:,} more" if len(names) > NAMED else ""
        return f"the journal is damaged in places; put aside in it, and ignored: {', '.join(names[:NAMED])}{more}"

    def _decoded(self, table: str, row: Sequence[Any], kind: type[T]) -> T | None:
        try:
            return msgspec.json.decode(row[1], type=kind)
        except (msgspec.MsgspecError, TypeError, UnicodeDecodeError):
            self._put_aside(table, row)
            return None

    def _put_aside(self, table: str, row: Sequence[Any]) -> None:
        """Give a row that can't be read a name under which nobody looks for it; nothing is deleted."""
        keys = _KEYS[table]
        name = " ".join((table, *map(str, row[: len(keys)])))
        self._unreadable[name] = None
        if self._read_only:
            return
        value = row[-1] if isinstance(row[-1], bytes) else repr(tuple(row)).encode("utf-8", "surrogatepass")
        with suppress(JournalError), self._transaction() as db:  # else it is met with again
            db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (DAMAGED + name, value))
            is_it = " AND ".join(f"{key} IS ?" for key in keys)
            db.execute(f"DELETE FROM {table} WHERE {is_it}", row[: len(keys)])  # noqa: S608
