"""The ops wall on the screen."""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import BindingType
from textual.screen import Screen

from smwatch.store.change import Change
from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keys import bindings
from smwatch.tui.left_once import LeftOnce
from smwatch.tui.lines import Line
from smwatch.tui.living import Living
from smwatch.tui.pages.wall import Scene, wall_page
from smwatch.tui.pages.words import shown
from smwatch.tui.screens.desk import Desk
from smwatch.tui.widgets.sheet import Sheet


class WallScreen(DirectlyComposed, LeftOnce, Living, Screen[None]):
    """Clock, alarms, health and rates in large; needs no input."""

    BINDINGS: ClassVar[list[BindingType]] = [*bindings("wall")]
    DEFAULT_CSS = """
    WallScreen Sheet { height: 1fr; overflow-y: hidden; }
    """

    def __init__(self, desk: Desk) -> None:
        super().__init__()
        self._desk = desk
        self._sheet = Sheet()

    def compose(self) -> ComposeResult:
        """One page."""
        yield self._sheet

    def on_mount(self) -> None:
        """Draw it."""
        self.show_change(Change())

    def on_resize(self, _: events.Resize) -> None:
        """Fill the new size."""
        self.call_after_refresh(self.tick)

    def show_change(self, change: Change) -> None:
        """Draw what is known now."""
        del change
        self._sheet.show(self._page)

    def tick(self) -> None:
        """Draw the time."""
        self._sheet.show(self._page)

    def _page(self, width: int) -> Sequence[Line]:
        desk = self._desk
        scene = Scene(
            alarms=shown(desk.store.alarms.values()),
            asking=desk.asking,
            statuses=list(desk.store.sources.values()),
            tally=desk.tally,
            now=desk.now,
            clock=desk.clock,
            recorded=desk.recorded,
            since=desk.watching_since,
            zone=desk.zone.absolute,
        )
        return wall_page(scene, width, self.size.height)

    def action_zone(self) -> None:
        """Times in the next zone."""
        self._desk.zone = self._desk.zone.following
        self.tick()

    def action_back(self) -> None:
        """To the stream."""
        self.dismiss(None)
