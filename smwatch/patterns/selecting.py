"""Where a selector leads in a decoded record, and what is asked of that.

Recorded: wildcards are existential; `[*]` walks the members of an object too.
Unknown, and decided so: `.*` walks the elements of an array too.

These closures serve "pattern": one or two keys, which is what most rules ask for, take no loop.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, TypeAlias

from smwatch.patterns.nodes import Each, Key, Selector, Step
from smwatch.patterns.values import AskValue
from smwatch.record import Record

Ask: TypeAlias = Callable[[Record], bool]
_Get: TypeAlias = Callable[[Any], Any]


class _Missing:
    """Where a selector leads nowhere: equal to nothing, and of a type that no record holds."""

    __slots__ = ()


_MISSING = _Missing()


def equal(selector: Selector, text: str) -> Ask:
    """Whether the value is this text."""
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
            return some(selector, lambda value: value == text)


def one_of(selector: Selector, texts: frozenset[str]) -> Ask:
    """Whether the value is one of these texts."""
    match selector.steps:
        case (Key(name),):

            def matches(record: Record) -> bool:
                return type(value := record.get(name)) is str and value in texts

            return matches
        case _:
            return some(selector, lambda value: type(value) is str and value in texts)


def not_exists(selector: Selector) -> Ask:
    """Whether there is no such value."""
    match selector.steps:
        case (Key(name),):
            return lambda record: name not in record
        case (Key(outer), Key(name)):

            def matches(record: Record) -> bool:
                return type(inner := record.get(outer)) is not dict or name not in inner

            return matches
        case _:
            exists = some(selector, lambda value: value is not _MISSING)
            return lambda record: not exists(record)


def some(selector: Selector, ask: AskValue) -> Ask:
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


def _some_of_each(steps: Sequence[Step], ask: AskValue) -> Ask:
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
