"""The one door through which text from records goes to a terminal: what could act there is made visible instead."""

from __future__ import annotations

import struct
import unicodedata
from collections.abc import Callable

_CONTROL_PICTURES = 0x2400
_HARMFUL = {"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"}
"""Unicode categories that move, hide or reorder text: controls, bidi and zero width, surrogates, line separators."""
_UNSEEN = {
    *(0x034F, 0x115F, 0x1160, 0x17B4, 0x17B5, 0x3164, 0xFFA0),
    *(*range(0x180B, 0x1810), *range(0xFE00, 0xFE0E), *range(0xE0100, 0xE01F0)),
}
"""Letters and marks that are drawn as nothing (Default_Ignorable_Code_Point of Unicode's DerivedCoreProperties): two
names that differ by one look the same. The two selectors that choose how an emoji looks are none of them."""
MARKS = 3
"""Zero-width marks kept on one character: more are a way to paint over the neighbouring lines."""
_KEPT = 10_000
"""Characters remembered by a table: there are a hundred times as many."""


class _Table(dict[int, str]):
    """What to write for a character, worked out when it is first met."""

    def __init__(self, write: Callable[[str], str]) -> None:
        self._write = write

    def __missing__(self, code: int) -> str:
        written = self._write(chr(code))
        if len(self) < _KEPT:
            self[code] = written
        return written


def _harmful(char: str) -> bool:
    return unicodedata.category(char) in _HARMFUL or ord(char) in _UNSEEN


def _drawn(char: str) -> str:
    if char < " ":
        return chr(_CONTROL_PICTURES + ord(char))
    if char == "\x7f":
        return "\N{SYMBOL FOR DELETE}"
    return "\N{REPLACEMENT CHARACTER}" if _harmful(char) else char


def _escaped(char: str) -> str:
    if char <= " " or not _harmful(char):  # controls up to the space only stand between tokens
        return char
    units = char.encode("utf-16-le", "surrogatepass")
    return "".join(f"\\u{unit:04x}" for (unit,) in struct.iter_unpack("<H", units))


_visible, _harmless_json = _Table(_drawn), _Table(_escaped)


def visible(text: str) -> str:
    """The text with control, escape, bidi and invisible characters replaced by a visible one each; same length."""
    return text if _plain(text) else text.translate(_visible)


def unpiled(text: str) -> str:
    """The text with at most MARKS combining marks on one character."""
    if text.isascii():
        return text
    kept, marks = [], 0
    for char in text:
        marks = marks + 1 if unicodedata.category(char) in ("Mn", "Me") else 0
        if marks <= MARKS:
            kept.append(char)
    return "".join(kept)


def harmless_json(text: str) -> str:
    """The same JSON with control, escape, bidi and invisible characters escaped: it may go to a terminal as it is."""
    return text if _plain(text) else text.translate(_harmless_json)


def _plain(text: str) -> bool:
    """Nearly always, and known at once."""
    return text.isascii() and text.isprintable()
