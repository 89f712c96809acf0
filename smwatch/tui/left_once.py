"""Screens that are left once, however often that is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from textual.await_complete import AwaitComplete
from textual.screen import Screen

if TYPE_CHECKING:
    _Screen = Screen[Any]
else:
    _Screen = object  # see StyledOnce


class LeftOnce(_Screen):
    """A screen that nothing leaves but what comes while it is in front; named before Textual's.

    Two keys that leave it can wait at once, as two times Enter. Textual would take away the screen below for the second
    one, the stream in the end.
    """

    def dismiss(self, result: Any = None) -> AwaitComplete:
        """Leave it, with this for whoever has opened it."""
        return super().dismiss(result) if self.is_active else AwaitComplete()
