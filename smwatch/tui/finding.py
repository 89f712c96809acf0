"""Going from one event to the next of some kind, and to a moment."""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from smwatch.events.event import Event
from smwatch.settings import SettingsError, period
from smwatch.tui.times import Zone


def next_key(keys: Sequence[int], at: int | None, *, older: bool) -> int | None:
    """The next older or newer one of some ascending keys; without a place to start from, the newest."""
    if at is None:
        return keys[-1] if keys else None
    i = bisect_left(keys, at) - 1 if older else bisect_right(keys, at)
    return keys[i] if 0 <= i < len(keys) else None


def next_event(rows: Sequence[Event], start: int | None, test: Callable[[Event], bool], *, older: bool) -> Event | None:
    """The next older or newer event than row `start` that passes a test; without a row, the newest that does."""
    if start is None:
        candidates = range(len(rows) - 1, -1, -1)
    else:
        candidates = range(start - 1, -1, -1) if older else range(start + 1, len(rows))
    return next((rows[i] for i in candidates if test(rows[i])), None)


_CLOCK = re.compile(r"(?:(\d{4}-\d\d-\d\d)[ T])?(\d{1,2}):(\d\d)(?::(\d\d))?Z?")


def moment_meant(text: str, now: datetime, zone: Zone) -> datetime:
    """The moment a person means by 14:05, 2026-11-23 14:05:30 (in the zone shown) or 2h (ago).

    A time of day is the latest one that is not in the future. ValueError says in a sentence what can be written.
    """
    found = _CLOCK.fullmatch(text.strip())
    if found is None:
        try:
            return now - period(text.strip())
        except (SettingsError, OverflowError):
            raise ValueError(f"“{text}” is not a time: write 14:05, 2026-11-23 14:05 or 2h for two hours ago") from None
    local = zone is Zone.LOCAL and not text.endswith("Z")
    here = now.astimezone() if local else now.astimezone(UTC)
    try:
        day = datetime.fromisoformat(found[1]).date() if found[1] else here.date()
        naive = datetime(day.year, day.month, day.day, int(found[2]), int(found[3]), int(found[4] or 0))  # noqa: DTZ001, the zone comes next
        meant = naive.astimezone(UTC) if local else naive.replace(tzinfo=UTC)
    except (ValueError, OverflowError) as error:
        raise ValueError(f"“{text}” is not a time: {error}") from None
    return meant - timedelta(days=1) if not found[1] and meant > now else meant
