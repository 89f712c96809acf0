"""JSON patterns compiled to closures over a decoded record.

Recorded: `=` and `!=` are about strings and numbers alone, and false for anything else, missing included; an unquoted
number is equal to the same number and to a string of the same text; anything else is compared with a string or with a
number's source text; `<` and the like are about numbers alone; `IS NULL` is also true of an array that holds null;
wildcards are existential; `[*]` walks the members of an object too.
Unknown, and decided so: `.*` walks the elements of an array too; a regular expression is searched in strings, not in
numbers.

These closures serve "pattern": a key of the record compared with text, which is most of a rule, is one closure, and so
are several such texts joined by `||` or `&&`.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias, assert_never

from smwatch.patterns.literals import ORDER, equals
from smwatch.patterns.nodes import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Constant,
    Each,
    Is,
    Key,
    NotExists,
    Numeral,
    Operator,
    Regex,
    Selector,
    Step,
    Text,
)
from smwatch.patterns.reader import EXACT, NUMBER, exact
from smwatch.record import Number, Record

Ask: TypeAlias = Callable[[Record], bool]
_AskValue: TypeAlias = Callable[[Any], bool]
_Get: TypeAlias = Callable[[Any], Any]


class _Missing:
    """Where a selector leads nowhere: equal to nothing, and of a type that no record holds."""

    __slots__ = ()


_MISSING = _Missing()
_NUMBERS = frozenset({int, float, Number})
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
                return _equal(selector, text)
            return _some(selector, _ordered(operator, literal) if operator in ORDER else _compared(condition))
        case Is(selector, constant):
            return _some(selector, _is(constant))
        case NotExists(selector):
            return _not_exists(selector)
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
        _equal(selector, *same) if len(same) == 1 else _one_of(selector, frozenset(same))
        for selector, same in texts.items()
    ] + asks


def _equal(selector: Selector, text: str) -> Ask:
    match selector.steps:
        case (Key(name),):
            return lambda record: record.get(name) == text
        case (Key(outer), Key(name)):

            def matches(record: Record) -> bool:
                return type(inner := record.get(outer)) is dict and inner.get(name) == text

            return matches
        case steps if names := _names(steps):
            *outer_names, last = names

            def matches_inner(record: Record) -> bool:
                inner: Any = record
                for name in outer_names:
                    if type(inner := inner.get(name)) is not dict:
                        return False
                return bool(inner.get(last) == text)

            return matches_inner
        case _:
            return _some(selector, lambda value: value == text)


def _one_of(selector: Selector, texts: frozenset[str]) -> Ask:
    match selector.steps:
        case (Key(name),):

            def matches(record: Record) -> bool:
                return type(value := record.get(name)) is str and value in texts

            return matches
        case _:
            return _some(selector, lambda value: type(value) is str and value in texts)


def _not_exists(selector: Selector) -> Ask:
    match selector.steps:
        case (Key(name),):
            return lambda record: name not in record
        case (Key(outer), Key(name)):

            def matches(record: Record) -> bool:
                return type(inner := record.get(outer)) is not dict or name not in inner

            return matches
        case _:
            exists = _some(selector, lambda value: value is not _MISSING)
            return lambda record: not exists(record)


def _ordered(operator: Operator, literal: object) -> _AskValue:
    assert isinstance(literal, Numeral)
    order, limit = ORDER[operator], literal.value
    if abs(limit) >= EXACT:
        return lambda value: type(value) in _NUMBERS and order(_exact(value), limit)
    return lambda value: type(value) in _NUMBERS and order(value, limit)


def _compared(condition: Compare) -> _AskValue:
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


def _is(constant: Constant) -> _AskValue:
    match constant:
        case Constant.TRUE:
            return lambda value: value is True
        case Constant.FALSE:
            return lambda value: value is False
        case Constant.NULL:
            return lambda value: value is None or (type(value) is list and None in value)
        case _:
            assert_never(constant)


def _some(selector: Selector, ask: _AskValue) -> Ask:
    """Ask about the value selected, or about one after the other until one says yes."""
    match selector.steps:
        case (Key(name),):
            return lambda record: ask(record.get(name, _MISSING))
        case (Key(outer), Key(name)):

            def matches(record: Record) -> bool:
                return ask(inner.get(name, _MISSING) if type(inner := record.get(outer)) is dict else _MISSING)

            return matches
        case steps if names := _names(steps):
            *outer_names, last = names

            def matches_inner(record: Record) -> bool:
                inner: Any = record
                for name in outer_names:
                    if type(inner := inner.get(name)) is not dict:
                        return ask(_MISSING)
                return ask(inner.get(last, _MISSING))

            return matches_inner
        case steps if Each() in steps:
            return _some_of_each(steps, ask)
        case steps:
            get = _getter(steps)
            return lambda record: ask(get(record))


def _some_of_each(steps: Sequence[Step], ask: _AskValue) -> Ask:
    each = steps.index(Each())
    head, tail = _getter(steps[:each]), _getter(steps[each + 1 :])
    ask_element = ask if each + 1 == len(steps) else lambda element: ask(tail(element))

    def matches(record: Record) -> bool:
        elements = head(record)
        if type(elements) is dict:
            elements = elements.values()
        elif type(elements) is not list:
            return False
        for element in elements:  # noqa: SIM110 - a generator would cost more than the question
            if ask_element(element):
                return True
        return False

    return matches


def _names(steps: Sequence[Step]) -> list[str]:
    """The keys that lead to a value, where nothing but keys does."""
    names = [step.name for step in steps if isinstance(step, Key)]
    return names if len(names) == len(steps) else []


def _getter(steps: Sequence[Step]) -> _Get:
    path = [step.name if isinstance(step, Key) else step.number for step in steps if not isinstance(step, Each)]

    def get(value: Any) -> Any:
        for step in path:
            if isinstance(step, str):
                if type(value) is not dict:
                    return _MISSING
                value = value.get(step, _MISSING)
            elif type(value) is list and step < len(value):
                value = value[step]
            else:
                return _MISSING
        return value

    return get
