"""Which rules and facts a record is for, found without asking every pattern about every record.

Three things make that fast, for the "all built-in rules on one record" row of the benchmarks: patterns are indexed by
the eventSource and eventName they require; what they ask beside that is mostly about a few fields with few values
(errorCode, userIdentity.type, userAgent, …), so the answer for a combination of those is remembered; and of fields with
many values (secretId, errorMessage, …) it is mostly enough to know that the record lacks them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, TypeAlias

from smwatch.events.event import Event
from smwatch.events.recent import Recent
from smwatch.patterns import Pattern
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Is, Key, NotExists, Selector
from smwatch.patterns.nodes import Condition as Syntax
from smwatch.patterns.records import matcher
from smwatch.record import Record, encode
from smwatch.rules.condition import All, Condition, Lookup, Matches, Trait
from smwatch.rules.trait import TRAITS, Ask, Lists

FEW_VALUES = frozenset(
    parse_selector(selector)
    for selector in (
        "$.eventSource",
        "$.eventName",
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

Taker: TypeAlias = Callable[[Event, Record, int], None]
"""Takes an event, its record and its second."""

_SOURCE, _NAME = "$.eventSource", "$.eventName"
_Path: TypeAlias = tuple[str, ...]
_Signature: TypeAlias = tuple[Any, ...]


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
        self.patterns = tuple(patterns)
        self.take = take
        self._only = [told for each in only if (told := _told(each, lists)) is not None]
        self._unless = [told for each in unless if (told := _told(each, lists)) is not None]
        self.sources = _required(self.patterns, _SOURCE)
        self.names = _required(self.patterns, _NAME)

    @property
    def never(self) -> bool:
        """Whether no event can come here."""
        return not self.patterns or any(told.never for told in self._only)

    @property
    def selectors(self) -> Iterator[Selector]:
        """The fields of the record that it looks at."""
        for pattern in self.patterns:
            if pattern.ask_record:
                yield from _selectors(pattern.syntax)
        for told in (*self._only, *self._unless):
            yield from told.selectors

    def ask(self, event: Event, record: Record, raw: str) -> bool:
        """Whether an event belongs here."""
        return (
            any(pattern.matches_record(record, raw) for pattern in self.patterns)
            and all(told.ask(event, record) for told in self._only)
            and not any(told.ask(event, record) for told in self._unless)
        )

    def foretell(self, event: Event, record: Record, unknown: frozenset[Selector]) -> bool | None:
        """`ask` for all events that differ from this one in nothing but the unknown fields; None if that varies."""
        answers: list[bool | None] = [_any(_foretold(pattern, record, unknown) for pattern in self.patterns)]
        answers += [told.foretell(event, record, unknown) for told in self._only]
        answers += [_not(told.foretell(event, record, unknown)) for told in self._unless]
        return _all(answers)


class Router:
    """Finds the stops of a record."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        self._stops = [stop for stop in stops if not stop.never]
        self._routes: Recent[tuple[Any, Any], _Route | None] = Recent(self._route, 2048)
        self._everywhere = _Route(self._stops)

    def __call__(self, event: Event, record: Record, raw: str) -> Sequence[Stop]:
        """The stops of an event, in the order given."""
        try:
            route = self._routes[record.get("eventSource"), record.get("eventName")]
        except TypeError:  # a field that ought to be text is an object
            return self._everywhere.all(event, record, raw)
        return route.stops(event, record, raw) if route is not None else ()

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
        here = [
            stop
            for stop in self._stops
            if (stop.sources is None or source in stop.sources) and (stop.names is None or name in stop.names)
        ]
        return _Route(here) if here else None


class _Route:
    """The stops that events of one source and name can come to."""

    def __init__(self, stops: Sequence[Stop]) -> None:
        self._all = tuple(stops)
        selectors = {selector for stop in stops for selector in stop.selectors}
        self._many = selectors - FEW_VALUES
        few = selectors & FEW_VALUES
        self._top, self._inner = _by_depth(few)
        self._begins_top, self._begins_inner = _by_depth(self._many)
        self._known: dict[_Signature, tuple[tuple[Stop, bool], ...]] = {}

    def wants(self, record: Record) -> bool:
        """Whether a pattern of any stop matches this record."""
        return any(
            pattern.matches_record(record, lambda: encode(record)) for stop in self._all for pattern in stop.patterns
        )

    def all(self, event: Event, record: Record, raw: str) -> Sequence[Stop]:
        """The stops, asked one by one."""
        return [stop for stop in self._all if stop.ask(event, record, raw)]

    def stops(self, event: Event, record: Record, raw: str) -> Sequence[Stop]:
        """The stops, as remembered for events like this one."""
        signature = self._signature(event, record)
        try:
            known = self._known.get(signature)
        except TypeError:
            return self.all(event, record, raw)
        if known is None:
            if not all(value is None or type(value) in _PLAIN for value in signature[1:]):
                return self.all(event, record, raw)  # 1 and True are equal, but not to a pattern
            if len(self._known) >= COMBINATIONS:
                self._known.clear()
            known = self._known[signature] = self._foretell(event, record)
        return [stop for stop, sure in known if sure or stop.ask(event, record, raw)]

    def _signature(self, event: Event, record: Record) -> _Signature:
        get = record.get
        values: list[Any] = [event.principal.kind]
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

    def _foretell(self, event: Event, record: Record) -> tuple[tuple[Stop, bool], ...]:
        unknown = frozenset(selector for selector in self._many if _present(record, _path(selector)))
        answers = [(stop, stop.foretell(event, record, unknown)) for stop in self._all]
        return tuple((stop, answer is True) for stop, answer in answers if answer is not False)


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


class _Told:
    """A condition on one event alone: how to ask it, and what it looks at."""

    def __init__(
        self,
        ask: Ask,
        selectors: frozenset[Selector],
        foretell: Callable[[Event, Record, frozenset[Selector]], bool | None],
        *,
        never: bool = False,
    ) -> None:
        self.ask = ask
        self.selectors = selectors
        self.foretell = foretell
        self.never = never


def _told(condition: Condition, lists: Lists) -> _Told | None:
    """The condition as a question about one event; None if it depends on what else has happened."""
    match condition:
        case Trait(name, negated):
            known = TRAITS[name]
            if known.history:
                return None
            ask = known.make(lists) or _no
            selectors = frozenset(map(parse_selector, known.selectors or ()))
            decided = known.selectors is not None or ask is _no
            asked: Ask = (lambda event, record: not ask(event, record)) if negated else ask
            return _Told(
                asked,
                selectors,
                lambda event, record, unknown: None if not decided or selectors & unknown else asked(event, record),
                never=ask is _no and not negated,
            )
        case Matches(pattern):
            question = pattern.ask_record
            assert question is not None  # conditions are JSON patterns
            return _Told(
                lambda _event, record: question(record),
                frozenset(_selectors(pattern.syntax)),
                lambda _event, record, unknown: _foretold(pattern, record, unknown),
            )
        case Lookup():
            return None
        case All(parts):
            told = [_told(part, lists) for part in parts]
            if any(one is None for one in told):
                return None
            every = [one for one in told if one is not None]
            return _Told(
                lambda event, record: all(one.ask(event, record) for one in every),
                frozenset().union(*(one.selectors for one in every)),
                lambda event, record, unknown: _all([one.foretell(event, record, unknown) for one in every]),
                never=any(one.never for one in every),
            )
        case _:
            raise TypeError(condition)


def _no(_event: Event, _record: Record) -> bool:
    return False


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
            return _any(_partial(part, record, unknown) for part in parts)
        case Compare(selector, _, _) | Is(selector, _) | NotExists(selector):
            return None if selector in unknown else matcher(condition)(record)


def _selectors(syntax: object) -> Iterator[Selector]:
    match syntax:
        case AllOf(parts) | AnyOf(parts):
            for part in parts:
                yield from _selectors(part)
        case Compare(selector, _, _) | Is(selector, _) | NotExists(selector):
            yield selector


def _required(patterns: Sequence[Pattern], selector: str) -> frozenset[str] | None:
    required: frozenset[str] = frozenset()
    for pattern in patterns:
        values = pattern.required_values(selector)
        if values is None:
            return None
        required |= values
    return required


def _all(answers: Sequence[bool | None]) -> bool | None:
    if any(answer is False for answer in answers):
        return False
    return None if any(answer is None for answer in answers) else True


def _any(answers: Iterator[bool | None]) -> bool | None:
    found = list(answers)
    if any(answer is True for answer in found):
        return True
    return None if any(answer is None for answer in found) else False


def _not(answer: bool | None) -> bool | None:
    return None if answer is None else not answer
