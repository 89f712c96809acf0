"""An alarm: why it matters, what is known, and the commands to run next."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from smwatch.events.event import Event
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.rules.mitre import technique
from smwatch.tui.columns import called
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, command, fields, heading, line, paragraph, spread
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToPrincipal, ToSecret
from smwatch.tui.pages.words import ALARM_ROLES, badge, standing
from smwatch.tui.text import fit
from smwatch.tui.times import Zone, moment, period

EVIDENCE = 20
LABEL = 14
"""Columns of a label."""


def alarm_page(
    alarm: Alarm, find: Callable[[int], Event | None], now: datetime, zone: Zone, width: int, keys: KeyTable
) -> list[Line]:
    """Everything about one alarm, what to do first."""
    lines = [line(badge(alarm), Piece(f" {standing(alarm, now)}".rstrip(), "quiet"))]
    lines += paragraph(alarm.title, width, "strong")
    if alarm.secret is not None:
        secret = alarm.secret
        lines.append(line(Piece(fit("secret", LABEL), "label"), Piece(secret.name, "link"), target=ToSecret(secret)))
    if alarm.principal:
        target = ToPrincipal(alarm.identity) if alarm.identity else None
        lines.append(line(Piece(fit("principal", LABEL), "label"), Piece(alarm.principal, "link"), target=target))
    lines += fields(
        [
            ("count", alarm.amount, ""),
            ("first", moment(alarm.first_at, zone, now), ""),
            ("last", moment(alarm.last_at, zone, now), ""),
            ("rule", alarm.rule, "quiet"),
            ("MITRE ATT&CK", ", ".join(map(technique, alarm.mitre)), "quiet"),
        ],
        width,
        LABEL,
    )
    for decision, word in ((alarm.acknowledged, "acknowledged"), (alarm.closed, "closed")):
        if decision is not None:
            lines += fields(
                [(word, moment(decision.at, zone, now), ""), ("note", decision.note, "strong")], width, LABEL
            )
    if alarm.closed_by and alarm.state is AlarmState.CLOSED:
        lines += fields([("ended by", alarm.closed_by, "")], width, LABEL)
    if alarm.muted_until is not None and alarm.muted(now):
        lines += fields([("muted", f"for another {period(alarm.muted_until - now)}", "warn")], width, LABEL)
    if alarm.next:
        lines += heading("next", keys.copies)
        for each in alarm.next:
            lines += command(each, width)
    if alarm.why:
        lines += heading("why it matters")
        lines += paragraph(alarm.why, width)
    if alarm.facts:
        lines += heading("known")
        for fact in alarm.facts:
            lines += paragraph(fact, width)
    lines += heading("events", f"{keys.one('page.choose')} jumps there")
    return lines + _events(alarm, find, now, zone, width)


def _events(alarm: Alarm, find: Callable[[int], Event | None], now: datetime, zone: Zone, width: int) -> list[Line]:
    """The newest events behind an alarm, and what has become of the others."""
    shown = alarm.event_keys[-EVIDENCE:]
    found = [event for key in reversed(shown) if (event := find(key)) is not None]
    lines = [_evidence(event, now, zone, caused=event.key in alarm.caused) for event in found]
    if gone := len(shown) - len(found):
        which = "The events behind it are" if not found else f"{gone:,} more {'is' if gone == 1 else 'are'}"
        lines += paragraph(f"{which} no longer in memory: the alarm stays as it was judged then.", width, "quiet")
    if (more := alarm.count - len(shown)) > 0 and len(alarm.event_keys) > EVIDENCE:
        lines.append(line(Piece(f"and {more:,} more", "quiet")))
    return lines


def _evidence(event: Event, now: datetime, zone: Zone, *, caused: bool) -> Line:
    return line(
        Piece(fit(moment(event.at, zone, now), 12), "quiet"),
        Piece(event.name, "bad" if event.failed else ""),
        Piece(f"  {called(event.principal)}", "link"),
        Piece(f"  {event.source_ip}", "quiet"),
        Piece("  counted with its batch" if caused else "", "quiet"),
        target=ToEvent(event.key),
    )


def alarms_page(alarms: Sequence[Alarm], now: datetime, zone: Zone, width: int) -> list[Line]:
    """All alarms, what needs attention first, those that are over last."""
    if not alarms:
        return paragraph("No rule has matched anything so far.", width, "quiet")
    lines: list[Line] = []
    section = ""
    for alarm in alarms:
        now_in = {"": "open"}.get(standing(alarm, now), standing(alarm, now))
        if now_in != section:
            section = now_in
            count = sum(standing(each, now) == standing(alarm, now) for each in alarms)
            lines += heading(section, f"{count:,}")
        lines += _summary(alarm, now, zone, width)
    return lines[1:]


def _summary(alarm: Alarm, now: datetime, zone: Zone, width: int) -> list[Line]:
    role = ALARM_ROLES[alarm.severity] if alarm.open else "quiet"
    mark = badge(alarm)
    right = [Piece(f"×{alarm.count:,}"), Piece(f"  {moment(alarm.last_at, zone, now)}", "quiet")]
    left = [Piece(fit(mark.text, 12), role), Piece(" "), Piece(alarm.title, "strong" if alarm.open else "")]
    where = " · ".join(filter(None, (alarm.secret.name if alarm.secret is not None else "", alarm.principal)))
    lines = [spread(left, right, width, ToAlarm(alarm.group))]
    if where:
        lines.append(line(" " * 13, Piece(where, "link" if alarm.open else "quiet")))
    if alarm.note:
        lines.append(line(" " * 13, Piece(f"note: {alarm.note}", "quiet")))
    return lines


_BAND = {
    Severity.CRITICAL: "alarm",
    Severity.HIGH: "high",
    Severity.MEDIUM: "medium",
    Severity.LOW: "low",
    Severity.INFO: "low",
}


def band_rows(
    alarms: Sequence[Alarm], step: str | None, now: datetime, zone: Zone, width: int, keys: KeyTable
) -> list[list[Piece]]:
    """The band over the stream: the worst alarm with its next `step`, and how many more; no rows without alarms."""
    if not alarms:
        return []
    worst, *others = alarms
    role = _BAND[worst.severity]
    name = worst.secret.name if worst.secret is not None else ""
    first, last = moment(worst.first_at, zone, now), moment(worst.last_at, zone, now)
    more = f"  +{len(others):,} more " if others else " "
    tail = f"  ×{worst.count:,}  first {first}  last {last}{more}"
    if width < 100:
        tail = f"  ×{worst.count:,}  {last}{more}"
    title = worst.title if width >= 120 else ""
    about = "  ".join(filter(None, (title, name, worst.principal))) or worst.title
    rows = [_filled(f"{badge(worst).text} {about}", tail, width, f"{role}@screen.alarms")]
    if step is not None:
        left, right = f"   next: {step}", f"  {keys.one('watch.copy')} copies"
        if width >= 100:
            right += f"  {keys.one('watch.next_alarm')} shows  {keys.one('watch.acknowledge')} acknowledges"
        rows.append(_filled(left, f"{right} ", width, f"{role}@screen.copy"))
    return rows


def _filled(left: str, right: str, width: int, role: str) -> list[Piece]:
    row = spread([Piece(left, role)], [Piece(right, role)], width)
    return [Piece(piece.text, role) for piece in row.pieces]
