"""What a pattern asks of one value: the right side of a comparison.

Recorded: `=` and `!=` are about strings and numbers alone, and false for anything else, missing included; an unquoted
number is equal to the same number and to a string of the same text; anything else is compared with a string or with a
number's source text; `<` and the like are about numbers alone; `IS NULL` is also true of an array that holds null.
Unknown, and decided so: a regular expression is searched in strings, not in numbers.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias, assert_never

from smwatch.patterns.literals import ORDER, equals
from smwatch.patterns.nodes import Compare, Constant, Numeral, Operator, Regex, Text
from smwatch.patterns.reader import EXACT, NUMBER, exact
from smwatch.record import Number

AskValue: TypeAlias = Callable[[Any], bool]

_NUMBERS = frozenset({int, float, Number})


def ordered(operator: Operator, literal: object) -> AskValue:
    """Compile `<` and the like."""
    assert isinstance(literal, Numeral)
    order, limit = ORDER[operator], literal.value
    if abs(limit) >= EXACT:
        return lambda value: type(value) in _NUMBERS and order(_exact(value), limit)
    return lambda value: type(value) in _NUMBERS and order(value, limit)


def compared(condition: Compare) -> AskValue:
    """Compile `=` and `!=`; the second is not the opposite of the first, since both are false for what has no text."""
    literal, wanted = condition.literal, condition.operator is Operator.EQ
    if isinstance(literal, Numeral):
        text, number = literal.text, literal.value
        if abs(number) >= EXACT:

            def same_large(value: Any) -> bool:
                kind = type(value)
                return (
                    (value == text) is wanted
                    if kind is str
                    else kind in _NUMBERS and (_exact(value) == number) is wanted
                )

            return same_large

        def same(value: Any) -> bool:
            kind = type(value)
            return (value == text) is wanted if kind is str else kind in _NUMBERS and (value == number) is wanted

        return same
    if isinstance(literal, Text) and not wanted and not NUMBER.fullmatch(unequal := literal.text):
        return lambda value: value != unequal if type(value) is str else type(value) in _NUMBERS
    equal = equals(literal)
    if isinstance(literal, Regex):
        return lambda value: type(value) is str and equal(value) is wanted

    def matches(value: Any) -> bool:
        if type(value) is str:
            return equal(value) is wanted
        return type(value) in _NUMBERS and equal(_source_text(value)) is wanted

    return matches


def _exact(number: float) -> int | float:
    return exact(number.text) if isinstance(number, Number) else number


def _source_text(number: float) -> str:
    return number.text if isinstance(number, Number) else str(number)


def is_constant(constant: Constant) -> AskValue:
    """Compile `IS`."""
    match constant:
        case Constant.TRUE:
            return lambda value: value is True
        case Constant.FALSE:
            return lambda value: value is False
        case Constant.NULL:
            return lambda value: value is None or (type(value) is list and None in value)
        case _:
            assert_never(constant)
