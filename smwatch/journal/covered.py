"""What is written of the periods that a source has covered."""

from __future__ import annotations

import sqlite3

from smwatch.journal.rows import instant, microseconds
from smwatch.sources.coverage import Span, join

LAGS = "lags "
"""Begins the name of the fact that holds how late a source's records are."""
ACCOUNT = "account "
"""Begins the name of the fact that says which account it is that something stands in for."""


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
