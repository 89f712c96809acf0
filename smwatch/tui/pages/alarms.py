"""All alarms in a list, and what is muted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

from smwatch.rules.alarm import Alarm, Mute
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import BLANK, Line, Piece, fields, heading, line, paragraph, spread
from smwatch.tui.muting import covers, scope
from smwatch.tui.pages.targets import ToAlarm, ToMute
from smwatch.tui.pages.words import ALARM_ROLES, Standing, about, alarm_line, badge, shown, standing
from smwatch.tui.text import fit
from smwatch.tui.times import Zone, moment, period

LABEL = 14
"""Columns of a label."""


def listed(alarms: Iterable[Alarm], now: datetime) -> dict[Standing, list[Alarm]]:
    """All alarms by where they stand, what needs attention first, those that are over last."""
    sections: dict[Standing, list[Alarm]] = {each: [] for each in Standing}
    for alarm in shown(alarms):
        sections[standing(alarm, now)].append(alarm)
    return {each: alarms for each, alarms in sections.items() if alarms}


def alarms_page(
    sections: Mapping[Standing, Sequence[Alarm]], mutes: Sequence[Mute], now: datetime, zone: Zone, width: int
) -> list[Line]:
    """All alarms, as they are `listed`, and what is muted."""
    lines: list[Line] = []
    if not sections:
        lines += [BLANK, *paragraph("No rule has matched anything so far.", width, "quiet")]
    for stand, alarms in sections.items():
        lines += heading(stand, f"{len(alarms):,}")
        for alarm in alarms:
            lines += _summary(alarm, now, zone, width)
    if mutes:
        lines += heading("mutes", f"{len(mutes):,}")
        for mute in mutes:
            lines += _mute_summary(mute, now, width)
    return lines[1:]


def _mute_summary(mute: Mute, now: datetime, width: int) -> list[Line]:
    left = [Piece(fit(" muted", 12), "warn"), Piece(" "), Piece(f"rule {mute.rule}" if mute.rule else "every rule")]
    lines = [spread(left, [Piece(f"for another {period(mute.until - now)}", "quiet")], width, ToMute(mute))]
    name = mute.secret.name if mute.secret is not None else ""
    whose = mute.identity.rpartition("/")[2]  # of an ARN; the page says all of it
    if whom := " · ".join(filter(None, (name, whose))):
        lines.append(line(" " * 13, Piece(whom, "quiet")))
    return lines


def mute_page(mute: Mute, alarms: Iterable[Alarm], now: datetime, zone: Zone, width: int, keys: KeyTable) -> list[Line]:
    """What is muted, until when, and the alarms that are quiet because of it."""
    lines = paragraph(f"Alarms of {scope(mute)} make no noise.", width, "strong")
    length = f"{moment(mute.until, zone, now)}, for another {period(mute.until - now)}" if now < mute.until else "over"
    lines += fields([("until", length, ""), ("end it", f"{keys.one('alarms.mute')}, then 0", "quiet")], width, LABEL)
    quiet = shown(alarm for alarm in alarms if alarm.open and covers(mute, alarm))
    lines += heading("quiet because of it", f"{len(quiet):,}")
    return lines + [alarm_line(alarm, now, zone, width) for alarm in quiet]


def _summary(alarm: Alarm, now: datetime, zone: Zone, width: int) -> list[Line]:
    asks = standing(alarm, now) is Standing.OPEN
    role = ALARM_ROLES[alarm.severity] if asks else "quiet"
    mark = badge(alarm)
    right = [Piece(f"×{alarm.count:,}"), Piece(f"  {moment(alarm.last_at, zone, now)}", "quiet")]
    left = [Piece(fit(mark.text, 12), role), Piece(" "), Piece(alarm.title, "strong" if asks else "")]
    where = about(alarm)
    lines = [spread(left, right, width, ToAlarm(alarm.group))]
    if where:
        lines.append(line(" " * 13, Piece(where, "link" if asks else "quiet")))
    if alarm.note:
        lines.append(line(" " * 13, Piece(f"note: {alarm.note}", "quiet")))
    return lines
