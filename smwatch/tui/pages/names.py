"""The event names to pick from, with their counts."""

from __future__ import annotations

from collections.abc import Collection, Mapping

import msgspec

from smwatch.tui.lines import HOTKEYS, Line, Piece, line
from smwatch.tui.text import fit


class ToName(msgspec.Struct, frozen=True):
    """An event name to pick."""

    name: str


def ranked(counts: Mapping[str, int]) -> list[tuple[str, int]]:
    """Names that occur, most frequent first."""
    return sorted(((name, count) for name, count in counts.items() if count > 0), key=lambda each: (-each[1], each[0]))


def names_page(counts: Mapping[str, int], ticked: Collection[str], width: int) -> list[Line]:
    """One line a name: its key, its tick, its count and that as a bar."""
    names = ranked(counts)
    if not names:
        return [line(Piece("No events yet.", "quiet"))]
    most = names[0][1]
    bar = max(0, min(16, width - 46))
    lines = []
    for i, (name, count) in enumerate(names):
        key = HOTKEYS[i] if i < len(HOTKEYS) else " "
        share = "▪" * max(1, round(count * bar / most)) if bar else ""
        lines.append(
            line(
                Piece(f"{key} ", "key"),
                Piece("[x] " if name in ticked else "[ ] ", "strong" if name in ticked else "quiet"),
                Piece(fit(name, max(10, width - 16 - bar))),
                Piece(f"{count:>9,} "),
                Piece(share, "spark"),
                target=ToName(name),
            )
        )
    return lines
