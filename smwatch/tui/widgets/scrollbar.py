"""The vertical scrollbar, drawn only when it would look different."""

from __future__ import annotations

from collections.abc import Sequence
from math import ceil

from textual.color import Color
from textual.geometry import Region
from textual.scrollbar import ScrollBar
from textual.strip import Strip
from textual.widget import Widget

_Look = tuple[int, int, int, float, Color, Color]


class FastScrollBar(ScrollBar):
    """Textual's scrollbar without Rich.

    Textual draws all of the bar anew for every scrolled line, which is three quarters of the cost of scrolling a whole
    screen by a line (serves "scroll by one line" of the benchmark table).
    """

    _look: _Look | None = None
    _bar: Sequence[Strip] = ()

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines of the bar inside `crop`."""
        parent = self.parent
        assert isinstance(parent, Widget)
        (width, height), window, virtual = self.size, self.window_size, self.window_virtual_size
        start, size = 0, 0.0
        if 0 < window < virtual:
            size = max(1, window * height / virtual)
            start = int((height - size) * self.position / (virtual - window) * 8)  # eighths of a cell, as it is drawn
        styles = parent.styles
        back, color = styles.scrollbar_background, styles.scrollbar_color
        if self.grabbed:
            back, color = styles.scrollbar_background_active, styles.scrollbar_color_active
        elif self.mouse_over:
            back, color = styles.scrollbar_background_hover, styles.scrollbar_color_hover
        look = (width, height, start, size, back, color)
        if look != self._look:
            self._look = look
            self._bar = self._draw(back, color)
        return list(self._bar[crop.y : crop.bottom])

    def notify_style_update(self) -> None:
        """Draw anew after a change of theme."""
        super().notify_style_update()
        self._look = None

    def _draw(self, back: Color, color: Color) -> list[Strip]:
        parent = self.parent
        assert isinstance(parent, Widget)
        if back.a < 1:
            back = parent.background_colors[0] + back
        window, virtual = self.window_size, self.window_virtual_size
        segments = self.renderer.render_bar(
            size=self.size.height,
            virtual_size=ceil(virtual),
            window_size=ceil(window) if window < virtual else 0,
            position=self.position,
            thickness=self.size.width,
            vertical=True,
            back_color=back.rich_color,
            bar_color=(back + color).rich_color,
        ).segments
        made: dict[int, Strip] = {}  # most lines are the same Segment object
        bar = [
            made.get(id(segment)) or made.setdefault(id(segment), Strip([segment], self.size.width))
            for segment in segments
        ]
        for line_filter in self.get_line_filters():
            bar = [strip.apply_filter(line_filter, back) for strip in bar]
        return bar
