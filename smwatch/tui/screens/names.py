"""Picking event names: the list with counts, one key for one name."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen

from smwatch.tui.keys import bindings
from smwatch.tui.lines import Piece
from smwatch.tui.pages.names import HOTKEYS, ToName, names_page, ranked
from smwatch.tui.widgets.pieces import Pieces
from smwatch.tui.widgets.sheet import Sheet


class NamesScreen(ModalScreen[frozenset[str] | None]):
    """Ends with the names to keep (none for all), or None for no change."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("names", priority=True)]
    DEFAULT_CSS = """
    NamesScreen { align: center middle; background: $background 60%; }
    NamesScreen Vertical {
        width: 72; max-width: 96%; height: auto; max-height: 90%; border: round $primary; background: $surface;
    }
    NamesScreen Sheet { height: auto; max-height: 100%; background: $surface; }
    NamesScreen Pieces { height: 1; background: $surface; }
    """

    def __init__(self, counts: Mapping[str, int], ticked: frozenset[str]) -> None:
        super().__init__()
        self._counts = dict(ranked(counts))
        self._ticked = set(ticked)
        self._sheet = Sheet()
        self._head, self._foot = Pieces(), Pieces()

    def compose(self) -> ComposeResult:
        """The list between its title and its keys."""
        with Vertical():
            yield self._head
            yield self._sheet
            yield self._foot

    def on_mount(self) -> None:
        """Stand on the most frequent name."""
        self._head.put([[Piece(" Event names", "strong"), Piece("   a digit shows only that one", "quiet")]])
        keys = (("Space", "tick"), ("Enter", "show ticked"), ("0", "all"), ("Esc", "back"))
        self._foot.put([[p for key, word in keys for p in (Piece(f" {key}", "key"), Piece(f" {word} ", "quiet"))]])
        self._sheet.styles.height = max(1, len(self._counts))
        self._sheet.focus()
        self._write()

    def on_resize(self, _: events.Resize) -> None:
        """Stand on the first name once there is a width to write it for."""
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self._sheet.cursor is None and self._counts:
            first = next((name for name in self._counts if name in self._ticked), next(iter(self._counts)))
            self._sheet.select(ToName(first))

    def _write(self) -> None:
        self._sheet.show(lambda width: names_page(self._counts, self._ticked, width))

    def on_key(self, event: events.Key) -> None:
        """A digit chooses one name and is done."""
        if event.character is not None and event.character in HOTKEYS:
            event.stop()
            names = list(self._counts)
            number = HOTKEYS.index(event.character)
            if number < len(names):
                self.dismiss(frozenset({names[number]}))

    def on_sheet_chosen(self, event: Sheet.Chosen) -> None:
        """A click ticks."""
        event.stop()
        if isinstance(event.target, ToName):
            self._toggle(event.target.name)

    def _toggle(self, name: str) -> None:
        self._ticked ^= {name}
        self._write()

    def _at(self) -> str | None:
        at = self._sheet.line
        return at.target.name if at is not None and isinstance(at.target, ToName) else None

    def action_tick(self) -> None:
        """Tick or untick the name under the cursor, and go on to the next."""
        if (name := self._at()) is not None:
            self._toggle(name)
            self._sheet.action_move(1)

    def action_apply(self) -> None:
        """Show the ticked names, or the one under the cursor."""
        at = self._at()
        self.dismiss(frozenset(self._ticked) or (frozenset({at}) if at is not None else frozenset()))

    def action_none(self) -> None:
        """All names again."""
        self.dismiss(frozenset())

    def action_back(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)
