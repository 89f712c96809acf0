"""The facts that a rule refers to, each with its place, as written: also where the rest of it can't be read."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from smwatch.rules.condition import Look
from smwatch.rules.wrong import Place

_OUTRIGHT = (
    ("first_seen", "fact"),
    ("sequence", "after"),
    ("sequence", "then"),
    ("absence", "until"),
    ("closed_by", "when"),
    ("distinct", "share", "known"),
)
"""Where facts are named but in conditions."""


def references(rule: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Every fact that the table of a rule names, or holds as a filter pattern."""
    for key in ("only", "unless"):
        yield from _looked_up(rule.get(key), (key,))
    grades = rule.get("grade")
    for number, grade in enumerate(grades if isinstance(grades, list) else ()):
        if isinstance(grade, Mapping):
            yield from _looked_up(grade.get("if"), ("grade", number, "if"))
    yield from outright(rule)


def outright(rule: Mapping[str, Any]) -> Iterator[tuple[Place, str]]:
    """Those of them that stand in no condition."""
    for place in _OUTRIGHT:
        value: object = rule
        for key in place:
            value = value.get(key) if isinstance(value, Mapping) else None
        yield from _texts(value, place)


def _looked_up(condition: object, place: Place) -> Iterator[tuple[Place, str]]:
    match condition:
        case list():
            for number, part in enumerate(condition):
                yield from _looked_up(part, (*place, number))
        case Mapping():
            for look in Look:
                yield from _texts(condition.get(look.value), (*place, look.value))
        case _:
            pass


def _texts(value: object, place: Place) -> Iterator[tuple[Place, str]]:
    match value:
        case str() if value:
            yield place, value
        case list():
            for number, each in enumerate(value):
                if isinstance(each, str) and each:
                    yield (*place, number), each
        case _:
            pass
