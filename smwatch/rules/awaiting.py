"""What has to be known before any event of a rule can be evidence, and the events that wait for it."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import TypeAlias

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.rules.command import holes, needs_record
from smwatch.rules.condition import All, Any, Condition, Look, Lookup, Matches, Trait, historic
from smwatch.rules.dimension import Dimension, Group, Renames, Value, dimension, renamed
from smwatch.rules.envelope import Rule
from smwatch.rules.memory import Memory
from smwatch.rules.period import Period
from smwatch.rules.question import PENDING, SCHEDULES, WINDOW, named_by
from smwatch.rules.subject import Subject
from smwatch.rules.times import EVER, Times
from smwatch.rules.trait import TRAITS
from smwatch.rules.waiter import Waiter
from smwatch.rules.world import Source, World, started

WAITERS = 2_048
"""Groups of which events wait, for each rule; twice as many before those unheard of for longest are forgotten."""

_Key: TypeAlias = tuple[Group, tuple[Value, ...]]
"""A group, and the values of what its events wait for."""


class Waits:
    """The events of one rule that wait.

    Serves the rows "rules" and "rules-varied" of the benchmarks: a batch names many secrets, of which none is deleted.
    """

    def __init__(self, rule: Rule, world: World, lookup: Lookup, source: Source, take: Callable[[Event], None]) -> None:
        """`take` takes an event once it may be evidence by `lookup`, of which `source` knows."""
        self._by = rule.by
        self._world = world
        self._source = source
        self.dimensions = lookup.same
        """What they wait for is told apart by these."""
        self._around = lookup.seconds, -int(lookup.ago)
        """How far before and after an event it matters."""
        self._take = take
        self._waiters: Memory[_Key, Waiter] = Memory(self._make, WAITERS, world.turns)

    def waiter(self, group: Group, subject: Subject) -> Waiter | None:
        """With whom the events of a group wait that are like this one; None where it can never be evidence."""
        values = self._source.values_of(subject)
        return self._waiters[group, values] if values is not None else None

    def fold(self, every: Renames, right: Mapping[Secret, Secret]) -> Iterator[int]:
        """Have events wait for what is known of secrets by their right names, in the right groups.

        Step by step: see `Caseload.fold`.
        """
        for key in self._waiters.remembered():
            group, values = key
            if (waiter := self._waiters.find(key)) is None:
                continue
            waiter.rename(right)
            now = renamed(self._by, group, every), self._source.renamed(values, every)
            if now != key:
                self._waiters.take(key)
                self._waiters[now].absorb(waiter)
            yield 1

    def _make(self, key: _Key) -> Waiter:
        known = self._source.at(key[1])
        assert isinstance(known, Times)
        return Waiter(known, self._world, *self._around, self._take)


def waits(rule: Rule, world: World, take: Callable[[Event], None]) -> Waits | None:
    """The events that wait of a rule; None where none can: all that is asked again must be told by the event alone."""
    lookup = awaited(rule)
    if lookup is None:
        return None
    source = world.source(lookup.fact, lookup.same)
    return Waits(rule, world, lookup, source, take) if source.whole else None


def awaited(rule: Rule) -> Lookup | None:
    """The fact that has to be known for an event to be evidence, if no record has to be looked at again by then."""
    if rule.first_seen or rule.distinct or rule.count or rule.sequence or rule.absence or rule.silence:
        return None
    asked = [*filter(historic, (*rule.only, *rule.unless)), *(grade.condition for grade in rule.grade)]
    if not all(map(_told, asked)) or needs_record(hole for command in rule.next for hole in holes(command)):
        return None
    found = next((lookup for each in rule.only if (lookup := _needed(each)) is not None), None)
    if found is None and rule.timer is not None and (start := started(rule.timer)) is not None:
        found = Lookup(Look.SEEN, start, rule.timer.same, Period(EVER))
    return found if found is not None and all(map(_of_event, (*rule.by, *found.same))) else None


def _needed(condition: Condition) -> Lookup | None:
    """What has to be known for a condition to hold."""
    match condition:
        case Lookup(look=Look.SEEN):
            return condition
        case Trait(name, negated=False) if name == PENDING:
            return Lookup(
                Look.SEEN, SCHEDULES, tuple(map(dimension, dict(TRAITS[name].history)[SCHEDULES])), Period(WINDOW)
            )
        case _:
            return None


def _told(condition: Condition) -> bool:
    """Whether an event tells all that a condition asks of it."""
    match condition:
        case Matches(pattern):
            return named_by(pattern) is not None
        case Trait(name):
            trait = TRAITS[name]
            if not trait.history:
                return trait.of_caller
            return all(_of_event(dimension(one)) for _, same in trait.history for one in same)
        case Lookup(same=same):
            return all(map(_of_event, same))
        case Any(parts) | All(parts):
            return all(map(_told, parts))
        case _:
            return False


def _of_event(each: Dimension) -> bool:
    return bool(each.of) and each.several is None
