"""Comparing a text with the right side of a condition."""

from __future__ import annotations

import operator
from collections.abc import Callable
from typing import TypeAlias, assert_never

from smwatch.patterns import regex
from smwatch.patterns.nodes import Glob, Literal, Numeral, Operator, Regex, Text

Ask: TypeAlias = Callable[[str], bool]

ORDER: dict[Operator, Callable[[float, float], bool]] = {
    Operator.LT: operator.lt,
    Operator.GT: operator.gt,
    Operator.LE: operator.le,
    Operator.GE: operator.ge,
}


def equals(literal: Literal) -> Ask:
    """Compile `=` to a question about a text; what a number is equal to beside its text is the caller's to know."""
    match literal:
        case Text(text) | Numeral(text, _):
            return lambda value: value == text
        case Glob(pieces):
            return _glob(pieces)
        case Regex(source):
            return regex.searcher(source)
        case _:
            assert_never(literal)


def _glob(pieces: tuple[str, ...]) -> Ask:
    """Compile wildcards.

    Each `*` reaches to the first place where the text after it is found, and never looks further. So `*111.111` does
    not match 111.111.111 and `111*111` does not match 111.111.111.111, as recorded; and the time is linear.
    """
    first, *inner, last = pieces
    inner = [piece for piece in inner if piece]
    match first, inner, last:
        case "", [], "":
            return lambda _value: True
        case _, [], "":
            return lambda value: value.startswith(first)
        case "", [needle], "":
            return lambda value: needle in value
        case _:
            return lambda value: _found_in_order(value, first, inner, last)


def _found_in_order(value: str, first: str, inner: list[str], last: str) -> bool:
    if not value.startswith(first):
        return False
    at = len(first)
    for piece in inner:
        found = value.find(piece, at)
        if found < 0:
            return False
        at = found + len(piece)
    return not last or value.find(last, at) == len(value) - len(last) >= at
