"""Picking one of the filters that the config file names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

import msgspec
from textual.binding import BindingType

from smwatch.tui.keys import KeyTable, bindings
from smwatch.tui.lines import HOTKEYS, Line, Piece, line
from smwatch.tui.screens.picker import Picker
from smwatch.tui.text import cells, fit
from smwatch.tui.widgets.sheet import Sheet

NAMED = 20
"""Cells that a name may take."""


class ToFilter(msgspec.Struct, frozen=True):
    """A saved filter to apply."""

    text: str


class SavedScreen(Picker[str]):
    """Ends with the filter as text, or None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("saved")]
    HINTS = ("saved.apply", "saved.back")

    def __init__(self, filters: Mapping[str, str], keys: KeyTable) -> None:
        self._filters = filters
        targets = [ToFilter(text) for text in filters.values()]
        super().__init__("Saved filters", "a digit takes it at once", targets, keys)

    def write(self) -> None:
        """Draw the filters."""
        self._sheet.show(lambda _: saved_lines(self._filters))

    def pick(self, target: object) -> None:
        """Take this filter."""
        if isinstance(target, ToFilter):
            self.dismiss(target.text)

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """Take the filter that was clicked."""
        event.stop()
        self.pick(event.target)

    def action_apply(self) -> None:
        """Take the filter under the cursor."""
        self.pick(self.at)


def saved_lines(filters: Mapping[str, str]) -> list[Line]:
    """One line a filter: its key, its name and its text."""
    widest = min(NAMED, max(map(cells, filters), default=0))
    return [
        line(
            Piece(f"{HOTKEYS[i] if i < len(HOTKEYS) else ' '} ", "key"),
            Piece(fit(name, widest), "strong"),
            Piece(f"  {text}", "link"),
            target=ToFilter(text),
        )
        for i, (name, text) in enumerate(filters.items())
    ]
