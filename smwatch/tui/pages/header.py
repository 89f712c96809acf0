"""The first lines: what is watched, how the sources are doing, what time it is, and what is wrong."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from smwatch.sources.source import Status
from smwatch.tui.health import summary, troubles
from smwatch.tui.lines import Piece, spread
from smwatch.tui.text import cells, fit
from smwatch.tui.times import Zone, moment

TROUBLES = 2
"""Sentences on sources in trouble; the screen of the sources has all."""
TITLED = 90
"""Columns from which there is room for what is watched."""


def header_rows(
    title: str,
    statuses: Sequence[Status],
    now: datetime,
    zone: Zone,
    width: int,
    again: str = "",
    whole: str = "",
    *,
    recorded_to: datetime | None = None,
) -> list[Sequence[Piece]]:
    """One line, and one more for each source in trouble.

    `again` is the key that asks the sources again, `whole` the one that shows what has no room here. In place of the
    clock stands up to when a recording goes, where the rest of the screen counts back from there.
    """
    told = f"{moment(recorded_to or now, zone.absolute, now)} {zone.absolute.title()} "
    if recorded_to is not None:
        told = f"{'recording up to' if width >= TITLED else 'up to'} {told}"
    clock = [Piece(told, "strong")]
    head = [Piece(" smwatch ", "strong")]
    if title and width >= TITLED:
        head.append(Piece(f" {title} ", "quiet"))
    room = width - sum(cells(piece.text) for piece in (*clock, *head)) - 3
    sources = [Piece(each.text, f"{each.role}@screen.sources") for each in summary(statuses, now, zone, room)]
    rows: list[Sequence[Piece]] = [spread([*head, Piece("  "), *sources], clock, width).pieces]
    for sentence, role in troubles(statuses, now, zone, again)[:TROUBLES]:
        rows.append(_trouble(f"   {sentence}", role, width, whole))
    return rows


def _trouble(sentence: str, role: str, width: int, whole: str) -> list[Piece]:
    """A sentence that fits, or its beginning and the key to its end: that is where the next step is."""
    if cells(sentence) <= width or not whole:
        return [Piece(sentence, f"{role}@screen.sources")]
    key, says = f"  {whole}", " says all "
    return [
        Piece(fit(sentence, width - cells(key) - cells(says)), f"{role}@screen.sources"),
        Piece(key, "key@screen.sources"),
        Piece(says, "quiet@screen.sources"),
    ]
