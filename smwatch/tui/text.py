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
    return "".join(_without_piles(harmless(text)))


def cells(text: str) -> int:
    """How many cells the text takes when it is drawn."""
    return len(text) if text.isascii() else cell_len(visible(text))


def _without_piles(text: str) -> Iterator[str]:
    marks = 0
    for char in text:
        if get_character_cell_size(char) and unicodedata.category(char) not in ("Mn", "Me"):
            marks = 0
            yield char
        else:
            marks += 1
            # Variation selectors change the width of their character on some terminals and not on others.
            if marks <= MARKS and not 0xFE00 <= ord(char) <= 0xFE0F:
                yield char


def fit(text: str, width: int) -> str:
    """Exactly `width` cells of harmless text: padded, or cut with an ellipsis."""
    if text.isascii() and text.isprintable():  # nearly always: one character is one cell
        if len(text) <= width:
            return text.ljust(width)
        return text[: width - 1] + ELLIPSIS if width > 0 else ""
    text = visible(text)
    if cell_len(text) <= width:
        return set_cell_size(text, width)
    return set_cell_size(text, width - 1) + ELLIPSIS if width > 0 else ""


def fit_middle(text: str, width: int) -> str:
    """Like `fit`, but the middle is cut away: paths differ at their end, and belong together by their start."""
    text = visible(text)
    if cells(text) <= width or width < 8:
        return fit(text, width)
    end = (width - 1) * 3 // 5
    tail = text[-end:]
    while cells(tail) > end:
        tail = tail[1:]
    head = set_cell_size(text, width - 1 - cells(tail))
    return fit(head + ELLIPSIS + tail, width)


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
