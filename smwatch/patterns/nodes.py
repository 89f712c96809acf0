"""The parsed form of a filter pattern: small frozen values, to be compiled, exported and compared.

A pattern is one of four things: `Terms`, a `Regex`, `Fields` (space-delimited) or a `Condition` (JSON).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias, assert_never

from smwatch.record import Record

_PLAIN_KEY = re.compile(r"[A-Za-z0-9_-]+")


class Operator(StrEnum):
    """A comparison, as it is written."""

    EQ = "="
    NE = "!="
    LT = "<"
    GT = ">"
    LE = "<="
    GE = ">="


@dataclass(frozen=True, slots=True)
class Text:
    """Text to be equal to, with no wildcard in it: `"a b"`, `a.b`, and `"1"`, which is not the number 1."""

    text: str


@dataclass(frozen=True, slots=True)
class Numeral:
    """An unquoted number."""

    text: str
    """As written: `1`, `+10.50`, `1e-3`."""
    value: int | float


@dataclass(frozen=True, slots=True)
class Glob:
    """Text with wildcards: the pieces between the `*`, so `a*b` is ("a", "b") and `*` is ("", "")."""

    pieces: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Regex:
    """What stands between the two `%`; as a whole pattern it is searched in the message."""

    source: str


Literal: TypeAlias = Text | Numeral | Glob | Regex


@dataclass(frozen=True, slots=True)
class Key:
    """A step to a member of an object: `.name` or `.['any name']`."""

    name: str


@dataclass(frozen=True, slots=True)
class Index:
    """A step to an element of an array: `[0]`."""

    number: int


@dataclass(frozen=True, slots=True)
class Each:
    """A step to every element or member: `[*]` or `.*`."""


Step: TypeAlias = Key | Index | Each


@dataclass(frozen=True, slots=True)
class Selector:
    """A way from the record to a value, or with an `Each` in it to several."""

    steps: tuple[Step, ...]

    def __str__(self) -> str:
        return "$" + "".join(_written(step) for step in self.steps)

    def value_in(self, record: Record) -> Any:
        """The value that it leads to, where it has no `Each`; None where there is none, or null."""
        value: Any = record
        for step in self.steps:
            match step:
                case Key(name) if isinstance(value, dict):
                    value = value.get(name)
                case Index(number) if isinstance(value, list) and number < len(value):
                    value = value[number]
                case _:
                    return None
        return value


def _written(step: Step) -> str:
    match step:
        case Key(name):
            return f".{name}" if _PLAIN_KEY.fullmatch(name) else f".['{name}']"
        case Index(number):
            return f"[{number}]"
        case Each():
            return "[*]"
        case _:
            assert_never(step)


@dataclass(frozen=True, slots=True)
class Compare:
    """`$.a = 1`: with several values selected, one that compares is enough."""

    selector: Selector
    operator: Operator
    literal: Literal


class Constant(StrEnum):
    """What IS compares with."""

    NULL = "NULL"
    TRUE = "TRUE"
    FALSE = "FALSE"


@dataclass(frozen=True, slots=True)
class Is:
    """`$.a IS NULL`."""

    selector: Selector
    constant: Constant


@dataclass(frozen=True, slots=True)
class NotExists:
    """`$.a NOT EXISTS`: the selector leads nowhere."""

    selector: Selector


@dataclass(frozen=True, slots=True)
class AllOf:
    """Two or more conditions joined by `&&`, none of them an `AllOf`."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True, slots=True)
class AnyOf:
    """Two or more conditions joined by `||`, none of them an `AnyOf`."""

    parts: tuple[Condition, ...]


Condition: TypeAlias = Compare | Is | NotExists | AllOf | AnyOf


class Role(StrEnum):
    """What the sign before a term asks for."""

    PLAIN = ""
    OPTIONAL = "?"
    EXCLUDED = "-"


@dataclass(frozen=True, slots=True)
class Term:
    """A word or quoted phrase to be found somewhere in the message."""

    text: str
    role: Role = Role.PLAIN


@dataclass(frozen=True, slots=True)
class Terms:
    """A pattern of terms; without any it matches everything."""

    terms: tuple[Term, ...]
    hyphenated: str = field(default="", compare=False)
    """The first word that a hyphen cuts in two, which its writer may have meant as one; "" for none."""


@dataclass(frozen=True, slots=True)
class FieldTest:
    """`= 4*` on a field."""

    operator: Operator
    literal: Literal


@dataclass(frozen=True, slots=True)
class Field:
    """One field of a space-delimited pattern."""

    name: str
    """"" where it has none."""
    tests: tuple[tuple[FieldTest, ...], ...] = ()
    """Alternatives (`||`) of tests that must all hold (`&&`); empty where anything will do."""


@dataclass(frozen=True, slots=True)
class Rest:
    """`...`: any number of fields."""


@dataclass(frozen=True, slots=True)
class Fields:
    """A space-delimited pattern; without any field it matches everything."""

    fields: tuple[Field | Rest, ...]


Syntax: TypeAlias = Terms | Regex | Fields | Condition
