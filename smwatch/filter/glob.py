"""Globs without regard to case: `*` is any text, `?` any one character, everything else itself."""

from __future__ import annotations

import re
from collections.abc import Callable

_WILD = re.compile(r"[*?]")


class Glob:
    """A glob that has to fit the whole of a text; takes time in proportion to the text, however hostile the glob."""

    __slots__ = ("_first", "_last", "_middle", "_shortest", "core", "fits", "literal", "text")

    def __init__(self, text: str, *, literal: bool = False) -> None:
        """`literal` says that `*` and `?` stand for themselves."""
        self.text = text
        self.literal = literal or not ("*" in text or "?" in text)
        parts = [text.lower()] if self.literal else text.lower().split("*")
        segments = [_Segment(part, literal) for part in parts]
        self._shortest = sum(segment.length for segment in segments)
        self._first = segments[0]
        self._last = segments[-1] if len(segments) > 1 else None
        self._middle = [segment for segment in segments[1:-1] if segment.length]
        self.core = max((self.text.lower(),) if self.literal else _WILD.split(text.lower()), key=len)
        """A run of characters, in lower case, of whatever it fits."""
        self.fits = self._quickest()
        """Whether the glob fits a text."""

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Glob) and self._key() == other._key()

    def __hash__(self) -> int:
        return hash(self._key())

    def __repr__(self) -> str:
        return f"Glob({self.text!r}, literal={self.literal})"

    def __call__(self, text: str) -> bool:
        """Whether the glob fits."""
        return self.fits(text)

    def _quickest(self) -> Callable[[str], bool]:
        """The quickest way to ask: nearly all globs are a word, with a star behind it or on both sides."""
        small, core = self.text.lower(), self.core
        if self.literal:
            return lambda text: text.lower() == small
        if small == f"{core}*":
            return lambda text: text.lower().startswith(core)
        if small == f"*{core}*":
            return lambda text: core in text.lower()
        return self._fits

    def _fits(self, text: str) -> bool:
        text = text.lower()
        if len(text) < self._shortest or not self._first.at(text, 0):
            return False
        if self._last is None:
            return len(text) == self._shortest
        end = len(text) - self._last.length
        if not self._last.at(text, end):
            return False
        # Each part as early as it can be: that leaves the most room for those after it, so nothing is tried twice.
        position = self._first.length
        for segment in self._middle:
            position = segment.find(text, position, end)
            if position < 0:
                return False
            position += segment.length
        return True

    def within(self, other: Glob) -> bool:
        """Whether everything this fits is known to be fitted by `other` too."""
        if self == other:
            return True
        if self.literal:
            return other(self.text)
        if other.literal:
            return False
        runs = _WILD.split(self.text.lower())
        start, *rest = _WILD.split(other.text.lower())
        if other.text.lower() == f"{start}*":
            return runs[0].startswith(start)
        if len(rest) == 2 and other.text.lower() == f"*{rest[0]}*":
            return any(rest[0] in run for run in runs)
        return False

    def _key(self) -> tuple[str, bool]:
        return self.text.lower(), self.literal


class _Segment:
    """What stands between two stars."""

    __slots__ = ("_regex", "length", "text")

    def __init__(self, text: str, literal: bool) -> None:
        self.text = text
        self.length = len(text)
        pattern = "".join("." if character == "?" else re.escape(character) for character in text)
        self._regex = re.compile(pattern, re.DOTALL) if "?" in text and not literal else None

    def at(self, text: str, position: int) -> bool:
        if self._regex is None:
            return text.startswith(self.text, position)
        return self._regex.match(text, position) is not None

    def find(self, text: str, start: int, end: int) -> int:
        if self._regex is None:
            return text.find(self.text, start, end)
        found = self._regex.search(text, start, end)
        return found.start() if found else -1
