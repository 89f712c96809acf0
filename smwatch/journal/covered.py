"""What a journal says of the periods that its sources have covered, and of their accounts."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any, Generic, NamedTuple, TypeVar

import msgspec

from smwatch.journal.kept import Kept
from smwatch.journal.rows import aware, instant, microseconds
from smwatch.sources.coverage import Asked, Audited, Coverage, Gap, Lags, Noted, Span, join

T = TypeVar("T")
Row = tuple[Any, ...]
"""As SQLite has it: in a damaged file anything may be in any column."""
ACCOUNT = "account "
"""Begins the name of the fact that says which account it is that something stands in for."""
LAGS = "lags "
"""Begins the name of the fact that holds how late a source's records are."""
AUDITED = "audited "
"""Begins the name of the fact that holds how far audits of a source have come."""
ASKED = "asked for "
"""Begins the name of the fact that says from where on runs have asked for everything of a source."""
ASKED_FROM = "asked "
"""The same as an older smwatch kept it: the earliest of these moments."""
SWEPT = "swept "
"""Begins the name of the fact that holds where sweeps of a source need not go back to."""
SAID = "said "
"""Begins the name of the fact that says how far a source was said to be complete; see `Coverage.said_to`."""
LOST = "lost "
"""Begins the name of the fact that holds how far a source was complete in a journal that is lost."""


def cover(
    db: sqlite3.Connection,
    source: str,
    settled: Span | None,
    gaps: Sequence[Gap],
    untrue: Sequence[Gap],
    noted: Noted | None,
) -> None:
    """Note what a page proves of the periods of its source."""
    if settled is not None:
        settle(db, source, settled)
    if untrue:
        taken_back = [(source, microseconds(gap.span.start), microseconds(gap.span.end)) for gap in untrue]
        db.executemany("DELETE FROM gaps WHERE source = ? AND start_us = ? AND end_us = ?", taken_back)
    db.executemany(
        "INSERT OR REPLACE INTO gaps VALUES (?, ?, ?, ?)",
        [(source, microseconds(gap.span.start), microseconds(gap.span.end), gap.reason) for gap in gaps],
    )
    if noted is not None:
        said = (
            (LAGS, noted.lags),
            (AUDITED, noted.audited),
            (ASKED, noted.asked),
            (SWEPT, noted.swept),
            (SAID, noted.said_to),
        )
        facts = [(name + source, msgspec.json.encode(value)) for name, value in said if value is not None]
        db.executemany("INSERT OR REPLACE INTO facts VALUES (?, ?)", facts)


class Part(NamedTuple, Generic[T]):
    """The rows of a table about one source: what they say, and those that can't be read any more."""

    read: tuple[T, ...]
    unreadable: tuple[Row, ...]


def settled_of(db: sqlite3.Connection, source: str) -> Part[Span]:
    """What a source has settled, ascending; spans that touch or overlap as one."""
    spans, unreadable = _read(db.execute("SELECT source, start_us, end_us FROM settled WHERE source = ?", (source,)))
    return Part(join(span for span, _ in spans), unreadable)


def gaps_of(db: sqlite3.Connection, source: str) -> Part[Gap]:
    """The gaps of a source, ascending."""
    rows = db.execute("SELECT source, start_us, end_us, reason FROM gaps WHERE source = ?", (source,))
    spans, unreadable = _read(rows)
    return Part(tuple(sorted(Gap(span, str(row[3])) for span, row in spans)), unreadable)


def _read(rows: Iterable[Row]) -> tuple[list[tuple[Span, Row]], tuple[Row, ...]]:
    read, unreadable = [], []
    for row in rows:
        try:
            read.append((Span(instant(row[1]), instant(row[2])), row))
        except (TypeError, ValueError, OverflowError):
            unreadable.append(row)
    return read, tuple(unreadable)


def lose(db: sqlite3.Connection, source: str, mark: datetime) -> None:
    """Note how far a source was complete in a journal that is lost."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (LOST + source, msgspec.json.encode(mark)))


def settle(db: sqlite3.Connection, source: str, span: Span) -> None:
    """Note that everything in a period is known, together with the periods that it touches."""
    start, end = microseconds(span.start), microseconds(span.end)
    select = "SELECT source, start_us, end_us FROM settled WHERE source = ? AND start_us <= ? AND end_us >= ?"
    touching, _ = _read(db.execute(select, (source, end, start)).fetchall())
    db.executemany("DELETE FROM settled WHERE source = ? AND start_us = ?", [row[:2] for _, row in touching])
    (whole,) = join([span, *(other for other, _ in touching)])
    db.execute("INSERT INTO settled VALUES (?, ?, ?)", (source, microseconds(whole.start), microseconds(whole.end)))


def rename(db: sqlite3.Connection, old: str, new: str) -> None:
    """Sources whose names hold `old` are those that hold `new` there: put together what is known of both."""
    for (source,) in db.execute("SELECT DISTINCT source FROM settled WHERE instr(source, ?)", (old,)).fetchall():
        for span in settled_of(db, source).read:
            settle(db, source.replace(old, new), span)
    names = old, new, old
    db.execute("DELETE FROM settled WHERE instr(source, ?)", (old,))
    db.execute("UPDATE OR IGNORE gaps SET source = replace(source, ?, ?) WHERE instr(source, ?)", names)
    db.execute("DELETE FROM gaps WHERE instr(source, ?)", (old,))
    db.execute("UPDATE OR IGNORE facts SET name = replace(name, ?, ?) WHERE instr(name, ?)", names)
    db.execute("DELETE FROM facts WHERE instr(name, ?)", (old,))


class Covered(Kept):
    """What a journal's file says of its sources and their accounts; every method is one transaction."""

    def coverage(self, source: str) -> Coverage:
        """What this source has settled, its gaps, how late its records are, how far audits are; see `unreadable`."""
        with self._look() as db:
            settled, gaps = settled_of(db, source), gaps_of(db, source)
        for table, part in (("settled", settled), ("gaps", gaps)):
            for row in part.unreadable:
                self._put_aside(table, row)
        lags = self.fact_as(LAGS + source, Lags) or Lags()
        swept = self.fact_as(SWEPT + source, tuple[Span, ...]) or ()
        audited = self.fact_as(AUDITED + source, Audited) or Audited()
        asked = self.fact_as(ASKED + source, tuple[Asked, ...])
        asked_from, lost_to, said_to = (self.fact_as(name + source, datetime) for name in (ASKED_FROM, LOST, SAID))
        if asked is None and asked_from is not None:
            asked = (Asked(aware(asked_from), aware(asked_from)),)
        return Coverage(
            settled.read,
            gaps.read,
            lags,
            audited,
            asked or (),
            swept,
            aware(lost_to) if lost_to else None,
            aware(said_to) if said_to else None,
        )

    def settled(self) -> dict[str, tuple[Span, ...]]:
        """What each source has settled, ascending, by its name: as `coverage` says, but for all at one moment."""
        with self._look() as db:
            spans, _ = _read(db.execute("SELECT source, start_us, end_us FROM settled").fetchall())
        found: dict[str, list[Span]] = {}
        for span, (source, *_) in spans:
            found.setdefault(source, []).append(span)
        return {source: join(each) for source, each in found.items() if isinstance(source, str)}

    def sources(self) -> tuple[str, ...]:
        """The names of the sources that have settled anything."""
        with self._look() as db:
            rows = db.execute("SELECT source FROM settled UNION SELECT source FROM gaps ORDER BY 1").fetchall()
        return tuple(name for (name,) in rows if isinstance(name, str))

    def asked_sources(self) -> tuple[str, ...]:
        """The names of the sources that were ever asked, whether or not they have settled anything."""
        select = "SELECT source FROM settled UNION SELECT substr(name, ?) FROM facts WHERE name GLOB ?"
        with self._look() as db:
            rows = db.execute(select, (len(ASKED) + 1, f"{ASKED}*")).fetchall()
        return tuple(name for (name,) in rows if isinstance(name, str))

    def account_of(self, stand_in: str) -> str | None:
        """The account that is known to be behind what stood in for its number; see `know_account`."""
        value = self.fact(name := ACCOUNT + stand_in)
        if value is not None and not value.isdigit():
            self._put_aside("facts", (name, value))
            return None
        return None if value is None else value.decode()

    def know_account(self, stand_in: str, account: str) -> None:
        """Remember whose number it is that something stands in for, and give it what was covered meanwhile."""
        if self.account_of(stand_in) != account or any(f":{stand_in}:" in source for source in self.sources()):
            with self._transaction() as db:
                rename(db, f":{stand_in}:", f":{account}:")
                db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (ACCOUNT + stand_in, account.encode()))
