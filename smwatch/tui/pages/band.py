"""The band over the stream: what asks for attention, impossible to overlook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smwatch.rules.alarm import Alarm, Severity
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Piece, spread
from smwatch.tui.pages.words import about, badge
from smwatch.tui.text import cells, fit
from smwatch.tui.times import Zone, moment, period

ROOMY = 80
"""Columns from which there is room for words that numbers can do without."""
TITLE = 16
"""Cells of a title that say something of it."""

_BAND = {
    Severity.CRITICAL: "alarm",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.LOW: "low",
    Severity.INFO: "low",
}


def band_rows(
    alarms: Sequence[Alarm],
    muted: Sequence[Alarm],
    step: str | None,
    now: datetime,
    zone: Zone,
    width: int,
    keys: KeyTable,
) -> list[list[Piece]]:
    """The band over the stream: the worst alarm with its next `step`, how many more, and how many are muted.

    No rows where there are none of either.
    """
    if not alarms:
        return [_muted(muted, now, width, keys)] if muted else []
    worst, *others = alarms
    role = _BAND[worst.severity]
    tail = _tail(worst, len(others), len(muted), now, zone, width)
    head = f"{badge(worst).text} {_told(worst, width - cells(tail) - cells(badge(worst).text) - 2)}"
    rows = [_filled(head, tail, width, f"{role}@screen.alarms")]
    if step is not None:
        left, right = f"   next: {step}", f"  {keys.one('watch.copy')} copies"
        if width >= 100:
            right += f"  {keys.one('watch.next_alarm')} shows  {keys.one('watch.acknowledge')} acknowledges"
        rows.append(_filled(left, f"{right} ", width, f"{role}@screen.copy"))
    return rows


def _tail(worst: Alarm, others: int, muted: int, now: datetime, zone: Zone, width: int) -> str:
    """How often, when, and how many more there are, as far as there is room for it."""
    first, last = moment(worst.first_at, zone, now), moment(worst.last_at, zone, now)
    times = f"first {first}  last {last}" if width >= 100 else last
    word = " more" if width >= ROOMY else ""
    more = f"  +{others:,}{word}" if others else ""
    quiet = f"  {muted:,} muted" if muted and width >= ROOMY else ""
    return f"  ×{worst.count:,}  {times}{more}{quiet} "


def _told(worst: Alarm, room: int) -> str:
    """Which secret and who, after what it is if there is room to say that so that it is understood."""
    whom = "  ".join(filter(None, (worst.secret.name if worst.secret is not None else "", worst.principal)))
    left = room - cells(whom) - 2
    if not whom or left >= min(cells(worst.title), TITLE):
        title = worst.title if cells(worst.title) <= left or not whom else fit(worst.title, left).rstrip()
        return "  ".join(filter(None, (title, whom)))
    return whom


def _filled(left: str, right: str, width: int, role: str) -> list[Piece]:
    row = spread([Piece(left, role)], [Piece(right, role)], width)
    return [Piece(piece.text, role) for piece in row.pieces]


def _muted(muted: Sequence[Alarm], now: datetime, width: int, keys: KeyTable) -> list[Piece]:
    """What is quiet because somebody wanted it so: the worst of it, and for how long still."""
    worst, *others = muted
    left = f" muted: {worst.severity.value} {worst.title}  {about(worst)}"
    length = f"for another {period(worst.muted_until - now)}" if worst.muted_until is not None else ""
    more = f"  +{len(others):,} more" if others else ""
    row = spread([Piece(left, "quiet@screen.alarms")], [Piece(f"  {length}{more}  ", "quiet@screen.alarms")], width - 9)
    return [*row.pieces, Piece(f"{keys.one('watch.alarms')} shows ", "quiet@screen.alarms")]
