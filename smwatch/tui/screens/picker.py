"""Picking from a short list: one key for one of its lines."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import ClassVar, Generic, TypeVar

from textual import events
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.screen import ModalScreen

from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keys import KeyTable
from smwatch.tui.left_once import LeftOnce
from smwatch.tui.lines import HOTKEYS, Piece, hint_pieces
from smwatch.tui.widgets.choices import Choices
from smwatch.tui.widgets.pieces import Pieces

T = TypeVar("T")

FRAME = 4
"""Lines of the box that are none of its list: border, title and keys."""


class Picker(DirectlyComposed, LeftOnce, ModalScreen[T | None], Generic[T]):
    """A list in a box over the screen, ends with what was picked, or None for no change."""

    HINTS: ClassVar[tuple[str, ...]] = ()
    """What the last line offers."""
    DEFAULT_CSS = """
    Picker { align: center middle; background: $background 60%; }
    Picker Vertical {
        width: 72; max-width: 96%; height: auto; max-height: 90%; border: round $primary; background: $surface;
    }
    Picker Sheet { height: auto; background: $surface; }
    Picker Pieces { height: 1; background: $surface; }
    """

    def __init__(self, title: str, remark: str, targets: Sequence[object], keys: KeyTable) -> None:
        """`targets` is what the lines of the list lead to, in their order."""
        super().__init__()
        self._told = (title, remark)
        self._targets = targets
        self._keys = keys
        self._sheet = Choices()
        self._head, self._foot = Pieces(), Pieces()

    def compose(self) -> ComposeResult:
        """The list between its title and its keys."""
        with Vertical():
            yield self._head
            yield self._sheet
            yield self._foot

    def on_mount(self) -> None:
        """Draw the list."""
        title, remark = self._told
        self._head.put([[Piece(f" {title}", "strong"), Piece(f"   {remark}", "quiet")]])
        self._foot.put([hint_pieces(map(self._keys.hint, self.HINTS))])
        self._sheet.focus()
        self.offer(self._targets)

    def offer(self, targets: Sequence[object]) -> None:
        """Draw the list of these."""
        self._targets = targets
        self._sheet.styles.height = max(1, len(targets))
        self.write()
        self.call_after_refresh(self._begin)

    def on_resize(self, _: events.Resize) -> None:
        """Leave room for title and keys; stand on a line once there is a width to write it for."""
        self._sheet.styles.max_height = max(1, self.size.height * 9 // 10 - FRAME)
        self.call_after_refresh(self._begin)

    def _begin(self) -> None:
        if self._sheet.cursor is None and self._targets:
            self._sheet.select(self.first())

    def on_key(self, event: events.Key) -> None:
        """A digit picks one and is done."""
        if event.character is not None and event.character in HOTKEYS:
            event.stop()
            number = HOTKEYS.index(event.character)
            if number < len(self._targets):
                self.pick(self._targets[number])

    def first(self) -> object:
        """What to stand on at first."""
        return self._targets[0]

    @property
    def at(self) -> object:
        """What the cursor stands on."""
        line = self._sheet.line
        return line.target if line is not None else None

    @abstractmethod
    def write(self) -> None:
        """Draw the list."""

    @abstractmethod
    def pick(self, target: object) -> None:
        """Take one line and be done."""

    def action_back(self) -> None:
        """Leave it as it was."""
        self.dismiss(None)
