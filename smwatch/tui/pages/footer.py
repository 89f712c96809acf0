"""The last line: how the stream stands, what is filtered, and the keys that help now."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from smwatch.amount import amount
from smwatch.tui.lines import Piece
from smwatch.tui.text import cells, fit, visible


class Standing(msgspec.Struct, frozen=True):
    """What the last line says of the stream."""

    query: str = ""
    shown: int = 0
    total: int = 0
    dropped: int = 0
    following: bool = True
    unseen: int = 0
    newest_first: bool = True
    busy: bool = False
    """A filter is still being applied."""
    in_context: bool = False
    """What the filter leaves out is shown too, dim."""
    alarmed: bool = False
    """There are open alarms to go to."""
    said: str = ""
    """What just happened, in place of the keys for a moment."""


def footer_row(standing: Standing, keys: Sequence[tuple[str, str, str]], width: int) -> list[Piece]:
    """One line of at most `width` cells; keys are (key, word, action), the first ones stay longest."""
    left = _pace(standing) + _count(standing)
    if standing.dropped and width >= 100:
        left.append(Piece(f"  {standing.dropped:,} older dropped", "quiet"))
    room = width - _size(left)
    if standing.query:
        least = 14 if width < 80 else 30
        words = visible(standing.query)
        told = fit(words, max(least, min(cells(words), room - 34))).rstrip() if cells(words) + 34 > room else words
        left += [Piece("   / ", "key@screen.filter"), Piece(told, "strong@screen.filter")]
    for fewer in (_pace(standing), []):  # what has just happened is worth the room for a moment
        if standing.said and _size(left) + cells(standing.said) + 3 > width:
            left = fewer
    room = width - _size(left) - 3
    right: list[Piece] = []
    if standing.said:
        right = [Piece(fit(standing.said, max(0, room)).rstrip() if room > 0 else "", "warn")]
    else:
        for key, word, action in keys:
            room -= cells(key) + cells(word) + 3
            if room < 0:
                break
            right += [Piece(f"  {key}", f"key@{action}"), Piece(f" {word}", f"quiet@{action}")]
    return [*left, Piece(" " * max(1, width - _size(left) - _size(right) - 1)), *right]


def _pace(standing: Standing) -> list[Piece]:
    if standing.following:
        return [Piece(" ● following ", "good@screen.follow")]
    pieces = [Piece(" ‖ paused ", "warn@screen.follow")]
    if standing.unseen:
        arrow = "↑" if standing.newest_first else "▼"
        pieces.append(Piece(f" {arrow} {standing.unseen:,} new ", "news@screen.follow"))
    return pieces


def _count(standing: Standing) -> list[Piece]:
    newest = "newest " if standing.dropped else ""
    if not standing.query:
        return [Piece(f"  {newest}{amount(standing.total, 'events')}", "")]
    count = f"  {standing.shown:,} of {newest}{standing.total:,}"
    aside = " so far" if standing.busy else " bright" if standing.in_context else ""
    return [Piece(count, "strong"), Piece(aside, "quiet")]


def _size(pieces: Sequence[Piece]) -> int:
    return sum(cells(piece.text) for piece in pieces)
