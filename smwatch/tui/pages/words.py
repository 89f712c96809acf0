"""Words that several pages share: alarms, principals and commands on one line."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Iterable
from datetime import datetime
from enum import StrEnum

from smwatch.amount import amount
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, Severity, urgency
from smwatch.tui.columns import called
from smwatch.tui.lines import Line, Piece, line, spread
from smwatch.tui.pages.targets import ToAlarm
from smwatch.tui.text import cells, fit
from smwatch.tui.times import Zone, moment

ALARM_ROLES = {
    Severity.CRITICAL: "alarm",
    Severity.HIGH: "bad",
    Severity.MEDIUM: "warn",
    Severity.LOW: "strong",
    Severity.INFO: "quiet",
}
ALARM_GLYPHS = {Severity.CRITICAL: "▲", Severity.HIGH: "▲", Severity.MEDIUM: "△", Severity.LOW: "▵", Severity.INFO: "▵"}

OWN = 5
"""Alarms of a secret or principal that are listed; the rest is counted."""
TITLE = 12
"""Cells of a title that say something of it."""
TIMED = 48
"""Columns from which an alarm's line has its last time, too."""


def shown(alarms: Iterable[Alarm]) -> list[Alarm]:
    """Alarms that have evidence, what needs attention first."""
    return sorted((alarm for alarm in alarms if alarm.count), key=urgency)


def badge(alarm: Alarm) -> Piece:
    """Glyph and severity word."""
    return Piece(f" {ALARM_GLYPHS[alarm.severity]} {alarm.severity.value.upper()} ", ALARM_ROLES[alarm.severity])


class Standing(StrEnum):
    """Where an alarm is in its life, in a word; what needs attention first."""

    OPEN = "open"
    MUTED = "muted"
    ACKNOWLEDGED = "acknowledged"
    CLOSED = "closed"


def standing(alarm: Alarm, now: datetime) -> Standing:
    """Where an alarm is in its life: muted says more of an open one."""
    if alarm.open and alarm.muted(now):
        return Standing.MUTED
    return Standing(alarm.state.value)


def about(alarm: Alarm) -> str:
    """Which secret and which principal it is about."""
    return " · ".join(filter(None, (alarm.whereof, alarm.principal)))


def alarm_line(alarm: Alarm, now: datetime, zone: Zone, width: int, whom: str = "") -> Line:
    """An alarm on one line that leads to it; where there is little room, what it is rather than when.

    `whom` it is about stands beside that, of which it leaves a part: many have the same title.
    """
    last = f"  {moment(alarm.last_at, zone, now)}" if width >= TIMED else ""
    right, mark = Piece(f" ×{alarm.count:,}{last}", "quiet"), badge(alarm)
    room = width - cells(mark.text) - cells(right.text) - cells(whom) - 4
    told = [Piece(alarm.title)]
    if whom and room >= min(TITLE, cells(alarm.title)):
        told = [Piece(fit(alarm.title, min(room, cells(alarm.title)))), Piece(f"  {whom}", "quiet")]
    return spread([mark, Piece(" "), *told], [right], width, ToAlarm(alarm.group))


def own_alarms(
    alarms: Iterable[Alarm], whom: Callable[[Alarm], str], now: datetime, zone: Zone, width: int
) -> list[Line]:
    """The alarms of a secret or principal, with `whom` else each is about, for the head of its page.

    Worst first, those of nothing else before others. There may be a hundred: what is known of the secret,
    and of an event, has to stay in sight below them.
    """
    own = sorted(shown(alarms), key=lambda alarm: (-alarm.severity.rank, bool(alarm.secrets)))
    listed = own if len(own) <= OWN + 1 else own[:OWN]
    lines = [alarm_line(alarm, now, zone, width, whom(alarm)) for alarm in listed]
    if len(listed) < len(own):
        lines.append(line(Piece(f"   and {amount(len(own) - len(listed), 'more alarms')}", "warn")))
    return lines


def who(principal: Principal) -> str:
    """Badge word and name."""
    return f"{principal.kind.value} {called(principal)}".strip()


def command_name(secret: Secret, arn: str) -> str | None:
    """How to name a secret in a shell; None where its name could do harm there or to who reads it."""
    name = arn or secret.name
    return shlex.quote(name) if name.isascii() and name.isprintable() else None


def restore_command(secret: Secret, arn: str) -> str | None:
    """The command that cancels the deletion of a secret."""
    name = command_name(secret, arn)
    if name is None:
        return None
    return f"aws secretsmanager restore-secret --secret-id {name} --region {shlex.quote(secret.region)}"
