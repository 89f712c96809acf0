"""Which rules and facts a record is for, found without asking every pattern about every record.

Three things make that fast, for the "all built-in rules on one record" row of the benchmarks: patterns are indexed by
the eventSource and eventName they require; what they ask beside that is mostly about a few fields with few values
(errorCode, userIdentity.type, userAgent, …), so the answer for a combination of those is remembered; and of fields with
many values (secretId, errorMessage, …) it is mostly enough to know that the record lacks them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence, Set
from typing import Any, TypeAlias

from smwatch.events.recent import Recent
from smwatch.patterns import Pattern
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Is, Key, NotExists, Selector
from smwatch.patterns.nodes import Condition as Syntax
from smwatch.patterns.records import matcher
from smwatch.record import Record, encode
from smwatch.rules.condition import All, Condition, Matches, Trait
from smwatch.rules.subject import Subject
from smwatch.rules.trait import TRAITS, Ask, Lists
from smwatch.rules.trait import Known as KnownTrait

FEW_VALUES = frozenset(
    parse_selector(selector)
    for selector in (
        "$.eventType",
        "$.eventVersion",
        "$.eventCategory",
        "$.awsRegion",
        "$.errorCode",
        "$.userAgent",
        "$.recipientAccountId",
        "$.sessionCredentialFromConsole",
        "$.userIdentity.type",
        "$.userIdentity.accountId",
        "$.userIdentity.invokedBy",
        "$.requestParameters.versionStage",
    )
)
"""Fields with so few different values that combinations of them come again and again."""
COMBINATIONS = 4096
"""Combinations of such values remembered for each event name, before all are forgotten."""

Taker: TypeAlias = Callable[[Subject], None]

_SOURCE, _NAME = parse_selector("$.eventSource"), parse_selector("$.eventName")
_Path: TypeAlias = tuple[str, ...]
_Signature: TypeAlias = tuple[Any, ...]
_Unknown: TypeAlias = frozenset[Selector]
Known: TypeAlias = tuple[tuple[Taker, tuple[Ask, ...]], ...]
"""Where an event goes: each taker, with what is still to be asked of this very event."""


class _Missing:
    __slots__ = ()


_MISSING = _Missing()
_PRESENT = object()
_EMPTY: Record = {}


class Stop:
    """One place that takes events: a rule or a fact, with all that can be said at once about which."""

    def __init__(
        self,
        patterns: Sequence[Pattern],
        take: Taker,
        *,
        only: Sequence[Condition] = (),
        unless: Sequence[Condition] = (),
        lists: Lists,
    ) -> None:
        self.take = take
        self.patterns = tuple(_Part.of_pattern(pattern) for pattern in patterns)
        told = [_Part.of_condition(each, lists) for each in only]
        told += [_Part.of_condition(each, lists, excluded=True) for each in unless]
        self._told = tuple(part for part in told if part is not None)

    @property
    def never(self) -> bool:
        """Whether no event can come here."""
        return not self.patterns or any(part.never for part in self._told)

    def at(self, source: str | None, name: str | None) -> Stop | None:
        """This stop for records of one source and name; None if there can be none."""
        here = tuple(
            part
            for part in self.patterns
            if (part.sources is None or source in part.sources) and (part.names is None or name in part.names)
        )
        if not here:
            return None
        stop = Stop.__new__(Stop)
        stop.take, stop.patterns, stop._told = self.take, here, self._told
        return stop

    @property
    def selectors(self) -> Iterator[Selector]:
        """The fields of the record that it looks at."""
        for part in (*self.patterns, *self._told):
            yield from part.selectors

    @property
    def asks(self) -> tuple[Ask, ...]:
        """All that has to be asked of an event."""
        patterns = [part.ask for part in self.patterns]
        first = patterns[0] if len(patterns) == 1 else lambda subject: any(ask(subject) for ask in patterns)
        return (first, *(part.ask for part in self._told))

    def foretell(self, subject: Subject, unknown: _Unknown) -> tuple[Ask, ...] | None:
        """What is left to ask of events that differ from this one in nothing but the unknown fields; None: no more."""
        answers = [_any([part.foretell(subject, unknown) for part in self.patterns])]
        answers += [part.foretell(subject, unknown) for part in self._told]
        if False in answers:
            return None
        return tuple(ask for ask, answer in zip(self.asks, answers, strict=True) if answer is None)


class Router:
    """Finds where an event has to go."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        self._stops = [stop for stop in stops if not stop.never]
        self._routes: Recent[tuple[Any, Any], _Route | None] = Recent(self._route, 2048)
        self._everywhere = _Route(self._stops)

    def __call__(self, subject: Subject) -> Known:
        """Where an event goes, in the order given."""
        record = subject.record
        try:
            route = self._routes[record.get("eventSource"), record.get("eventName")]
        except TypeError:  # a field that ought to be text is an object
            return self._everywhere.every
        return route.known(subject) if route is not None else ()

    def wants(self, record: Record) -> bool:
        """Whether a pattern of any stop matches this record."""
        try:
            route = self._routes[record.get("eventSource"), record.get("eventName")]
        except TypeError:
            route = self._everywhere
        return route is not None and route.wants(record)

    def _route(self, key: tuple[Any, Any]) -> _Route | None:
        source, name = key
        if not isinstance(source, str | None) or not isinstance(name, str | None):
            return self._everywhere
        here = [here for stop in self._stops if (here := stop.at(source, name)) is not None]
        return _Route(here, {_SOURCE, _NAME}) if here else None


class _Route:
    """Where events of one source and name can go."""

    def __init__(self, stops: Sequence[Stop], settled: Set[Selector] = frozenset()) -> None:
        """Keep the stops; of the settled selectors all events have the same value."""
        self._stops = tuple(stops)
        self.every: Known = tuple((stop.take, stop.asks) for stop in stops)
        selectors = {selector for stop in stops for selector in stop.selectors} - settled
        self._many = selectors - FEW_VALUES
        self._top, self._inner = _by_depth(selectors & FEW_VALUES)
        self._begins_top, self._begins_inner = _by_depth(self._many)
        self._known: dict[_Signature, Known] = {}

    def wants(self, record: Record) -> bool:
        """Whether a pattern of any stop matches this record."""
        return any(part.matches(record) for stop in self._stops for part in stop.patterns)

    def known(self, subject: Subject) -> Known:
        """Where an event goes, as remembered for events like it."""
        signature = self._signature(subject)
        try:
            known = self._known.get(signature)
        except TypeError:
            return self.every
        if known is None:
            if not all(value is None or type(value) in _PLAIN for value in signature[1:]):
                return self.every  # 1 and True are equal, but not to a pattern
            if len(self._known) >= COMBINATIONS:
                self._known.clear()
            known = self._known[signature] = self._foretell(subject)
        return known

    def _signature(self, subject: Subject) -> _Signature:
        get = subject.record.get
        values: list[Any] = [subject.event.principal.kind]
        values += [get(key, _MISSING) for key in self._top]
        for outer, keys in self._inner:
            part = get(outer)
            if type(part) is not dict:
                part = _EMPTY
            values += [part.get(key, _MISSING) for key in keys]
        for key in self._begins_top:
            value = get(key, _MISSING)
            values.append(value if value is None or value is _MISSING else _PRESENT)
        for outer, keys in self._begins_inner:
            part = get(outer)
            if type(part) is not dict:
                part = _EMPTY
            for key in keys:
                value = part.get(key, _MISSING)
                values.append(value if value is None or value is _MISSING else _PRESENT)
        return tuple(values)

    def _foretell(self, subject: Subject) -> Known:
        unknown = frozenset(selector for selector in self._many if _present(subject.record, _path(selector)))
        answers = [(stop.take, stop.foretell(subject, unknown)) for stop in self._stops]
        return tuple((take, left) for take, left in answers if left is not None)


def _by_depth(selectors: Iterable[Selector]) -> tuple[tuple[str, ...], tuple[tuple[str, tuple[str, ...]], ...]]:
    """The keys of the record itself that selectors begin with, and those one level deeper by the outer key."""
    paths = sorted({_path(selector) for selector in selectors})
    inner: dict[str, list[str]] = {}
    for path in paths:
        if len(path) == 2:
            inner.setdefault(path[0], []).append(path[1])
    top = tuple(path[0] for path in paths if len(path) == 1)
    return top, tuple((outer, tuple(keys)) for outer, keys in inner.items())


_PLAIN = frozenset({str, _Missing, type(_PRESENT)})


def _path(selector: Selector) -> _Path:
    """The keys a selector begins with, at most two: they tell whether there is anything to select."""
    keys: list[str] = []
    for step in selector.steps[:2]:
        if not isinstance(step, Key):
            break
        keys.append(step.name)
    return tuple(keys) or ("",)


def _present(record: Record, path: _Path) -> bool:
    value: Any = record
    if path == ("",):
        return True
    for key in path:
        value = value.get(key) if isinstance(value, dict) else None
    return value is not None


# ------------------------------------------------------------------------------------------ what can be said beforehand


class _Part:
    """One condition on an event alone: how to ask it, and what it looks at."""

    def __init__(
        self,
        ask: Ask,
        selectors: Iterable[Selector],
        foretell: Callable[[Subject, _Unknown], bool | None],
        *,
        never: bool = False,
    ) -> None:
        self.ask = ask
        self.selectors = frozenset(selectors)
        self.foretell = foretell
        self.never = never
        self.sources: frozenset[str] | None = None
        self.names: frozenset[str] | None = None
        self._pattern: Pattern | None = None

    def matches(self, record: Record) -> bool:
        """Whether the pattern that this is matches a record."""
        return self._pattern is not None and self._pattern.matches_record(record, lambda: encode(record))

    @classmethod
    def of_pattern(cls, pattern: Pattern) -> _Part:
        """A filter pattern, of whichever grammar."""
        ask = pattern.ask_record
        if ask is None:
            part = cls(lambda subject: pattern.matches_record(subject.record, subject.raw), (), lambda *_: None)
        else:
            part = cls(
                lambda subject: ask(subject.record),
                _selectors(pattern.syntax),
                lambda subject, unknown: _foretold(pattern, subject.record, unknown),
            )
        part.sources, part.names = pattern.required_values("$.eventSource"), pattern.required_values("$.eventName")
        part._pattern = pattern
        return part

    @classmethod
    def of_condition(cls, condition: Condition, lists: Lists, *, excluded: bool = False) -> _Part | None:
        """A condition; None if it depends on what else has happened."""
        part = cls._of_condition(condition, lists)
        if part is None or not excluded:
            return part
        ask, foretell = part.ask, part.foretell
        return cls(
            lambda subject: not ask(subject), part.selectors, lambda subject, unknown: _not(foretell(subject, unknown))
        )

    @classmethod
    def _of_condition(cls, condition: Condition, lists: Lists) -> _Part | None:
        match condition:
            case Trait(name, negated):
                return cls._of_trait(TRAITS[name], lists, negated=negated)
            case Matches(pattern):
                return cls.of_pattern(pattern)
            case All(parts):
                every = [part for each in parts if (part := cls._of_condition(each, lists)) is not None]
                if len(every) < len(parts):
                    return None
                return cls(
                    lambda subject: all(part.ask(subject) for part in every),
                    frozenset().union(*(part.selectors for part in every)),
                    lambda subject, unknown: _all([part.foretell(subject, unknown) for part in every]),
                    never=any(part.never for part in every),
                )
            case _:
                return None

    @classmethod
    def _of_trait(cls, known: KnownTrait, lists: Lists, *, negated: bool) -> _Part | None:
        if known.history:
            return None
        made = known.make(lists)
        if made is None:  # with these lists no event has it
            return cls(lambda _subject: negated, (), lambda *_: negated, never=not negated)
        ask: Ask = (lambda subject: not made(subject)) if negated else made
        if known.selectors is None:
            return cls(ask, (), lambda *_: None)
        selectors = frozenset(map(parse_selector, known.selectors))
        return cls(ask, selectors, lambda subject, unknown: None if selectors & unknown else ask(subject))


def _foretold(pattern: Pattern, record: Record, unknown: frozenset[Selector]) -> bool | None:
    """Whether a JSON pattern matches this record, or None if that depends on an unknown field."""
    syntax = pattern.syntax
    match syntax:
        case AllOf() | AnyOf() | Compare() | Is() | NotExists():
            return _partial(syntax, record, unknown)
        case _:
            return None


def _partial(condition: Syntax, record: Record, unknown: frozenset[Selector]) -> bool | None:
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


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer
