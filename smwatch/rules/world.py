"""What the engine knows beside the events of one alarm: the facts, and the questions of rules about them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from heapq import heappop, heappush
from itertools import count
from typing import Protocol, TypeAlias

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Mute
from smwatch.rules.beginning import Beginning
from smwatch.rules.census import Census
from smwatch.rules.condition import All, Any, Condition, Look, Lookup, Matches, Trait, lookups, traits
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value, dimension, renames
from smwatch.rules.envelope import TELLINGS, Fact, Rule, RuleSet, anonymous_fact, own_fact
from smwatch.rules.fact import EVER, Group, Known, Teller, Times, Track, Watcher, values_of
from smwatch.rules.memory import Turns
from smwatch.rules.period import DAY
from smwatch.rules.subject import Subject
from smwatch.rules.timers import Deadlines, Timers
from smwatch.rules.trait import TRAITS

ROTATION = DAY
"""Seconds after which a rotation whose end is unknown is over."""

_SECRET, _IDENTITY, _POLICY = DIMENSIONS["secret"], DIMENSIONS["identity"], DIMENSIONS["policy"]
_ORDER = {dimension: place for place, dimension in enumerate(DIMENSIONS.values())}
_STARTED, _ENDED, _WROTE = "rotation_started", "rotation_ended", "rotation_write"
"""The facts that the traits of rotations are made from."""
_POLICIES, _REMOVALS = "policies", "policy_removals"
"""The facts that the trait of a policy put again is made from."""


class Watched(Protocol):
    """What can tell that it has changed."""

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` of it."""
        ...


class Pending:
    """A question whose answer may change as more becomes known, and what it hangs on."""

    __slots__ = ("_on", "ask")

    def __init__(self, ask: Callable[[], bool], *on: Watched) -> None:
        self.ask = ask
        self._on = on

    def watch(self, watcher: Watcher) -> None:
        """Tell `watcher` when the answer may have changed."""
        for one in self._on:
            one.watch(watcher)


class _Whenever:
    """A fact that matters to its watchers whenever it happened, however far from their own events."""

    __slots__ = ("_known",)

    def __init__(self, known: Known) -> None:
        self._known = known

    def watch(self, watcher: Watcher) -> None:
        self._known.watch(_Waker(watcher))


@dataclass(frozen=True, slots=True)
class _Waker:
    watcher: Watcher
    high: int = EVER

    def watches(self, known: Teller) -> None:
        """It watches this from now on."""
        self.watcher.watches(known)

    def heed(self, _second: int) -> None:
        self.watcher.wake()

    def wake(self) -> None:
        self.watcher.wake()


Answer: TypeAlias = bool | Pending
Prepare: TypeAlias = Callable[[Subject], Answer]
Lookout: TypeAlias = Callable[[Mapping[Dimension, Value], int], Answer]
"""The same for what is known of an event by now: its values and its second."""


class Source:
    """Where a fact is kept for values of some dimensions."""

    __slots__ = ("_dimensions", "_gets", "_of")

    def __init__(self, track: Track, dimensions: tuple[Dimension, ...]) -> None:
        second = len(dimensions) == 1 and track.dimensions[0] is not dimensions[0]
        self._of: Callable[[tuple[Value, ...]], Known] = (
            (lambda values: track.of_second(values[0])) if second else track.of
        )
        self._dimensions = dimensions
        self._gets = tuple(dimension.get for dimension in dimensions)

    def of(self, values: Mapping[Dimension, Value]) -> Known | None:
        """What is known for these values; None where one is missing."""
        wanted: tuple[Value, ...] = ()
        for wants in self._dimensions:
            value = values.get(wants)
            if value is None:
                return None
            wanted += (value,)
        return self._of(wanted)

    def of_event(self, subject: Subject) -> Known | None:
        """What is known for the values of an event."""
        wanted = values_of(self._gets, subject)
        return self._of(wanted) if wanted is not None else None


class World:
    """The facts of a rule set, each kept by what the rules compare it by."""

    def __init__(self, rules: RuleSet) -> None:
        self.rules = rules
        self.beginning = Beginning()
        self.turns = Turns()
        self.clock = 0
        """The present, as far as told."""
        self.read_to = 0
        """What has happened up to this second is known."""
        self.dirty: set[Watcher] = set()
        """Whose alarm has to be worked out again."""
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
        for name, same in _asked(rules.rules):
            fact = self.fact(name)
            spelled = self._spelled[name] = tuple(pattern.text for pattern in fact.when)
            wanted.setdefault(spelled, (fact, {}))[1][same] = None
        self.facts: list[tuple[Fact, Track]] = []
        """Every fact with one of its tracks: what a router has to feed."""
        self._by_spelling: dict[tuple[tuple[str, ...], tuple[Dimension, ...]], Track] = {}
        for spelled, (fact, asked) in wanted.items():
            notes = any(known.notes for known in rules.facts.values() if _spelling(known) == spelled)
            for same in asked:
                if len(same) > 1 or not any(_answers(other, same[0]) for other in asked):
                    track = Track(same, self.turns, notes=notes)
                    self.facts.append((fact, track))
                    self._by_spelling[spelled, same] = track

    def fact(self, name: str) -> Fact:
        """A fact by its name, or the one that a filter pattern is, or that a rule's own pattern matched."""
        if name in self.rules.facts:
            return self.rules.facts[name]
        for rule in self.rules.rules:
            if name == own_fact(rule):
                return Fact(rule.when)
        return anonymous_fact(name)

    def known(
        self, name: str, same: Sequence[Dimension], values: Mapping[Dimension, Value], of: Dimension | None = None
    ) -> Known | None:
        """What is known of a fact for these values, told apart by `of`; None where one of them is missing."""
        return self.source(name, same, of).of(values)

    def source(self, name: str, same: Sequence[Dimension], of: Dimension | None = None) -> Source:
        """Where a fact is kept for values of these dimensions, told apart by `of` if that matters."""
        kept = ordered(same)
        return Source(self.track(name, told_apart(kept, of)), kept)

    def track(self, name: str, same: tuple[Dimension, ...]) -> Track:
        """What keeps a fact by these dimensions, or by more of which they are one."""
        spelled = self._spelled[name]
        if track := self._by_spelling.get((spelled, same)):
            return track
        kept = ((kept, track) for (text, kept), track in self._by_spelling.items() if text == spelled)
        return next(track for dimensions, track in kept if _answers(dimensions, same[0]))

    def deadlines(self, values: Mapping[Dimension, Value]) -> Deadlines | None:
        """The deadlines that a timer rule knows for these values; None where no rule keeps any."""
        found = (timers.deadlines(values) for timers in self.timers.values())
        return next((deadlines for deadlines in found if deadlines is not None), None)

    def muted_until(self, rule: str, secret: Value | None, identity: str, session: str) -> datetime | None:
        """Up to when alarms of this rule, secret, principal and session are muted."""
        muted = [mute.until for mute in self.mutes if mute.covers(rule, secret, identity, session)]
        return max(muted, default=None)

    # -- time

    def wait(self, second: int, watcher: Watcher, *, read: bool = False) -> None:
        """Wake `watcher` at a second; with `read`, once all that has happened up to it is known."""
        if (second, watcher) not in self._waiting:
            self._waiting.add((second, watcher))
            heappush(self._reading_on if read else self._alarm_clock, (second, next(self._tickets), watcher))

    def move(self, clock: int, read_to: int) -> None:
        """Time has passed, or more has been read."""
        self.clock, self.read_to = max(self.clock, clock), max(self.read_to, read_to)
        for waiting, now in ((self._alarm_clock, self.clock), (self._reading_on, self.read_to)):
            while waiting and waiting[0][0] <= now:
                second, _, watcher = heappop(waiting)
                self._waiting.discard((second, watcher))
                watcher.wake()

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

    # -- questions

    def prepare(self, condition: Condition) -> Prepare:
        """Compile a condition to what asks it of an event that has just come."""
        match condition:
            case Matches(pattern):
                ask = pattern.ask_record
                assert ask is not None  # conditions are JSON patterns
                return lambda subject: ask(subject.record)
            case Trait(name, negated) if not TRAITS[name].history:
                made = TRAITS[name].make(self.rules.lists)
                if made is None:
                    return lambda _subject: negated
                return lambda subject: made(subject) is not negated
            case Any(alternatives):
                some = [self.prepare(each) for each in alternatives]
                return lambda subject: either([ask(subject) for ask in some])
            case All(parts):
                prepared = [self.prepare(part) for part in parts]
                return lambda subject: together([ask(subject) for ask in prepared])
            case Lookup(fact=fact, same=same):
                source, ask_known = self.source(fact, same, condition.of), self._asked_of(condition)
                return lambda subject: ask_known(source.of_event(subject), subject.second)
            case Trait(name):
                lookout = self.lookout(condition)
                wanted = {dimension(one) for _, same in TRAITS[name].history for one in same}
                return lambda subject: lookout(_values(subject, wanted), subject.second)
            case _:
                raise TypeError(condition)

    def lookout(self, condition: Condition) -> Lookout:
        """Compile a condition on what else has happened to what asks it of an event's values and second."""
        match condition:
            case Lookup(fact=fact, same=same):
                source, ask = self.source(fact, same, condition.of), self._asked_of(condition)
                return lambda values, second: ask(source.of(values), second)
            case Trait(name, negated) if TRAITS[name].history:
                if name == "same_policy":
                    return self._same_policy(negated=negated)
                return self._rotation(actor=name == "rotation_actor", negated=negated)
            case Any(alternatives):
                some = [self.lookout(each) for each in alternatives]
                return lambda values, second: either([ask(values, second) for ask in some])
            case All(parts):
                made = [self.lookout(part) for part in parts]
                return lambda values, second: together([ask(values, second) for ask in made])
            case _:
                raise TypeError(condition)

    def _asked_of(self, lookup: Lookup) -> Callable[[Known | None, int], Answer]:
        """The lookup's question, once it is clear of whom it is asked."""
        within = int(lookup.within) if lookup.within is not None else EVER
        back = within if lookup.look is not Look.FOLLOWS else 0
        ahead = within if lookup.look in (Look.FOLLOWS, Look.NEAR) else -int(lookup.ago)
        warmup, began = int(lookup.warmup), self.beginning

        def seen(known: Known | None, second: int) -> Answer:
            if known is None:
                return False
            # Facts are only ever added to: what is known once is known for good.
            low, high = second - back, second + ahead
            return known.any(low, high) or Pending(lambda: known.any(low, high), known)

        def new(known: Known | None, second: int) -> Answer:
            low, high = second - within, second - 1
            if known is None or known.any(low, high) or known.forgotten(second):
                return False

            def ask() -> bool:
                if known.any(low, high):
                    return False
                return not warmup or began.reaches(second - warmup)

            return Pending(ask, known, began.by(second - warmup)) if warmup else Pending(ask, known)

        def steady(known: Known | None, second: int) -> Answer:
            if not isinstance(known, Group):
                return False
            return Pending(lambda: known.steady(second - within, second - 1), known)

        match lookup.look:
            case Look.NEW:
                return new
            case Look.STEADY:
                return steady
            case Look.SEEN | Look.FOLLOWS | Look.NEAR:
                return seen

    def _rotation(self, *, actor: bool, negated: bool) -> Lookout:
        started_of = self.source(_STARTED, (_SECRET,))
        ended_of, wrote_of = self.source(_ENDED, (_SECRET,)), self.source(_WROTE, (_SECRET, _IDENTITY))

        def look(values: Mapping[Dimension, Value], second: int) -> Answer:
            started, ended = started_of.of(values), ended_of.of(values)
            if not isinstance(started, Times) or not isinstance(ended, Times):
                return negated
            if not actor:
                return Pending(
                    lambda: _running(started, ended, second) is not negated, *map(_Whenever, (started, ended))
                )
            wrote = wrote_of.of(values)
            if not isinstance(wrote, Times):
                return negated
            return Pending(
                lambda: any(_running(started, ended, at) for at in wrote.seconds) is not negated,
                *map(_Whenever, (started, ended, wrote)),
            )

        return look

    def _same_policy(self, *, negated: bool) -> Lookout:
        put_of, any_of = self.source(_POLICIES, (_SECRET, _POLICY)), self.source(_POLICIES, (_SECRET,))
        removed_of = self.source(_REMOVALS, (_SECRET,))

        def look(values: Mapping[Dimension, Value], second: int) -> Answer:
            put, every, removed = put_of.of(values), any_of.of(values), removed_of.of(values)
            if put is None or every is None or removed is None:
                return negated

            def same() -> bool:
                last = put.before(second)
                if last is None or removed.any(last, second - 1):
                    return False
                return len(every.among(last, second - 1)) == 1  # no other policy since, nor in the same second

            return Pending(lambda: same() is not negated, *map(_Whenever, (every, removed)))

        return look


def _values(subject: Subject, dimensions: Iterable[Dimension]) -> Mapping[Dimension, Value]:
    return {each: value for each in dimensions if (value := each.get(subject))}


def historic(condition: Condition) -> bool:
    """Whether a condition asks what else has happened."""
    return bool(lookups(condition)) or any(TRAITS[trait.name].history for trait in traits(condition))


def together(answers: Sequence[Answer]) -> Answer:
    """Whether all hold."""
    pending = [answer for answer in answers if isinstance(answer, Pending)]
    if any(answer is False for answer in answers):
        return False
    if not pending:
        return True
    if len(pending) == 1:
        return pending[0]
    return Pending(lambda: all(one.ask() for one in pending), *pending)


def either(answers: Sequence[Answer]) -> Answer:
    """Whether one holds."""
    pending = [answer for answer in answers if isinstance(answer, Pending)]
    if any(answer is True for answer in answers):
        return True
    return Pending(lambda: any(one.ask() for one in pending), *pending) if pending else False


def holds(answer: Answer) -> bool:
    """The answer as of now."""
    return answer if isinstance(answer, bool) else answer.ask()


def _running(started: Times, ended: Times, second: int) -> bool:
    """Whether a rotation was under way in a second."""
    start = started.before(second + 1)
    if start is None or second - start > ROTATION:
        return False
    end = ended.since(start)
    return end is None or second <= end


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
        if rule.closed_by:
            yield rule.closed_by.when, ordered(rule.closed_by.same)
        for telling in rule.tell:
            name, same = TELLINGS[telling]
            yield name, ordered(map(dimension, same))


def _answers(kept: tuple[Dimension, ...], alone: Dimension) -> bool:
    """Whether what is kept by these dimensions can be asked by one of them alone."""
    return len(kept) > 1 and (kept[0] is alone or (len(kept) == 2 and kept[1] is alone))


def ordered(same: Iterable[Dimension]) -> tuple[Dimension, ...]:
    """Dimensions in the order in which facts are kept by them."""
    return tuple(sorted(set(same), key=lambda dimension: (_ORDER.get(dimension, len(_ORDER)), dimension.name)))


def told_apart(same: Iterable[Dimension], of: Dimension | None) -> tuple[Dimension, ...]:
    """Dimensions in the order in which facts are kept by them, and within those by `of`."""
    return ordered(same) if of is None else (*ordered(same), of)


def _spelling(fact: Fact) -> tuple[str, ...]:
    return tuple(pattern.text for pattern in fact.when)
