r"""Reading the regular expressions of filter patterns (`%…%`).

The language has no groups, so an expression is alternatives of items, each a set of characters and how often it may
come.

Documented: the operators, `\d \D \s \S \w \W`, `\xhh`, the symbols, and that all else is refused, escaped or not.
Unknown, and read as regular expression engines agree by default: `.` is not a newline; `$` is the end of the text or
just before a newline that ends it; a `?` after a quantifier makes it lazy, which cannot change whether something is
found.
Refused because engines differ: `*+` and the like, a quantifier of a quantifier, `[` inside a set.
"""

from __future__ import annotations

import re
import string
from collections.abc import Sequence
from dataclasses import dataclass

from smwatch.patterns.errors import PatternError

MAX_POSITIONS = 2_000
"""How many characters the alternatives may ask for together, repetitions counted out."""

ANY = (1 << 257) - 1
"""A set of characters is a bit for each of U+0000 to U+00FF, and one for all others."""
OTHERS = 1 << 256


def _set(characters: str) -> int:
    return sum(1 << ord(character) for character in set(characters))


_SYMBOLS = frozenset(":_#=@/;,- ")
_OPERATORS = frozenset(r"^$?[]{}|\*+.")
_LITERALS = frozenset(string.ascii_letters + string.digits) | _SYMBOLS
_DIGIT, _SPACE, _WORD = _set(string.digits), _set(" \t\n\r\f\v"), _set(string.ascii_letters + string.digits + "_")
_CLASSES = {"d": _DIGIT, "D": ANY & ~_DIGIT, "s": _SPACE, "S": ANY & ~_SPACE, "w": _WORD, "W": ANY & ~_WORD}
_DOT = ANY & ~_set("\n")
_HEX = re.compile(r"x([0-9A-Fa-f]{2})")
_COUNT = re.compile(r"\{([0-9]*)(,?)([0-9]*)\}")


@dataclass(frozen=True, slots=True)
class Item:
    """One set of characters, and how often in a row it may come."""

    characters: int
    least: int = 1
    most: int | None = 1


@dataclass(frozen=True, slots=True)
class Alternative:
    """One side of a `|`: items in a row, perhaps only at the start or the end of the text."""

    items: tuple[Item, ...]
    at_start: bool = False
    at_end: bool = False


class _Anchor:
    """`^` or `$` between the items of an alternative."""

    def __init__(self, sign: str) -> None:
        self.sign = sign


def parse(source: str, position: int = 0) -> tuple[Alternative, ...]:
    """Read a regular expression that stands at `position` of its pattern, reduced to what a search needs."""
    if not source:
        raise PatternError("Write a regular expression between the two %.", position)
    alternatives = [_reduced(items) for items in _Parser(source, position).alternatives()]
    possible = tuple(alternative for alternative in alternatives if alternative)
    if sum(length(alternative) for alternative in possible) > MAX_POSITIONS:
        raise PatternError(
            f"Repeat less in this regular expression: counted out it is longer than {MAX_POSITIONS:,} characters.",
            position,
        )
    return possible


class _Parser:
    def __init__(self, source: str, position: int) -> None:
        self.source = source
        self.position = position
        self.at = 0

    def alternatives(self) -> list[list[Item | _Anchor]]:
        alternatives: list[list[Item | _Anchor]] = [[]]
        while self.at < len(self.source):
            sign = self.source[self.at]
            if sign == "|":
                self.at += 1
                alternatives.append([])
            elif sign in "^$":
                self.at += 1
                alternatives[-1].append(_Anchor(sign))
                if self._next("*+?{"):
                    raise self._error(f"Put the repetition after a character: {sign} cannot be repeated.")
            else:
                characters = self._characters()
                alternatives[-1].append(self._repeated(characters))
        return alternatives

    def _characters(self) -> int:
        sign = self.source[self.at]
        self.at += 1
        if sign == ".":
            return _DOT
        if sign == "[":
            return self._bracketed()
        if sign == "\\":
            return self._escaped()
        if sign in _OPERATORS:
            self.at -= 1
            if sign in "*+?{":
                raise self._error(rf"Put {sign} after what it repeats, or write \{sign} for the character itself.")
            raise self._error(rf"Write \{sign} for the character itself.")
        return self._literal(sign)

    def _literal(self, sign: str) -> int:
        if sign not in _LITERALS:
            self.at -= 1
            code = ord(sign)
            if code < 0x80:
                raise self._error(
                    rf"Write \x{code:02X} for this character: a regular expression cannot hold it as it is."
                )
            raise self._error("Use only ASCII characters in a regular expression.")
        return 1 << ord(sign)

    def _escaped(self) -> int:
        start = self.at
        if start == len(self.source):
            raise self._error(r"Write \\ for a backslash.", start - 1)
        sign = self.source[start]
        self.at += 1
        if sign in _CLASSES:
            return _CLASSES[sign]
        if found := _HEX.match(self.source, start):
            self.at = found.end()
            return 1 << int(found.group(1), 16)
        if sign in _OPERATORS or sign in _SYMBOLS:
            return 1 << ord(sign)
        if sign.isascii() and sign.isalnum():
            raise self._error(
                rf"Escape only operators, or use \d \D \s \S \w \W or \xhh: \{sign} means nothing.", start - 1
            )
        return self._literal(sign)

    def _bracketed(self) -> int:
        opening = self.at - 1
        negated = self._next("^")
        self.at += negated
        characters, first = 0, True
        while True:
            if self.at == len(self.source):
                raise self._error("Close the set of characters with ].", opening)
            if self._next("]") and not first:
                self.at += 1
                return ANY & ~characters if negated else characters
            low, exact = self._member()
            first = False
            if self._next("-") and self.source[self.at + 1 : self.at + 2] not in ("", "]") and exact:
                dash = self.at
                self.at += 1
                high, also_exact = self._member()
                if not also_exact or high < low:
                    raise self._error("Write a range from the lower to the higher character.", dash)
                low = (high << 1) - low
            characters |= low

    def _member(self) -> tuple[int, bool]:
        """Read one member of a set: its characters, and whether it is a single one."""
        sign = self.source[self.at]
        self.at += 1
        if sign == "\\":
            characters = self._escaped()
        elif sign == "[":
            raise self._error(r"Write \[ for the character itself inside a set.", self.at - 1)
        elif sign in _OPERATORS:
            characters = 1 << ord(sign)
        else:
            characters = self._literal(sign)
        return characters, characters.bit_count() == 1

    def _repeated(self, characters: int) -> Item:
        start = self.at
        if self._next("*+?"):
            self.at += 1
            least, most = {"*": (0, None), "+": (1, None), "?": (0, 1)}[self.source[start]]
        elif self._next("{"):
            found = _COUNT.match(self.source, start)
            if not found or not (found.group(1) or found.group(3)):
                raise self._error(r"Write a repetition as {m}, {m,}, {,n} or {m,n}, or \{ for the character itself.")
            self.at = found.end()
            low, comma, high = found.groups()
            least = _count(low)
            most = _count(high) if high else None if comma else least
            if most is not None and most < least:
                raise self._error("Write the smaller number of repetitions first.", start)
        else:
            return Item(characters)
        if self._next("?"):
            self.at += 1
        if self._next("*+?{"):
            raise self._error("Repeat something once: a repetition cannot be repeated.")
        return Item(characters, least, most)

    def _next(self, signs: str) -> bool:
        return self.at < len(self.source) and self.source[self.at] in signs

    def _error(self, sentence: str, at: int | None = None) -> PatternError:
        return PatternError(sentence, self.position + (self.at if at is None else at))


def _count(digits: str) -> int:
    """Read a number of repetitions; a huge one need not be exact to be too much."""
    digits = digits.lstrip("0")
    return int(digits or "0") if len(digits) < 9 else 10**9


def _reduced(parts: Sequence[Item | _Anchor]) -> Alternative | None:
    """Take away what cannot change whether something is found; None if nothing can be."""
    items: list[Item] = []
    at_start = at_end = False
    for part in parts:
        if isinstance(part, Item) and not part.characters:
            if part.least:
                return None
        elif isinstance(part, _Anchor):
            if part.sign == "$":
                at_end = True
            elif any(item.least for item in items):
                return None
            else:
                at_start, items = True, []
        elif not at_end:
            items.append(part)
        elif part.least:
            return None
    if not at_start:
        items = _shortened(items)
    if not at_end:
        items = _shortened(items[::-1])[::-1]
    return Alternative(tuple(item for item in items if item.most != 0), at_start, at_end)


def _shortened(items: Sequence[Item]) -> list[Item]:
    """At an open end the fewest repetitions do: `a*b` is found where `b` is."""
    for at, item in enumerate(items):
        if item.least:
            return [Item(item.characters, item.least, item.least), *items[at + 1 :]]
    return []


def length(alternative: Alternative) -> int:
    """How many characters an alternative asks for, its repetitions counted out."""
    return sum(item.least + 1 if item.most is None else item.most for item in alternative.items)
