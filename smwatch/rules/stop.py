"""One place that events can come to, and how much of what it asks is known before an event is looked at."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Protocol, TypeAlias

from smwatch.patterns import Pattern
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Is, NotExists, Selector
from smwatch.patterns.nodes import Condition as Syntax
from smwatch.patterns.records import matcher
from smwatch.record import Record, encode
from smwatch.rules.condition import All, Condition, Matches, Trait
from smwatch.rules.plan import Ask, Plan, Take
from smwatch.rules.subject import Subject
from smwatch.rules.trait import TRAITS, Known, Lists

Unknown: TypeAlias = frozenset[Selector]
"""Fields of a record that may hold anything."""


class Taker(Protocol):
    """What takes events: a rule or a fact."""

    @property
    def take(self) -> Take:
        """Takes an event."""
        ...

    def enlist(self, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one, of each of which something is left to ask."""
        ...


class Part:
    """One condition on an event alone: how to ask it, and what it looks at."""

    def __init__(
        self,
        ask: Ask,
        selectors: Iterable[Selector],
        foretell: Callable[[Subject, Unknown], bool | None],
        *,
        never: bool = False,
        of_caller: bool = False,
    ) -> None:
        self.ask = ask
        self.selectors = frozenset(selectors)
        self.foretell = foretell
        """The answer for all events that differ from this one in nothing but the unknown fields; None if it varies."""
        self.never = never
        """Whether the answer is no for every event."""
        self.of_caller = of_caller
        """Whether it is the same for all calls by one caller about one secret."""


class PatternPart(Part):
    """A filter pattern, of whichever grammar."""

    def __init__(self, pattern: Pattern) -> None:
        self.sources = pattern.required_values("$.eventSource")
        self.names = pattern.required_values("$.eventName")
        self._pattern = pattern
        ask = pattern.ask_record
        if ask is None:
            super().__init__(lambda subject: pattern.matches_record(subject.record, subject.raw), (), lambda *_: None)
        else:
            super().__init__(
                lambda subject: ask(subject.record),
                _selectors(pattern.syntax),
                lambda subject, unknown: _foretold(pattern, subject.record, unknown),
            )

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
        self.parts = (_either(self.patterns), *self._conditions)

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
        return cls(taker, list(map(PatternPart, patterns)), [part for part in wanted if part is not None])

    @property
    def never(self) -> bool:
        """Whether no event can come here."""
        return any(part.never for part in self.parts)

    def at(self, source: str | None, name: str | None) -> Stop | None:
        """This stop for records of one source and name; None if there can be none."""
        here = [part for part in self.patterns if part.possible(source, name)]
        return Stop(self.taker, here, self._conditions) if here else None

    def left(self, subject: Subject, unknown: Unknown) -> tuple[Part, ...] | None:
        """What is left to ask of events that differ from this one in nothing but the unknown fields.

        None if they can't come here.
        """
        answers = [part.foretell(subject, unknown) for part in self.parts]
        if False in answers:
            return None
        return tuple(part for part, answer in zip(self.parts, answers, strict=True) if answer is None)


def _part(condition: Condition, lists: Lists) -> Part | None:
    """A condition as a question about an event alone; None if it depends on what else has happened."""
    match condition:
        case Trait(name, negated):
            part = _of_trait(TRAITS[name], lists)
            return _not(part) if negated and part is not None else part
        case Matches(pattern):
            return PatternPart(pattern)
        case All(parts):
            every = [part for each in parts if (part := _part(each, lists)) is not None]
            return _every(every) if len(every) == len(parts) else None
        case _:
            return None


def _of_trait(known: Known, lists: Lists) -> Part | None:
    if known.history:
        return None
    ask = known.make(lists)
    if ask is None:  # with these lists no event has it
        return Part(lambda _subject: False, (), lambda *_: False, never=True)
    if known.selectors is None:
        return Part(ask, (), lambda *_: None, of_caller=known.of_caller)
    selectors = frozenset(map(parse_selector, known.selectors))
    return Part(ask, selectors, lambda subject, unknown: None if selectors & unknown else ask(subject))


def _either(parts: Sequence[Part]) -> Part:
    if len(parts) == 1:
        return parts[0]
    return Part(
        lambda subject: any(part.ask(subject) for part in parts),
        frozenset().union(*(part.selectors for part in parts)),
        lambda subject, unknown: _any([part.foretell(subject, unknown) for part in parts]),
        never=all(part.never for part in parts),
    )


def _every(parts: Sequence[Part]) -> Part:
    return Part(
        lambda subject: all(part.ask(subject) for part in parts),
        frozenset().union(*(part.selectors for part in parts)),
        lambda subject, unknown: _all([part.foretell(subject, unknown) for part in parts]),
        never=any(part.never for part in parts),
        of_caller=all(part.of_caller for part in parts),
    )


def _not(part: Part) -> Part:
    ask, foretell = part.ask, part.foretell

    def foretell_not(subject: Subject, unknown: Unknown) -> bool | None:
        answer = foretell(subject, unknown)
        return None if answer is None else not answer

    return Part(lambda subject: not ask(subject), part.selectors, foretell_not, of_caller=part.of_caller)


# ------------------------------------------------------------------------------------------------------------- patterns


def _foretold(pattern: Pattern, record: Record, unknown: Unknown) -> bool | None:
    """Whether a JSON pattern matches this record, or None if that depends on an unknown field."""
    syntax = pattern.syntax
    match syntax:
        case AllOf() | AnyOf() | Compare() | Is() | NotExists():
            return _partial(syntax, record, unknown)
        case _:
            return None


def _partial(condition: Syntax, record: Record, unknown: Unknown) -> bool | None:
    match condition:
        case AllOf(parts):
            return _all([_partial(part, record, unknown) for part in parts])
        case AnyOf(parts):
            return _any([_partial(part, record, unknown) for part in parts])
        case Compare(selector, _, _) | Is(selector, _) | NotExists(selector):
            return None if selector in unknown else matcher(condition)(record)


def _selectors(syntax: object) -> Iterator[Selector]:
    match syntax:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _selectors(part)
        case Compare(selector, _, _) | Is(selector, _) | NotExists(selector):
            yield selector


def _all(answers: Sequence[bool | None]) -> bool | None:
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def _any(answers: Sequence[bool | None]) -> bool | None:
    if any(answer is True for answer in answers):
        return True
    return None if any(answer is None for answer in answers) else False
