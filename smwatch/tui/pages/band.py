"""The band over the stream: what asks for attention, impossible to overlook."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smwatch.rules.alarm import Alarm, Severity
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Piece, spread
from smwatch.tui.pages.words import about, badge
from smwatch.tui.text import cells, fit, fit_middle
from smwatch.tui.times import Zone, moment, period

WIDE, ROOMY = 100, 80
"""Columns from which there may be room for words, and for more than the last time."""
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
    worst: Alarm | None,
    others: int,
    muted: Sequence[Alarm],
    step: str | None,
    now: datetime,
    zone: Zone,
    width: int,
    keys: KeyTable,
) -> list[list[Piece]]:
    """The band over the stream: the worst alarm with its next `step`, how many `others`, and how many are muted.

    No rows where there are none of either. Where one row has no room for what the alarm is and for which secret, the
    second says whom it is about in the place of a command of which there would be no more than the beginning.
    """
    if worst is None:
        return [_muted(muted, now, width, keys)] if muted else []
    role = _BAND[worst.severity]
    mark = badge(worst).text
    more, room = _more(others, len(muted), width), width - cells(mark) - 2
    tails = _tails(worst, more, now, zone, width)
    fitted = _fitted(worst, tails, room)
    if step is not None and (width < ROOMY or fitted is None):
        return [
            _filled(f"{mark} {worst.title}", f"{more} " if more else "", width, f"{role}@screen.alarms"),
            _filled(*_whom_and_when(worst, now, zone, width, keys), width, f"{role}@screen.copy"),
        ]
    told, tail = fitted or (_untitled(worst, room - cells(tails[-1])), tails[-1])
    rows = [_filled(f"{mark} {told}", tail, width, f"{role}@screen.alarms")]
    if step is not None:
        left, right = f"   next: {step}", f"  {keys.one('watch.copy')} copies"
        if width >= 100:
            right += f"  {keys.one('watch.next_alarm')} shows  {keys.one('watch.acknowledge')} acknowledges"
        rows.append(_filled(left, f"{right} ", width, f"{role}@screen.copy"))
    return rows


def _whom_and_when(worst: Alarm, now: datetime, zone: Zone, width: int, keys: KeyTable) -> tuple[str, str]:
    """Both ends of a row of its own: which secret and who, how often and when last, and how to have the next step."""
    tail = f"  ×{worst.count:,}  {moment(worst.last_at, zone, now)}  {keys.one('watch.copy')} copies next "
    return f"   {_whom(worst, width - cells(tail) - 4)}", tail


def _whom(worst: Alarm, room: int) -> str:
    """The secret and who, or where there is no room for both the secret, of which the end tells it from others."""
    both = [name for name in (worst.whereof, worst.principal) if name]
    whole = "  ".join(both)
    return whole if cells(whole) <= room or not both else fit_middle(both[0], min(room, cells(both[0])))


def _more(others: int, muted: int, width: int) -> str:
    """How many others there are."""
    if width < ROOMY:
        return f"  +{others:,}" if others else ""
    return (f"  +{others:,} more" if others else "") + (f"  {muted:,} muted" if muted else "")


def _tails(worst: Alarm, more: str, now: datetime, zone: Zone, width: int) -> list[str]:
    """How often, when, and how many more there are: in words, and shorter."""
    first, last = moment(worst.first_at, zone, now), moment(worst.last_at, zone, now)
    short = last if first == last or width < ROOMY else f"{first} to {last}"
    forms = (f"first {first}  last {last}", short) if width >= WIDE else (short,)
    return [f"  ×{worst.count:,}  {form}{more} " for form in forms]


def _heads(worst: Alarm) -> list[tuple[str, str]]:
    """What it is, and which secret and who; with little room who gives way first, then what it is."""
    whom = "  ".join(filter(None, (worst.whereof, worst.principal)))
    return [(worst.title, whom), (worst.title, worst.whereof)] if whom else [(worst.title, "")]


def _fitted(worst: Alarm, tails: Sequence[str], room: int) -> tuple[str, str] | None:
    """The first of what may be said at both ends of the line that leaves room for a title that says something."""
    for title, whom in _heads(worst):
        for tail in tails:
            left = room - cells(tail) - cells(whom) - 2 * bool(whom)
            if left >= min(cells(title), TITLE):
                return "  ".join(filter(None, (fit(title, min(left, cells(title))), whom))), tail
    return None


def _untitled(worst: Alarm, room: int) -> str:
    """Which secret and who, or as much of it as there is room for."""
    heads = _heads(worst)
    whole = next((whom for _, whom in heads if whom and cells(whom) <= room), "")
    return whole or heads[-1][1] or heads[-1][0]


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
