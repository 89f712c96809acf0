"""The page of whatever a line leads to, written from what lies on the desk."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

from smwatch.events.secret import Secret
from smwatch.tui.lines import Line, Piece, Unfinished, heading, line, paragraph
from smwatch.tui.pages.alarm import alarm_page
from smwatch.tui.pages.alarms import mute_page
from smwatch.tui.pages.event import event_lines, json_lines, key_words, record_page
from smwatch.tui.pages.overview import overview_page
from smwatch.tui.pages.principal import access_key_page, principal_page
from smwatch.tui.pages.secret import secret_body, secret_head, secret_page
from smwatch.tui.pages.targets import ToAccessKey, ToAlarm, ToEvent, ToMute, ToPrincipal, ToSecret
from smwatch.tui.times import period

if TYPE_CHECKING:
    from smwatch.tui.screens.desk import Desk

Folded = Collection[tuple[str | int, ...]]
"""The paths of those parts of a page's JSON that are folded."""


def written(desk: Desk, target: object, folded: Folded, width: int) -> Sequence[Line]:
    """The lines of a target's page, so many cells wide."""
    store, now, zone, keys = desk.store, desk.now, desk.zone, desk.keys
    match target:
        case ToEvent(key):
            return _event(desk, key, folded, width)
        case ToSecret(secret):
            dossier = store.secrets.get(secret)
            if dossier is not None:
                return secret_page(dossier, desk.alarms_about(secret), now, zone, width, keys) + _answered(
                    desk, secret, folded, width
                )
        case ToPrincipal(identity):
            known = store.principals.get(identity)
            if known is not None:
                return principal_page(known, desk.alarms_of(identity), now, zone, width, keys)
        case ToAccessKey(access_key):
            use = desk.use_of(access_key)
            if use.step():
                told = f"looking at {use.total:,} events: {use.looked_at:,} so far"
                return Unfinished([*paragraph(key_words(access_key), width, "title"), line(Piece(told, "quiet"))])
            if use.dossier is not None:
                return access_key_page(access_key, use.dossier, now, zone, width, keys)
        case ToAlarm(group):
            alarm = store.alarms.get(group)
            if alarm is not None and alarm.count:
                return alarm_page(alarm, store.find, now, zone, width, keys)
        case ToMute(mute):
            return mute_page(mute, store.alarms.values(), now, zone, width, keys)
        case _:
            return _nothing_chosen(desk, width)
    return [line(Piece("Nothing is known of this any more.", "quiet"))]


def _event(desk: Desk, key: int, folded: Folded, width: int) -> list[Line]:
    store, now, zone, keys = desk.store, desk.now, desk.zone, desk.keys
    event = store.find(key)
    if event is None:
        return paragraph("This event has left the memory; its traces are in the dossiers.", width, "quiet")
    record = desk.record_of(event)
    others = [(other, store.find(other.key) is not None) for other in desk.others_of(event, record)]
    told = event_lines(event, record, now, zone, desk.watching_since, width, others, keys)
    dossier = store.secrets.get(event.secret) if event.secret is not None else None
    if dossier is None:
        return told + record_page(event, record, width, keys, folded)
    lines = secret_head(dossier, desk.alarms_about(dossier.secret), now, zone, width)
    lines += heading("this event") + told + heading("this secret")
    lines += secret_body(dossier, now, zone, width, keys)
    lines += _answered(desk, dossier.secret, folded, width)
    return lines + record_page(event, record, width, keys, folded)


def _answered(desk: Desk, secret: Secret, folded: Folded, width: int) -> list[Line]:
    """What AWS said of a secret, when it was asked."""
    answers = desk.answers_about(secret)
    if answers is None:
        return []
    lines = heading("from aws", f"asked {period(desk.clock - answers.at)} ago")
    for operation, said in answers.said:
        lines.append(line(Piece(operation, "strong")))
        if isinstance(said, str):
            lines += paragraph(said, width, "warn")
        else:
            lines += json_lines(said, width, folded, (operation,))
    return lines


def _nothing_chosen(desk: Desk, width: int) -> list[Line]:
    """While nobody has chosen a row: the secret of the alarm in the band, else what goes on in all."""
    store, foremost = desk.store, desk.foremost
    if foremost is not None and foremost.secret is not None and (known := store.secrets.get(foremost.secret)):
        about = desk.alarms_about(known.secret)
        return secret_page(known, about, desk.now, desk.zone, width, desk.keys)
    return overview_page(desk.tally, desk.asking, desk.now, desk.zone, width, desk.keys, recorded=desk.recorded)
