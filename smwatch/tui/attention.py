"""All alarms by where they stand, in order at all times."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime

from smwatch.judging import Judge, Judging
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.tui.marked import Marked
from smwatch.tui.pages.words import Standing
from smwatch.tui.ranked import Ranked

FEW = 1_000
"""Of more that have changed, all are put in order anew: that is faster then."""


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
        self._ranked = _ranked(())
        """Those that have evidence."""
        self._timed: dict[str, Alarm] = {}
        """The open ones of them that are or were muted, by group."""
        self._ends: Counter[datetime] = Counter()
        """Up to when, and how many: a rule that is muted has thousands, of one moment."""
        self._standing: dict[Standing, tuple[Alarm, ...]] = dict.fromkeys(Standing, ())
        self._from: datetime | None = None
        self._upto: datetime | None = None
        """Between these moments (None: for ever) nothing but a change makes an alarm muted, or ends that."""
        self._marked = Marked()
        self.marking = False
        """Whether `marked` has more to look at, the next time."""

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

    def marked(self, first: int, last: int, now: datetime) -> Set[int]:
        """The minutes since the epoch, `first` to `last`, with events of bad ones that ask for attention."""
        self._look(now)
        self.marking = self._marked.step(self._known, now)
        return self._marked.minutes(first, last, now)

    def _wake(self) -> None:
        self._stirred = True

    def _look(self, now: datetime) -> None:
        changed = self._stirred and self._take()
        self._stirred = False
        if changed or (self._from and now < self._from) or (self._upto and now >= self._upto):
            self._part(now)

    def _take(self) -> bool:
        """Take in what has changed; whether an alarm has."""
        store, known = self._store, self._known
        alarms, groups = store.alarms, set(self._changes.take().alarms)
        other = store.engine is not self._engine
        if other:
            self._engine = store.engine
            groups.update(group for group, alarm in alarms.items() if known.get(group) is not alarm)
        if other or len(known) != len(alarms):
            groups |= known.keys() - alarms.keys()  # which no change tells of
        self._marked.note(groups)
        if len(groups) > FEW:
            self._put_all()
        else:
            for group in groups:
                self._put(group, alarms.get(group))
        return bool(groups)

    def _put_all(self) -> None:
        self._known = dict(self._store.alarms)
        told = [alarm for alarm in self._known.values() if alarm.count]
        self._ranked = _ranked(told)
        self._timed = {alarm.group: alarm for alarm in told if alarm.open and alarm.muted_until is not None}
        self._ends = Counter(alarm.muted_until for alarm in self._timed.values() if alarm.muted_until is not None)

    def _put(self, group: str, alarm: Alarm | None) -> None:
        was = self._known.pop(group, None)
        timed = self._timed.pop(group, None)
        if timed is not None and timed.muted_until is not None:
            self._ends[timed.muted_until] -= 1
        if was is not None and was.count:
            self._ranked[was.state].take(was)
        if alarm is not None:
            self._known[group] = alarm
            if alarm.count:
                self._ranked[alarm.state].put(alarm)
                if alarm.open and alarm.muted_until is not None:
                    self._timed[group] = alarm
                    self._ends[alarm.muted_until] += 1

    def _part(self, now: datetime) -> None:
        opened, acknowledged, closed = (self._ranked[state].alarms() for state in AlarmState)
        self._ends = +self._ends
        self._from = max((end for end in self._ends if end <= now), default=None)
        self._upto = min((end for end in self._ends if end > now), default=None)
        asking, muted = self._apart(opened, now) if self._upto is not None else (opened, [])
        self._standing = {
            Standing.OPEN: tuple(asking),
            Standing.MUTED: tuple(muted),
            Standing.ACKNOWLEDGED: tuple(acknowledged),
            Standing.CLOSED: tuple(closed),
        }

    def _apart(self, opened: list[Alarm], now: datetime) -> tuple[list[Alarm], list[Alarm]]:
        """The open ones that are not muted, and those that are: some of them."""
        timed = self._timed
        quiet = timed if self._from is None else {group for group, alarm in timed.items() if alarm.muted(now)}
        if len(quiet) == len(opened):
            return [], opened
        asking = [alarm for alarm in opened if alarm.group not in quiet]
        return asking, [alarm for alarm in opened if alarm.group in quiet]


def _ranked(alarms: Iterable[Alarm]) -> dict[AlarmState, Ranked]:
    apart: dict[AlarmState, list[Alarm]] = {state: [] for state in AlarmState}
    for alarm in alarms:
        apart[alarm.state].append(alarm)
    return {state: Ranked(some) for state, some in apart.items()}
