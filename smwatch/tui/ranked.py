"""Alarms in the order in which they need attention, at all times."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable
from itertools import chain
from operator import itemgetter
from typing import TypeAlias

from smwatch.rules.alarm import Alarm, urgency

PART = 256
"""Alarms in a part, of which there are up to twice as many before it is cut in two."""
_Key: TypeAlias = tuple[bool, int, float, str]
_Part: TypeAlias = tuple[list[_Key], list[Alarm]]
_FIRST = itemgetter(0)


class Ranked:
    """Alarms in the order of their urgency, in parts: one is put in or taken out in some microseconds.

    To go through ten thousand for some that have changed takes 10 ms. Serves "longest stall of the event loop".
    """

    def __init__(self, alarms: Iterable[Alarm]) -> None:
        entries = sorted(((urgency(alarm), alarm) for alarm in alarms), key=_FIRST)
        self._parts: list[_Part] = [
            ([key for key, _ in part], [alarm for _, alarm in part])
            for part in (entries[start : start + PART] for start in range(0, len(entries), PART))
        ]

    def alarms(self) -> list[Alarm]:
        """All of them, what needs attention most first."""
        return list(chain.from_iterable(alarms for _, alarms in self._parts))

    def put(self, alarm: Alarm) -> None:
        """Put one in its place."""
        parts, key = self._parts, urgency(alarm)
        if not parts:
            parts.append(([key], [alarm]))
            return
        number = min(bisect_left(parts, key, key=_last), len(parts) - 1)
        keys, alarms = parts[number]
        place = bisect_left(keys, key)
        keys.insert(place, key)
        alarms.insert(place, alarm)
        if len(keys) > 2 * PART:
            parts[number : number + 1] = [(keys[:PART], alarms[:PART]), (keys[PART:], alarms[PART:])]

    def take(self, alarm: Alarm) -> None:
        """Take one out, as it was when it was put in."""
        parts, key = self._parts, urgency(alarm)
        number = bisect_left(parts, key, key=_last)
        keys, alarms = parts[number]
        place = bisect_left(keys, key)
        del keys[place], alarms[place]
        if not keys:
            del parts[number]


def _last(part: _Part) -> _Key:
    keys, _ = part
    return keys[-1]
