"""What a person means by a mute, and what a mute does, in words."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

import msgspec

from smwatch.rules.alarm import Alarm, Mute
from smwatch.settings import period
from smwatch.tui.times import period as written

SCOPES = ("rule", "secret", "principal")


def mutes_meant(text: str, alarm: Alarm, known: Iterable[Mute], now: datetime) -> list[Mute]:
    """The mutes that a person means by 1h (this alarm), 8h rule (all alarms of its rule) or 0 (none covers it longer).

    `known` is what is muted already. ValueError says in a sentence what can be written.
    """
    length, *named = text.split()
    if unknown := [word for word in named if word not in SCOPES]:
        raise ValueError(f"“{unknown[0]}” can't be muted: write rule, secret or principal")
    if length == "0" and not named:
        ended = [msgspec.structs.replace(mute, until=now) for mute in in_force(known, now) if covers(mute, alarm)]
        if not ended:
            raise ValueError("it is not muted")
        return ended
    until = until_meant(length, now)
    scopes = named or SCOPES
    whom = alarm.identity if named else alarm.session or alarm.identity
    return [
        Mute(
            until,
            rule=alarm.rule if "rule" in scopes else "",
            secret=alarm.secret if "secret" in scopes else None,
            identity=whom if "principal" in scopes else "",
        )
    ]


def until_meant(length: str, now: datetime) -> datetime:
    """Until when 8h lasts from now on; 0 is now. ValueError says in a sentence what can be written."""
    try:
        return now if length == "0" else now + period(length)
    except OverflowError:
        raise ValueError(f"{length} is longer than there are dates") from None


def in_force(mutes: Iterable[Mute], now: datetime) -> list[Mute]:
    """Those that still last, the shortest first."""
    return sorted((mute for mute in mutes if now < mute.until), key=lambda mute: mute.until)


def covers(mute: Mute, alarm: Alarm) -> bool:
    """Whether a mute is about an alarm."""
    return mute.covers(alarm.rule, alarm.secret, alarm.identity, alarm.session)


def scope(mute: Mute) -> str:
    """What a mute is about, in words."""
    parts = (
        ("rule", mute.rule),
        ("secret", mute.secret.name if mute.secret is not None else ""),
        ("principal", mute.identity),
    )
    return ", ".join(f"{word} {value}" for word, value in parts if value)


def told(mute: Mute, now: datetime) -> str:
    """What has been done, to whoever did it."""
    length = f"muted for {written(mute.until - now)}" if now < mute.until else "no longer muted"
    return f"{length}: {scope(mute)}"
