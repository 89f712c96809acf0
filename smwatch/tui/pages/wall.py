"""The ops wall: what a room needs to see, without anybody touching it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from datetime import datetime, timedelta
from heapq import nlargest
from itertools import zip_longest
from operator import attrgetter

import msgspec
from rich.cells import cell_len

from smwatch.amount import amount
from smwatch.rules.alarm import Alarm
from smwatch.sources.source import State, Status
from smwatch.tui.health import Health, blind, counted, ranked
from smwatch.tui.lines import BARS, BLANK, Line, Piece, line, spread
from smwatch.tui.pages.big import big, rows_of, scale_for, width_of
from smwatch.tui.pages.words import ALARM_GLYPHS, ALARM_ROLES, Standing, standing
from smwatch.tui.tally import Minute, Tally, bins
from smwatch.tui.text import cells, fit, visible, wrap
from smwatch.tui.times import CLOCK, Zone, moment, period, written

HOUR = timedelta(hours=1)
NOW = timedelta(minutes=5)
LISTED = 5
"""Secrets, principals and last alarms that there is always room for on a wall that is not small."""
NOT_COMPLETE = "DATA NOT COMPLETE"
SAID = 3
"""Lines at most for the sentence of the source that needs attention first: the next step stands at its end."""
TALLEST = 8
"""Lines of the histogram at most."""


class Scene(msgspec.Struct, frozen=True):
    """What is known when a wall is drawn."""

    alarms: Sequence[Alarm]
    """All, what needs attention first."""
    asking: Sequence[Alarm]
    """Those that ask for attention now, worst first."""
    statuses: Sequence[Status]
    tally: Tally
    now: datetime
    """The moment that is shown: of a recording that of its newest event."""
    clock: datetime
    """The present moment."""
    recorded: bool
    since: datetime
    """When it began to watch."""
    zone: Zone
    """UTC or local."""


def wall_page(scene: Scene, width: int, height: int) -> list[Line]:
    """Clock and verdict, alarms, health, rates, and who and what is busiest; at most `height` lines."""
    found = ranked(scene.statuses, scene.clock)
    unsure = blind(scene.statuses, scene.clock, scene.since)
    lines = _top(scene, unsure, width, height)
    lines += _alarms(scene, width, room=max(4, (height - len(lines)) // 2 - min(len(found), 3)))
    if unsure:
        lines += _warning(width, height)
    lines.append(BLANK)
    lines += _sources(scene, found, width, room=max(3, height // 6))
    hour = scene.tally.totals(scene.now, HOUR)
    rest = height - len(lines)
    lists = 2 + LISTED if rest >= 8 + LISTED else 0
    lines += _rates(scene, hour, width, tall=max(1, min(TALLEST, (rest - lists - 4) // 3)))
    lines += _busiest(scene, hour, width, height - len(lines) - 2)
    return lines[:height]


def _verdict(scene: Scene, unsure: bool) -> tuple[str, str, str]:
    """(word, glyph, role) for how things stand."""
    if asking := len(scene.asking):
        return f"{asking:,} ALARM{'S' if asking != 1 else ''}", "▲", "mark"
    if unsure:
        return "STALE", "✗", "mark"
    if not any(each.last_good_at is not None for each in scene.statuses):
        return "STARTING", "○", "warn"
    return "QUIET", "●", "good"


def _top(scene: Scene, unsure: bool, width: int, height: int) -> list[Line]:
    """The clock with its zone, and the verdict as large as the clock; below, the date and what else is known."""
    seconds = int(scene.now.timestamp())
    clock, zone = written(seconds, scene.zone, scene.now, CLOCK), scene.zone.title()
    word, glyph, role = _verdict(scene, unsure)
    clock_scale = scale_for(f"{clock}{word}", width - cell_len(zone) - 2, max(3, height // 6))
    scale = clock_scale if clock_scale is not None else scale_for(clock, width - cell_len(word) - 2, height)
    lines = [BLANK]
    if scale is None:
        lines.append(spread([Piece(f"{clock} {zone}", "strong")], [Piece(f"{glyph} {word}", role)], width))
    else:
        faces = big(clock, scale)
        beside = width - width_of(clock, scale) - 2
        told = big(word, scale) if clock_scale is not None else [f"{glyph} {word}"]
        small = scale_for(zone, beside - max(map(cell_len, told)) - 2, rows_of(max(0, scale - 1)))
        named = big(zone, small) if small is not None and scale else [zone]
        named = [""] * (len(faces) - len(named)) + named
        for face, name, part in zip_longest(faces, named, told, fillvalue=""):
            lines.append(spread([Piece(f"{face} {name}".rstrip(), "strong")], [Piece(part, role)], width))
    date = written(seconds, scene.zone, scene.now, "%A %Y-%m-%d") + (" in a recording" if scene.recorded else "")
    return [*lines, spread([Piece(date)], [Piece(_aside(scene))], width), BLANK]


def _aside(scene: Scene) -> str:
    """Alarms that ask for nothing at the moment, lest quiet be taken for all well."""
    known = Counter(standing(alarm, scene.now) for alarm in scene.alarms)
    quiet = (Standing.ACKNOWLEDGED, Standing.MUTED)
    return "   ".join(f"{known[each]:,} {each}" for each in quiet if known[each])


def _alarms(scene: Scene, width: int, room: int) -> list[Line]:
    """The worst alarm, filled and large, then others as far as there is room, and how many are left out."""
    if not scene.asking:
        return []
    worst, *others = scene.asking
    now, zone = scene.now, scene.zone
    role = "alarm" if ALARM_ROLES[worst.severity] in ("alarm", "bad") else "warn"
    about = visible(worst.secret.name if worst.secret is not None else worst.principal or worst.title)
    title = f" {ALARM_GLYPHS[worst.severity]} {worst.severity.value.upper()}  {worst.title}"
    who = [worst.principal] if worst.principal != about else []
    count, last = f"×{worst.count:,}   ", f"last {moment(worst.last_at, zone, now)}"
    lines = [_filled(title, role, width)]
    scale = scale_for(about, width - 2, max(3, room // 2))
    if scale is not None and room > rows_of(scale) + 2:
        lines += [_filled(f" {row}", role, width) for row in big(about, scale)]
        who.insert(0, about)  # large letters have no case, names do
    else:
        lines.append(_filled(f" {about}", role, width))
    left = f" {'   '.join(filter(None, who))}"
    forms = (f"{count}first {moment(worst.first_at, zone, now)}   {last} ", f"{count}{last} ", f"{last} ")
    times = next(
        (form for form in forms if cells(left) + 2 + cells(form) <= width), forms[-1]
    )  # whom comes before when
    lines.append(_filled(spread([Piece(left)], [Piece(times)], width).text, role, width))
    places = max(0, room - len(lines))
    listed = others if len(others) <= places else others[: max(0, places - 1)]
    lines += [_alarm(alarm, scene, width) for alarm in listed]
    if hidden := len(others) - len(listed):
        lines.append(line(Piece(f" and {hidden:,} more", "bad")))
    return lines


def _alarm(alarm: Alarm, scene: Scene, width: int) -> Line:
    about = "  ".join(filter(None, (alarm.whereof, alarm.principal)))
    mark = f" {ALARM_GLYPHS[alarm.severity]} {alarm.severity.value.upper()}"
    left = [
        Piece(fit(mark, 12), ALARM_ROLES[alarm.severity]),
        Piece(" "),
        Piece(f"{alarm.title}  "),
        Piece(about, "link"),
    ]
    if width < 80 and about:  # whom it is about counts for more than what it is called
        left = [*left[:2], Piece(about, "link"), Piece(f"  {alarm.title}")]
    return spread(left, [Piece(f"×{alarm.count:,}  {moment(alarm.last_at, scene.zone, scene.now)}")], width)


def _warning(width: int, height: int) -> list[Line]:
    """That the wall can't be trusted, which a room has to see as well as an alarm."""
    said = (
        " ✗ DATA IS NOT COMPLETE: what happens now may not be on this wall",
        " ✗ DATA IS NOT COMPLETE: there may be more",
    )
    told = [next((each for each in said if cells(each) <= width), said[-1])]
    if (scale := scale_for(NOT_COMPLETE, width - 2, height // 6)) is not None:
        told = [*(f" {row}" for row in big(NOT_COMPLETE, scale)), *told]
    return [_filled(each, "alarm", width) for each in told]


def _filled(text: str, role: str, width: int) -> Line:
    return line(Piece(fit(text, width), role))


def _sources(scene: Scene, found: Sequence[Health], width: int, room: int) -> list[Line]:
    """The sources, in trouble first, and how many there is no room for."""
    if not found:
        return [line(Piece("○ no source has answered yet", "quiet"))]
    places = len(found) if len(found) <= room else room - 1
    lines = [told for i, each in enumerate(found[:places]) for told in _health(scene, each, width, 1 if i else SAID)]
    if hidden := found[places:]:
        lines.append(line(*counted(hidden, width, "more ")))
    return lines


def _health(scene: Scene, each: Health, width: int, most: int) -> list[Line]:
    """A source: how it is, how late, complete up to when, read whole when; and `most` lines of its sentence."""
    status = each.status
    name = f"{each.glyph} {status.label} {status.region} {each.word}  "
    parts = [each.progress] if each.progress else []  # the last ones have to go where there is no room
    if status.lag is not None:
        parts.append(f"lag {period(status.lag)}")
    if status.complete_to is not None:
        words = "complete to" if width >= 80 else "to"
        parts.append(f"{words} {moment(status.complete_to, scene.zone, scene.now)}")
    if status.gaps:
        parts.append(amount(len(status.gaps), "gaps"))
    if status.last_good_at is not None and status.state is not State.DONE:
        parts.append(f"read {period(max(timedelta(), scene.clock - status.last_good_at))} ago")
    column = 40 if width >= 100 else cells(name)
    while parts and column + cells("   ".join(parts)) > width:
        parts.pop()
    lines = [line(Piece(fit(name, column) if parts else fit(name, width), each.role), Piece("   ".join(parts)))]
    said = wrap(status.message, width - 2) if status.message else []
    if len(said) > most:
        said[most - 1 :] = [fit(" ".join(said[most - 1 :]), width - 2)]
    return lines + [line(Piece(f"  {part}", each.role)) for part in said]


def _rates(scene: Scene, hour: Minute, width: int, tall: int) -> list[Line]:
    """How many events, and the last hour per minute as bars of so many lines; what failed has a line of its own."""
    recent = scene.tally.totals(scene.now, NOW).events / (NOW / timedelta(minutes=1))
    told = f"  {recent:,.1f} a minute now, {hour.events:,} in the last hour, {hour.failed:,} failed"
    if len(told) + 6 > width:
        told = f"  {recent:,.1f} a minute, {hour.events:,} in an hour, {hour.failed:,} failed"
    lines = [BLANK, line(Piece("EVENTS", "heading"), Piece(told))]
    minutes, count = bins(HOUR, width)
    buckets = scene.tally.buckets(scene.now, minutes, count)
    lines += [line(Piece(row, "spark")) for row in _bars([events for events, _ in buckets], width, tall)]
    if any(failed for _, failed in buckets):
        (row,) = _bars([failed for _, failed in buckets], width, 1)
        lines.append(line(Piece(row, "mark")))
    failed = "failed below   " if hour.failed else ""
    lines.append(spread([Piece(f"{period(HOUR)} ago", "quiet")], [Piece(f"{failed}now", "quiet")], width))
    return lines


def _bars(counts: Sequence[int], width: int, tall: int) -> list[str]:
    """Counts as bars over all the width, `tall` lines high, in eighths; any count but 0 is an eighth or more."""
    top = max(counts, default=0) or 1
    eighths = [max(1, count * 8 * tall // top) if count else 0 for count in counts]
    wide = [(i + 1) * width // len(counts) - i * width // len(counts) for i in range(len(counts))]
    rows = []
    for y in range(tall - 1, -1, -1):
        filled = [min(8, max(0, each - 8 * y)) for each in eighths]
        rows.append(
            "".join((BARS[each - 1] if each else " ") * cells for each, cells in zip(filled, wide, strict=True))
        )
    return rows


def _busiest(scene: Scene, hour: Minute, width: int, room: int) -> list[Line]:
    """Secrets, principals and last alarms side by side, so many of each."""
    if room < 1:
        return []
    now = scene.now
    names = Counter(secret.name for secret in hour.secrets)
    secrets = [
        (secret.name if names[secret.name] == 1 else f"{secret.name} {secret.region} {secret.account}", f"{count:,}")
        for secret, count in hour.secrets.most_common(room)
    ]
    principals = [(f"{kind:<6}{name}", f"{count:,}") for (kind, name), count in hour.principals.most_common(room)]
    latest = nlargest(room, scene.alarms, key=attrgetter("last_at"))
    last = [(alarm.title, f"{standing(alarm, now)} {moment(alarm.last_at, scene.zone, now)}") for alarm in latest]
    columns = [("secrets, last hour", secrets), ("principals, last hour", principals), ("last alarms", last)]
    columns = columns[: 3 if width >= 130 else 2 if width >= 60 else 1]
    each, spare = divmod(width - 3 * (len(columns) - 1), len(columns))
    widths = [each] * (len(columns) - 1) + [each + spare]
    heads = [Piece(fit(title.upper(), room), "heading") for (title, _), room in zip(columns, widths, strict=True)]
    lines = [BLANK, line(*_row(heads))]
    for row in zip_longest(*(entries for _, entries in columns), fillvalue=("", "")):
        told = [
            Piece(f"{fit(name, max(1, room - cell_len(right) - 1))} {right}")
            for (name, right), room in zip(row, widths, strict=True)
        ]
        lines.append(line(*_row(told)))
    return lines


def _row(pieces: Sequence[Piece]) -> list[Piece]:
    row: list[Piece] = []
    for piece in pieces:
        row += [Piece("   "), piece] if row else [piece]
    return row
