"""Reading a pattern from left to right: the words, quotations and operators that its grammars share."""

from __future__ import annotations

import math
import re
from decimal import Decimal

from smwatch.patterns.errors import PatternError
from smwatch.patterns.nodes import Glob, Literal, Numeral, Operator, Regex, Text
from smwatch.patterns.regex_syntax import parse as parse_regex

MAX_REGEXES = 2
NUMBER = re.compile(r"[+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""A number as AWS documents it: integer or decimal with an optional sign, and scientific notation."""

_SPACE = re.compile(r"\s*")
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*+)"', re.DOTALL)
_ESCAPED = re.compile(r'\\(["\\])')
_WORD = re.compile(r"[A-Za-z0-9_.*+-]+")
_OPERATOR = re.compile("!=|<=|>=|=|<|>")
_ORDER = frozenset({Operator.LT, Operator.GT, Operator.LE, Operator.GE})


class Reader:
    """A place in a pattern that only moves forward; `end` is where its grammar ends, before a closing bracket."""

    def __init__(self, text: str, at: int, end: int) -> None:
        self.text = text
        self.at = at
        self.end = end
        self._regexes = 0

    def done(self) -> bool:
        """Whether everything has been read."""
        return self.at >= self.end

    @property
    def next(self) -> str:
        """The next character, "" at the end."""
        return self.text[self.at] if self.at < self.end else ""

    def shown(self) -> str:
        """The next character as it can stand in a sentence."""
        return self.next if self.next.isprintable() else repr(self.next)

    def skip_space(self) -> None:
        """Go to the next character that is not white space."""
        space = _SPACE.match(self.text, self.at, self.end)
        assert space
        self.at = space.end()

    def take(self, sign: str) -> bool:
        """Read `sign` if it comes next."""
        if not self.text.startswith(sign, self.at, self.end):
            return False
        self.at += len(sign)
        return True

    def match(self, expression: re.Pattern[str]) -> str:
        """Read what matches here, "" if nothing does."""
        if not (found := expression.match(self.text, self.at, self.end)):
            return ""
        self.at = found.end()
        return found.group()

    def error(self, sentence: str, at: int | None = None) -> PatternError:
        """Make the refusal that points at `at`, by default here."""
        return PatternError(sentence, self.at if at is None else at)

    def quoted(self) -> str:
        r"""Read a quotation.

        `\"` and `\\` stand for the second character: reported from the service for `\\`, undocumented and unrecorded
        otherwise. A backslash before anything else is itself.
        """
        if not (found := _QUOTED.match(self.text, self.at, self.end)):
            raise self.error("Close the quotation with another double quotation mark.")
        self.at = found.end()
        return _ESCAPED.sub(r"\1", found.group(1))

    def regex(self) -> Regex:
        """Read `%…%` and see that it can be compiled."""
        self._regexes += 1
        if self._regexes > MAX_REGEXES:
            raise self.error(f"Use at most {MAX_REGEXES} regular expressions in a pattern.")
        start = self.at + 1
        end = self.text.find("%", start, self.end)
        if end < 0:
            raise self.error("Close the regular expression with another %.")
        regex = Regex(self.text[start:end])
        parse_regex(regex.source, start)
        self.at = end + 1
        return regex

    def operator(self) -> Operator | None:
        """Read a comparison sign if one comes next."""
        start = self.at
        if not (sign := self.match(_OPERATOR)):
            return None
        if self.next and self.next in "=!<>":
            raise self.error("Write one comparison: =, !=, <, >, <= or >=.", start)
        return Operator(sign)

    def literal(self, operator: Operator) -> Literal:
        """Read the right side of a comparison."""
        self.skip_space()
        start = self.at
        literal: Literal
        quoted = self.next in ('"', "%")
        if self.next == '"':
            literal = _text(self.quoted())
        elif self.next == "%":
            literal = self.regex()
        elif word := self.match(_WORD):
            literal = _numeral(word) if NUMBER.fullmatch(word) else _text(word)
        elif self.done() or self.next in "&|),":
            raise self.error(f"Write a value after {operator}.")
        else:
            raise self.error(f"Put a value that contains {self.shown()} in double quotation marks.")
        if self.next and not self.next.isspace() and self.next not in "&|),":
            if quoted:
                raise self.error("Put a space after the value.")
            raise self.error(f"Put a value that contains {self.shown()} in double quotation marks.")
        if operator in _ORDER and not isinstance(literal, Numeral):
            raise self.error(f"Compare with {operator} only to a number without quotation marks.", start)
        return literal


def _text(text: str) -> Text | Glob:
    return Glob(tuple(text.split("*"))) if "*" in text else Text(text)


def _numeral(text: str) -> Numeral:
    return Numeral(text, exact(text))


EXACT = 1 << 53
"""From here on not every whole number is a float."""
_LONGEST = 400
"""Digits of a whole number that are told apart; floats end before."""


def exact(text: str) -> int | float:
    """The number that a text says; a whole one that a float may miss, 1e16 or 9007199254740993.0, as an int."""
    if text.lstrip("+-").isdecimal() and len(text) <= _LONGEST:
        return int(text)
    value = float(text)
    if not EXACT <= abs(value) < math.inf:
        return value
    number = Decimal(text)
    return int(number) if number == number.to_integral_value() else value
