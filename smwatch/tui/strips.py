"""Lines that go to the terminal as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import ColorSystem
from rich.segment import Segment
from rich.style import Style
from textual.cache import FIFOCache
from textual.strip import Strip

if TYPE_CHECKING:
    from rich.console import Console


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

    def render(self, console: Console) -> str:
        """What is written to the terminal: as Textual has it, but each style is told only once what it is written as.

        Textual looks that up again and again for a style that is equal to another one. Serves "page", "added-…" and
        "cpu-…".
        """
        if self._render_cache is None:
            system = console._color_system or ColorSystem.TRUECOLOR
            written = list[str]()
            for text, style, _ in self._segments:
                if style is None:
                    written.append(text)
                    continue
                codes = style._ansi
                if codes is None:
                    codes = style._ansi = self.render_ansi(style, system)
                if style._link:
                    written.append(self.render_style(style, text, color_system=system))
                else:
                    written.append(f"\x1b[{codes}m{text}\x1b[0m" if codes else text)
            self._render_cache = "".join(written)
        return self._render_cache

    def __getattr__(self, name: str) -> FIFOCache[object, object]:
        """A cache that is not there yet."""
        if not name.endswith("_cache"):
            raise AttributeError(name)
        cache: FIFOCache[object, object] = FIFOCache(4)  # what is written with its types takes twice as long
        setattr(self, name, cache)
        return cache


def filled(segments: list[Segment], taken: int, width: int, style: Style) -> Strip:
    """A line of `width` cells: segments that have `taken` of them already, and blanks in a style; too many are cut."""
    if taken < width:
        segments.append(Segment(" " * (width - taken), style))
        taken = width
    strip = LeanStrip(segments, taken)
    return strip if taken == width else strip.adjust_cell_length(width, style)
