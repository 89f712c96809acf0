"""One question at the bottom of the screen, answered with a line of text."""

from __future__ import annotations

from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Vertical
from textual.screen import ModalScreen
from textual.widgets import Input

from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keys import bindings
from smwatch.tui.left_once import LeftOnce
from smwatch.tui.lines import Piece
from smwatch.tui.text import cells, wrap
from smwatch.tui.widgets.line_input import LineInput
from smwatch.tui.widgets.pieces import Pieces


class PromptScreen(DirectlyComposed, LeftOnce, ModalScreen[str | None]):
    """Ends with the answer, or None when it was left."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("prompt")]
    DEFAULT_CSS = """
    PromptScreen { align: center bottom; background: $background 40%; }
    PromptScreen Vertical { width: 100%; height: auto; background: $panel; padding: 0 1; }
    PromptScreen Input, PromptScreen Input:focus { border: none; height: 1; padding: 0; background: $panel; }
    """

    def __init__(self, question: str, hint: str, *, about: str = "", value: str = "") -> None:
        """`about` says what the question is about, should that take a line of its own."""
        super().__init__()
        self._asked = Pieces()
        self._question, self._hint, self._about = question, hint, about
        self._input = LineInput(value)

    def compose(self) -> ComposeResult:
        """The question over its answer."""
        with Vertical():
            yield self._asked
            yield self._input

    def on_mount(self) -> None:
        """Begin to type, with nothing of what was told before over the question."""
        self.app.clear_notifications()
        self._input.focus()

    def on_resize(self, event: events.Resize) -> None:
        """Write the question, what it is about and the hint, on as few lines as they fit on."""
        width = event.size.width - 2
        rows: list[list[Piece]] = []
        for text, role in ((self._question, "strong"), (self._about, "strong"), (self._hint, "quiet")):
            for part in wrap(text, width) if text else ():
                before = sum(cells(piece.text) for piece in rows[-1]) if rows else width
                if before + 3 + cells(part) <= width:
                    rows[-1].append(Piece(f"   {part}", role))
                else:
                    rows.append([Piece(part, role)])
        self._asked.put(rows)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Answer."""
        event.stop()
        self.dismiss(event.value.strip())

    def action_back(self) -> None:
        """Leave it."""
        self.dismiss(None)
