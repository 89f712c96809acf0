"""What the engine knows beside the events of one alarm: facts, what has been watched, and what time it is."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from functools import partial
from heapq import heappop, heappush
from itertools import count
from typing import TYPE_CHECKING, cast

from smwatch.events.secret import Secret
from smwatch.rules.accounts import Accounts
from smwatch.rules.alarm import Mute
from smwatch.rules.beginning import Beginning
from smwatch.rules.census import Census
from smwatch.rules.condition import lookups, traits
from smwatch.rules.dimension import DIMENSIONS, Dimension, Renames, Value, dimension, renamed, renames
from smwatch.rules.envelope import TELLINGS, Fact, Rule, RuleSet, Timer, anonymous_fact, own_fact
from smwatch.rules.fact import Room, Track, further_values, values_of
from smwatch.rules.group import Known
from smwatch.rules.memory import Turns
from smwatch.rules.subject import Subject
from smwatch.rules.timers import Deadlines, Timers
from smwatch.rules.trait import TRAITS
from smwatch.rules.vigil import Vigil
from smwatch.rules.watching import Roused, Watcher

if TYPE_CHECKING:
    from smwatch.rules.case import Case

_ORDER = {dimension: place for place, dimension in enumerate(DIMENSIONS.values())}


class Source:
    """Where a fact is kept for values of some dimensions."""

    __slots__ = ("_alone", "_dimensions", "_gets", "_of_one", "at", "values_of", "whole")

    def __init__(self, track: Track, dimensions: tuple[Dimension, ...]) -> None:
        # Asked several times of each new session, and of each failed call: serves the rows "rules" and "rules-trouble".
        of_one = track.of_one(dimensions[0])
        self._alone = dimensions[0] if len(dimensions) == 1 else None
        self._of_one = of_one
        self.at: Callable[[tuple[Value, ...]], Known] = (
            track.of if self._alone is None else (lambda one: of_one(one[0]))
        )
        """What is known for values of all these dimensions, in their order."""
        self.whole = dimensions == track.dimensions
        """Whether these are all that the fact is told apart by: then what is known is Times, and else a Group."""
        self._dimensions = dimensions
        self._gets = tuple(dimension.get for dimension in dimensions)
        self.values_of: Callable[[Subject], tuple[Value, ...] | None] = partial(values_of, self._gets)
        """The values of an event; None where one is missing."""

    def of(self, values: Mapping[Dimension, Value]) -> Known | None:
        """What is known for these values; None where one is missing."""
        if self._alone is not None:
            value = values.get(self._alone)
            return self._of_one(value) if value is not None else None
        wanted: tuple[Value, ...] = ()
        for wants in self._dimensions:
            value = values.get(wants)
            if value is None:
                return None
            wanted += (value,)
        return self.at(wanted)

    def of_event(self, subject: Subject) -> Known | None:
        """What is known for the values of an event."""
        if self._alone is not None:
            value = self._alone.get(subject)
            return self._of_one(value) if value else None
        wanted = values_of(self._gets, subject)
        return self.at(wanted) if wanted is not None else None

    def renamed(self, values: tuple[Value, ...], right: Renames) -> tuple[Value, ...]:
        """These values as they are now."""
        return cast("tuple[Value, ...]", renamed(self._dimensions, values, right))

    def each_of_event(self, subject: Subject) -> list[Known]:
        """The same for each of the values that an event has of one of the dimensions."""
        wanted = values_of(self._gets, subject)
        if wanted is None:
            return []
        return [self.at(each) for each in (wanted, *further_values(self._dimensions, subject, wanted))]


class World:
    """The facts of a rule set, each kept by what the rules compare it by."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.beginning = Beginning()
        self.vigil = Vigil()
        self.accounts = Accounts()
        self.turns = Turns()
        self.clock = 0
        """The present, as far as told."""
        self.read_to = 0
        """What has happened up to this second is known."""
        self.dirty: OrderedDict[Case, None] = OrderedDict()
        """Whose alarm has to be worked out again, whoever waits for longest first."""
        self.roused: dict[Roused, None] = {}
        """What has to be looked at again before that."""
        self.mutes: tuple[Mute, ...] = ()
        self.timers = {rule.id: Timers(rule.timer, self.turns) for rule in rules.rules if rule.timer is not None}
        self.censuses = {
            rule.id: Census(rule, rule.distinct.share, rule.distinct.of, self.turns)
            for rule in rules.rules
            if rule.distinct is not None and rule.distinct.share is not None
        }
        self._alarm_clock: list[tuple[int, int, Watcher]] = []
        self._reading_on: list[tuple[int, int, Watcher]] = []
        self._waiting: set[tuple[int, Watcher]] = set()
        self._tickets = count()
        wanted: dict[tuple[str, ...], tuple[Fact, dict[tuple[Dimension, ...], None]]] = {}
        self._spelled: dict[str, tuple[str, ...]] = {}
        self._sources: dict[tuple[str, tuple[Dimension, ...], Dimension | None], Source] = {}
        for name, same in _asked(rules.rules):
            fact = self.fact(name)
            spelled = self._spelled[name] = _spelling(fact)
            wanted.setdefault(spelled, (fact, {}))[1][same] = None
        room = Room()
        self.facts: list[tuple[Fact, Track]] = []
        """Every fact with one of its tracks: what a router has to feed."""
        self._by_spelling: dict[tuple[tuple[str, ...], tuple[Dimension, ...]], Track] = {}
        for spelled, (fact, asked) in wanted.items():
            notes = any(known.notes for known in rules.facts.values() if _spelling(known) == spelled)
            for same in asked:
                if not any(_answers(other, same) for other in asked):
                    track = Track(same, self.turns, room, notes=notes)
                    self.facts.append((fact, track))
                    self._by_spelling[spelled, same] = track

    def fact(self, name: str) -> Fact:
        """A fact by its name, or the one that a filter pattern is, or that a rule's own pattern matched."""
        if name in self.rules.facts:
            return self.rules.facts[name]
        for rule in self.rules.rules:
            if name == own_fact(rule) and not (rule.first_seen is not None and rule.first_seen.fact):
                return Fact(rule.when)
        return anonymous_fact(name)

    def known(
        self, name: str, same: Sequence[Dimension], values: Mapping[Dimension, Value], of: Dimension | None = None
    ) -> Known | None:
        """What is known of a fact for these values, told apart by `of`; None where one of them is missing."""
        source = self._sources.get((name, tuple(same), of))
        return (source or self.source(name, same, of)).of(values)

    def source(self, name: str, same: Sequence[Dimension], of: Dimension | None = None) -> Source:
        """Where a fact is kept for values of these dimensions, told apart by `of` if that matters."""
        asked = name, tuple(same), of
        source = self._sources.get(asked)
        if source is None:
            kept = ordered(same)
            source = self._sources[asked] = Source(self.track(name, told_apart(kept, of)), kept)
        return source

    def track(self, name: str, same: tuple[Dimension, ...]) -> Track:
        """What keeps a fact by these dimensions, in this order or the other, or by more of which they are one."""
        spelled = self._spelled[name]
        if track := self._by_spelling.get((spelled, same)):
            return track
        kept = ((kept, track) for (text, kept), track in self._by_spelling.items() if text == spelled)
        return next(track for dimensions, track in kept if _answers(dimensions, same))

    def deadlines(self, values: Mapping[Dimension, Value]) -> Deadlines | None:
        """The deadlines that a timer rule knows for these values; None where no rule keeps any."""
        for timers in self.timers.values():
            if (deadlines := timers.deadlines(values)) is not None:
                return deadlines
        return None

    def muted_until(self, rule: str, secret: Value | None, identity: str, session: str) -> datetime | None:
        """Up to when alarms of this rule, secret, principal and session are muted."""
        if not self.mutes:
            return None
        muted = [mute.until for mute in self.mutes if mute.covers(rule, secret, identity, session)]
        return max(muted, default=None)

    # -- time

    def wait(self, second: int, watcher: Watcher, *, read: bool = False) -> None:
        """Wake `watcher` at a second; with `read`, once all that has happened up to it is known."""
        if (second, watcher) not in self._waiting:
            self._waiting.add((second, watcher))
            heappush(self._reading_on if read else self._alarm_clock, (second, next(self._tickets), watcher))

    def move(self, clock: int, read_to: int) -> None:
        """Time has passed, or more has been read: some are `due` now."""
        self.clock, self.read_to = max(self.clock, clock), max(self.read_to, read_to)

    @property
    def due(self) -> bool:
        """Whether somebody is still to be woken, as the time has come."""
        return any(waiting and waiting[0][0] <= now for waiting, now in self._waits)

    def wake_due(self, most: int | None = None) -> None:
        """Wake them, or so many of them."""
        for waiting, now in self._waits:
            while waiting and waiting[0][0] <= now and most != 0:
                second, _, watcher = heappop(waiting)
                self._waiting.discard((second, watcher))
                watcher.wake()
                most = most - 1 if most is not None else None

    @property
    def _waits(self) -> tuple[tuple[list[tuple[int, int, Watcher]], int], ...]:
        return (self._alarm_clock, self.clock), (self._reading_on, self.read_to)

    def fold(self, right: Mapping[Secret, Secret]) -> None:
        """Know of secrets what was known of them under names that have turned out to be wrong."""
        every = renames(right)
        for _, track in self.facts:
            track.fold(every)
        for timers in self.timers.values():
            timers.fold(every)
        for census in self.censuses.values():
            census.fold(every)
        self.mutes = tuple(
            Mute(mute.until, mute.rule, right.get(mute.secret, mute.secret) if mute.secret else None, mute.identity)
            for mute in self.mutes
        )
        self.turns.count += 1  # plans know wrong names


class Moment:
    """A second that is still to come, or has passed: who asks whether it has is woken then."""

    __slots__ = ("_second", "_watchers", "_world")

    def __init__(self, world: World, second: int) -> None:
        self._world = world
        self._second = second
        self._watchers: list[Watcher] = []

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` then, if it is asked before."""
        self._watchers.append(watcher)

    def past(self) -> bool:
        """Whether it has passed."""
        if self._second <= self._world.clock:
            return True
        for watcher in self._watchers:
            self._world.wait(self._second, watcher)
        return False


def _asked(rules: Iterable[Rule]) -> Iterable[tuple[str, tuple[Dimension, ...]]]:
    """Every fact the rules ask for, with what it is compared by."""
    for rule in rules:
        for lookup in lookups(*rule.conditions):
            yield lookup.fact, told_apart(lookup.same, lookup.of)
        for trait in traits(*rule.conditions):
            for name, same in TRAITS[trait.name].history:
                yield name, ordered(map(dimension, same))
        if rule.first_seen:
            yield own_fact(rule), ordered(rule.first_seen.of)
        if rule.sequence:
            yield rule.sequence.fact, told_apart(rule.sequence.same, rule.sequence.of)
        if rule.absence:
            yield rule.absence.until, ordered(rule.absence.same)
        if rule.timer and (start := started(rule.timer)) is not None:
            yield start, ordered(rule.timer.same)
        if rule.closed_by:
            yield rule.closed_by.when, ordered(rule.closed_by.same)
        for telling in rule.tell:
            for name, same in TELLINGS[telling]:
                yield name, ordered(map(dimension, same))


def started(timer: Timer) -> str | None:
    """The fact that a deadline was set; None where several patterns say so."""
    return timer.start[0].text if len(timer.start) == 1 else None


def _answers(kept: tuple[Dimension, ...], asked: tuple[Dimension, ...]) -> bool:
    """Whether what is kept by these dimensions can be asked by others: by one of them alone, or told apart by it."""
    match asked:
        case (alone,):
            return len(kept) > 1 and (kept[0] is alone or (len(kept) == 2 and kept[1] is alone))
        case (one, other):
            return kept == (other, one) == ordered(asked)
        case _:
            return False


def ordered(same: Iterable[Dimension]) -> tuple[Dimension, ...]:
    """Dimensions in the order in which facts are kept by them."""
    return tuple(sorted(set(same), key=lambda dimension: (_ORDER.get(dimension, len(_ORDER)), dimension.name)))


def told_apart(same: Iterable[Dimension], of: Dimension | None) -> tuple[Dimension, ...]:
    """Dimensions in the order in which facts are kept by them, and within those by `of`."""
    return ordered(same) if of is None else (*ordered(same), of)


def _spelling(fact: Fact) -> tuple[str, ...]:
    return tuple(pattern.text for pattern in fact.when)
