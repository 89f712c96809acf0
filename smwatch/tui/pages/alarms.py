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
from smwatch.tui.times import Zone, day, moment, period
from smwatch.tui.unwritten import Unwritten

LABEL = 14
"""Columns of a label."""


class AlarmLines(Unwritten):
    """All alarms by where they stand, and what is muted; of alarms there may be ten thousand."""

    def __init__(
        self,
        sections: Mapping[Standing, Sequence[Alarm]],
        mutes: Sequence[Mute],
        now: datetime,
        zone: Zone,
        width: int,
    ) -> None:
        self._now, self._zone, self._width = now, zone, width
        self._blocks: list[Alarm | list[Line]] = []
        """From top to bottom: alarms, and the lines between them."""
        heights: list[int] = []
        for stand, alarms in sections.items():
            if alarms:
                self._blocks += [heading(stand, f"{len(alarms):,}"), *alarms]
                heights += [2, *_heights(alarms)]
        between: list[list[Line]] = []
        if not heights:
            between.append([BLANK, *paragraph("No rule has matched anything so far.", width, "quiet")])
        if mutes:
            between += [heading("mutes", f"{len(mutes):,}"), *(_mute_summary(mute, now, width) for mute in mutes)]
        self._blocks += between
        heights += map(len, between)
        super().__init__(heights, skipped=1)  # the blank line at the top

    def _write(self, n: int) -> list[Line]:
        block = self._blocks[n]
        return _summary(block, self._now, self._zone, self._width) if isinstance(block, Alarm) else block

    def place_of(self, target: object) -> int | None:
        """The first line that leads to an alarm or a mute."""
        if isinstance(target, ToAlarm):
            group = target.group
            found = (n for n, block in enumerate(self._blocks) if isinstance(block, Alarm) and block.group == group)
        else:
            between = ((n, block) for n, block in enumerate(self._blocks) if not isinstance(block, Alarm))
            found = (n for n, block in between if block[0].target == target)
        n = next(found, None)
        return self._starts[n] if n is not None else None

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, AlarmLines):
            return NotImplemented
        return self._seen_from == other._seen_from and self._blocks == other._blocks

    __hash__ = None  # type: ignore[assignment]

    @property
    def _seen_from(self) -> tuple[object, ...]:
        """What else the lines of an alarm are made of: only an age changes from one second to the next."""
        return self._width, self._zone, day(self._now, self._zone)


def _heights(alarms: Iterable[Alarm]) -> list[int]:
    """How many lines the `_summary` of each takes; told without a call for each of them."""
    return [
        1
        + bool(alarm.principal or alarm.secrets or (alarm.secret is not None and alarm.secret.name))
        + bool((alarm.acknowledged and alarm.acknowledged.note) or (alarm.closed and alarm.closed.note))
        for alarm in alarms
    ]


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
    return lines + [alarm_line(alarm, now, zone, width, about(alarm)) for alarm in quiet]


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
