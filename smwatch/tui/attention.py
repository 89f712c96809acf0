"""All alarms by where they stand, in order at all times."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from operator import itemgetter

from smwatch.judging import Judge, Judging
from smwatch.rules.alarm import Alarm, AlarmState, urgency
from smwatch.tui.pages.words import Standing

FEW = 50
"""Of more that have changed, all others are gone through instead: that is faster then."""
_FIRST = itemgetter(0)
_Ordered = list[tuple[tuple[bool, int, float, str], Alarm]]
"""Alarms with what they are ordered by."""


class Attention:
    """The alarms of a store that have evidence, worst first: those that ask for attention now, and all others.

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
        self._ordered: dict[AlarmState, _Ordered] = _in_order(())
        """Those that have evidence."""
        self._standing: dict[Standing, tuple[Alarm, ...]] = dict.fromkeys(Standing, ())
        self._from: datetime | None = None
        self._upto: datetime | None = None
        """Between these moments (None: for ever) nothing but a change makes an alarm muted, or ends that."""

    def asking(self, now: datetime) -> Sequence[Alarm]:
        """Those that are not muted."""
        return self.standing(now)[Standing.OPEN]

    def muted(self, now: datetime) -> Sequence[Alarm]:
        """Those that would ask for attention if nobody had muted them."""
        return self.standing(now)[Standing.MUTED]

    def standing(self, now: datetime) -> Mapping[Standing, Sequence[Alarm]]:
        """All that have evidence by where they stand; a mapping that was handed out does not change."""
        self._look(now)
        return self._standing

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
        if self._store.engine is not self._engine:
            self._engine, self._known = self._store.engine, dict(alarms)
            self._ordered = _in_order(alarms.values())
            return True
        if len(change.alarms) > FEW:
            self._put_many(change.alarms)
        else:
            for group in change.alarms:
                self._put(group, alarms.get(group))
        let_go = known.keys() - alarms.keys() if len(known) != len(alarms) else ()
        for group in let_go:  # which no change tells of
            self._put(group, None)
        return bool(change.alarms or let_go)

    def _put_many(self, groups: Collection[str]) -> None:
        alarms, known = self._store.alarms, self._known
        for group in groups:
            known.pop(group, None)
        now = {group: alarm for group in groups if (alarm := alarms.get(group)) is not None}
        known |= now
        put = _in_order(now.values())
        for state, ordered in self._ordered.items():
            ordered[:] = [entry for entry in ordered if entry[1].group not in groups]
            ordered += put[state]
            ordered.sort(key=_FIRST)  # of two that are in order it makes one with hardly more than a look at each

    def _put(self, group: str, alarm: Alarm | None) -> None:
        was = self._known.pop(group, None)
        if was is not None and was.count:
            ordered = self._ordered[was.state]
            del ordered[bisect_left(ordered, urgency(was), key=_FIRST)]
        if alarm is not None:
            self._known[group] = alarm
            if alarm.count:
                insort(self._ordered[alarm.state], (urgency(alarm), alarm), key=_FIRST)

    def _part(self, now: datetime) -> None:
        opened, acknowledged, closed = ([alarm for _, alarm in self._ordered[state]] for state in AlarmState)
        timed = [alarm for alarm in opened if alarm.muted_until is not None]
        muted = [alarm for alarm in timed if alarm.muted(now)]
        quiet = {alarm.group for alarm in muted}
        asking = [alarm for alarm in opened if alarm.group not in quiet] if quiet else opened
        self._standing = {
            Standing.OPEN: tuple(asking),
            Standing.MUTED: tuple(muted),
            Standing.ACKNOWLEDGED: tuple(acknowledged),
            Standing.CLOSED: tuple(closed),
        }
        ends = [alarm.muted_until for alarm in timed if alarm.muted_until is not None]
        self._from = max((end for end in ends if end <= now), default=None)
        self._upto = min((end for end in ends if end > now), default=None)


def _in_order(alarms: Iterable[Alarm]) -> dict[AlarmState, _Ordered]:
    ordered: dict[AlarmState, _Ordered] = {state: [] for state in AlarmState}
    for entry in sorted([(urgency(alarm), alarm) for alarm in alarms if alarm.count], key=_FIRST):
        ordered[entry[1].state].append(entry)
    return ordered
