"""The heading over the stream: the names of its columns, where the columns are."""

from __future__ import annotations

from rich.segment import Segment
from textual.strip import Strip
from textual.widget import Widget

from smwatch.tui.columns import Placed
from smwatch.tui.text import fit


class StreamHeading(Widget):
    """The names of the columns."""

    ALLOW_SELECT = False
    DEFAULT_CSS = """
    StreamHeading { height: 1; background: $background; color: $text-muted; }
    """

    def __init__(self) -> None:
        super().__init__()
        self._placed: tuple[Placed, ...] = ()

    def put(self, placed: tuple[Placed, ...]) -> None:
        """Draw the names of these columns."""
        self._placed = placed
        self.refresh()

    def render_line(self, y: int) -> Strip:
        """The only line."""
        del y
        text = " ".join(fit(title, width) for _, title, width in self._placed)
        return Strip([Segment(text, self.rich_style)]).adjust_cell_length(self.size.width, self.rich_style)
