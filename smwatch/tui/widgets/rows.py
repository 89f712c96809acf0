"""Events, a line each, drawn straight from a view of the store, however many rows it has."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from itertools import zip_longest
from typing import ClassVar

from rich.segment import Segment
from rich.style import Style
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip

from smwatch.events.event import Event
from smwatch.store.view import View
from smwatch.tui import columns
from smwatch.tui.columns import ROLES, Placed, lay_out
from smwatch.tui.lines import Line, Page
from smwatch.tui.strips import LeanStrip
from smwatch.tui.text import fit, visible
from smwatch.tui.times import Zone
from smwatch.tui.widgets.looks import NO_EDGE, Looks
from smwatch.tui.widgets.scrollbar import Place
from smwatch.tui.window import Window

CACHED_STRIPS = 512
"""Some screens full; a strip with its caches is nearly 2 kB."""
MARGIN = 4
"""Cells that what an empty stream says leaves free, on both sides together."""
_LEVELS = {"alarm": "▲", "warning": "△", "": " "}


class EventRows(Looks):
    """What is in sight of a view, newest first or last, with the row under the cursor.

    The rows may change between two calls at any time: tell it with `update`, and it is right before that, too.
    """

    ALLOW_SELECT = False  # mouse text selection would need offsets in every strip
    DEFAULT_CSS = """
    EventRows {
        height: 1fr;
        width: 1fr;
        background: $background;
        color: $foreground;

        .stream--time { color: $text-muted; }
        .stream--event { color: $foreground; }
        .stream--write { color: $text-accent; text-style: bold; }
        .stream--secret { color: $text-primary; }
        .stream--principal { color: $foreground; }
        .stream--quiet { color: $text-muted; }
        .stream--failed { color: $text-warning; }
        .stream--late { color: $text-warning; }
        .stream--dim { color: $text-disabled; }
        .stream--alarm { color: $text-error; text-style: bold; background: $error 18%; }
        .stream--warning { background: $warning 12%; }
        .stream--cursor { background: $primary 35%; text-style: bold; }
        .stream--cursor-idle { background: $primary 16%; }

        &:ansi {  /* a terminal's own colours can't be mixed */
            .stream--alarm { background: ansi_default; color: ansi_bright_red; }
            .stream--warning { background: ansi_default; }
            .stream--cursor, .stream--cursor-idle { background: ansi_default; text-style: reverse; }
        }
        &:nocolor {
            .stream--alarm { text-style: bold underline; }
            .stream--cursor, .stream--cursor-idle { text-style: reverse; }
        }
    }
    """
    COMPONENT_CLASSES: ClassVar[set[str]] = {
        *(f"stream--{role}" for role in ROLES),
        *("stream--dim", "stream--alarm", "stream--warning", "stream--cursor", "stream--cursor-idle"),
    }

    class Arranged(Message):
        """The columns have other places: the heading must follow."""

        def __init__(self, placed: tuple[Placed, ...]) -> None:
            self.placed = placed
            super().__init__()

    def __init__(
        self,
        view: View,
        *,
        level_of: Callable[[int], str],
        scrolled: Callable[[Place], None] = lambda _: None,
        newest_first: bool = True,
        chosen: Sequence[str] = columns.DEFAULT,
        watching_since: datetime | None = None,
    ) -> None:
        """Draw `view`; `level_of` says "alarm", "warning" or "" of the event with a key.

        `scrolled` is called when another part of the rows is in sight, or there are more or fewer of them. That is so
        with each frame where much happens, and a message is passed on by all that this lies in: serves
        "cpu-…".
        """
        super().__init__()
        self._window = Window(view, newest_first=newest_first)
        self.level_of = level_of
        self._scrolled = scrolled
        self.chosen = tuple(chosen)
        self.watching_since = watching_since
        self.zone = Zone.UTC
        self.now = datetime.fromtimestamp(0, UTC)
        self.marked: set[int] = set()
        self.match: Callable[[Event], bool] | None = None
        """With it, rows that don't match are drawn dim."""
        self.place = Place()
        self._placed: tuple[Placed, ...] = ()
        self._drawn = 0
        """Cells that all columns take, each with one more after it."""
        self._shown: list[Event] = []
        self._strips: dict[tuple[int, bool, str], Strip] = {}
        """What was drawn of a row, under the cursor or not, at a level."""
        self._empty: Page = lambda _: ()
        self._said: tuple[int, Sequence[Line]] = 0, ()
        """What an empty stream says, after the width that this is for."""
        self._looks: dict[tuple[str, bool], dict[str, Style]] = {}

    # -- what it shows

    @property
    def view(self) -> View:
        """What is drawn."""
        return self._window.view

    @property
    def newest_first(self) -> bool:
        """Whether the newest event is at the top."""
        return self._window.newest_first

    @property
    def cursor(self) -> int | None:
        """The key of the row under the cursor; None while following, and when paused without having chosen a row."""
        return self._window.cursor

    # -- what it is told

    def update(self, *, restyled: bool = False, regraded: bool = False) -> None:
        """The rows have changed; with `restyled`, so may have what is said of those drawn already.

        With `regraded` their levels alone may have: others need not be drawn anew. Serves "cpu-…": alarms change
        all the time where much happens.
        """
        if restyled or (regraded and self.match is not None):  # a filter may ask for alarms
            self._strips.clear()
        if restyled or regraded:
            self.refresh()
        self._arrange()
        self._settle()

    def tick(self, now: datetime) -> None:
        """Time has passed: relative times and dates may read differently."""
        before, self.now = self.now, now
        if self.zone is Zone.RELATIVE or before.date() != now.date():
            self.update(restyled=True)

    def show(self, view: View) -> None:
        """Draw another view."""
        self._window.view = view
        self.update()

    def set_zone(self, zone: Zone) -> None:
        """Write times in another zone."""
        self.zone = zone
        self._placed = ()
        self.update(restyled=True)

    def highlight(self, match: Callable[[Event], bool] | None) -> None:
        """Draw the rows that don't match dim; None: none is."""
        self.match = match
        self.update(restyled=True)

    def set_empty(self, page: Page) -> None:
        """What to say while there are no rows; of what is said already, lines that read otherwise are drawn anew."""
        (width, before), self._empty = self._said, page
        if self.view.rows or not width or width != self.size.width:
            self._said = 0, ()
            if not self.view.rows:
                self.refresh()
            return
        self._said = width, page(max(1, width - MARGIN))
        for y, (was, line) in enumerate(zip_longest(before, self._said[1])):
            if was != line:
                self.refresh(Region(0, y, width, 1))

    def _settle(self) -> None:
        """Hold the window where the rows allow it, and paint only if other rows are in it."""
        window = self._window
        place = Place(window.settle(), window.height, len(window.view.rows))
        if place != self.place:
            self.place = place
            self._scrolled(place)
        if window.rows() != self._shown:
            self.refresh()

    def _repaint(self, key: int | None) -> None:
        if key is None or not self.view.rows:
            return
        if 0 <= (y := self._window.line(key) - self._window.first) < self.size.height:
            self.refresh(Region(0, y, self.size.width, 1))

    # -- drawing

    def notify_style_update(self) -> None:
        """Forget what was drawn in other colours: theme, focus and classes come through here."""
        super().notify_style_update()
        self._strips.clear()
        self._looks.clear()

    def _arrange(self) -> None:
        rows = self.view.rows
        dated = bool(rows) and self.zone is not Zone.RELATIVE and rows[0].at.date() != self.now.date()
        placed = lay_out(max(1, self.size.width), self.chosen, dated=dated, zone=self.zone)
        if placed != self._placed:
            self._placed = placed
            self._drawn = sum(width + 1 for _, _, width in placed)
            self._strips.clear()
            self.refresh()
            self.post_message(self.Arranged(placed))

    def _look(self, row: str, cursor: bool) -> dict[str, Style]:
        """The styles of the cells of a row that is plain (""), "alarm", "warning" or "dim", by role; cached."""
        look = self._looks.get((row, cursor))
        if look is None:
            look = self._looks[row, cursor] = {role: self._style(role, row, cursor) for role in ROLES}
        return look

    def _style(self, role: str, row: str, cursor: bool) -> Style:
        get = self.get_component_styles
        look = get(f"stream--{'dim' if row == 'dim' else role}")
        _, background = self.background_colors
        if row in ("alarm", "warning"):
            raised = get(f"stream--{row}")
            background += raised.background
            if row == "alarm" and role in ("event", "write", "secret", "failed"):
                look = raised
        effects = look.text_style
        if cursor:
            over = get("stream--cursor" if self.has_focus else "stream--cursor-idle")
            background += over.background
            effects += over.text_style
        color = background.get_contrast_text(look.color.a) if look.auto_color else look.color
        return Style(color=(background + color).rich_color, bgcolor=background.rich_color) + effects

    def _strip(self, event: Event, room: int) -> Strip:
        """A row that is `room` cells wide: Textual looks for a widget's size all over the screen."""
        cursor, level = event.key == self.cursor, self.level_of(event.key)
        strip = self._strips.get((event.key, cursor, level))
        if strip is not None:
            return strip
        look = self._look("dim" if self.match is not None and not self.match(event) else level, cursor)
        signs = ("›" if cursor else "◆" if event.key in self.marked else " ") + _LEVELS[level]
        cells = columns.told(event, self._placed, signs, zone=self.zone, now=self.now, since=self.watching_since)
        segments: list[Segment] = []
        text, last = "", look["event"]
        for (cell, role), (_, _, width) in zip(cells, self._placed, strict=True):
            style = look[role]
            if style is not last:  # fewer and longer segments are fewer bytes to the terminal
                if text:
                    segments.append(Segment(text, last))
                text, last = "", style
            text += fit(cell, width) + " "
        # Every cell has its exact width: nothing needs measuring.
        drawn = self._drawn
        if drawn == room + 1:
            text, drawn = text[:-1], drawn - 1
        elif drawn < room:
            text, drawn = text + " " * (room - drawn), room
        segments.append(Segment(text, last))
        strip = LeanStrip(segments, drawn)
        if drawn != room:
            strip = strip.adjust_cell_length(room, last)
        if len(self._strips) >= CACHED_STRIPS:
            self._strips.clear()
        self._strips[event.key, cursor, level] = strip
        return strip

    def render_line(self, y: int) -> Strip:
        """One line, for the general path."""
        event = self._window.at(self._window.first + y)
        width = self.size.width
        return self._strip(event, width) if event is not None else Strip.blank(width, self.rich_style)

    def render_lines(self, crop: Region) -> list[Strip]:
        """The lines inside `crop`, each a strip that is made once per row and not once per line.

        The general path wraps every line in a new strip, which throws its cached output away; serves "repaint" and
        "scroll".
        """
        if not self._placed:
            self._arrange()
        direct = self.surroundings() == NO_EDGE
        width, height = self.outer_size if direct else self.size
        self._window.height = height  # a frame may come before the event that tells of a new size
        self._shown = shown = self._window.rows()
        if not direct:
            return super().render_lines(crop)  # borders, padding and fades
        if not shown:
            return self._nothing(crop)
        strips = [self._strip(event, width) for event in shown[crop.y : crop.bottom]]
        if missing := min(crop.bottom, height) - crop.y - len(strips):
            strips += [Strip.blank(width, self.rich_style)] * missing
        if filters := self.drawn_filters():
            background = self.background_colors[1]  # walks the ancestors: once a frame, not once a line
            for line_filter in filters:
                strips = [strip.apply_filter(line_filter, background) for strip in strips]
        if crop.column_span != (0, width):
            strips = [strip.crop(*crop.column_span) for strip in strips]
        return strips

    def _nothing(self, crop: Region) -> list[Strip]:
        """What is said while there are no rows."""
        width = self.size.width
        if self._said[0] != width:
            self._said = width, self._empty(max(1, width - MARGIN))
        strips = []
        for line in self._said[1][crop.y : crop.bottom]:
            segments = [Segment("  ", self.rich_style)]
            segments += [
                Segment(visible(piece.text), self._look("", False)[_EMPTY.get(piece.role, "event")])
                for piece in line.pieces
            ]
            strips.append(Strip(segments).adjust_cell_length(width, self.rich_style))
        strips += [Strip.blank(width, self.rich_style)] * (crop.height - len(strips))
        for line_filter in self.drawn_filters():
            strips = [strip.apply_filter(line_filter, self.background_colors[1]) for strip in strips]
        return [strip.crop(*crop.column_span) for strip in strips]


_EMPTY = {
    "quiet": "quiet",
    "bad": "failed",
    "warn": "late",
    "command": "secret",
    "link": "secret",
    "strong": "write",
    "good": "secret",
}
"""Roles of a page as roles of the stream."""
