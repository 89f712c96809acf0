"""All that is wrong in one table of a rules file, key by key, where a decoder stops at the first mistake."""

from __future__ import annotations

import copy
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, TypeVar

import msgspec
from msgspec import inspect

from smwatch.rules.alarm import Severity
from smwatch.rules.condition import Condition
from smwatch.rules.dimension import Dimension
from smwatch.rules.envelope import KEYS, Patterns, Telling
from smwatch.rules.period import Period
from smwatch.rules.wrong import Place, WrongError, told
from smwatch.wrong_type import explained

T = TypeVar("T", bound=msgspec.Struct)

MOST = 50
"""Mistakes told of one table: whoever has made more goes on from these."""
UNREADABLE = "(unreadable)"
"""Stands for a text that can't be read, while the rest of its table is."""

_RIGHT: Mapping[type, object] = {Patterns: "x", Dimension: "secret", Period: "1h", Condition: "self"}
_MISSING = re.compile("Object missing required field `(.*)`")
_STEPS = re.compile(r"\.(\w+)|\[(\d+)\]")


class Mistakes:
    """What is wrong in a table, as (place, sentence), in the order of its keys."""

    def __init__(self) -> None:
        self.found: list[tuple[Place, str]] = []

    def touch(self, key: str) -> bool:
        """Whether what a key (`count.min`) says hangs on a value that could not be read."""
        return any(_within(key, told(place)) or _within(told(place), key) for place, _ in self.found)


def read(
    written: Mapping[str, Any], kind: type[T], decode: Callable[[Mapping[str, Any]], T]
) -> tuple[T | None, Mistakes]:
    """Decode a table, each value that is wrong replaced by one that is right, and say what was wrong.

    None instead of what was decoded if there are more mistakes than MOST. `decode` raises msgspec.ValidationError.
    """
    mistakes = Mistakes()
    table: Any = written
    if unknown := list(_unknown(written, _info(kind), ())):
        table = copy.deepcopy(written)
        for place in unknown:
            del _value(table, place[:-1])[place[-1]]
        mistakes.found += [(place, f"there is no such key{_near(str(place[-1]))}") for place in unknown]
    while len(mistakes.found) <= MOST:
        try:
            return decode(table), mistakes
        except msgspec.ValidationError as error:
            if table is written:
                table = copy.deepcopy(written)
            mistakes.found += _mended(table, error, kind)
    mistakes.found[MOST:] = [((), f"and perhaps more: these are the first {MOST}")]
    return None, mistakes


def _unknown(table: object, at: inspect.Type, place: Place) -> Iterator[Place]:
    """Where a table has keys that nothing reads."""
    match _given(at):
        case inspect.StructType(fields=fields) if isinstance(table, Mapping):
            known = {field.encode_name: field.type for field in fields}
            for key, value in table.items():
                if key not in known:
                    yield (*place, key)
                else:
                    yield from _unknown(value, known[key], (*place, key))
        case inspect.VarTupleType(item_type=item) if isinstance(table, list):
            for number, value in enumerate(table):
                yield from _unknown(value, item, (*place, number))
        case _:
            pass


def _mended(table: Any, error: msgspec.ValidationError, kind: type) -> list[tuple[Place, str]]:
    """Say what is wrong at one place, or within it, and put something right there."""
    sentence, found, path = str(error).rpartition(" - at `$")
    if not found:
        sentence, path = str(error), ""
    place: Place = tuple(name or int(number) for name, number in _STEPS.findall(path))
    if missing := _MISSING.fullmatch(sentence):
        place = (*place, missing[1])
        told = [(place, "is missing")]
    elif isinstance(error.__cause__, WrongError):
        told = [((*place, *inner), sentence) for inner, sentence in error.__cause__.problems]
    else:
        told = [(place, _explained(sentence, place))]
    _value(table, place[:-1])[place[-1]] = _right(_type_at(kind, place))
    return told


def _explained(sentence: str, place: Place) -> str:
    """What is wrong with a value, in TOML's words."""
    if wrong := explained(sentence):
        return wrong
    if sentence.startswith("Invalid enum value"):
        return f"is one of {', '.join(Telling if place[0] == 'tell' else Severity)}"
    return sentence


def _near(key: str) -> str:
    near = get_close_matches(key, KEYS, 1)
    return f": did you mean {near[0]}?" if near else ""


def _within(inner: str, outer: str) -> bool:
    return inner == outer or inner.startswith((f"{outer}.", f"{outer}["))


def _value(table: Any, place: Sequence[str | int]) -> Any:
    for step in place:
        table = table[step]
    return table


@lru_cache
def _info(kind: type) -> inspect.Type:
    return inspect.type_info(kind)


def _type_at(kind: type, place: Place) -> inspect.Type:
    """The type that a place of a table has."""
    at = _info(kind)
    for step in place:
        at = _given(at)
        match at:
            case inspect.StructType(fields=fields):
                at = next(field.type for field in fields if field.encode_name == step)
            case inspect.VarTupleType(item_type=item):
                at = item
            case _:
                raise AssertionError(f"nothing is inside of {at}")
    return _given(at)


def _given(at: inspect.Type) -> inspect.Type:
    """What a value is that may be left out."""
    if isinstance(at, inspect.UnionType):
        return next(each for each in at.types if not isinstance(each, inspect.NoneType))
    return at


def _right(at: inspect.Type) -> object:
    """A value that is right for a type."""
    match at:
        case inspect.StructType(fields=fields):
            return {field.encode_name: _right(_given(field.type)) for field in fields if field.required}
        case inspect.VarTupleType():
            return []
        case inspect.IntType():
            return 2
        case inspect.FloatType():
            return 1.0
        case inspect.BoolType():
            return False
        case inspect.StrType():
            return UNREADABLE
        case inspect.EnumType(cls=kind):
            return next(iter(kind)).value
        case inspect.CustomType(cls=kind):
            return _RIGHT[kind]
        case _:
            raise AssertionError(f"no value is known that is right for {at}")
