"""Facts: when something happened to a secret, a principal, or whatever else events have in common."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial
from typing import TYPE_CHECKING, cast

from smwatch.rules.dimension import Dimension, Get, Renames, Value, deciding, renamed
from smwatch.rules.evidence import BEGINNING
from smwatch.rules.group import MEMBERS, Absent, Group, Known, Member
from smwatch.rules.memory import Asked, Turns, Written
from smwatch.rules.subject import Subject
from smwatch.rules.times import Times

if TYPE_CHECKING:
    from smwatch.rules.plan import Ask, Plan

GROUPS = 10_000
"""Secrets, principals, … that facts are kept of; twice as many before those unheard of for longest are forgotten."""
PAIRS = 50_000
"""Pairs of them, as of a secret and a principal, that each fact is kept of; beyond them those unheard of for long are
forgotten: what somebody does once more is then as new as it was."""
IN_ALL = 2 * PAIRS
"""Pairs of all facts together; beyond them, of the fact with the most."""
COMPARED, FORGOTTEN = 128, 32
"""Of so many pairs, those are forgotten that were unheard of for longest: in one go, about half a millisecond, as there
is one pair too many again and again where nearly each event has a new one."""


class Room:
    """How many pairs there are of all facts."""

    __slots__ = ("_count", "tracks")

    def __init__(self) -> None:
        self.tracks: list[Track] = []
        self._count = 0

    def take(self, track: Track) -> None:
        """There is one more of a fact: forget others where there are too many."""
        self._count += 1
        if len(track.pairs) > PAIRS:
            self._count -= track.forget_some()
        elif self._count > IN_ALL:
            self._count -= max(self.tracks, key=_pairs).forget_some()


class Track:
    """One fact, kept by the values its events have in common: of one dimension, or of several within the first's."""

    def __init__(self, dimensions: tuple[Dimension, ...], turns: Turns, room: Room, *, notes: bool) -> None:
        self.dimensions = dimensions
        self.notes = notes
        self._gets = tuple(dimension.get for dimension in dimensions)
        self.foreseen = all(dimension.foreseen for dimension in dimensions)
        """Whether all events of one kind by one caller about one secret have the same values."""
        self.needs = deciding(dimensions)
        self._turns = turns
        self._groups: Written[Value, Group] = Written(Group, GROUPS, turns)
        self._seconds: Written[Value, Group] = Written(Group, GROUPS, turns)
        self._alone: Written[Value, Times] = Written(Times, GROUPS, turns)
        self._asked: Asked[tuple[Value, ...], Times] = Asked(Times)
        """Members of groups before they are."""
        self._room = room
        room.tracks.append(self)
        self.pairs: deque[tuple[Value, ...]] = deque()
        """Of those that are written: in the order in which they came, or were compared."""
        self.gap = -1
        """Times.gap of the event taken last; -1 if it named several."""
        self.taken = -1
        """The key of that event. There are events whose seconds are told without their being taken here."""
        self._asked_by: Subject | None = None
        self._found: Times | None = None
        """What is known of that one: several rules ask in turn."""

    def take(self, subject: Subject) -> None:
        """Take in an event of the fact."""
        self.gap, self.taken = 0, subject.key
        values = values_of(self._gets, subject)
        if values is None:
            return
        times = self.times(values)
        times.add(subject.second)
        self.gap = times.gap
        if self.notes:
            times.note(subject.key, subject.event.name, subject.event.principal.called)
        for more in further_values(self.dimensions, subject, values):
            self.gap = -1
            self.times(more).add(subject.second)

    def of(self, values: tuple[Value, ...]) -> Times:
        """What is known, or will be, of one value of each of several dimensions."""
        group = self._groups.known(values[0])
        times = group.members.get(_member(values)) if group is not None else None
        return times if times is not None else self._asked[values]

    def of_one(self, dimension: Dimension) -> Callable[[Value], Known]:
        """What tells what is known, or will be, of one value of the only dimension, the first, or the second of two."""
        if len(self.dimensions) == 1:
            return self._alone.ask
        return self._groups.ask if dimension is self.dimensions[0] else self._seconds.ask

    def times(self, values: tuple[Value, ...]) -> Times:
        """Where to write what becomes known of one value of every dimension."""
        if len(values) == 1:
            return self._alone[values[0]]
        group = self._groups[values[0]]
        member = values[1] if len(values) == 2 else values[1:]
        times = group.members.get(member)
        if times is None:
            other = self._seconds[values[1]] if len(values) == 2 else None
            # One that has left the group of the first value, as too many have joined it, may be in the other's still.
            times = other.members.get(values[0]) if other is not None else None
            if times is None:
                times = self._asked.take(values) if values in self._asked.kept else None
            if times is None:
                times = Times()
            # Each pair that is new becomes a member of two groups: without a call for each, for "rules-varied".
            times.groups = (group, other) if other is not None else (group,)
            if times.plans:  # their watchers may care for more than its own do
                times.catch_up()
            if other is not None:
                other.put(values[0], times)
                if other.awaiting or len(other.members) > MEMBERS:
                    other.grown()
            group.put(member, times)
            if group.awaiting or len(group.members) > MEMBERS:
                group.grown()
            if len(group.members) >= MEMBERS:
                self._turns.count += 1
            self.pairs.append(values)
            self._room.take(self)
        elif len(times.groups) == 2 and self._seconds.get(values[1]) is not times.groups[1]:
            self._remember(values[1], cast("Group", times.groups[1]))
        return times

    def _remember(self, second: Value, group: Group) -> None:
        """The second of two values was heard of: what is known of it is to be remembered, or known again, as `group`.

        It is found in the group of the first, however long ago it was asked for in its own.
        """
        now = self._seconds[second]
        if now is not group:
            now.absorb(group)

    def forget_some(self) -> int:
        """Of the pairs that have been kept for longest, let go of those heard of longest ago; how many they were.

        The others are kept as if they had just come. Serves "memory-flat".
        """
        pairs = self.pairs
        some = [pairs.popleft() for _ in range(min(COMPARED, (len(pairs) + 1) // 2))]  # the newest is heard of only now
        known = [self._member(values) for values in some]
        heard = [BEGINNING if times is None else times.newest for times in known]
        oldest = sorted(range(len(some)), key=heard.__getitem__)[: max(1, len(some) * FORGOTTEN // COMPARED)]
        gone = set(oldest)
        pairs.extend([values for place, values in enumerate(some) if place not in gone])
        for place in oldest:
            if (times := known[place]) is not None:
                self._let_go(some[place], times)
        return len(oldest)

    def _let_go(self, gone: tuple[Value, ...], times: Times) -> None:
        times.catch_up()
        if (group := self._groups.find(gone[0])) is not None:
            group.forget(_member(gone))
        if len(gone) == 2 and (other := self._seconds.find(gone[1])) is not None:
            other.forget(gone[0])
        times.groups = (Absent(partial(self._readmit, gone)),)
        self._asked.keep(gone, times)

    def _readmit(self, values: tuple[Value, ...], second: int) -> None:
        """More has become known of values that were let go of, in this second: a plan or a question held them."""
        for group in self.times(values).groups:
            if second <= group.loud:
                group.tell_watchers(second)

    def _member(self, values: tuple[Value, ...]) -> Times | None:
        group = self._groups.find(values[0])
        times = group.members.get(_member(values)) if group is not None else None
        if times is None and len(values) == 2 and (other := self._seconds.find(values[1])) is not None:
            times = other.members.get(values[0])
        return times

    def fold(self, right: Renames) -> None:
        """Know of secrets what was known of them under names that have turned out to be wrong."""
        if not any(dimension.names_secret for dimension in self.dimensions):
            return
        if len(self.dimensions) == 1:
            for old, new in right.items():
                if (times := self._alone.take(old)) is not None:
                    self._alone[new].absorb(times)
            return
        for values, times in self._named(right):
            self._forget(values, times)
            self.times(self._renamed(values, right)).absorb(times)
        if self.dimensions[0].names_secret:
            for old, new in right.items():
                if (group := self._groups.take(old)) is not None:
                    group.rename(self._groups[new])
        if len(self.dimensions) == 2 and self.dimensions[1].names_secret:
            for old, new in right.items():
                if (group := self._seconds.take(old)) is not None:
                    group.rename(self._seconds[new])

    def _named(self, right: Renames) -> list[tuple[tuple[Value, ...], Times]]:
        """What is known of values among which there are wrong names."""
        firsts: Iterable[Value] = right if self.dimensions[0].names_secret else ()
        later = any(dimension.names_secret for dimension in self.dimensions[1:])
        found: list[tuple[tuple[Value, ...], Times]] = []
        # Most are of other secrets, and that is seen at once: serves "longest stall of the event loop".
        wrong = right.keys()
        for first in self._groups.remembered() if later else firsts:
            group = self._groups.find(first)
            for member, times in group.members.items() if group is not None else ():
                values = (first, *member) if isinstance(member, tuple) else (first, member)
                if not wrong.isdisjoint(values) and self._renamed(values, right) != values:
                    found.append((values, times))
        for values in self._asked.remembered():
            if not wrong.isdisjoint(values) and self._renamed(values, right) != values:
                asked = self._asked.take(values)
                if asked is not None:
                    found.append((values, asked))
        return found

    def _renamed(self, values: tuple[Value, ...], right: Renames) -> tuple[Value, ...]:
        return cast("tuple[Value, ...]", renamed(self.dimensions, values, right))

    def _forget(self, values: tuple[Value, ...], times: Times) -> None:
        if (group := self._groups.find(values[0])) is not None:
            group.dismiss(_member(values))
        if len(values) == 2:
            # One that was forgotten may be remembered again.
            for each in dict.fromkeys((self._seconds.find(values[1]), *times.groups[1:])):
                if isinstance(each, Group):
                    each.dismiss(values[0])

    def of_event(self, subject: Subject) -> Times | None:
        """What is known of the values of an event that names no more than one secret; None where one is missing."""
        if subject is not self._asked_by:
            gets = self._gets
            if len(gets) == 2:  # as `values_of` does, without a call: of each pair that is new, for "rules-varied"
                one, other = gets[0](subject), gets[1](subject)
                self._found = self.times((one, other)) if one and other else None
            else:
                values = values_of(gets, subject)
                self._found = None if values is None else self.times(values)
            self._asked_by = subject
        return self._found

    def enlist(self, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one."""
        if left or self.notes or not self.foreseen:
            plan.takes += ((self.take, left),)
        elif (times := self.of_event(subject)) is not None:
            plan.times += (times,)


def _pairs(track: Track) -> int:
    return len(track.pairs)


def _member(values: tuple[Value, ...]) -> Member:
    """What tells these values apart from others within the group of the first."""
    return values[1] if len(values) == 2 else values[1:]


def further_values(
    dimensions: Sequence[Dimension], subject: Subject, values: tuple[Value, ...]
) -> Iterator[tuple[Value, ...]]:
    """What else these values are of an event that names several secrets, or has several values of one of them."""
    if subject.event.call.others and subject.secret in values:
        at = values.index(subject.secret)
        for secret in subject.event.call.others:
            yield (*values[:at], secret, *values[at + 1 :])
    for at, dimension in enumerate(dimensions):
        if dimension.several is not None:
            for value in dimension.several(subject)[1:]:
                yield (*values[:at], value, *values[at + 1 :])


def values_of(gets: Sequence[Get], subject: Subject) -> tuple[Value, ...] | None:
    """All these values of an event; None where one is missing."""
    if len(gets) == 2:  # most are: asked several times of each new session, for the row "rules" of the benchmarks
        one, other = gets[0](subject), gets[1](subject)
        return (one, other) if one and other else None
    values: tuple[Value, ...] = ()
    for get in gets:
        value = get(subject)
        if not value:
            return None
        values += (value,)
    return values
