"""One place that events can come to, and how much of what it asks is the same for many events."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from functools import cache, lru_cache
from typing import Protocol, TypeAlias

from smwatch.patterns import Pattern
from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Is, NotExists
from smwatch.patterns.nodes import Condition as Syntax
from smwatch.patterns.records import matcher
from smwatch.record import Record, encode
from smwatch.rules.condition import All, Condition, Matches, Trait
from smwatch.rules.dimension import Dimension
from smwatch.rules.glance import Look, Question
from smwatch.rules.plan import Ask, Plan, Take
from smwatch.rules.subject import Subject
from smwatch.rules.trait import TRAITS, Lists


class Taker(Protocol):
    """What takes events: a rule or a fact."""

    @property
    def take(self) -> Take:
        """Takes an event."""
        ...

    @property
    def dimensions(self) -> Sequence[Dimension]:
        """By what it tells events apart."""
        ...

    @property
    def needs(self) -> frozenset[str]:
        """Attributes of a Subject: of an event that lacks one of them, it takes nothing."""
        ...

    def enlist(self, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one, of each of which something is left to ask."""
        ...


Looks: TypeAlias = tuple[Look, ...]


class Part:
    """One condition on an event alone: how to ask it, and for which events the answer is the same."""

    def __init__(
        self,
        ask: Ask,
        looks: Iterable[Look] | None = None,
        *,
        of_caller: bool = False,
        never: bool = False,
        says: Hashable = None,
        denies: Part | None = None,
    ) -> None:
        self.ask = ask
        self.denies = denies
        """The part that is to be answered no, where it is that."""
        self.says = self if says is None else says
        """Equal where the same is asked, by whichever rule of a set."""
        self.looks = None if looks is None else tuple(looks)
        """What decides it: events with the same answers to these have the same answer to it. None: nothing that short.
        """
        self.of_caller = of_caller
        """Whether the answer is the same for all calls by one caller about one secret."""
        self.never = never
        """Whether the answer is no for every event."""


class PatternPart(Part):
    """A filter pattern, of whichever grammar."""

    def __init__(self, pattern: Pattern) -> None:
        self.sources = pattern.required_values("$.eventSource")
        self.names = pattern.required_values("$.eventName")
        self._pattern = pattern
        ask = pattern.ask_record
        if ask is None:
            super().__init__(lambda subject: pattern.matches_record(subject.record, subject.raw))
        else:
            super().__init__(lambda subject: ask(subject.record), _looks(pattern.syntax))

    def matches(self, record: Record) -> bool:
        """Whether the pattern matches a record."""
        return self._pattern.matches_record(record, lambda: encode(record))

    def possible(self, source: str | None, name: str | None) -> bool:
        """Whether it can match records of this source and name."""
        return (self.sources is None or source in self.sources) and (self.names is None or name in self.names)


class Stop:
    """One place that takes events: a rule or a fact, with all that can be asked of an event alone."""

    def __init__(self, taker: Taker, patterns: Sequence[PatternPart], conditions: Sequence[Part]) -> None:
        self.taker = taker
        self.patterns = tuple(patterns)
        self._conditions = tuple(conditions)
        parts = (_either(self.patterns), *conditions)
        self.told = tuple(part for part in parts if part.looks is not None)
        """What a few fields of the record decide."""
        self.of_caller = tuple(part for part in parts if part.looks is None and part.of_caller)
        """What the caller and the secret decide."""
        self.untold = tuple(part for part in parts if part.looks is None and not part.of_caller)
        """What has to be asked about each event."""
        self.never = any(part.never for part in parts)
        """Whether no event can come here."""

    @classmethod
    def of(
        cls,
        taker: Taker,
        patterns: Iterable[Pattern],
        *,
        only: Iterable[Condition] = (),
        unless: Iterable[Condition] = (),
        lists: Lists,
    ) -> Stop:
        """A stop for events that match one of the patterns and meet the conditions, as far as they can say."""
        wanted = [_part(each, lists) for each in only]
        wanted += [_not(part) for each in unless if (part := _part(each, lists)) is not None]
        return cls(taker, list(map(of_pattern, patterns)), [part for part in wanted if part is not None])

    @property
    def looks(self) -> Iterator[Look]:
        """All that a kind of events must have in common."""
        for part in self.told:
            yield from part.looks or ()
        for dimension in self.taker.dimensions:
            yield from dimension.looks or ()

    def at(self, source: str, name: str) -> Stop | None:
        """This stop for records of one source and name; None if there can be none."""
        here = [part for part in self.patterns if part.possible(source, name)]
        return Stop(self.taker, here, self._conditions) if here else None


@lru_cache(4096)
def of_pattern(pattern: Pattern) -> PatternPart:
    """A pattern taken apart, which is as good for the next engine with the same rules: judging anew makes one."""
    return PatternPart(pattern)


def _part(condition: Condition, lists: Lists) -> Part | None:
    """A condition as a question about an event alone; None if it depends on what else has happened."""
    match condition:
        case Trait(name, negated):
            part = _of_trait(name, lists)
            return _not(part) if negated and part is not None else part
        case Matches(pattern):
            return of_pattern(pattern)
        case All(parts):
            every = [part for each in parts if (part := _part(each, lists)) is not None]
            return _every(every) if len(every) == len(parts) else None
        case _:
            return None


def _of_trait(name: str, lists: Lists) -> Part | None:
    trait = TRAITS[name]
    if trait.history:
        return None
    ask = trait.make(lists)
    if ask is None:  # with these lists no event has it
        return Part(lambda _subject: False, (), never=True)
    looks = None if trait.looks is None else trait.looks(lists)
    return Part(ask, looks, of_caller=trait.of_caller, says=name)


def _either(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return Part(
        lambda subject: any(part.ask(subject) for part in parts),
        _joined(parts),
        never=all(part.never for part in parts),
    )


def _every(parts: Sequence[Part]) -> Part:
    return Part(
        lambda subject: all(part.ask(subject) for part in parts),
        _joined(parts),
        of_caller=all(part.of_caller for part in parts),
        never=any(part.never for part in parts),
        says=tuple(part.says for part in parts),
    )


def _not(part: Part) -> Part:
    if part.denies is not None:
        return part.denies
    ask = part.ask
    return Part(
        lambda subject: not ask(subject),
        part.looks,
        of_caller=part.of_caller,
        says=(False, part.says),
        denies=part,
    )


def _joined(parts: Iterable[Part]) -> Looks | None:
    """What decides all of these; None where not all of them are decided by so little."""
    joined: list[Look] = []
    for part in parts:
        if part.looks is None:
            return None
        joined += part.looks
    return tuple(joined)


def _looks(syntax: object) -> Iterator[Look]:
    match syntax:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _looks(part)
        case Compare(selector, _, _) | Is(selector, _) | NotExists(selector):
            yield selector, _question(syntax)


@cache
def _question(condition: Syntax) -> Question:
    """A condition that many patterns share is one question."""
    return matcher(condition)
