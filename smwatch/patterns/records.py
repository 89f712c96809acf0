"""JSON patterns compiled to closures over a decoded record.

See `values` and `selecting` for what is recorded of the service, and what is decided where nothing is known.

These closures serve "pattern": a key of the record compared with text, which is most of a rule, is one closure, and so
are several such texts joined by `||` or `&&`.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import assert_never

from smwatch.patterns.literals import ORDER
from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Condition, Is, Key, NotExists, Operator, Selector, Text
from smwatch.patterns.reader import NUMBER
from smwatch.patterns.selecting import Ask, equal, not_exists, one_of, some
from smwatch.patterns.values import compared, is_constant, ordered
from smwatch.record import Record

_SELDOM = frozenset({"errorCode", "errorMessage"})
"""Keys that most records lack: no comparison is true of what is missing."""


def matcher(condition: Condition) -> Ask:
    """Compile to a question about a record."""
    match condition:
        case AllOf(parts):
            return _all(parts)
        case AnyOf(parts):
            return _any(_alternatives(parts))
        case Compare(selector, operator, literal):
            if text := plain_text(condition):
                return equal(selector, text)
            return some(selector, ordered(operator, literal) if operator in ORDER else compared(condition))
        case Is(selector, constant):
            return some(selector, is_constant(constant))
        case NotExists(selector):
            return not_exists(selector)
        case _:
            assert_never(condition)


def plain_text(condition: Condition) -> str | None:
    """The one string that satisfies a condition, if it is `= text` and the text cannot be that of a number."""
    match condition:
        case Compare(_, Operator.EQ, Text(text)) if text and not NUMBER.fullmatch(text):
            return text
        case _:
            return None


def _all(parts: Sequence[Condition]) -> Ask:
    """Compile the sides of `&&`: first whether there is what most records lack, and then the texts of its keys."""
    texts, asks = list[tuple[str, str]](), list[Ask]()
    seldom = ""
    for part in parts:
        match part:
            case Compare(Selector((Key(name),))) | Is(Selector((Key(name),))) if name in _SELDOM:
                seldom = name
        match part:
            case Compare(Selector((Key(name),))) if text := plain_text(part):
                texts.append((name, text))
            case _:
                asks.append(matcher(part))
    every = _all_equal(texts, asks) if texts else _every(asks)
    return (lambda record: seldom in record and every(record)) if seldom else every


def _all_equal(texts: Sequence[tuple[str, str]], asks: Sequence[Ask]) -> Ask:
    (first, wanted), *further = texts

    def matches(record: Record) -> bool:
        if record.get(first) != wanted:  # most often this is all
            return False
        for name, text in further:
            if record.get(name) != text:
                return False
        for ask in asks:  # noqa: SIM110 - a generator would cost more than the question
            if not ask(record):
                return False
        return True

    return matches


def _every(asks: Sequence[Ask]) -> Ask:
    if len(asks) == 2:
        first, second = asks
        return lambda record: first(record) and second(record)

    def matches(record: Record) -> bool:
        for ask in asks:  # noqa: SIM110 - a generator would cost more than the question
            if not ask(record):
                return False
        return True

    return matches


def _any(asks: Sequence[Ask]) -> Ask:
    if len(asks) == 1:
        return asks[0]
    if len(asks) == 2:
        first, second = asks
        return lambda record: first(record) or second(record)

    def matches(record: Record) -> bool:
        for ask in asks:  # noqa: SIM110 - a generator would cost more than the question
            if ask(record):
                return True
        return False

    return matches


def _alternatives(parts: Sequence[Condition]) -> list[Ask]:
    """Compile the sides of `||`; the texts that one selector may be equal to become one question."""
    texts: dict[Selector, list[str]] = {}
    asks: list[Ask] = []
    for part in parts:
        if isinstance(part, Compare) and (text := plain_text(part)):
            texts.setdefault(part.selector, []).append(text)
        else:
            asks.append(matcher(part))
    return [
        equal(selector, *same) if len(same) == 1 else one_of(selector, frozenset(same))
        for selector, same in texts.items()
    ] + asks
