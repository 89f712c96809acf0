"""All alarms by where they stand, in order at all times."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence, Set
from datetime import datetime

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.store.judge import Judge
from smwatch.store.judging import Judging
from smwatch.tui.marked import Marked
from smwatch.tui.order import Order
from smwatch.tui.pages.words import Standing

EACH = 6
"""To put one in its place takes as long as it takes for so many where all are put in order anew."""


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
        self._expected: tuple[Judge | None, Order] = None, Order({})
        self._order = Order({})
        self._standing: dict[Standing, tuple[Alarm, ...]] = dict.fromkeys(Standing, ())
        self._from: datetime | None = None
        self._upto: datetime | None = None
        """Between these moments (None: for ever) nothing but a change makes an alarm muted, or ends that."""
        self._marked = Marked()
        self.marking = False
        """Whether `marked` has more to look at, the next time."""

    def expect(self, engine: Judge) -> None:
        """Put the alarms of an engine in order that the store is about to judge by; in whatever thread."""
        self._expected = engine, Order(engine.alarms)

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
        self.marking = self._marked.step(self._order.known, now)
        return self._marked.minutes(first, last, now)

    def about(self, secret: Secret, now: datetime) -> Iterable[Alarm]:
        """The open ones that are about a secret, or count it among others, in no order."""
        self._look(now)
        return self._order.about(secret)

    def of(self, identity: str, now: datetime) -> Iterable[Alarm]:
        """The open ones of a principal, in no order."""
        self._look(now)
        return self._order.of(identity)

    def _wake(self) -> None:
        self._stirred = True

    def _look(self, now: datetime) -> None:
        changed = self._stirred and self._take()
        self._stirred = False
        if changed or (self._from and now < self._from) or (self._upto and now >= self._upto):
            self._part(now)

    def _take(self) -> bool:
        """Take in what has changed; whether an alarm has."""
        store, known = self._store, self._order.known
        alarms, groups = store.alarms, set(self._changes.take().alarms)
        other = store.engine is not self._engine
        if other:
            self._engine = store.engine
            expected, order = self._expected
            if expected is store.engine and expected is not None:
                self._marked.note(known.keys() | order.known.keys())
                self._order, known = order, order.known
            self._expected = None, Order({})
            groups.update(alarms)
        groups = {group for group in groups if known.get(group) is not alarms.get(group)}  # some were expected
        if other or len(known) != len(alarms):
            groups |= known.keys() - alarms.keys()  # which no change tells of
        self._marked.note(groups)
        if len(groups) * EACH > len(alarms):
            self._order = Order(alarms)
        else:
            for group in groups:
                self._order.put(group, alarms.get(group))
        return other or bool(groups)

    def _part(self, now: datetime) -> None:
        order = self._order
        opened, acknowledged, closed = (order.ranked[state].alarms() for state in AlarmState)
        ends = order.mutes_end()
        self._from = max((end for end in ends if end <= now), default=None)
        self._upto = min((end for end in ends if end > now), default=None)
        asking, muted = self._apart(opened, now) if self._upto is not None else (opened, [])
        self._standing = {
            Standing.OPEN: tuple(asking),
            Standing.MUTED: tuple(muted),
            Standing.ACKNOWLEDGED: tuple(acknowledged),
            Standing.CLOSED: tuple(closed),
        }

    def _apart(self, opened: list[Alarm], now: datetime) -> tuple[list[Alarm], list[Alarm]]:
        """The open ones that are not muted, and those that are: some of them."""
        timed = self._order.timed
        quiet = timed if self._from is None else {group for group, alarm in timed.items() if alarm.muted(now)}
        if len(quiet) == len(opened):
            return [], opened
        asking = [alarm for alarm in opened if alarm.group not in quiet]
        return asking, [alarm for alarm in opened if alarm.group in quiet]
