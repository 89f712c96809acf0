"""Deadlines that events set: when a secret that is scheduled for deletion will be gone."""

from __future__ import annotations

from bisect import insort
from collections.abc import Mapping
from typing import cast

from smwatch.events import moments
from smwatch.patterns.conditions import parse_selector
from smwatch.rules.dimension import Dimension, Renames, Value, deciding, renamed
from smwatch.rules.envelope import Timer
from smwatch.rules.fact import values_of
from smwatch.rules.group import Known
from smwatch.rules.memory import Turns, Written
from smwatch.rules.period import DAY
from smwatch.rules.plan import Ask, Plan
from smwatch.rules.subject import Subject
from smwatch.rules.watching import Watcher

DEADLINES = 2_000
"""Secrets that deadlines are kept of; twice as many before those unheard of for longest are forgotten."""
STARTS = 32
"""Starts kept for each secret, the newest."""


class Deadlines:
    """The deadlines set for one secret."""

    __slots__ = ("__weakref__", "_set", "_watchers")

    def __init__(self) -> None:
        self._set: list[tuple[int, int]] = []
        """(second of the start, second of the deadline), ascending."""
        self._watchers: dict[Watcher, None] = {}

    def add(self, second: int, deadline: int) -> None:
        """A start has set a deadline."""
        if (second, deadline) not in self._set:
            insort(self._set, (second, deadline))
            del self._set[:-STARTS]
            for watcher in self._watchers:
                watcher.wake()

    def of(self, second: int, called_off: Known | None) -> int | None:
        """The deadline in force in a second: of the last start before it, unless called off in between."""
        last = max((start for start in self._set if start[0] <= second), default=None)
        if last is None or (called_off is not None and called_off.any(last[0], second)):
            return None
        return last[1]

    def set_at(self, second: int) -> int | None:
        """The deadline that a start in this second has set."""
        return max((deadline for start, deadline in self._set if start == second), default=None)

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` when a deadline is set."""
        if watcher not in self._watchers:
            self._watchers[watcher] = None
            watcher.watches(self)

    def grow_loud(self, _high: int) -> None:
        """A watcher cares for later seconds: it hears of every deadline as it is."""

    def absorb(self, other: Deadlines) -> None:
        """Know what `other` knows, which is from now on another name for this."""
        self._set[:] = sorted({*self._set, *other._set})[-STARTS:]
        self._watchers |= other._watchers
        other._set, other._watchers = self._set, self._watchers
        for watcher in self._watchers:
            watcher.wake()


class Timers:
    """The deadlines of one timer rule."""

    def __init__(self, timer: Timer, turns: Turns) -> None:
        self.timer = timer
        self._gets = tuple(dimension.get for dimension in timer.same)
        self._at, self._days = parse_selector(timer.at), parse_selector(timer.days)
        self._known: Written[tuple[Value, ...], Deadlines] = Written(Deadlines, DEADLINES, turns)

    def take(self, subject: Subject) -> None:
        """Take in a start."""
        values = values_of(self._gets, subject)
        if values is None:
            return
        deadline = moments.seconds(self._at.value_in(subject.record))
        if deadline is None:
            days = self._days.value_in(subject.record)
            whole = isinstance(days, int | float) and not isinstance(days, bool) and 0 < days < 10_000
            deadline = subject.second + int(DAY * (days if whole else self.timer.default_days))
        self._known[values].add(subject.second, deadline)

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What deadlines are kept by."""
        return self.timer.same

    @property
    def needs(self) -> frozenset[str]:
        """What an event must have."""
        return deciding(self.timer.same)

    def enlist(self, plan: Plan, _subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one."""
        plan.takes += ((self.take, left),)

    def fold(self, right: Renames) -> None:
        """Know of secrets what was known of them under names that have turned out to be wrong."""
        for values in self._known.remembered():
            if right.keys().isdisjoint(values):
                continue
            at = renamed(self.timer.same, values, right)
            if at != values and (deadlines := self._known.take(values)) is not None:
                self._known[cast("tuple[Value, ...]", at)].absorb(deadlines)

    def deadlines(self, values: Mapping[Dimension, Value]) -> Deadlines | None:
        """The deadlines for these values; None where one is missing."""
        wanted: tuple[Value, ...] = ()
        for dimension in self.timer.same:
            if dimension not in values:
                return None
            wanted += (values[dimension],)
        return self._known.ask(wanted)
