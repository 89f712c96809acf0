"""Signs for terminals that have none but ASCII: whatever is drawn goes through one filter, cell for cell."""

from __future__ import annotations

import unicodedata
from collections.abc import Mapping
from functools import lru_cache

from rich.cells import cell_len, get_character_cell_size
from rich.segment import Segment
from textual.color import Color
from textual.filter import LineFilter

PLAIN = {
    "▲": "!",
    "△": "*",
    "▵": "'",
    "✗": "x",
    "•": "w",
    "●": "*",
    "○": "o",
    "◐": "%",
    "■": "#",
    "◆": "m",
    "›": ">",
    "‖": "=",
    "↑": "^",
    "↓": "v",
    "▼": "v",
    "←": "<",
    "→": ">",
    "…": "~",
    "×": "x",
    "·": "-",
    "−": "-",
    "–": "-",
    "—": "-",
    "“": '"',
    "”": '"',
    "‘": "'",
    "’": "'",
    "▪": "=",
    "✓": "+",
    "⭘": "o",
    "\u202f": " ",  # in times as some locales write them
    "␡": "?",  # stands for what can't be shown
    "�": "?",
    "🔎": ">>",
    # Bars of eighths: the height still reads as more and less.
    "▁": "_",
    "▂": ".",
    "▃": ":",
    "▄": "-",
    "▅": "=",
    "▆": "+",
    "▇": "*",
    "█": "#",
    "▀": '"',
    "▌": "|",
    "▐": "|",
    "▏": "|",
    "▕": "|",
    "▎": "|",
    "▊": "|",
    "▔": "-",
}
"""Each sign of the screen as ASCII in as many cells."""
POOR = frozenset({"linux", "dumb", "vt52", "vt100", "vt102", "vt220", "ansi", "cons25"})
"""Terminals (TERM) whose fonts have hardly more than ASCII and lines."""


def only_ascii(environ: Mapping[str, str]) -> bool:
    """Whether the terminal is known to show nothing but ASCII, by its name or by a locale that says so.

    A locale that nobody has set says nothing: most terminals without one can do more. Python itself sets LC_CTYPE to
    C.UTF-8 where the locale is C (PEP 538), so that one is no word of the user's.
    """
    if environ.get("TERM", "") in POOR:
        return True
    coerced = environ.get("LC_CTYPE", "") in ("C.UTF-8", "C.utf8", "UTF-8")
    names = ("LC_ALL", "LANG") if coerced else ("LC_ALL", "LC_CTYPE", "LANG")
    locale = next((value for name in names if (value := environ.get(name, ""))), "")
    return bool(locale) and "utf" not in locale.lower()


def chosen(setting: str, environ: Mapping[str, str]) -> bool:
    """Whether to draw with ASCII alone: "ascii", "unicode", or "auto" for what the terminal seems to be able to."""
    return only_ascii(environ) if setting == "auto" else setting == "ascii"


class AsciiFilter(LineFilter):
    """Draws everything with ASCII, every character in the cells it had; what has no likeness is a question mark."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        """The same segments in ASCII."""
        del background
        return [
            segment if segment.control or segment.text.isascii() else Segment(plain(segment.text), segment.style)
            for segment in segments
        ]


@lru_cache(4096)
def plain(text: str) -> str:
    """The text in ASCII, exactly as many cells wide."""
    drawn, width = "".join(map(_plain, text)), cell_len(text)
    return drawn[:width].ljust(width)


def _plain(character: str) -> str:
    if character.isascii():
        return character
    if (known := PLAIN.get(character)) is not None:
        return known
    code = ord(character)
    if 0x2500 <= code < 0x2580:  # lines: what their names say of their direction
        name = unicodedata.name(character)
        upright, level = "VERTICAL" in name, "HORIZONTAL" in name
        return "|" if upright and not level else "-" if level and not upright else "+"
    if 0x2580 <= code < 0x25A0:
        return "#"
    return "?" * get_character_cell_size(character)
