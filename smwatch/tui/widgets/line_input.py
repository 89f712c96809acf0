"""One line of text to type, with every key in its turn however fast they come."""

from __future__ import annotations

from textual import events
from textual.widgets import Input


class LineInput(Input):
    """An input that loses no key and takes none that was typed after Enter.

    Textual runs bindings only when a key has bubbled from the focus up to the app, while letters are inserted at once:
    of what is pasted or typed ahead, `prod`, Enter, `j` would become the text `prodj`. Here bindings run in turn with
    letters, and what follows Enter waits until `release` says that the focus is where those keys belong.
    """

    def __init__(self, value: str = "") -> None:
        super().__init__(value, placeholder="", select_on_focus=False)
        self.cursor_blink = False  # a blinking cursor is half a percent of a processor for ever
        self._held: list[events.Key] | None = None

    async def _on_key(self, event: events.Key) -> None:
        if self._held is not None:
            self._held.append(event)
        elif event.is_printable or not await self.app._check_bindings(event.key):
            await super()._on_key(event)
            return
        event.stop()
        event.prevent_default()

    async def action_submit(self) -> None:
        """Say that the text is final."""
        self._held = []
        await super().action_submit()

    def release(self) -> None:
        """Hand the keys that followed Enter on to what has the focus now."""
        held, self._held = self._held or [], None
        with self.app._context():  # as if they came from the terminal
            for event in held:
                self.app.post_message(events.Key(event.key, event.character))

    def on_unmount(self) -> None:
        """Leave nothing behind."""
        self.release()
