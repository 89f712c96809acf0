"""Widgets whose lines go to the screen as they are drawn."""

from __future__ import annotations

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region, Spacing
from textual.strip import Strip

from smwatch.tui.strips import LeanStrip
from smwatch.tui.widgets.looks import NO_EDGE, Looks

LEFT_EDGE = Spacing(0, 0, 0, 1)
EDGES = {"vkey": "▏", "outer": "▌"}
"""Borders that may stand at the left of a widget, as Textual draws them."""


class Direct(Looks):
    """A widget whose lines need none of the general path's look at them while all that it has around is a left border.

    Serves "cpu-…", as what counts and rates is painted as often as the stream, and "opened": a page of 80 lines is
    painted in a fraction of the time.
    """

    ALLOW_SELECT = False
    _edge: Segment | None = None
    """Its left border, once it has been drawn."""

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines inside `crop`."""
        around = self.surroundings()
        edged = around == LEFT_EDGE and self.styles.border_left[0] in EDGES
        if around is None or (around != NO_EDGE and not edged):
            return super().render_lines(crop)
        strips = [self.render_line(y) for y in crop.line_range]
        start, end = crop.column_span
        if edged and start == 1:  # lines that have changed are asked for without it: nothing is to be cut off again
            start, end = start - 1, end - 1
        elif edged:
            edge = self._left_edge()
            strips = [LeanStrip([edge, *strip], 1 + strip.cell_length) for strip in strips]
        if filters := self.drawn_filters():
            background = self.background_colors[1]
            for line_filter in filters:
                strips = [strip.apply_filter(line_filter, background) for strip in strips]
        return [strip if (start, end) == (0, strip.cell_length) else strip.crop(start, end) for strip in strips]

    def _left_edge(self) -> Segment:
        if self._edge is None:
            below, own = self.background_colors
            kind, color = self.styles.border_left
            style = Style.from_color((below + color).rich_color, (below + own).rich_color)
            self._edge = Segment(EDGES[kind], style)
        return self._edge

    def notify_style_update(self) -> None:
        """Forget the border of another theme, or of when the focus was elsewhere."""
        super().notify_style_update()
        self._edge = None
