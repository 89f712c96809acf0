"""The first frame: the head of the screen alone, painted before anything else is even loaded."""

from __future__ import annotations

from datetime import datetime

from textual import events
from textual.screen import Screen

from smwatch.tui.pages.header import header_rows
from smwatch.tui.painting import StyledOnce
from smwatch.tui.times import Zone
from smwatch.tui.widgets.pieces import Pieces


class First(StyledOnce, Screen[None]):
    """The screen that is there before the main one."""


class Opening(Pieces):
    """What is watched and what time it is; of the sources, that there are none yet. Serves "first frame"."""

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
