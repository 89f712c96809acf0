"""An alarm: why it matters, what is known, and the commands to run next."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from smwatch.events.event import Event
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.rules.mitre import technique
from smwatch.tui.columns import called
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Line, Piece, command, fields, heading, line, paragraph
from smwatch.tui.pages.targets import ToEvent, ToPrincipal, ToSecret
from smwatch.tui.pages.words import Standing, badge, standing
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
            overtaken = alarm.open or decision.at < alarm.first_at
            at = f"{moment(decision.at, zone, now)}{', overtaken since' if overtaken else ''}"
            lines += fields(
                [(word, at, "quiet" if overtaken else ""), ("note", decision.note, "quiet" if overtaken else "strong")],
                width,
                LABEL,
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
    stand = standing(alarm, now)
    if not alarm.open or not (alarm.acknowledged or alarm.closed):
        return stand
    word = "open again" if stand is Standing.OPEN else stand
    if alarm.closed and (not alarm.acknowledged or alarm.acknowledged.at <= alarm.closed.at):
        return f"{word}: it went on after it was closed"
    return f"{word}: it came back or got worse after it was acknowledged"


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
