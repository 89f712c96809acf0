"""Lines that go to the terminal as they are."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.cache import FIFOCache
from textual.strip import Strip


class LeanStrip(Strip):
    """A strip that makes each of its caches when something is to be kept there, which is seldom: it is written whole.

    Textual's makes eight for each line, which take longer than the line does, and most of its memory. Serves
    "cpu-…".
    """

    __slots__ = ()

    def __init__(self, segments: list[Segment], cell_length: int) -> None:
        self._segments = segments
        self._cell_length = cell_length
        self._render_cache = self._link_ids = self._cell_count = None

    def __getattr__(self, name: str) -> FIFOCache[object, object]:
        """A cache that is not there yet."""
        if not name.endswith("_cache"):
            raise AttributeError(name)
        cache = FIFOCache[object, object](4)
        setattr(self, name, cache)
        return cache


def filled(segments: list[Segment], taken: int, width: int, style: Style) -> Strip:
    """A line of `width` cells: segments that have `taken` of them already, and blanks in a style; too many are cut."""
    if taken < width:
        segments.append(Segment(" " * (width - taken), style))
        taken = width
    strip = LeanStrip(segments, taken)
    return strip if taken == width else strip.adjust_cell_length(width, style)
