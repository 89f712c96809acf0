"""JSON filter patterns said as EventBridge event patterns, as far as those can say the same.

An event pattern knows no NOT, no index and no regular expression; it looks into lists, where a filter pattern does
not, and asks of one field either this or that, where a filter pattern may ask both. So a condition is brought into
alternatives of fields first, and what has to be given up on the way is said.

Source: "Comparison operators for use in event patterns" of the EventBridge User Guide, and Event Ruler, its engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias, assert_never

from smwatch.patterns.matchers import SCALARS, InexpressibleError, Leaf, Matcher, Matchers, Path
from smwatch.patterns.nodes import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Each,
    Index,
    Is,
    Key,
    NotExists,
    Selector,
)

MAX_ALTERNATIVES = 100
"""More make a pattern longer than EventBridge takes."""

_RESERVED = frozenset(
    (
        "$or",
        "anything-but",
        "cidr",
        "equals-ignore-case",
        "exactly",
        "exists",
        "numeric",
        "prefix",
        "suffix",
        "wildcard",
    )
)
"""Names of operators, which Event Ruler takes for what they are wherever they stand."""
_Asked: TypeAlias = dict[Path, list[tuple[Leaf, ...]]]
"""What one alternative asks: for each field, groups of which one condition each must hold."""
_Fields: TypeAlias = dict[Path, list[Matcher]]


@dataclass(frozen=True, slots=True)
class EventPattern:
    """What an event pattern says of `detail`, the CloudTrail record."""

    detail: Mapping[str, Any]
    differences: tuple[str, ...]
    """How it differs from the filter pattern, as clauses; empty where it selects the same events."""


def event_pattern(*conditions: Condition) -> EventPattern:
    """Say the conditions, of which one must hold, as one event pattern; InexpressibleError where that can't be."""
    return _Translation().pattern(AnyOf(conditions) if len(conditions) > 1 else conditions[0])


class _Translation:
    def __init__(self) -> None:
        self._differences: dict[str, None] = {}
        self._matchers = Matchers(self._differs)

    def pattern(self, condition: Condition) -> EventPattern:
        alternatives: list[_Fields] = []
        for asked in self._alternatives(condition):
            fields = self._fields(asked)
            if fields is not None and fields not in alternatives:
                alternatives.append(fields)
        if not alternatives:
            raise InexpressibleError("nothing can match it")
        first, *others = alternatives = _merged(alternatives)
        shared = {path: tests for path, tests in first.items() if all(tests == each.get(path) for each in others)}
        detail = _nested(shared)
        if others:
            own = [_nested({path: each[path] for path in each if path not in shared}) for each in alternatives]
            if all(own):  # one that asks no more than what all share has said it all
                detail["$or"] = own
        return EventPattern(detail, tuple(self._differences))

    def _differs(self, how: str) -> None:
        self._differences[how] = None

    # -- and, or ------------------------------------------------------------------------------------------------------

    def _alternatives(self, condition: Condition) -> list[_Asked]:
        match condition:
            case AllOf(parts):
                found: list[_Asked] = [{}]
                for part in parts:
                    found = [_both(one, other) for one, other in product(found, self._alternatives(part))]
                    _bounded(len(found))
                return found
            case AnyOf(parts):
                groups: dict[Path, tuple[Leaf, ...]] = {}
                found = []
                for part in parts:
                    if isinstance(part, (AllOf, AnyOf)):
                        found += self._alternatives(part)
                    else:
                        path = self._path(part.selector)
                        groups[path] = (*groups.get(path, ()), part)
                _bounded(len(found))
                return [{path: [group]} for path, group in groups.items()] + found
            case Compare() | Is() | NotExists():
                return [{self._path(condition.selector): [(condition,)]}]
            case _:
                assert_never(condition)

    def _path(self, selector: Selector) -> Path:
        keys = []
        for step in selector.steps:
            match step:
                case Key(name):
                    if name in _RESERVED or "." in name:
                        raise InexpressibleError(f"a field can't be called {name!r} there")
                    keys.append(name)
                case Index():
                    self._differs(f"any element will do for {selector}")
                case Each():
                    self._differs(f"only lists are looked into for {selector}")
                case _:
                    assert_never(step)
        if not isinstance(selector.steps[0], Key):
            raise InexpressibleError(f"it has no way to say {selector}")
        path = tuple(keys)
        if path not in SCALARS and len(keys) == len(selector.steps):
            self._differs(f"lists are looked into for {selector}")
        return path

    # -- one alternative ----------------------------------------------------------------------------------------------

    def _fields(self, asked: _Asked) -> _Fields | None:
        """The matchers of each field; None where nothing can match."""
        fields: _Fields = {}
        for path, groups in asked.items():
            _bounded(prod(map(len, groups)))
            tests: list[Matcher] = []
            for conditions in product(*groups):
                found = self._matchers.tests(path, conditions)
                tests += [test for test in found if test not in tests]
            if not tests:
                return None
            fields[path] = tests
        return fields


def _merged(alternatives: list[_Fields]) -> list[_Fields]:
    """Fewer alternatives: two that differ in one field are one that asks either of it."""
    merged: list[_Fields] = []
    for each in alternatives:
        for other in merged:
            different = [path for path in each | other if each.get(path) != other.get(path)]
            if len(different) == 1 and each.keys() == other.keys():
                (path,) = different
                other[path] = [*other[path], *(test for test in each[path] if test not in other[path])]
                break
        else:
            merged.append(each)
    return merged


def _bounded(alternatives: int) -> None:
    if alternatives > MAX_ALTERNATIVES:
        raise InexpressibleError(f"it would take more than {MAX_ALTERNATIVES} alternatives")


def _both(one: _Asked, other: _Asked) -> _Asked:
    return {path: [*one.get(path, ()), *other.get(path, ())] for path in one | other}


def _nested(fields: Mapping[Path, Any]) -> dict[str, Any]:
    """One object of objects; a field can't be both a value and an object."""
    nested: dict[str, Any] = {}
    for path, value in fields.items():
        inner = nested
        for key in path[:-1]:
            inner = inner.setdefault(key, {})
            if not isinstance(inner, dict):
                raise InexpressibleError(f"{'.'.join(path)} lies inside of a value")
        if path[-1] in inner:
            raise InexpressibleError(f"{'.'.join(path)} has fields and a value")
        inner[path[-1]] = value
    return nested


def required(detail: Mapping[str, Any], field: str) -> Iterable[str] | None:
    """The texts that a field of the record is one of wherever a `detail` matches; None if it may be another."""
    tests = detail.get(field)
    if isinstance(tests, list) and all(isinstance(test, str) for test in tests):
        return tests
    branches = detail.get("$or", ())
    each = [required(branch, field) for branch in branches]
    found = [values for values in each if values is not None]
    return [value for values in found for value in values] if branches and len(found) == len(each) else None
