"""What happened per minute lately: the numbers behind the histogram, the overview and the wall."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TypeVar

import msgspec

from smwatch.events.event import Event
from smwatch.events.secret import Secret

MINUTES = 24 * 60
"""How far back minutes are kept."""
DISTINCT = 1000
"""Secrets, and principals, told apart in a minute: guessed names are without number."""
FAILED, SECRET, PRINCIPAL = attrgetter("failed"), attrgetter("secret"), attrgetter("principal")

Counted = TypeVar("Counted")


class Minute(msgspec.Struct):
    """One minute of events."""

    events: int = 0
    failed: int = 0
    secrets: Counter[Secret] = msgspec.field(default_factory=Counter)
    principals: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """By (badge word, name)."""


def _count(counter: Counter[Counted], found: Iterable[tuple[Counted, int]]) -> None:
    for one, times in found:
        if one in counter or len(counter) < DISTINCT:
            counter[one] += times


def _by_minute(events: Iterable[Event]) -> dict[int, list[Event]]:
    found: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        found[event.seconds // 60].append(event)
    return found


class Tally:
    """Counts per minute over the last day, in whatever order events come."""

    def __init__(self) -> None:
        self._minutes: dict[int, Minute] = {}
        self._noted = 0
        self._totals: dict[timedelta, tuple[int, int, Minute]] = {}

    def note(self, events: Iterable[Event], now: datetime) -> None:
        """Count events; those more than a day away from now are left out.

        What is told apart is counted minute by minute: serves "processor at 1,000 rows/s".
        """
        minutes, this = self._minutes, int(now.timestamp()) // 60
        oldest = this - MINUTES
        for number, some in _by_minute(events).items():
            self._noted += len(some)
            if not oldest <= number <= this + MINUTES:
                continue
            minute = minutes.get(number)
            if minute is None:
                minute = minutes[number] = Minute()
            minute.events += len(some)
            minute.failed += sum(map(FAILED, some))
            secrets = Counter(map(SECRET, some))
            del secrets[None]
            _count(minute.secrets, secrets.items())
            callers = Counter(map(PRINCIPAL, some)).items()
            _count(minute.principals, (((each.kind.value, each.called), times) for each, times in callers))
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
