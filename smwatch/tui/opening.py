"""The first frame: the head of the screen alone, painted before anything else is even loaded."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual import events
from textual.screen import Screen

from smwatch.tui.pages.header import header_rows
from smwatch.tui.painting import StyledOnce
from smwatch.tui.times import Zone
from smwatch.tui.widgets.pieces import Pieces

if TYPE_CHECKING:
    from smwatch.tui.bell import Bell
    from smwatch.tui.screens.desk import Desk


def furnished(make: Callable[[], Desk]) -> tuple[Desk, Bell]:
    """The desk and its bell, all of it loaded, in whatever thread: keys pressed meanwhile are heard."""
    desk = make()
    import_module("smwatch.tui.screens.watch")
    from smwatch.tui.bell import Bell

    return desk, Bell(desk)


class First(StyledOnce, Screen[None]):
    """The screen that is there before the main one.

    It is painted while it takes note that it is in front. What comes after that is begun then, and not after its next
    frames, which Textual would paint for nothing but another layout: serves "first-…-whole" and "view-…".
    """

    def __init__(self, painted: Callable[[], Awaitable[None]] | None, **how: Any) -> None:
        """`painted` is called when it stands; until that is done, it does nothing else."""
        super().__init__(**how)
        self._painted = painted

    def on_screen_resume(self) -> None:
        """Go on once this has been painted."""
        if self._painted is not None:
            self.call_next(self._painted)
            self._painted = None


class Opening(Pieces):
    """What is watched and what time it is; of the sources, that there are none yet. Serves "first-…"."""

    DEFAULT_CSS = """
    Opening { background: $panel; }
    """

    def __init__(self, title: str, now: datetime, zone: str, width: int) -> None:
        """`width` is known before there is a layout: what is put then is in the first one."""
        super().__init__()
        self._title, self._now, self._zone = title, now, Zone(zone)
        self._fill(width)

    def on_resize(self, event: events.Resize) -> None:
        """Fill the width there is."""
        self._fill(event.size.width)

    def _fill(self, width: int) -> None:
        self.put(header_rows(self._title, (), self._now, self._zone, width))
