"""A sheet of things to act upon, one of which is always marked and in sight."""

from __future__ import annotations

from typing import ClassVar

from textual import events

from smwatch.tui.widgets.sheet import Sheet


class Choices(Sheet):
    """A list whose cursor stands on one of its things whenever there is any: what a key acts on is what is seen.

    A thing is a line that leads somewhere with those below it that don't. Where the list is scrolled to, there the
    cursor goes; where its thing goes, there the list is scrolled to.
    """

    MARKS_ALWAYS: ClassVar[bool] = True

    def action_edge(self, bottom: int) -> None:
        """Go to the first or the last thing."""
        places = range(len(self.lines))
        for i in reversed(places) if bottom else places:
            if self._leads(i):
                self._go(i)
                break

    def action_move(self, step: int) -> None:
        """Go to the thing below or above, however far that is."""
        i = step + (self.cursor if self.cursor is not None else -1)
        while 0 <= i < len(self.lines) and not self._leads(i):
            i += step
        if 0 <= i < len(self.lines):
            self._go(i)

    def on_resize(self, _: events.Resize) -> None:
        """Keep the cursor in sight when there is less room; Textual calls the sheet's own, too."""
        if self.cursor is not None:
            self.call_after_refresh(self._reveal, self.cursor)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        """Take the cursor along."""
        super().watch_scroll_y(old_value, new_value)
        if self.cursor is not None and not self._in_sight(self.cursor):
            self._stand()

    def _write(self) -> None:
        at = self.cursor
        super()._write()
        if self.cursor is None and self.lines:
            self.cursor = at
            self._stand()

    def _stand(self) -> None:
        """Stand on the thing in sight that is nearest to where the cursor was."""
        top, height = self.scroll_offset.y, self.size.height
        seen = [i for i in range(top, min(top + height, len(self.lines))) if self._leads(i)]
        at, self.cursor = self.cursor or 0, None
        if seen:
            self._go(min(seen, key=lambda i: abs(i - at)))

    def _start_of(self, i: int) -> int:
        return i if any(map(self._leads, range(i))) else 0  # nothing stands above the first but headings

    def _end_of(self, i: int) -> int:
        while i + 1 < len(self.lines) and self.lines[i + 1].pieces and not self._leads(i + 1):
            i += 1
        return i
