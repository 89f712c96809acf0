"""What rules ask, beside their patterns, of events and of what else has happened."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import partial
from typing import NamedTuple, TypeAlias

from smwatch.events.event import CALLER_BITS
from smwatch.events.secret import Secret
from smwatch.events.tidy import LONGEST
from smwatch.patterns import Pattern
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import Compare, Operator, Text
from smwatch.rules.alike import ANSWERED, is_of_caller, same_if_alike
from smwatch.rules.answer import Answer, Open, Pending, Waker, Whenever, all_of, any_of
from smwatch.rules.condition import All, Any, Condition, Lookup, Matches, Trait
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value, dimension
from smwatch.rules.evidence import BEGINNING
from smwatch.rules.lookup import asked_of
from smwatch.rules.period import DAY
from smwatch.rules.stop import Part, of_pattern
from smwatch.rules.subject import Subject
from smwatch.rules.times import EVER, Times
from smwatch.rules.trait import TRAITS
from smwatch.rules.vigil import Place
from smwatch.rules.watching import Teller, Watcher
from smwatch.rules.world import Moment, World

ROTATION = DAY
"""Seconds after which a rotation whose end is unknown is over."""

TURNS_UP = 600
"""Seconds after which nearly every record has turned up: of 2,900 of a real trail the last came after 594."""

WINDOW = 30 * DAY
"""Seconds that a recovery window lasts at the most."""

_SECRET, _IDENTITY, _POLICY = DIMENSIONS["secret"], DIMENSIONS["identity"], DIMENSIONS["policy"]
_ACCOUNT, _REGION = DIMENSIONS["account"], DIMENSIONS["region"]
_STARTED, _ENDED, _WROTE = "rotation_started", "rotation_ended", "rotation_write"
"""The facts that the traits of rotations are made from."""
_POLICIES, _REMOVALS = "policies", "policy_removals"
"""The facts that the trait of a policy put again is made from."""
PENDING, SCHEDULES, _RESTORES = "pending_deletion", "schedules", "restores"
"""The trait of a scheduled deletion, and the facts that it is made from."""

_NAME = parse_selector("$.eventName")

Prepare: TypeAlias = Callable[[Subject], Answer]
"""Asks an event that has just come."""
Lookout: TypeAlias = Callable[[Mapping[Dimension, Value], int], Answer]
"""The same for what is known of an event by now: its values and its second."""


def prepare(world: World, condition: Condition) -> Prepare:
    """Compile a condition to what asks it of an event that has just come."""
    match condition:
        case Matches(pattern):
            if (name := named_by(pattern)) is not None:
                return lambda subject: subject.event.name == name
            return _asked_once(of_pattern(pattern))
        case Trait(name, negated) if (foreign := TRAITS[name].foreign) is not None:
            ours, accounts = frozenset(world.rules.lists["org_accounts"]), world.accounts
            return lambda subject: accounts.strangers({*foreign(subject)} - ours, negated=negated)
        case Trait(name, negated) if not TRAITS[name].history:
            made = TRAITS[name].make(world.rules.lists)
            if made is None:
                return lambda _subject: negated
            return lambda subject: made(subject) is not negated
        case Any(alternatives):
            return any_of([prepare(world, each) for each in alternatives])
        case All(parts):
            return all_of([prepare(world, part) for part in parts])
        case Lookup(fact=fact, same=same):
            source, ask_known = world.source(fact, same, condition.of), asked_of(world, condition)
            if any(each.several for each in same):
                return lambda subject: any_of(
                    [partial(ask_known, known, subject.second) for known in source.each_of_event(subject)]
                )(_nowhere)
            if not condition.warmup:
                return lambda subject: ask_known(source.of_event(subject), subject.second, _nowhere)
            return lambda subject: ask_known(source.of_event(subject), subject.second, lambda: place_of(subject, same))
        case Trait(name):
            look = lookout(world, condition)
            wanted = {dimension(one) for _, same in TRAITS[name].history for one in same}
            return lambda subject: look(_values(subject, wanted), subject.second)
        case _:
            raise TypeError(condition)


def _asked_once(part: Part) -> Prepare:
    """What asks a pattern about an event, once for all equal calls if those have the same answer.

    Else each record would be decoded for it: of calls that fail, for the row "rules-trouble".
    """
    looks, ask = part.looks, part.ask
    if looks is None or any(is_of_caller(look) or not same_if_alike(look) for look in looks):
        return ask
    known: dict[int, bool] = {}

    def answer(subject: Subject) -> bool:
        if (likeness := subject.likeness) is None:
            return ask(subject)
        call = likeness >> CALLER_BITS
        if (found := known.get(call)) is None:
            if len(known) >= ANSWERED:
                known.clear()
            found = known[call] = ask(subject)
        return found

    return answer


def named_by(pattern: Pattern) -> str | None:
    """The name by which alone a pattern selects events: theirs is that of their records, unless it is very long."""
    match pattern.syntax:
        case Compare(selector, Operator.EQ, Text(name)) if selector == _NAME and len(name) < LONGEST:
            return name
        case _:
            return None


def lookout(world: World, condition: Condition) -> Lookout:
    """Compile a condition on what else has happened to what asks it of an event's values and second."""
    match condition:
        case Lookup(fact=fact, same=same):
            source, ask = world.source(fact, same, condition.of), asked_of(world, condition)
            if not condition.warmup:
                return lambda values, second: ask(source.of(values), second, _nowhere)
            return lambda values, second: ask(source.of(values), second, lambda: _place(values, same))
        case Trait(name, negated) if TRAITS[name].history:
            if name == "same_policy":
                return _same_policy(world, negated=negated)
            if name == PENDING:
                return _pending_deletion(world, negated=negated)
            if name == "just_written":
                return _just_written(world, negated=negated)
            return _rotation(world, actor=name == "rotation_actor", negated=negated)
        case Any(alternatives):
            return any_of([lookout(world, each) for each in alternatives])
        case All(parts):
            return all_of([lookout(world, part) for part in parts])
        case _:
            raise TypeError(condition)


def _rotation(world: World, *, actor: bool, negated: bool) -> Lookout:
    started_of = world.source(_STARTED, (_SECRET,))
    ended_of, wrote_of = world.source(_ENDED, (_SECRET,)), world.source(_WROTE, (_SECRET, _IDENTITY))

    def look(values: Mapping[Dimension, Value], second: int) -> Answer:
        started, ended = started_of.of(values), ended_of.of(values)
        if not isinstance(started, Times) or not isinstance(ended, Times):
            return negated
        if not actor:
            return Open(lambda: _running(started, ended, second) is not negated, *map(Whenever, (started, ended)))
        wrote = wrote_of.of(values)
        return _Part(wrote, started, ended, negated=negated) if isinstance(wrote, Times) else negated

    return look


class _Writer(NamedTuple):
    """Wakes a watcher when a secret is written by somebody for the first time, and each time once a rotation is known.

    A program that writes its secret all day takes part in none: serves the row "rules-trouble".
    """

    watcher: Watcher
    wrote: Times
    started: Times

    @property
    def high(self) -> int:
        """No later write makes a difference."""
        return EVER if len(self.wrote.told) < 2 or self.started.told else BEGINNING

    def watches(self, known: Teller) -> None:
        """It watches this from now on."""
        self.watcher.watches(known)

    def heed(self, _second: int) -> None:
        """There is one more write."""
        self.watcher.wake()

    def wake(self) -> None:
        """More is known of them."""
        self.watcher.wake()


class _Part(Pending):
    """The part that somebody takes in the rotations of a secret: they are heard of from when that one has written it.

    Of all who read secrets hardly any ever does: serves the rows "rules-trouble" and "burst-trouble".
    """

    __slots__ = ("_ended", "_negated", "_started", "_watchers", "_wrote")

    def __init__(self, wrote: Times, started: Times, ended: Times, *, negated: bool) -> None:
        self._wrote, self._started, self._ended = wrote, started, ended
        self._negated = negated
        self._watchers: tuple[Watcher, ...] = ()
        """Who does not hear of the rotations yet."""

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` when it may have been taken, or not."""
        self._wrote.watch(_Writer(watcher, self._wrote, self._started))
        self._watchers += (watcher,)

    def ask(self) -> bool:
        """Whether it was, or was not where that is what is asked."""
        wrote = self._wrote.seconds
        return self._negated if not wrote else self._taken(wrote) is not self._negated

    def _taken(self, wrote: Sequence[int]) -> bool:
        """Whether a rotation was under way when that one wrote the secret."""
        watchers, self._watchers = self._watchers, ()
        for watcher in watchers:
            for known in (self._started, self._ended):
                known.watch(Waker(watcher))
        if not self._started.seconds:
            return False
        self._wrote.grow_loud(EVER)  # from now on each write matters
        return any(_running(self._started, self._ended, at) for at in wrote)


def _just_written(world: World, *, negated: bool) -> Lookout:
    wrote_of = world.source(_WROTE, (_SECRET, _IDENTITY))

    def look(values: Mapping[Dimension, Value], second: int) -> Answer:
        wrote = wrote_of.of(values)
        if wrote is None:
            return negated
        over = Moment(world, second + TURNS_UP)
        return Open(
            lambda: (wrote.any(second - TURNS_UP, second) and not over.past()) is not negated, Whenever(wrote), over
        )

    return look


def _same_policy(world: World, *, negated: bool) -> Lookout:
    put_of, any_of = world.source(_POLICIES, (_SECRET, _POLICY)), world.source(_POLICIES, (_SECRET,))
    removed_of = world.source(_REMOVALS, (_SECRET,))

    def look(values: Mapping[Dimension, Value], second: int) -> Answer:
        put, every, removed = put_of.of(values), any_of.of(values), removed_of.of(values)
        if put is None or every is None or removed is None:
            return negated

        def same() -> bool:
            last = put.before(second)
            if last is None or removed.any(last, second - 1):
                return False
            return len(every.among(last, second - 1, 2)) == 1  # no other policy since, nor in the same second

        return Open(lambda: same() is not negated, *map(Whenever, (every, removed)))

    return look


def _pending_deletion(world: World, *, negated: bool) -> Lookout:
    scheduled_of, restored_of = world.source(SCHEDULES, (_SECRET,)), world.source(_RESTORES, (_SECRET,))

    def look(values: Mapping[Dimension, Value], second: int) -> Answer:
        scheduled, restored = scheduled_of.of(values), restored_of.of(values)
        if scheduled is None or restored is None:
            return negated

        def pending() -> bool:
            since = scheduled.before(second + 1)
            return since is not None and second - since <= WINDOW and not restored.any(since, second)

        return Open(lambda: pending() is not negated, *map(Whenever, (scheduled, restored)))

    return look


def _nowhere() -> Place:
    return "", ""


def place_of(subject: Subject, same: Iterable[Dimension]) -> Place:
    """Where somebody must have been watching for what an event has in common with others to be new."""
    secret = subject.secret if _SECRET in same else None
    return (secret.account, secret.region) if secret is not None else (subject.account, subject.region)


def _place(values: Mapping[Dimension, Value], same: Iterable[Dimension]) -> Place:
    """Where somebody must have been watching: where the secret is, if it is asked about, else where the event is."""
    secret = values.get(_SECRET) if _SECRET in same else None
    if isinstance(secret, Secret):
        return secret.account, secret.region
    return str(values.get(_ACCOUNT, "")), str(values.get(_REGION, ""))


def _values(subject: Subject, dimensions: Iterable[Dimension]) -> Mapping[Dimension, Value]:
    return {each: value for each in dimensions if (value := each.get(subject))}


def _running(started: Times, ended: Times, second: int) -> bool:
    """Whether a rotation was under way in a second."""
    start = started.before(second + 1)
    if start is None or second - start > ROTATION:
        return False
    end = ended.since(start)
    return end is None or second <= end
