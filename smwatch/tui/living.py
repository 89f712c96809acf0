"""Screens that follow the store and the clock."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from smwatch.store.change import Change


class Living:
    """What the app tells a screen of while it is in front.

    A class and no protocol, for which all that it has would be looked up each second: serves "cpu-idle".
    """

    def show_change(self, change: Change) -> None:
        """The store has changed; a screen that shows nothing of it has nothing to do."""

    def tick(self) -> None:
        """Time has passed; the same holds."""
