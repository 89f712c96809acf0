"""What is written of the periods that a source has covered."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from datetime import datetime

import msgspec

from smwatch.journal.rows import instant, microseconds
from smwatch.sources.coverage import Coverage, Gap, Lags, Span, join

LAGS = "lags "
"""Begins the name of the fact that holds how late a source's records are."""
LOST = "lost "
"""Begins the name of the fact that holds how far a source was complete in a journal that is lost."""
ACCOUNT = "account "
"""Begins the name of the fact that says which account it is that something stands in for."""


def cover(
    db: sqlite3.Connection,
    source: str,
    settled: Span | None,
    gaps: Sequence[Gap],
    untrue: Sequence[Gap],
    lags: Lags | None,
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
    if lags is not None:
        db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (LAGS + source, msgspec.json.encode(lags)))


def coverage(db: sqlite3.Connection, source: str) -> Coverage:
    """What a source has settled, its gaps, and how late its records were found to be."""
    spans = db.execute("SELECT start_us, end_us FROM settled WHERE source = ? ORDER BY start_us", (source,))
    settled = tuple(Span(instant(start), instant(end)) for start, end in spans)
    rows = db.execute("SELECT start_us, end_us, reason FROM gaps WHERE source = ? ORDER BY start_us", (source,))
    gaps = tuple(Gap(Span(instant(start), instant(end)), why) for start, end, why in rows)
    lags = db.execute("SELECT value FROM facts WHERE name = ?", (LAGS + source,)).fetchone()
    lost = db.execute("SELECT value FROM facts WHERE name = ?", (LOST + source,)).fetchone()
    lost_to = msgspec.json.decode(lost[0], type=datetime) if lost else None
    return Coverage(settled, gaps, msgspec.json.decode(lags[0], type=Lags) if lags else Lags(), lost_to)


def lose(db: sqlite3.Connection, source: str, mark: datetime) -> None:
    """Note how far a source was complete in a journal that is lost."""
    db.execute("INSERT OR REPLACE INTO facts VALUES (?, ?)", (LOST + source, msgspec.json.encode(mark)))


def settle(db: sqlite3.Connection, source: str, span: Span) -> None:
    """Note that everything in a period is known, together with the periods that it touches."""
    start, end = microseconds(span.start), microseconds(span.end)
    touching = db.execute(
        "SELECT start_us, end_us FROM settled WHERE source = ? AND start_us <= ? AND end_us >= ?", (source, end, start)
    ).fetchall()
    db.executemany("DELETE FROM settled WHERE source = ? AND start_us = ?", [(source, other) for other, _ in touching])
    (whole,) = join([span, *(Span(instant(a), instant(b)) for a, b in touching)])
    db.execute("INSERT INTO settled VALUES (?, ?, ?)", (source, microseconds(whole.start), microseconds(whole.end)))


def rename(db: sqlite3.Connection, old: str, new: str) -> None:
    """Sources whose names hold `old` are those that hold `new` there: put together what is known of both."""
    covered = db.execute("SELECT source, start_us, end_us FROM settled WHERE instr(source, ?)", (old,)).fetchall()
    for source, start, end in covered:
        settle(db, source.replace(old, new), Span(instant(start), instant(end)))
    names = old, new, old
    db.execute("DELETE FROM settled WHERE instr(source, ?)", (old,))
    db.execute("UPDATE OR IGNORE gaps SET source = replace(source, ?, ?) WHERE instr(source, ?)", names)
    db.execute("DELETE FROM gaps WHERE instr(source, ?)", (old,))
    db.execute("UPDATE OR IGNORE facts SET name = replace(name, ?, ?) WHERE instr(name, ?)", names)
    db.execute("DELETE FROM facts WHERE instr(name, ?)", (old,))
