"""Which rules and facts an event is for, found without asking every pattern about every record.

Three things make that fast, for the "all built-in rules on one record" row of the benchmarks: patterns are indexed by
the eventSource and eventName they require; what they ask beside that is mostly about a few fields with few values
(errorCode, userIdentity.type, userAgent, …), so the answer for a combination of those is remembered; and of fields with
many values (secretId, errorMessage, …) it is mostly enough to know that the record lacks them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence, Set
from itertools import repeat
from typing import Any, TypeAlias

from smwatch.events.event import Event
from smwatch.events.recent import Recent
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import Key, Selector
from smwatch.record import Record
from smwatch.rules.memory import Turns
from smwatch.rules.plan import Plan
from smwatch.rules.stop import Part, Stop, Taker
from smwatch.rules.subject import Subject

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
PLANS = 10_000
"""Plans kept, and callers remembered to have come once, before all are forgotten."""

_SOURCE, _NAME = parse_selector("$.eventSource"), parse_selector("$.eventName")
_Path: TypeAlias = tuple[str, ...]
_Signature: TypeAlias = tuple[Any, ...]
Known: TypeAlias = tuple[tuple[Taker, tuple[Part, ...]], ...]
"""Where events like one go: each taker, with what is still to be asked of every event."""


class _Missing:
    __slots__ = ()


_MISSING = _Missing()
_MISSINGS = repeat(_MISSING)
_EMPTY: Record = {}
_CALLER = 6
"""How many places of a signature tell the caller and the secret; the others are of the record."""


class Router:
    """Finds where events have to go."""

    def __init__(self, stops: Sequence[Stop], turns: Turns) -> None:
        self._stops = [stop for stop in stops if not stop.never]
        self._routes: Recent[tuple[Any, Any], _Route | None] = Recent(self._route, 2048)
        self._everywhere = _Route(self._stops)
        self._plans: dict[_Signature, Plan | None] = {}
        """None for who has come once: a plan is worth making for who comes again."""
        self._turns = turns
        self._turn = 0

    def plan(self, event: Event, record: Record, raw: str) -> Plan | None:
        """What is to be done with an event; None for nothing."""
        try:
            route = self._routes[record.get("eventSource"), record.get("eventName")]
            if route is None:
                return None
            signature = route.signature(event, record)
            plan = self._plans.get(signature)
        except TypeError:  # a field that ought to be text is an object
            return _once(self._everywhere.every)
        if self._turn != self._turns.count or len(self._plans) >= PLANS:
            # A memory is about to forget what it was not asked for, and a plan does not ask.
            self._plans.clear()
            self._turn = self._turns.count
            plan = None
        return plan or self._plan(route, signature, Subject(event, record, raw))

    def _plan(self, route: _Route, signature: _Signature, subject: Subject) -> Plan:
        known = route.known(subject, signature)
        if known is route.every or subject.event.others:
            return _once(known)
        if signature not in self._plans:
            self._plans[signature] = None
            return _once(known)
        plan = self._plans[signature] = _planned(known, subject)
        return plan

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


def _planned(known: Known, subject: Subject) -> Plan:
    """What to do with events that are like this one in caller, secret, and all that is known of their records."""
    plan = Plan()
    for taker, parts in known:
        left = tuple(part.ask for part in parts if not part.of_caller)
        if all(part.ask(subject) for part in parts if part.of_caller):
            taker.enlist(plan, subject, left)
    return plan


def _once(known: Known) -> Plan:
    """What to do with one event."""
    plan = Plan()
    plan.takes = [(taker.take, tuple(part.ask for part in parts)) for taker, parts in known]
    return plan


class _Route:
    """Where events of one source and name can go."""

    def __init__(self, stops: Sequence[Stop], settled: Set[Selector] = frozenset()) -> None:
        """Keep the stops; of the settled selectors all events have the same value."""
        self._stops = tuple(stops)
        self.every: Known = tuple((stop.taker, stop.parts) for stop in stops)
        selectors = {selector for stop in stops for part in stop.parts for selector in part.selectors} - settled
        self._many = selectors - FEW_VALUES
        few, few_inner = _by_depth(selectors & FEW_VALUES)
        many, many_inner = _by_depth(self._many)
        self._few, self._many_top = few, many
        self._inner = tuple(
            (outer, tuple(few_inner.get(outer, ())), tuple(many_inner.get(outer, ())))
            for outer in sorted({*few_inner, *many_inner})
        )
        self._known: dict[_Signature, Known] = {}

    def wants(self, record: Record) -> bool:
        """Whether a pattern of any stop matches this record."""
        return any(pattern.matches(record) for stop in self._stops for pattern in stop.patterns)

    def known(self, subject: Subject, signature: _Signature) -> Known:
        """Where an event with this signature goes."""
        signature = (subject.event.principal.kind, *signature[_CALLER:])
        known = self._known.get(signature)
        if known is None:
            if not all(value is None or type(value) in _PLAIN for value in signature[2:]):
                return self.every  # 1 and True are equal, but not to a pattern
            if len(self._known) >= COMBINATIONS:
                self._known.clear()
            known = self._known[signature] = self._foretell(subject)
        return known

    def signature(self, event: Event, record: Record) -> _Signature:
        """All that events have in common that go the same way, for the same caller and secret."""
        get = record.get
        values: list[Any] = [
            event.principal,
            event.secret,
            event.access_key,
            event.source_ip,
            event.region,
            event.account,
            self,
            *map(get, self._few, _MISSINGS),
            # Of what has many values it is enough to know whether, and as what, it is there.
            *map(type, map(get, self._many_top, _MISSINGS)),
        ]
        for outer, few, many in self._inner:
            part = get(outer)
            get_inner = part.get if type(part) is dict else _EMPTY.get
            values += map(get_inner, few, _MISSINGS)
            values += map(type, map(get_inner, many, _MISSINGS))
        return tuple(values)

    def _foretell(self, subject: Subject) -> Known:
        unknown = frozenset(selector for selector in self._many if _present(subject.record, _path(selector)))
        answers = [(stop.taker, stop.left(subject, unknown)) for stop in self._stops]
        return tuple((taker, left) for taker, left in answers if left is not None)


def _by_depth(selectors: Iterable[Selector]) -> tuple[tuple[str, ...], dict[str, list[str]]]:
    """The keys of the record itself that selectors begin with, and those one level deeper by the outer key."""
    paths = sorted({_path(selector) for selector in selectors})
    inner: dict[str, list[str]] = {}
    for path in paths:
        if len(path) == 2:
            inner.setdefault(path[0], []).append(path[1])
    return tuple(path[0] for path in paths if len(path) == 1), inner


_PLAIN = frozenset({str, _Missing, type})


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
