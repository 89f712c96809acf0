"""In which minutes bad alarms that ask for attention have events: what marks the bars of the histogram."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from datetime import datetime
from time import thread_time

from smwatch.events.event import ACCOUNT_BITS, ID_BITS
from smwatch.rules.alarm import Alarm, Severity
from smwatch.tui.tally import MINUTES

BAD = (Severity.CRITICAL, Severity.HIGH)
STEP = 10_000
"""Events of alarms that are looked at in one go, at the most."""
SPARED = 0.003
"""Seconds of work after which no more are: on a machine that is slow they would take 15 ms."""
EACH = 20
"""As many events take as long as an alarm without any."""


class Marked:
    """Counts for each minute of the last day how many alarms have events in it.

    There may be ten thousand alarms with a hundred events each, of which a few change: each that has changed is counted
    anew, some in one go. Serves "longest stall of the event loop".
    """

    def __init__(self, *, clock: Callable[[], float] = thread_time) -> None:
        self._clock = clock
        self._counts: defaultdict[datetime | None, dict[int, int]] = defaultdict(dict)
        """By minute since the epoch, apart for alarms that are muted up to the same moment."""
        self._counted: dict[str, tuple[datetime | None, tuple[int, ...]]] = {}
        """Up to when an alarm is muted and in which minutes it was counted, by group."""
        self._changed: set[str] = set()

    def note(self, groups: Iterable[str]) -> None:
        """Alarms have changed."""
        self._changed.update(groups)

    def step(self, alarms: Mapping[str, Alarm], now: datetime) -> bool:
        """Count some of those that have changed, as they are in `alarms` by group; whether there are more."""
        oldest, looked_at, until = int(now.timestamp()) // 60 - MINUTES, 0, self._clock() + SPARED
        while self._changed and looked_at < STEP and (not looked_at or self._clock() < until):
            group = self._changed.pop()
            if known := self._counted.pop(group, None):
                self._take(*known)
            alarm = alarms.get(group)
            looked_at += EACH
            if alarm is not None and alarm.count and alarm.open and alarm.severity in BAD:
                looked_at += len(alarm.event_keys)
                self._add(alarm, oldest)
        return bool(self._changed)

    def minutes(self, first: int, last: int, now: datetime) -> set[int]:
        """The minutes since the epoch, `first` to `last`, in which one that is not muted has events."""
        asking = [counts for until, counts in self._counts.items() if until is None or until <= now]
        return {minute for counts in asking for minute in range(first, last + 1) if minute in counts}

    def _add(self, alarm: Alarm, oldest: int) -> None:
        if alarm.last_at.timestamp() < oldest * 60:
            return
        until, counts = alarm.muted_until, self._counts[alarm.muted_until]
        seconds = {key >> (ID_BITS + ACCOUNT_BITS) for key in alarm.event_keys}
        minutes = tuple({second // 60 for second in seconds})
        for minute in minutes:
            counts[minute] = counts.get(minute, 0) + 1
        self._counted[alarm.group] = until, minutes

    def _take(self, until: datetime | None, minutes: Iterable[int]) -> None:
        counts = self._counts[until]
        for minute in minutes:
            if counts[minute] > 1:
                counts[minute] -= 1
            else:
                del counts[minute]
        if not counts:
            del self._counts[until]
