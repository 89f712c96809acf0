"""The line a filter is typed on, with what is wrong with it, or how to go on, right under it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.containers import Horizontal, Vertical
from textual.message import Message
from textual.widgets import Input, Static

from smwatch.tui.keys import bindings
from smwatch.tui.lines import Piece
from smwatch.tui.widgets.line_input import LineInput
from smwatch.tui.widgets.pieces import Pieces

Completer = Callable[[str, int], Sequence[tuple[str, str]]]
"""(text, cursor) → [(the whole text completed, the part to show)], best first."""
OFFERED = 6


class FilterInput(LineInput):
    """An input whose arrows go through history and whose Tab completes."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("filter")]

    def __init__(self, complete: Callable[[], None], browse: Callable[[int], None]) -> None:
        """What to do for the keys is called at once: letters that follow are inserted after it."""
        super().__init__()
        self._complete = complete
        self._browse = browse

    def action_history(self, step: int) -> None:
        """Take another filter of the history."""
        self._browse(step)

    def action_complete(self) -> None:
        """Complete what is typed."""
        self._complete()


class FilterLine(Vertical):
    """Takes a filter while it is typed; hidden otherwise."""

    DEFAULT_CSS = """
    FilterLine {
        height: auto;
        display: none;
        background: $panel;
        &.-open { display: block; }
        Horizontal { height: 1; }
        Static { width: 3; color: $text-primary; text-style: bold; }
        FilterInput, FilterInput:focus { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
        Pieces { height: 1; }
    }
    """

    class Typed(Message):
        """The text has changed."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    class Kept(Message):
        """The text is final."""

        def __init__(self, text: str) -> None:
            self.text = text
            super().__init__()

    def __init__(self, complete: Completer, *, hint: str, history: Sequence[str]) -> None:
        super().__init__()
        self._complete = complete
        self._hint = hint
        self._prompt = Static(" / ", markup=False)
        self.input = FilterInput(self._take_best, self._browse)
        self._below = Pieces()
        self.history = list(history)
        """Filters kept so far, oldest first."""
        self._place = 0

    def compose(self) -> ComposeResult:
        """The input and the line under it."""
        with Horizontal():
            yield self._prompt
            yield self.input
        yield self._below

    @property
    def is_open(self) -> bool:
        """Whether a filter is being typed."""
        return self.has_class("-open")

    def open(self, text: str) -> None:
        """Begin to type, with `text` there already."""
        self.add_class("-open")
        self._place = len(self.history)
        self._write(text)
        self.screen.set_focus(self.input)
        self.tell("")

    def stay(self) -> None:
        """The text was final and can't be kept: go on with it."""
        self.input.release()

    def close(self) -> None:
        """Hide it."""
        self.remove_class("-open")
        self.input.release()

    def remember(self, text: str) -> None:
        """Have a filter in the history, as the newest."""
        if text:
            self.history[:] = [*(each for each in self.history if each != text), text]

    def tell(self, wrong: str, *, position: int | None = None) -> None:
        """Show what is wrong with the text, and where; "" for nothing: then how it can go on."""
        if wrong:
            at = [Piece(" " * (3 + min(position, 40)) + "^ ", "bad")] if position is not None else [Piece("   ", "")]
            self._below.put([[*at, Piece(wrong, "bad"), Piece("   (the last good filter stays)", "quiet")]])
            return
        offers = self._offers()
        pieces = [Piece("   ")]
        for i, (_, shown) in enumerate(offers):
            pieces += [Piece(shown, "strong" if i == 0 else "quiet"), Piece("   ")]
        if offers:
            pieces.append(Piece("Tab completes", "quiet"))
        self._below.put([pieces if offers else [Piece(f"   {self._hint}", "quiet")]])

    def _offers(self) -> Sequence[tuple[str, str]]:
        return self._complete(self.input.value, self.input.cursor_position)[:OFFERED]

    def on_input_changed(self, event: Input.Changed) -> None:
        """Say what is typed."""
        event.stop()
        if self.is_open:
            self.post_message(self.Typed(event.value))

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Say that it is final."""
        event.stop()
        text = event.value.strip()
        self.remember(text)
        self.post_message(self.Kept(text))

    def _browse(self, step: int) -> None:
        """Go through the history."""
        place = max(0, min(self._place + step, len(self.history)))
        if place != self._place:
            self._place = place
            self._write(self.history[place] if place < len(self.history) else "")

    def _take_best(self) -> None:
        """Take the best completion."""
        if offers := self._offers():
            self._write(offers[0][0])

    def _write(self, text: str) -> None:
        self.input.value = text
        self.input.cursor_position = len(text)

    def on_key(self, event: events.Key) -> None:
        """Keep keys that an input leaves alone away from the screen: letters are dead while typing."""
        if event.is_printable:
            event.stop()
