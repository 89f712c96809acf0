"""The alarms that ask for attention, in order at all times."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from datetime import datetime
from operator import itemgetter

from smwatch.judging import Judge, Judging
from smwatch.rules.alarm import Alarm, urgency

MANY = 1_000
"""Of more that have changed, all are put in order: that is faster then."""
_FIRST = itemgetter(0)


class Attention:
    """The open alarms of a store, worst first: those that ask for attention now, and those that are muted.

    Several parts of a screen ask with each frame and each second, and there may be ten thousand. So each that has
    changed is put in its place, as putting all in order takes up to 70 ms. Serves "longest stall of the event loop".
    """

    def __init__(self, store: Judging) -> None:
        self._store = store
        self._changes = store.subscribe(self._wake)
        self._stirred = True
        self._engine: Judge | None = None
        self._known: dict[str, Alarm] = {}
        """All alarms as they were last."""
        self._open: list[tuple[tuple[bool, int, float, str], Alarm]] = []
        """The open ones with what they are ordered by."""
        self._asking: tuple[Alarm, ...] = ()
        self._muted: tuple[Alarm, ...] = ()
        self._from: datetime | None = None
        self._upto: datetime | None = None
        """Between these moments (None: for ever) nothing but a change makes an alarm muted, or ends that."""

    def asking(self, now: datetime) -> Sequence[Alarm]:
        """Those that are not muted."""
        self._look(now)
        return self._asking

    def muted(self, now: datetime) -> Sequence[Alarm]:
        """Those that would ask for attention if nobody had muted them."""
        self._look(now)
        return self._muted

    def _wake(self) -> None:
        self._stirred = True

    def _look(self, now: datetime) -> None:
        changed = self._stirred and self._take()
        self._stirred = False
        if changed or (self._from and now < self._from) or (self._upto and now >= self._upto):
            self._part(now)

    def _take(self) -> bool:
        """Take in what has changed; whether an alarm has."""
        alarms, known, change = self._store.alarms, self._known, self._changes.take()
        if self._store.engine is not self._engine or len(change.alarms) > MANY:
            self._engine, self._known = self._store.engine, dict(alarms)
            self._open = sorted([(urgency(alarm), alarm) for alarm in alarms.values() if _asks(alarm)], key=_FIRST)
            return True
        for group in change.alarms:
            self._put(group, alarms.get(group))
        let_go = known.keys() - alarms.keys() if len(known) != len(alarms) else ()
        for group in let_go:  # which no change tells of
            self._put(group, None)
        return bool(change.alarms or let_go)

    def _put(self, group: str, alarm: Alarm | None) -> None:
        was = self._known.pop(group, None)
        if was is not None and _asks(was):
            del self._open[bisect_left(self._open, urgency(was), key=_FIRST)]
        if alarm is not None:
            self._known[group] = alarm
            if _asks(alarm):
                insort(self._open, (urgency(alarm), alarm), key=_FIRST)

    def _part(self, now: datetime) -> None:
        alarms = [alarm for _, alarm in self._open]
        timed = [alarm for alarm in alarms if alarm.muted_until is not None]
        self._muted = tuple([alarm for alarm in timed if alarm.muted(now)])
        muted = {alarm.group for alarm in self._muted}
        self._asking = tuple([alarm for alarm in alarms if alarm.group not in muted] if muted else alarms)
        ends = [alarm.muted_until for alarm in timed if alarm.muted_until is not None]
        self._from = max((end for end in ends if end <= now), default=None)
        self._upto = min((end for end in ends if end > now), default=None)


def _asks(alarm: Alarm) -> bool:
    return alarm.open and alarm.count > 0
