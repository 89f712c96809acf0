"""What an event pattern asks of one field of a record: its matchers, and how they differ from a filter pattern's."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeAlias, assert_never

from smwatch.patterns import records
from smwatch.patterns.literals import ORDER
from smwatch.patterns.nodes import (
    Compare,
    Constant,
    Glob,
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

_MOST = 5e9
"""The numbers that EventBridge compares reach from minus this to this, with six digits after the point."""

Path: TypeAlias = tuple[str, ...]
Matcher: TypeAlias = Any
"""A text, boolean, null, or an object with one operator."""
Leaf: TypeAlias = Compare | Is | NotExists
"""A condition on one field."""


class InexpressibleError(ValueError):
    """Something that no event pattern can say; one clause for after "because"."""


class Matchers:
    """Says conditions on one field as matchers."""

    def __init__(self, differs: Callable[[str], None]) -> None:
        """`differs` is told, as clauses, what has to be given up."""
        self._differs = differs

    def tests(self, path: Path, conditions: Sequence[Leaf]) -> list[Matcher]:
        """The matchers of which one must hold where all these conditions on one field do; none if they never do.

        InexpressibleError where no matchers can say it.
        """
        conditions = self._of_one_value(conditions)
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

    def _of_one_value(self, conditions: Sequence[Leaf]) -> Sequence[Leaf]:
        """Those conditions that are about one value; of elements of lists, each may be about another one."""
        listed = [each for each in conditions if not all(isinstance(step, Key) for step in each.selector.steps)]
        if any(isinstance(each, NotExists) for each in listed):
            raise InexpressibleError("it can't ask whether a list has an element")
        if not listed or len(conditions) == 1:
            return conditions
        for each in conditions[1:]:
            self._differs(f"a second condition on {each.selector} is left out")
        return conditions[:1]

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
    found: Any = value
    for key in reversed(path):
        found = {key: found}
    return dict(found)


def _number(literal: object) -> int | float:
    assert isinstance(literal, Numeral)
    number = literal.value
    if abs(number) > _MOST or round(number, 6) != number:
        raise InexpressibleError(f"it can't compare with {literal.text}")
    return number
