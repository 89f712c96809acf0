"""A vertical scrollbar that stands beside what it scrolls and is drawn only when it looks different."""

from __future__ import annotations

from typing import ClassVar, NamedTuple

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from smwatch.tui.lines import BARS
from smwatch.tui.widgets.direct import Direct


class Place(NamedTuple):
    """Which part of how much is in sight, in lines."""

    first: int = 0
    seen: int = 0
    total: int = 0


class Bar(Direct):
    """The scrollbar.

    Textual's own lies over the widget it belongs to, which cuts every line there in two; and it is drawn anew, all of
    it, for each scrolled line: three quarters of the cost of scrolling a screen by a line. Serves "scroll" and "page".
    """

    DEFAULT_CSS = """
    Bar {
        width: 1; height: 1fr; background: $background;
        .bar--thumb { color: $primary 40%; }
        .bar--held { color: $primary; }
        &:ansi .bar--thumb { color: ansi_blue; }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {"bar--thumb", "bar--held"}

    class Pulled(Message):
        """The reader wants another line at the top."""

        def __init__(self, first: int) -> None:
            self.first = first
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """Only the last place matters."""
            return isinstance(message, Bar.Pulled)

    def __init__(self) -> None:
        super().__init__()
        self.place = Place()
        self._held: tuple[int, int] | None = None
        """While the thumb is held: where the mouse took it, and the first line then."""
        self._drawn = 0, 0
        """Where the thumb is in the frame that is being drawn."""
        self._cells: dict[tuple[str, bool, bool], Strip] = {}
        """By what is drawn, in which look, and whether that is turned round: of a screen of them few differ."""

    def put(self, place: Place) -> None:
        """Show another place."""
        before, self.place = self._thumb, place
        if before != self._thumb:
            self.refresh()

    @property
    def _thumb(self) -> tuple[int, int]:
        """Start and length of the thumb in eighths of a cell; no length when everything is in sight."""
        first, seen, total = self.place
        height = self.size.height * 8
        if not 0 < seen < total:
            return 0, 0
        length = max(8, seen * height // total)
        return (height - length) * first // (total - seen), length

    def render_lines(self, crop: Region) -> list[Strip]:
        """The cells inside `crop`: the thumb is in one place for all of them. Serves "scroll" and "page"."""
        self._drawn = self._thumb
        return super().render_lines(crop)

    def render_line(self, y: int) -> Strip:
        """One cell."""
        start, length = self._drawn
        top, end = max(0, start - y * 8), min(8, start + length - y * 8)
        if not length or top >= 8 or end <= 0:
            return self._cell(" ")
        if top > 0:  # the thumb begins inside: its part is the lower one
            return self._cell(BARS[7 - top])
        if end < 8:  # it ends inside: its part is the upper one, drawn as what is left below
            return self._cell(BARS[7 - end], reverse=True)
        return self._cell(BARS[7])

    def _cell(self, text: str, *, reverse: bool = False) -> Strip:
        drawn = text, self._held is not None, reverse
        if drawn not in self._cells:
            thumb = self.get_component_rich_style("bar--held" if self._held else "bar--thumb")
            look = self.rich_style if text == " " else thumb + Style(reverse=True) if reverse else thumb
            self._cells[drawn] = Strip([Segment(text, look)], 1)
        return self._cells[drawn]

    def notify_style_update(self) -> None:
        """Forget what was drawn in the colours of another theme."""
        super().notify_style_update()
        self._cells.clear()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        """Take the thumb, or go a screenful towards the mouse."""
        event.stop()
        start, length = self._thumb
        first, seen, _ = self.place
        if start // 8 <= event.y <= (start + length) // 8:
            self._held = (event.screen_y, first)
            self.capture_mouse()
            self.refresh()
        else:
            self.post_message(self.Pulled(first - seen if event.y * 8 < start else first + seen))

    def on_mouse_move(self, event: events.MouseMove) -> None:
        """Pull the thumb."""
        if self._held is not None:
            event.stop()
            at, first = self._held
            lines = (event.screen_y - at) * self.place.total // max(1, self.size.height)
            self.post_message(self.Pulled(max(0, first + lines)))

    def on_mouse_up(self, event: events.MouseUp) -> None:
        """Let the thumb go."""
        if self._held is not None:
            event.stop()
            self._held = None
            self.release_mouse()
            self.refresh()
