"""Pages as plain values: lines of pieces with a role each, some of which lead somewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

import msgspec

from smwatch.tui.text import cells, fit, wrap


class Piece(NamedTuple):
    """Some text and what it is: a role that the sheet has a style for."""

    text: str
    role: str = ""


class Line(msgspec.Struct, frozen=True):
    """One line of a page. Text in it may come from records: it is made harmless where it is drawn."""

    pieces: tuple[Piece, ...] = ()
    target: object = None
    """What choosing the line leads to; None: it can't be chosen."""
    copies: str = ""
    """What copying the line copies, e.g. a command."""

    @property
    def text(self) -> str:
        """The line without roles."""
        return "".join(piece.text for piece in self.pieces)


Page = Callable[[int], Sequence[Line]]
"""A page is a function of the width it is given."""


class Unfinished(list[Line]):
    """What there is of a page whose facts are still being worked out, a little more each time it is written."""


BLANK = Line()
HOTKEYS = "123456789"
"""Keys for the first lines of a list to pick from."""


def line(*pieces: Piece | str, target: object = None, copies: str = "") -> Line:
    """One line of pieces; a bare string has no role."""
    return Line(tuple(Piece(piece) if isinstance(piece, str) else piece for piece in pieces), target, copies)


def heading(title: str, note: str = "") -> list[Line]:
    """A blank line and the title of a section, with a quiet remark beside it."""
    pieces = [Piece(title.upper(), "heading")]
    if note:
        pieces.append(Piece(f"  {note}", "quiet"))
    return [BLANK, Line(tuple(pieces))]


def paragraph(text: str, width: int, role: str = "", indent: int = 0) -> list[Line]:
    """Running text, broken into lines."""
    return [line(Piece(" " * indent + part, role)) for part in wrap(text, width - indent)]


def fields(
    pairs: Iterable[tuple[str, str, str] | tuple[str, str, str, object]], width: int, label_width: int = 12
) -> list[Line]:
    """Lines from (label, value, role), perhaps with what the line leads to; a long value goes on in its own column.

    Empty values are left out.
    """
    lines: list[Line] = []
    for label, value, role, *targets in pairs:
        if not value:
            continue
        first, *rest = wrap(value, max(8, width - label_width))
        target = targets[0] if targets else None
        lines.append(line(Piece(fit(label, label_width), "label"), Piece(first, role), target=target))
        lines += [line(" " * label_width, Piece(part, role)) for part in rest]
    return lines


def command(text: str, width: int) -> list[Line]:
    """A command to run, in full, whatever number of lines that takes; copying any of them copies all of it."""
    role = "quiet" if text.lstrip().startswith("#") else "command"
    return [line("  ", Piece(part, role), copies=text) for part in wrap(text, max(8, width - 2))]


def spread(left: Sequence[Piece], right: Sequence[Piece], width: int, target: object = None) -> Line:
    """Pieces at both ends of a line; the left ones give way."""
    room = max(0, width - sum(cells(piece.text) for piece in right) - (1 if right else 0))
    kept: list[Piece] = []
    for piece in left:
        size = cells(piece.text)
        if size > room:
            if room:
                kept.append(Piece(fit(piece.text, room), piece.role))
            room = 0
            break
        kept.append(piece)
        room -= size
    gap = " " * (room + (1 if right else 0))
    return Line((*kept, Piece(gap), *right), target)


def hint_pieces(hints: Iterable[tuple[str, str]]) -> list[Piece]:
    """Keys and their words, for the last line of a screen."""
    return [piece for key, word in hints for piece in (Piece(f" {key}", "key"), Piece(f" {word} ", "quiet"))]


BARS = "▁▂▃▄▅▆▇█"


def sparkline(counts: Sequence[int], width: int) -> str:
    """Counts as bars of eighths, the newest `width` of them; a space for none at all, so that one is seen."""
    counts = counts[-width:] if width > 0 else ()
    top = max(counts, default=0)
    return "".join(BARS[min(7, (count * 8 - 1) // top)] if count else " " for count in counts)
