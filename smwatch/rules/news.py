"""Whether an alarm is news to somebody who was told of it before: what a bell, or a message, goes by."""

from __future__ import annotations

from datetime import datetime

import msgspec

from smwatch.rules.alarm import Alarm


class Told(msgspec.Struct, frozen=True):
    """What somebody knows of an alarm whom it was told to."""

    at: datetime
    """When it was told."""
    last_at: datetime
    count: int
    rank: int
    level: int
    muted_until: datetime | None = None
    """While it is muted: up to when. `last_at` and `count` are from before that."""


def told_of(alarm: Alarm, now: datetime) -> Told:
    """What to remember of having told somebody of this alarm."""
    return Told(now, alarm.last_at, alarm.count, alarm.severity.rank, alarm.level)


def seen(told: Told, alarm: Alarm, now: datetime) -> Told:
    """The same once they could see this without being told; what happens during a mute is not seen.

    Whoever changes a mute looks at what there is.
    """
    until = alarm.muted_until if alarm.muted(now) else None
    if until is not None and told.muted_until == until:
        return told
    if until is not None and (told.muted_until is None or told.muted_until <= now):
        return msgspec.structs.replace(told, muted_until=until)
    count, last_at = max(told.count, alarm.count), max(told.last_at, alarm.last_at)
    return msgspec.structs.replace(told, count=count, last_at=last_at, muted_until=until)


def is_news(alarm: Alarm, told: Told | None, now: datetime) -> bool:
    """Whether somebody wants to hear of an alarm (again): it is new, is back, got worse, or went on while muted."""
    return told is None or is_back(alarm, told, now) or _got_worse(alarm, told)


def is_back(alarm: Alarm, told: Told, now: datetime) -> bool:
    """Whether it has opened anew since, or goes on after a mute or went on during one that is over."""
    decisions = [decision.at for decision in (alarm.acknowledged, alarm.closed) if decision is not None]
    if alarm.first_at > told.last_at or any(at > told.at for at in decisions):
        return True
    until = alarm.muted_until
    return until is not None and told.at < until <= now and went_on(alarm, told)


def went_on(alarm: Alarm, told: Told) -> bool:
    """Whether it has happened again since."""
    return alarm.count > told.count or alarm.last_at > told.last_at


def _got_worse(alarm: Alarm, told: Told) -> bool:
    return alarm.severity.rank > told.rank or alarm.level > told.level
