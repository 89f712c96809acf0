"""The stream: rows of events under a cursor that the reader moves, or that follow the newest."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from textual import events
from textual.binding import BindingType
from textual.message import Message

from smwatch.events.event import Event
from smwatch.tui.keys import bindings
from smwatch.tui.widgets.rows import EventRows
from smwatch.tui.window import Window

WHEEL_LINES = 3


class EventStream(EventRows, can_focus=True):
    """Events of a view, newest first or last, under a cursor that belongs to the reader.

    It follows the newest event until the reader moves, and again past the newest row, or on `follow`.
    """

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("stream")]

    class Moved(Message):
        """The cursor stands on another event, or on none."""

        def __init__(self, event: Event | None) -> None:
            self.event = event
            super().__init__()

        def can_replace(self, message: Message) -> bool:
            """A held key floods: only the newest place matters."""
            return isinstance(message, EventStream.Moved)

    class Paced(Message):
        """Following began or ended."""

        def can_replace(self, message: Message) -> bool:
            """Only what holds now matters."""
            return isinstance(message, EventStream.Paced)

    class Opened(Message):
        """The reader wants to see this event in detail."""

        def __init__(self, event: Event) -> None:
            self.event = event
            super().__init__()

    # -- what it shows

    @property
    def following(self) -> bool:
        """Whether it stays with the newest event."""
        return self._window.following

    @property
    def unseen(self) -> int:
        """How many rows are newer than the newest one when following ended."""
        return self._window.unseen

    @property
    def event(self) -> Event | None:
        """The event under the cursor."""
        return self._window.event

    # -- what it is told

    def set_order(self, *, newest_first: bool) -> None:
        """Newest event at the top, or at the bottom; the cursor keeps its row."""
        with self._moving() as window:
            window.turn(newest_first=newest_first)
        self.update(restyled=True)

    def follow(self) -> None:
        """Go to the newest event and stay with it."""
        with self._moving() as window:
            window.follow()

    def pause(self) -> None:
        """Stay with what is on the screen now."""
        with self._moving() as window:
            if window.following:
                window.hold(window.first)

    def reveal(self) -> None:
        """Bring the row under the cursor back in sight, after the rows have become others."""
        with self._moving() as window:
            window.reveal()

    def select(self, key: int) -> bool:
        """Put the cursor on the row with this key, in sight; False if the view has no such row."""
        i = self.view.index(key)
        if i >= len(self.view.rows) or self.view.rows[i].key != key:
            return False
        self._go(self._window.line(key))
        return True

    def scroll_to_line(self, first: int) -> None:
        """Have another line at the top; the cursor stays with its row."""
        self._scroll_by(first - self._window.first)

    # -- moving

    @contextmanager
    def _moving(self) -> Iterator[Window]:
        """Move the window inside the block; then paint what changed, and say what the reader did."""
        window = self._window
        cursor, following = window.cursor, window.following
        yield window
        self._settle()
        if window.cursor != cursor:
            self._repaint(cursor)
            self._repaint(window.cursor)
            self.post_message(self.Moved(window.event))
        if window.following != following:
            self.post_message(self.Paced())

    def _scroll_by(self, lines: int) -> None:
        with self._moving() as window:
            window.scroll(lines)

    def _go(self, line: int) -> None:
        with self._moving() as window:
            window.go(line)

    def on_resize(self, _: events.Resize) -> None:
        """Share the new width among the columns; the row under the cursor stays in sight."""
        self._arrange()
        with self._moving() as window:
            window.height = self.size.height
            window.reveal()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """Scroll by some lines."""
        event.stop()
        event.prevent_default()
        self._scroll_by(WHEEL_LINES)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """Scroll by some lines."""
        event.stop()
        event.prevent_default()
        self._scroll_by(-WHEEL_LINES)

    def on_click(self, event: events.Click) -> None:
        """Choose a row; open it with a second click."""
        line = self._window.first + event.y
        if self._window.at(line) is not None:
            self._go(line)
            if event.chain == 2:
                self.action_open()

    def action_move(self, lines: int) -> None:
        """Move the cursor by lines; past the newest event: follow."""
        with self._moving() as window:
            window.step(lines)

    def action_page(self, pages: float) -> None:
        """Move the cursor by screenfuls."""
        lines = max(1, int(abs(pages) * (self.size.height - 1)))
        self.action_move(lines if pages > 0 else -lines)

    def action_edge(self, bottom: int) -> None:
        """Go to the top or bottom line; the newest event is followed."""
        if bool(bottom) != self.newest_first:
            self.follow()
        else:
            self._go(len(self.view.rows) - 1 if bottom else 0)

    def action_follow(self) -> None:
        """Go to the newest event and follow."""
        self.follow()

    def action_pause(self) -> None:
        """Stop following, or follow again."""
        if self.following:
            self.pause()
        else:
            self.follow()

    def action_open(self) -> None:
        """Open the event under the cursor; without one, the newest in sight."""
        if self.cursor is None:
            self._go(self._window.first if self.newest_first else len(self.view.rows) - 1)
        if (event := self.event) is not None:
            self.post_message(self.Opened(event))
