"""Facts: when something happened to a secret, a principal, or whatever else events have in common."""

from __future__ import annotations

from array import array
from bisect import bisect_left, insort
from collections.abc import Sequence
from typing import Protocol, TypeAlias

from smwatch.events.event import Event
from smwatch.events.recent import Recent
from smwatch.record import Record
from smwatch.rules.dimension import Dimension, Get, Value

TIMES = 256
"""Different seconds kept of each fact, the newest: so far back and in any order are events judged alike."""
NOTES = 16
"""Events kept by name for each fact, the newest, where alarms tell of them."""
GROUPS = 10_000
"""Secrets, principals, … that facts are kept of; twice as many before those unheard of for longest are forgotten."""
MEMBERS = 1_000
"""Principals, … kept for each of them, likewise."""


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

    __slots__ = ("notes", "seconds", "trimmed", "watchers")

    def __init__(self) -> None:
        self.seconds: array[int] = array("q")
        self.trimmed = False
        """Whether there was more than is kept."""
        self.notes: list[tuple[int, str, str]] = []
        """(event key, event name, principal), ascending."""
        self.watchers: set[Watcher] | None = None

    def add(self, second: int) -> bool:
        """Take a second in; whether it was new."""
        seconds = self.seconds
        if not seconds or second > seconds[-1]:
            seconds.append(second)
        else:
            at = bisect_left(seconds, second)
            if seconds[at] == second:
                return False
            if at == 0 and len(seconds) >= TIMES:
                self.trimmed = True
                return False
            seconds.insert(at, second)
        if len(seconds) > TIMES:
            del seconds[0]
            self.trimmed = True
        return True

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
            if len(self.members) >= MEMBERS:
                del self.members[next(iter(self.members))]
            times = self.members[member] = Times()
        return times

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
        self._others = tuple(dimension.get for dimension in dimensions[1:])
        self._groups: Recent[Value, Group] = Recent(lambda _: Group(), GROUPS)
        self._times: Recent[Value, Times] = Recent(lambda _: Times(), GROUPS)

    def take(self, event: Event, record: Record, second: int) -> None:
        """Take in an event of the fact."""
        value = self._first(event, record)
        if value is None:
            return
        self._add(value, event, record, second)
        if event.others and value is event.secret:
            for secret in event.others:
                self._add(secret, event, record, second)

    def of(self, values: tuple[Value, ...]) -> Known:
        """What is known of one value of every dimension, or of the first alone."""
        if not self._others:
            return self._times[values[0]]
        group = self._groups[values[0]]
        if len(values) == 1:
            return group
        return group.member(values[1] if len(values) == 2 else values[1:])

    def _add(self, value: Value, event: Event, record: Record, second: int) -> None:
        group: Group | None = None
        if not self._others:
            times = self._times[value]
        else:
            member = _member(self._others, event, record)
            if member is None:
                return
            group = self._groups[value]
            times = group.member(member)
        if times.add(second):
            if times.watchers:
                _tell(times.watchers, second)
            if group is not None and group.watchers:
                _tell(group.watchers, second)
        if self._notes:
            times.note(event.key, event.name, event.principal.name)


def values_of(dimensions: tuple[Dimension, ...], event: Event, record: Record) -> tuple[Value, ...] | None:
    """The values of these dimensions for an event; None where one is missing."""
    values: tuple[Value, ...] = ()
    for dimension in dimensions:
        value = dimension.get(event, record)
        if value is None:
            return None
        values += (value,)
    return values


def _member(gets: tuple[Get, ...], event: Event, record: Record) -> Member | None:
    if len(gets) == 1:
        return gets[0](event, record)
    values: tuple[Value, ...] = ()
    for get in gets:
        value = get(event, record)
        if value is None:
            return None
        values += (value,)
    return values


def _tell(watchers: set[Watcher], second: int) -> None:
    for watcher in tuple(watchers):
        watcher.heed(second)
