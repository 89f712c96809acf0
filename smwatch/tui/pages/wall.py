"""The ops wall: what a room needs to see, without anybody touching it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from itertools import zip_longest

from rich.cells import cell_len

from smwatch.rules.alarm import Alarm
from smwatch.sources.source import Status
from smwatch.tui.health import ranked
from smwatch.tui.lines import BLANK, Line, Piece, heading, line, sparkline, spread
from smwatch.tui.pages.big import big, width_of
from smwatch.tui.pages.words import ALARM_GLYPHS, ALARM_ROLES, standing
from smwatch.tui.tally import Tally, bins
from smwatch.tui.text import fit, visible
from smwatch.tui.times import CLOCK, Zone, moment, period, written

HOUR = timedelta(hours=1)
NOW = timedelta(minutes=5)
LISTED = 6
LARGE = 120
"""Columns from which the clock is drawn large."""


def wall_page(
    alarms: Sequence[Alarm],
    asking: Sequence[Alarm],
    statuses: Sequence[Status],
    tally: Tally,
    now: datetime,
    zone: Zone,
    width: int,
    height: int,
) -> list[Line]:
    """Clock and verdict, alarms, health, rates, and who and what is busiest; at most `height` lines."""
    shown = Zone.LOCAL if zone is Zone.LOCAL else Zone.UTC
    found = ranked(statuses, now)
    blind = [each for each in found if each.role == "bad"]
    lines = _top(asking, bool(blind), now, shown, width)
    lines += _alarms(asking, now, shown, width, room=max(4, height // 3))
    if blind:
        lines.append(_filled(" ✗ DATA IS NOT COMPLETE: what happens now may not be on this wall", "alarm", width))
    lines.append(BLANK)
    for each in found[:LISTED]:
        status = each.status
        lag = f"lag {period(status.lag)}" if status.lag is not None else ""
        whole = f"complete to {moment(status.complete_to, shown, now)}" if status.complete_to is not None else ""
        asked = f"asked {period(now - status.last_good_at)} ago" if status.last_good_at is not None else ""
        told = "   ".join(filter(None, (lag, whole, asked, status.progress)))
        name = f"{each.glyph} {status.label} {status.region} {each.word}"
        lines.append(line(Piece(fit(name, 40), each.role), Piece(told, "quiet")))
        if status.message:
            lines.append(line(Piece(f"  {status.message}", each.role)))
    lines += _rates(tally, now, width)
    rest = height - len(lines)
    if rest > 2:
        lines += _busiest(alarms, tally, now, shown, width)[:rest]
    return lines[:height]


def _top(asking: Sequence[Alarm], blind: bool, now: datetime, zone: Zone, width: int) -> list[Line]:
    large = width >= LARGE
    clock = big(written(int(now.timestamp()), zone, now, CLOCK), large=large)
    verdict = f"{len(asking)} ALARM{'S' if len(asking) != 1 else ''}" if asking else "STALE" if blind else "QUIET"
    role = "bad" if asking or blind else "good"
    told = big(verdict, large=large)
    if cell_len(clock[0]) + cell_len(told[0]) + 2 > width:
        told = [""] * len(clock)
        told[0] = f"{'✗' if asking or blind else '●'} {verdict}"
    lines = [BLANK]
    lines += [spread([Piece(left)], [Piece(right, role)], width) for left, right in zip(clock, told, strict=True)]
    date = f"{written(int(now.timestamp()), zone, now, '%Y-%m-%d')}  {zone.title()}"
    return [*lines, line(Piece(date, "quiet")), BLANK]


def _alarms(asking: Sequence[Alarm], now: datetime, zone: Zone, width: int, room: int) -> list[Line]:
    if not asking:
        return []
    worst, *others = asking
    role = "alarm" if ALARM_ROLES[worst.severity] in ("alarm", "bad") else "warn"
    name = visible(worst.secret.name if worst.secret is not None else worst.principal or worst.title)
    lines = [_filled(f" {ALARM_GLYPHS[worst.severity]} {worst.severity.value.upper()}  {worst.title}", role, width)]
    if width_of(name) + 2 <= width and name.isascii():
        lines += [_filled(f" {row}", role, width) for row in big(name)]
    else:
        lines.append(_filled(f" {name}", role, width))
    times = f"×{worst.count:,}   first {moment(worst.first_at, zone, now)}   last {moment(worst.last_at, zone, now)}"
    lines.append(_filled(f" {worst.principal}   {times}", role, width))
    for alarm in others[: max(0, room - 5)]:
        about = "  ".join(filter(None, (alarm.secret.name if alarm.secret is not None else "", alarm.principal)))
        mark = f" {ALARM_GLYPHS[alarm.severity]} {alarm.severity.value.upper()}"
        left = [Piece(fit(mark, 12), ALARM_ROLES[alarm.severity]), Piece(f" {alarm.title}  "), Piece(about, "link")]
        lines.append(spread(left, [Piece(f"×{alarm.count:,}  {moment(alarm.last_at, zone, now)}", "quiet")], width))
    hidden = len(others) - max(0, room - 5)
    if hidden > 0:
        lines.append(line(Piece(f" and {hidden:,} more", "bad")))
    return lines


def _filled(text: str, role: str, width: int) -> Line:
    return line(Piece(fit(text, width), role))


def _rates(tally: Tally, now: datetime, width: int) -> list[Line]:
    recent, hour = tally.totals(now, NOW), tally.totals(now, HOUR)
    note = f"{recent.events / 5:.1f} a minute now, {hour.events:,} in the last hour, {hour.failed:,} failed"
    lines = heading("events", note)
    minutes, count = bins(HOUR, width)
    each = max(1, min(4, width // count))
    buckets = tally.buckets(now, minutes, count)
    bars = "".join(bar * each for bar in sparkline([events for events, _ in buckets], count))
    lines.append(line(Piece(bars, "spark")))
    if any(failed for _, failed in buckets):
        bars = "".join(bar * each for bar in sparkline([failed for _, failed in buckets], count))
        lines.append(line(Piece(bars, "bad"), Piece(" failed", "quiet")))
    return lines


def _busiest(alarms: Sequence[Alarm], tally: Tally, now: datetime, zone: Zone, width: int) -> list[Line]:
    hour = tally.totals(now, HOUR)
    secrets = [(secret.name, f"{count:,}") for secret, count in hour.secrets.most_common(LISTED)]
    principals = [(f"{kind:<6}{name}", f"{count:,}") for (kind, name), count in hour.principals.most_common(LISTED)]
    latest = sorted((alarm for alarm in alarms), key=lambda alarm: -alarm.last_at.timestamp())[:LISTED]
    last = [(alarm.title, f"{standing(alarm, now) or 'open'} {moment(alarm.last_at, zone, now)}") for alarm in latest]
    columns = [("secrets, last hour", secrets), ("principals, last hour", principals), ("last alarms", last)]
    columns = columns[: 3 if width >= 130 else 2]
    each = (width - 3 * (len(columns) - 1)) // len(columns)
    lines = [BLANK, line(*_row([Piece(fit(title.upper(), each), "heading") for title, _ in columns]))]
    for row in zip_longest(*(entries for _, entries in columns)):
        cells = []
        for entry in row:
            name, right = entry or ("", "")
            cells.append(Piece(f"{fit(name, max(1, each - cell_len(right) - 1))} {right}"))
        lines.append(line(*_row(cells)))
    return lines


def _row(cells: Sequence[Piece]) -> list[Piece]:
    pieces: list[Piece] = []
    for cell in cells:
        pieces += [Piece("   "), cell] if pieces else [cell]
    return pieces
