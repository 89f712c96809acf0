"""Reading JSON patterns: `{ $.eventName = "GetSecretValue" && ($.errorCode NOT EXISTS || $.count > 1) }`.

Only what is documented or recorded is accepted, so that a pattern that works here works there: keywords in capitals,
keys of letters, digits, `-` and `_` or in `['…']`, words without quotation marks of letters, digits and `_ . * + -`.
"""

from __future__ import annotations

import re

from smwatch.patterns.errors import PatternError
from smwatch.patterns.nodes import (
    AllOf,
    AnyOf,
    Compare,
    Condition,
    Constant,
    Each,
    Index,
    Is,
    Key,
    NotExists,
    Operator,
    Selector,
    Step,
    Text,
)
from smwatch.patterns.reader import Reader

MAX_WILDCARDS = 3
"""Wildcards in the selectors of one pattern; in one selector there may be one."""

_NAME = re.compile(r"[A-Za-z0-9_-]+")
_INDEX = re.compile(r"[0-9]+")
_QUOTED_KEY = re.compile(r"\['([^']+)'\]")
_IS = re.compile(r"IS\s+(NULL|TRUE|FALSE)(?![A-Za-z0-9_])")
_NOT_EXISTS = re.compile(r"NOT\s+EXISTS(?![A-Za-z0-9_])")


def parse(text: str, start: int, end: int) -> Condition:
    """Read a pattern whose opening brace is at `start` and whose closing brace is at `end`."""
    return _Parser(Reader(text, start + 1, end)).condition()


def parse_selector(text: str) -> Selector:
    """Read a selector that stands alone, such as `$.eventName`."""
    reader = Reader(text, 0, len(text))
    selector = _selector(reader)
    if not reader.done():
        raise reader.error(_KEYS)
    return selector


class _Group:
    """What has been read inside one pair of parentheses: alternatives, the last one unfinished."""

    def __init__(self, opened_at: int) -> None:
        self.opened_at = opened_at
        self.alternatives: list[list[Condition]] = [[]]

    def add(self, condition: Condition) -> None:
        self.alternatives[-1] += condition.parts if isinstance(condition, AllOf) else [condition]

    def condition(self) -> Condition:
        parts: list[Condition] = []
        for alternative in self.alternatives:
            part = alternative[0] if len(alternative) == 1 else AllOf(tuple(alternative))
            parts += part.parts if isinstance(part, AnyOf) else [part]
        return parts[0] if len(parts) == 1 else AnyOf(tuple(parts))


class _Parser:
    """Reads conditions with the open parentheses on a list, so that no nesting is too deep."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self.wildcards = 0

    def condition(self) -> Condition:
        reader = self.reader
        groups = [_Group(reader.at)]
        while True:
            reader.skip_space()
            if reader.next == "(":
                groups.append(_Group(reader.at))
                reader.take("(")
                continue
            groups[-1].add(self._comparison())
            reader.skip_space()
            while len(groups) > 1 and reader.take(")"):
                closed = groups.pop()
                groups[-1].add(closed.condition())
                reader.skip_space()
            if reader.done():
                if len(groups) > 1:
                    raise reader.error("Close this parenthesis.", groups[-1].opened_at)
                return groups[0].condition()
            if reader.take("||"):
                groups[-1].alternatives.append([])
            elif not reader.take("&&"):
                raise self._no_conjunction()

    def _no_conjunction(self) -> PatternError:
        reader = self.reader
        if reader.next == ")":
            return reader.error("Open a parenthesis before this one closes it.")
        return reader.error("Join two conditions with && or ||.")

    def _comparison(self) -> Condition:
        reader = self.reader
        start = reader.at
        if reader.next != "$":
            raise reader.error("Begin a condition with a selector such as $.eventName.")
        selector = _selector(reader)
        self.wildcards += Each() in selector.steps
        if self.wildcards > MAX_WILDCARDS:
            raise reader.error(f"Use at most {MAX_WILDCARDS} wildcard selectors in a pattern.", start)
        spaced = reader.next.isspace()
        if not spaced and not reader.done() and reader.next not in "=!<>":
            raise reader.error(_KEYS)
        reader.skip_space()
        if operator := reader.operator():
            return self._compared(selector, operator)
        if spaced and (words := reader.match(_IS)):
            return Is(selector, Constant(words.split()[-1]))
        if spaced and reader.match(_NOT_EXISTS):
            return NotExists(selector)
        raise reader.error("After the selector write =, !=, <, >, <=, >=, IS NULL, IS TRUE, IS FALSE or NOT EXISTS.")

    def _compared(self, selector: Selector, operator: Operator) -> Compare:
        reader = self.reader
        reader.skip_space()
        start = reader.at
        literal = reader.literal(operator)
        if isinstance(literal, Text) and reader.text[start] != '"' and literal.text in ("null", "NULL"):
            raise reader.error("Write IS NULL to ask for null.", start)
        return Compare(selector, operator, literal)


_KEYS = "Write a key with other signs than letters, digits, - and _ as .['key']."


def _selector(reader: Reader) -> Selector:
    start = reader.at
    if not reader.take("$"):
        raise reader.error("Begin a selector with $.")
    steps: list[Step] = []
    while step := _step(reader):
        steps.append(step)
    if not steps:
        raise reader.error("Name a key after $, as in $.eventName.")
    if steps.count(Each()) > 1:
        raise reader.error("Use at most one wildcard in a selector.", start)
    return Selector(tuple(steps))


def _step(reader: Reader) -> Step | None:
    dotted = reader.take(".")
    if quoted := reader.match(_QUOTED_KEY):
        return Key(quoted[2:-2])
    if dotted:
        if reader.take("*"):
            return Each()
        if not (name := reader.match(_NAME)):
            raise reader.error(_KEYS)
        return Key(name)
    if not reader.take("["):
        return None
    if reader.take("*]"):
        return Each()
    number = reader.match(_INDEX)
    if not number or not reader.take("]"):
        raise reader.error("Write [0], [*] or ['key'].")
    return Index(int(number))
