"""JSON filter patterns said as EventBridge event patterns, as far as those can say the same.

An event pattern knows no NOT, no index and no regular expression; it looks into lists, where a filter pattern does
not, and asks of one field either this or that, where a filter pattern may ask both. So a condition is brought into
alternatives of fields first, and what has to be given up on the way is said.

Source: "Comparison operators for use in event patterns" of the EventBridge User Guide, and Event Ruler, its engine.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from math import prod
from typing import Any, TypeAlias, assert_never

from smwatch.patterns import records
from smwatch.patterns.literals import ORDER
from smwatch.patterns.nodes import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Constant,
    Each,
    Glob,
    Index,
    Is,
    Key,
    NotExists,
    Numeral,
    Operator,
    Regex,
    Selector,
    Text,
)
from smwatch.patterns.reader import NUMBER

MAX_ALTERNATIVES = 100
"""More make a pattern longer than EventBridge takes."""

_USER = "type userName principalId arn accountId accessKeyId invokedBy"
_ISSUER = "type userName principalId arn accountId"
_ASKED = """
blockPublicPolicy clientRequestToken description forceDeleteWithoutRecovery forceOverwriteReplicaSecret kmsKeyId
maxResults moveToVersionId name nextToken passwordLength recoveryWindowInDays removeFromVersionId resourcePolicy
rotateImmediately rotationLambdaARN secretId versionId versionStage"""
_TOP = """
apiVersion awsRegion errorCode errorMessage eventCategory eventID eventName eventSource eventTime eventType eventVersion
managementEvent readOnly recipientAccountId requestID sessionCredentialFromConsole sharedEventID sourceIPAddress
userAgent vpcEndpointId"""
_BOOLEAN = """
blockPublicPolicy forceDeleteWithoutRecovery forceOverwriteReplicaSecret managementEvent readOnly rotateImmediately
sessionCredentialFromConsole"""
_BOOLEANS, _NUMBERS = frozenset(_BOOLEAN.split()), frozenset(("maxResults", "passwordLength", "recoveryWindowInDays"))
SCALARS = frozenset(
    [
        *((name,) for name in _TOP.split()),
        *(("userIdentity", name) for name in _USER.split()),
        *(("userIdentity", "sessionContext", "sessionIssuer", name) for name in _ISSUER.split()),
        *(("requestParameters", name) for name in _ASKED.split()),
    ]
)
"""Fields that hold one text, number or boolean if anything, by CloudTrail's "record contents" and Secrets Manager's API
model: for these a pattern can be said exactly."""

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
_MOST = 5e9
"""The numbers that EventBridge compares reach from minus this to this, with six digits after the point."""

Path: TypeAlias = tuple[str, ...]
Matcher: TypeAlias = Any
"""A text, boolean, null, or an object with one operator."""
_Leaf: TypeAlias = Compare | Is | NotExists
_Asked: TypeAlias = dict[Path, list[tuple[_Leaf, ...]]]
"""What one alternative asks: for each field, groups of which one condition each must hold."""
_Fields: TypeAlias = dict[Path, list[Matcher]]


class InexpressibleError(ValueError):
    """Something that no event pattern can say; one clause for after "because"."""


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
                groups: dict[Path, tuple[_Leaf, ...]] = {}
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
                found = self._tests(path, self._of_one_value(conditions))
                tests += [test for test in found if test not in tests]
            if not tests:
                return None
            fields[path] = tests
        return fields

    def _of_one_value(self, conditions: Sequence[_Leaf]) -> Sequence[_Leaf]:
        """Those conditions that are about one value; of elements of lists, each may be about another one."""
        listed = [each for each in conditions if not all(isinstance(step, Key) for step in each.selector.steps)]
        if any(isinstance(each, NotExists) for each in listed):
            raise InexpressibleError("it can't ask whether a list has an element")
        if not listed or len(conditions) == 1:
            return conditions
        for each in conditions[1:]:
            self._differs(f"a second condition on {each.selector} is left out")
        return conditions[:1]

    def _tests(self, path: Path, conditions: Sequence[_Leaf]) -> list[Matcher]:
        """The matchers of which one must hold where all these conditions on one field do; none if they never do."""
        if any(isinstance(condition, NotExists) for condition in conditions):
            return [{"exists": False}] if all(isinstance(each, NotExists) for each in conditions) else []
        constants = {condition.constant for condition in conditions if isinstance(condition, Is)}
        if constants:
            only = all(isinstance(condition, Is) for condition in conditions)
            return [_CONSTANTS[constants.pop()]] if only and len(constants) == 1 else []
        compares = [condition for condition in conditions if isinstance(condition, Compare)]
        for compare in compares:
            if (text := records.plain_text(compare)) is not None:
                return [text] if all(records.matcher(_at(each, path))(_record(path, text)) for each in compares) else []
        told = [compare for compare in compares if not _asks_for_anything(compare)] or compares[:1]
        return self._together(path[-1], told)

    def _together(self, key: str, compares: Sequence[Compare]) -> list[Matcher]:
        if len(compares) == 1:
            return self._test(key, compares[0])
        tests = [self._test(key, compare) for compare in compares]
        if all(compare.operator is Operator.NE and isinstance(compare.literal, Text) for compare in compares):
            return [{"anything-but": [text for (test,) in tests for text in test["anything-but"]]}]
        if all(compare.operator in ORDER for compare in compares):
            return _range(compares)
        if not all(tests):
            return []
        kept = next((each for each in compares if each.operator is not Operator.NE), compares[0])
        for each in compares:
            if each is not kept:
                self._differs(f"{each.selector} {each.operator} … is left out")
        return tests[compares.index(kept)]

    def _test(self, key: str, compare: Compare) -> list[Matcher]:
        operator, literal = compare.operator, compare.literal
        equal = operator is Operator.EQ
        if key in _BOOLEANS and (not equal or _asks_for_anything(compare)):
            self._differs(f"true and false count too for {compare.selector}")
        if key in _NUMBERS and isinstance(literal, Glob):
            self._differs(f"numbers have no text for {compare.selector}")
        match literal:
            case Numeral(text) if operator in (Operator.EQ, Operator.NE):
                number = _number(literal)
                if equal:
                    return [text, {"numeric": ["=", number]}]
                self._differs(f"the text {text!r} is not equal to the number for {compare.selector}")
                return [{"anything-but": [number]}]
            case Numeral():
                return [{"numeric": [operator.value, _number(literal)]}]
            case Text(text):
                if NUMBER.fullmatch(text):
                    self._differs(f"numbers never equal the text {text!r} for {compare.selector}")
                return [text] if equal else [{"anything-but": [text]}]
            case Glob(pieces):
                test = self._glob(compare.selector, pieces)
                if equal:
                    return [test]
                return [] if "exists" in test else [{"anything-but": test}]
            case Regex():
                raise InexpressibleError("it has no regular expressions")
            case _:
                assert_never(literal)

    def _glob(self, selector: Selector, pieces: Sequence[str]) -> dict[str, Any]:
        first, *inner, last = pieces
        inner = [piece for piece in inner if piece]
        if last and (first or inner or len(pieces) > 1):
            self._differs(f"the end of {selector} is found even where its text comes earlier too")
        match first, inner, last:
            case "", [], "":
                return {"exists": True}
            case _, [], "":
                return {"prefix": first}
            case "", [], _:
                return {"suffix": last}
            case _:
                return {"wildcard": "*".join(piece.replace("\\", "\\\\") for piece in (first, *inner, last))}


_CONSTANTS: Mapping[Constant, bool | None] = {Constant.NULL: None, Constant.TRUE: True, Constant.FALSE: False}


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


def _asks_for_anything(compare: Compare) -> bool:
    return compare.operator is Operator.EQ and isinstance(compare.literal, Glob) and not any(compare.literal.pieces)


def _range(compares: Sequence[Compare]) -> list[Matcher]:
    """The numbers within all these limits; an event pattern has one lower and one upper limit."""
    limits = [(compare.operator, _number(compare.literal)) for compare in compares]
    # of two limits at the same number, the one without the number itself is the narrower
    lower = [(number, sign is Operator.GT) for sign, number in limits if sign in (Operator.GT, Operator.GE)]
    upper = [(number, sign is Operator.LE) for sign, number in limits if sign in (Operator.LT, Operator.LE)]
    said: list[str | float] = []
    if lower:
        low, without = max(lower)
        said += [">" if without else ">=", low]
    if upper:
        high, included = min(upper)
        said += ["<=" if included else "<", high]
    if lower and upper and (low > high or (low == high and (without or not included))):
        return []
    return [{"numeric": said}]


def _at(compare: Compare, path: Path) -> Compare:
    return Compare(Selector(tuple(map(Key, path))), compare.operator, compare.literal)


def _record(path: Path, value: str) -> dict[str, Any]:
    return _nested({path: value})


def _number(literal: object) -> int | float:
    assert isinstance(literal, Numeral)
    number = literal.value
    if abs(number) > _MOST or round(number, 6) != number:
        raise InexpressibleError(f"it can't compare with {literal.text}")
    return number


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
