"""Facts: when something happened to a secret, a principal, or whatever else events have in common."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from smwatch.events.recent import Recent
from smwatch.rules.dimension import Dimension, Get, Value
from smwatch.rules.subject import Subject

TIMES = 256
"""Different seconds kept of each fact, the newest: so far back and in any order are events judged alike."""
NOTES = 16
"""Events kept by name for each fact, the newest, where alarms tell of them."""
GROUPS = 10_000
"""Secrets, principals, … that facts are kept of; twice as many before those unheard of for longest are forgotten."""
MEMBERS = 1_000
"""Principals, … kept for each of them, likewise."""


EVER = 1 << 40
"""Seconds: longer than anything lasts."""

Member: TypeAlias = Value | tuple[Value, ...]


class Watcher(Protocol):
    """Who wants to know when a fact changes."""

    def heed(self, second: int) -> None:
        """The fact is now known of this second too."""
        ...

    def wake(self) -> None:
        """Something else that it hangs on has changed."""
        ...


class Times:
    """The seconds in which one fact is known, and who asks for them."""

    __slots__ = ("also", "notes", "seconds", "trimmed", "watchers")

    def __init__(self) -> None:
        self.seconds: array[int] = array("q")
        self.trimmed = False
        """Whether there was more than is kept."""
        self.notes: list[tuple[int, str, str]] = []
        """(event key, event name, principal), ascending."""
        self.watchers: set[Watcher] | None = None
        self.also: Group | None = None
        """The group of the second dimension's value."""

    def add(self, second: int) -> int:
        """Take a second in; how long the fact had not been known before it, -1 for a second that was known."""
        seconds = self.seconds
        if not seconds:
            seconds.append(second)
            return EVER
        gap = second - seconds[-1]
        if gap > 0:
            seconds.append(second)
            if len(seconds) > TIMES:
                del seconds[0]
                self.trimmed = True
            return gap
        return self._add_late(second)

    def _add_late(self, second: int) -> int:
        seconds = self.seconds
        at = bisect_left(seconds, second)
        if seconds[at] == second:
            return -1
        if at == 0 and len(seconds) >= TIMES:
            self.trimmed = True
            return -1
        seconds.insert(at, second)
        if len(seconds) > TIMES:
            del seconds[0]
            self.trimmed = True
        return EVER

    def note(self, key: int, name: str, who: str) -> None:
        """Keep the event itself as well."""
        entry = (key, name, who)
        if entry not in self.notes:
            insort(self.notes, entry)
            del self.notes[:-NOTES]

    def any(self, low: int, high: int) -> bool:
        """Whether it is known of a second from `low` to `high`."""
        at = bisect_left(self.seconds, low)
        return at < len(self.seconds) and self.seconds[at] <= high

    def before(self, second: int) -> int | None:
        """The last second before this one."""
        at = bisect_left(self.seconds, second)
        return self.seconds[at - 1] if at else None

    def since(self, second: int) -> int | None:
        """The first second from this one on."""
        at = bisect_left(self.seconds, second)
        return self.seconds[at] if at < len(self.seconds) else None

    def among(self, low: int, high: int) -> Sequence[Member]:
        """Nobody: this fact is kept of one alone."""
        return ("",) if self.any(low, high) else ()

    def forgotten(self, second: int) -> bool:
        """Whether this second lies before all that is kept, so that nothing can be said about it."""
        return self.trimmed and second < self.seconds[0]

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every new second."""
        if self.watchers is None:
            self.watchers = set()
        self.watchers.add(watcher)


class Group:
    """What is known of one value of a track's first dimension, told apart by the others."""

    __slots__ = ("members", "watchers")

    def __init__(self) -> None:
        self.members: dict[Member, Times] = {}
        self.watchers: set[Watcher] | None = None

    def member(self, member: Member) -> Times:
        """What is known of one member; makes room for it where there is none."""
        times = self.members.get(member)
        if times is None:
            times = Times()
            self.admit(member, times)
        return times

    def admit(self, member: Member, times: Times) -> None:
        """Make somebody a member."""
        if len(self.members) >= MEMBERS:
            del self.members[next(iter(self.members))]
        self.members[member] = times

    def any(self, low: int, high: int) -> bool:
        """Whether it is known of any member in a second from `low` to `high`."""
        return any(times.any(low, high) for times in self.members.values())

    def among(self, low: int, high: int) -> Sequence[Member]:
        """The members of which it is."""
        return [member for member, times in self.members.items() if times.any(low, high)]

    def before(self, second: int) -> int | None:
        """The last second before this one."""
        return max((at for times in self.members.values() if (at := times.before(second)) is not None), default=None)

    def since(self, second: int) -> int | None:
        """The first second from this one on."""
        return min((at for times in self.members.values() if (at := times.since(second)) is not None), default=None)

    def forgotten(self, second: int) -> bool:
        """Whether this second lies before all that is kept of some member."""
        return any(times.forgotten(second) for times in self.members.values())

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of every new second of every member."""
        if self.watchers is None:
            self.watchers = set()
        self.watchers.add(watcher)


Known: TypeAlias = Times | Group


class Track:
    """One fact, kept by the values its events have in common: of one dimension, or of several within the first's."""

    def __init__(self, dimensions: tuple[Dimension, ...], *, notes: bool) -> None:
        self.dimensions = dimensions
        self._notes = notes
        self._first = dimensions[0].get
        self._second = dimensions[1].get if len(dimensions) == 2 else None
        self._others = tuple(dimension.get for dimension in dimensions[1:])
        self._groups: Recent[Value, Group] = Recent(lambda _: Group(), GROUPS)
        self._also: Recent[Value, Group] = Recent(lambda _: Group(), GROUPS)
        self._times: Recent[Value, Times] = Recent(lambda _: Times(), GROUPS)
        self.gap = 0
        """How long the fact of the last event taken had not been known before, for whom that was shortest."""

    def take(self, subject: Subject) -> None:
        """Take in an event of the fact."""
        self.gap = -1
        value = self._first(subject)
        if not value:
            return
        self._add(value, subject)
        if subject.event.others and value is subject.secret:
            for secret in subject.event.others:
                self._add(secret, subject)

    def of(self, values: tuple[Value, ...]) -> Known:
        """What is known of one value of every dimension, or of the first alone."""
        if not self._others:
            return self._times[values[0]]
        group = self._groups[values[0]]
        if len(values) == 1:
            return group
        return self._member(group, values[0], values[1] if len(values) == 2 else values[1:])

    def of_second(self, value: Value) -> Group:
        """What is known of one value of the second of two dimensions."""
        return self._also[value]

    def _add(self, value: Value, subject: Subject) -> None:
        second = subject.second
        if not self._others:
            times = self._times[value]
            group = None
        else:
            member = self._second(subject) if self._second is not None else values_of(self._others, subject)
            if not member:
                return
            group = self._groups[value]
            times = group.members.get(member) or self._member(group, value, member)
        gap = times.add(second)
        if gap >= 0:
            if times.watchers:
                _tell(times.watchers, second)
            if group is not None:
                if group.watchers:
                    _tell(group.watchers, second)
                if times.also is not None and times.also.watchers:
                    _tell(times.also.watchers, second)
        if gap > self.gap:
            self.gap = gap
        if self._notes:
            times.note(subject.key, subject.event.name, subject.event.principal.name)

    def _member(self, group: Group, value: Value, member: Member) -> Times:
        times = group.member(member)
        if times.also is None and self._second is not None and not isinstance(member, tuple):
            times.also = also = self._also[member]
            also.admit(value, times)
        return times


def values_of(gets: Sequence[Get], subject: Subject) -> tuple[Value, ...] | None:
    """All these values of an event; None where one is missing."""
    values: tuple[Value, ...] = ()
    for get in gets:
        value = get(subject)
        if not value:
            return None
        values += (value,)
    return values


def _tell(watchers: set[Watcher], second: int) -> None:
    for watcher in tuple(watchers):
        watcher.heed(second)
