"""What happened per minute lately: the numbers behind the histogram, the overview and the wall."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from datetime import datetime, timedelta
from typing import TypeVar

import msgspec

from smwatch.events.event import Event
from smwatch.events.secret import Secret

MINUTES = 24 * 60
"""How far back minutes are kept."""
DISTINCT = 1000
"""Secrets, and principals, told apart in a minute: guessed names are without number."""

Counted = TypeVar("Counted")


class Minute(msgspec.Struct):
    """One minute of events."""

    events: int = 0
    failed: int = 0
    secrets: Counter[Secret] = msgspec.field(default_factory=Counter)
    principals: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """By (badge word, name)."""


def _count(counter: Counter[Counted], one: Counted) -> None:
    if one in counter or len(counter) < DISTINCT:
        counter[one] += 1


class Tally:
    """Counts per minute over the last day, in whatever order events come."""

    def __init__(self) -> None:
        self._minutes: dict[int, Minute] = {}
        self._noted = 0
        self._totals: dict[timedelta, tuple[int, int, Minute]] = {}

    def note(self, events: Iterable[Event], now: datetime) -> None:
        """Count events; those more than a day away from now are left out."""
        minutes, this = self._minutes, int(now.timestamp()) // 60
        oldest = this - MINUTES
        for event in events:
            self._noted += 1
            number = event.seconds // 60
            if not oldest <= number <= this + MINUTES:
                continue
            minute = minutes.get(number)
            if minute is None:
                minute = minutes[number] = Minute()
            minute.events += 1
            if event.failed:
                minute.failed += 1
            if event.secret is not None:
                _count(minute.secrets, event.secret)
            _count(minute.principals, (event.principal.kind.value, event.principal.called))
        if len(minutes) > MINUTES + 60:
            for number in [number for number in minutes if not oldest <= number <= this + MINUTES]:
                del minutes[number]

    def buckets(self, now: datetime, minutes: int, count: int) -> list[tuple[int, int]]:
        """(events, failed) in each of `count` periods of so many `minutes` up to now, oldest first."""
        last = int(now.timestamp()) // 60
        found = [[0, 0] for _ in range(count)]
        for back in range(minutes * count):
            minute = self._minutes.get(last - back)
            if minute is not None:
                bucket = found[count - 1 - back // minutes]
                bucket[0] += minute.events
                bucket[1] += minute.failed
        return [(events, failed) for events, failed in found]

    def totals(self, now: datetime, span: timedelta) -> Minute:
        """Everything in the `span` before now, together; to be read only.

        Whoever asks each second gets the same until something is noted or a minute has passed.
        """
        last = int(now.timestamp()) // 60
        known = self._totals.get(span)
        if known is not None and known[:2] == (last, self._noted):
            return known[2]
        total = Minute()
        for number in range(last - int(span.total_seconds()) // 60 + 1, last + 1):
            minute = self._minutes.get(number)
            if minute is not None:
                total.events += minute.events
                total.failed += minute.failed
                total.secrets.update(minute.secrets)
                total.principals.update(minute.principals)
        self._totals[span] = last, self._noted, total
        return total


def bins(span: timedelta, room: int) -> tuple[int, int]:
    """(minutes in each, how many): the finest whole minutes that share a span among at most `room` bars."""
    minutes = max(1, int(span.total_seconds()) // 60)
    each = -(-minutes // max(1, room))
    return each, -(-minutes // each)
