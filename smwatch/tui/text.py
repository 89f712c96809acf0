"""The one door between recorded text and the terminal: whatever a record says, it leaves as harmless visible cells."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from functools import lru_cache

from rich.cells import cell_len, chop_cells, get_character_cell_size, set_cell_size

from smwatch.visible import MARKS
from smwatch.visible import visible as harmless

ELLIPSIS = "…"


def visible(text: str) -> str:
    """The text as it may go to a terminal: what could act there is visible instead, no character is piled on another.

    Ordinary text is returned as it is, at once.
    """
    if text.isascii() and text.isprintable():
        return text
    return _shown(text)


@lru_cache(4096)
def _shown(text: str) -> str:
    text = harmless(text)
    return text if all(map(_alone, text)) else "".join(_without_piles(text))


def cells(text: str) -> int:
    """How many cells the text takes when it is drawn."""
    return len(text) if text.isascii() else cell_len(visible(text))


def _without_piles(text: str) -> Iterator[str]:
    marks = 0
    for char in text:
        if _alone(char):
            marks = 0
            yield char
        else:
            marks += 1
            # Variation selectors change the width of their character on some terminals and not on others.
            if marks <= MARKS and not 0xFE00 <= ord(char) <= 0xFE0F:
                yield char


@lru_cache(8192)
def _alone(char: str) -> bool:
    """Whether it has cells of its own, and lies on no other."""
    return get_character_cell_size(char) > 0 and unicodedata.category(char) not in ("Mn", "Me")


def fit(text: str, width: int) -> str:
    """Exactly `width` cells of harmless text: padded, or cut with an ellipsis."""
    if text.isascii() and text.isprintable():  # nearly always: one character is one cell
        if len(text) <= width:
            return text.ljust(width)
        return text[: width - 1] + ELLIPSIS if width > 0 else ""
    return _fitted(visible(text), width)


def _fitted(shown: str, width: int) -> str:
    """The same of a text that is harmless."""
    taken = cell_len(shown)
    if width <= 0:
        return ""
    return shown + " " * (width - taken) if taken <= width else set_cell_size(shown, width - 1) + ELLIPSIS


def fit_middle(text: str, width: int) -> str:
    """Like `fit`, but the middle is cut away: paths differ at their end, and belong together by their start."""
    text = visible(text)
    if cell_len(text) <= width or width < 8:
        return _fitted(text, width)
    end = (width - 1) * 3 // 5
    tail = text[-end:]
    while (over := cell_len(tail) - end) > 0:
        tail = tail[(over + 1) // 2 :]  # no character takes more than two cells
    head = set_cell_size(text, width - 1 - cell_len(tail))
    return _fitted(head + ELLIPSIS + tail, width)


def wrap(text: str, width: int) -> list[str]:
    """The text in lines of at most `width` cells, broken at spaces where there are some; at least one line."""
    width = max(1, width)
    lines: list[str] = []
    line = ""
    for word in visible(text).split(" "):
        candidate = f"{line} {word}" if line else word
        if cell_len(candidate) <= width:
            line = candidate
            continue
        if line:
            lines.append(line)
        *full, line = chop_cells(word, width) or [""]
        lines += full
    return [*lines, line]
