"""An alarm: why it matters, what is known, and the commands to run next."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime

from smwatch.events.event import Event
from smwatch.rules.alarm import Alarm, AlarmState, Mute, Severity
from smwatch.rules.mitre import technique
from smwatch.tui.columns import called
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import BLANK, Line, Piece, command, fields, heading, line, paragraph, spread
from smwatch.tui.muting import covers, scope
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToMute, ToPrincipal, ToSecret
from smwatch.tui.pages.words import ALARM_ROLES, Standing, about, alarm_line, badge, shown, standing
from smwatch.tui.text import fit
from smwatch.tui.times import Zone, moment, period

EVIDENCE = 20
LABEL = 14
"""Columns of a label."""


def alarm_page(
    alarm: Alarm, find: Callable[[int], Event | None], now: datetime, zone: Zone, width: int, keys: KeyTable
) -> list[Line]:
    """Everything about one alarm, what to do first."""
    lines = [line(badge(alarm), Piece(f" {_stands(alarm, now)}", "quiet"))]
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


def _stands(alarm: Alarm, now: datetime) -> str:
    """Where it stands, and which decision no longer holds."""
    word = standing(alarm, now).value
    if not alarm.open or not (alarm.acknowledged or alarm.closed):
        return word
    if alarm.closed and (not alarm.acknowledged or alarm.acknowledged.at <= alarm.closed.at):
        return f"{word} again: it went on after it was closed"
    return f"{word} again: it came back or got worse after it was acknowledged"


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
        lines += [_mute_summary(mute, now, width) for mute in mutes]
    return lines[1:]


def _mute_summary(mute: Mute, now: datetime, width: int) -> Line:
    left = [Piece(fit(" muted", 12), "warn"), Piece(" "), Piece(scope(mute))]
    return spread(left, [Piece(f"for another {period(mute.until - now)}", "quiet")], width, ToMute(mute))


def mute_page(mute: Mute, alarms: Iterable[Alarm], now: datetime, zone: Zone, width: int, keys: KeyTable) -> list[Line]:
    """What is muted, until when, and the alarms that are quiet because of it."""
    lines = paragraph(f"Alarms of {scope(mute)} make no noise.", width, "strong")
    length = f"{moment(mute.until, zone, now)}, for another {period(mute.until - now)}" if now < mute.until else "over"
    lines += fields([("until", length, ""), ("end it", f"{keys.one('alarms.mute')}, then 0", "quiet")], width, LABEL)
    quiet = [alarm for alarm in shown(alarms) if alarm.open and covers(mute, alarm)]
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
    told = "  ".join(filter(None, (title, name, worst.principal))) or worst.title
    rows = [_filled(f"{badge(worst).text} {told}", tail, width, f"{role}@screen.alarms")]
    if step is not None:
        left, right = f"   next: {step}", f"  {keys.one('watch.copy')} copies"
        if width >= 100:
            right += f"  {keys.one('watch.next_alarm')} shows  {keys.one('watch.acknowledge')} acknowledges"
        rows.append(_filled(left, f"{right} ", width, f"{role}@screen.copy"))
    return rows


def _filled(left: str, right: str, width: int, role: str) -> list[Piece]:
    row = spread([Piece(left, role)], [Piece(right, role)], width)
    return [Piece(piece.text, role) for piece in row.pieces]
