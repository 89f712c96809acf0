"""What happened per minute lately: the numbers behind the histogram, the overview and the wall."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta
from functools import lru_cache
from operator import attrgetter
from typing import TypeVar

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret

MINUTES = 24 * 60
"""How far back minutes are kept."""
DISTINCT = 1000
"""Secrets, and principals, told apart in a minute: guessed names are without number."""
STEP = 5
"""Minutes that may have passed for what was added up to be brought up to date; after more it is added up anew."""
SECOND = ID_BITS + ACCOUNT_BITS
ERRORS, SECRET, PRINCIPAL = (
    attrgetter("call.error_code", "call.error_message"),
    attrgetter("call.secret"),
    attrgetter("caller.principal"),
)
"""What is counted of an event: past its properties, each of which is a call for each event. Serves "cpu-1000"."""

Counted = TypeVar("Counted")


class Minute(msgspec.Struct):
    """One minute of events."""

    events: int = 0
    failed: int = 0
    secrets: Counter[Secret] = msgspec.field(default_factory=Counter)
    principals: Counter[tuple[str, str]] = msgspec.field(default_factory=Counter)
    """By (badge word, name)."""


class _Total(msgspec.Struct):
    """The minutes from `first` to `last` together, brought up to date with each event and each minute."""

    first: int
    last: int
    sum: Minute = msgspec.field(default_factory=Minute)

    def add(self, minute: Minute) -> None:
        total = self.sum
        total.events += minute.events
        total.failed += minute.failed
        total.secrets.update(minute.secrets)
        total.principals.update(minute.principals)

    def take(self, minute: Minute) -> None:
        total = self.sum
        total.events -= minute.events
        total.failed -= minute.failed
        _take(total.secrets, minute.secrets)
        _take(total.principals, minute.principals)


def _take(counter: Counter[Counted], gone: Counter[Counted]) -> None:
    for one, times in gone.items():
        left = counter[one] - times
        if left:
            counter[one] = left
        else:
            del counter[one]


def _count(counter: Counter[Counted], found: Iterable[tuple[Counted, int]], totals: Sequence[Counter[Counted]]) -> None:
    for one, times in found:
        if one in counter or len(counter) < DISTINCT:
            counter[one] += times
            for total in totals:
                total[one] += times


def _by_minute(events: Iterable[Event]) -> dict[int, list[Event]]:
    found: defaultdict[int, list[Event]] = defaultdict(list)
    for event in events:
        found[(event.key >> SECOND) // 60].append(event)
    return found


@lru_cache(1024)
def _called(principal: Principal) -> tuple[str, str]:
    return principal.kind.value, principal.called


class Tally:
    """Counts per minute over the last day, in whatever order events come."""

    def __init__(self) -> None:
        self._minutes: dict[int, Minute] = {}
        self._totals: dict[timedelta, _Total] = {}

    def note(self, events: Iterable[Event], now: datetime) -> None:
        """Count events; those more than a day away from now are left out.

        What is told apart is counted minute by minute: serves "cpu-1000".
        """
        minutes, this = self._minutes, int(now.timestamp()) // 60
        oldest = this - MINUTES
        for number, some in _by_minute(events).items():
            if not oldest <= number <= this + MINUTES:
                continue
            minute = minutes.get(number)
            if minute is None:
                minute = minutes[number] = Minute()
            sums = [total.sum for total in self._totals.values() if total.first <= number <= total.last]
            failed = sum(map(any, map(ERRORS, some)))
            for each in (minute, *sums):
                each.events += len(some)
                each.failed += failed
            secrets = Counter(map(SECRET, some))
            del secrets[None]
            _count(minute.secrets, secrets.items(), [each.secrets for each in sums])
            callers = Counter(map(PRINCIPAL, some)).items()
            called = ((_called(each), times) for each, times in callers)
            _count(minute.principals, called, [each.principals for each in sums])
        if len(minutes) > MINUTES + 60:
            for number in [number for number in minutes if not oldest <= number <= this + MINUTES]:
                del minutes[number]
            self._totals.clear()

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
        """Everything in the `span` before now, together; to be read only, and until the next time.

        Whoever asks each second has nothing added up again but what came and went since: with many secrets an hour
        takes up to 30 ms. Serves "longest stall of the event loop".
        """
        minutes, last = self._minutes, int(now.timestamp()) // 60
        first = last - int(span.total_seconds()) // 60 + 1
        total = self._totals.get(span)
        if total is None or not total.last <= last <= total.last + STEP:
            total = self._totals[span] = _Total(first, first - 1)
        for number in range(total.first, first):
            if number in minutes:
                total.take(minutes[number])
        for number in range(total.last + 1, last + 1):
            if number in minutes:
                total.add(minutes[number])
        total.first, total.last = first, last
        return total.sum


def bins(span: timedelta, room: int) -> tuple[int, int]:
    """(minutes in each, how many): the finest whole minutes that share a span among at most `room` bars."""
    minutes = max(1, int(span.total_seconds()) // 60)
    each = -(-minutes // max(1, room))
    return each, -(-minutes // each)
