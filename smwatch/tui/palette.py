"""The command palette, and what it lists before anything is typed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from functools import partial
from typing import Any, Self

from textual import on
from textual.app import App, SystemCommand
from textual.command import CommandList, CommandPalette, DiscoveryHit, Hits
from textual.markup import escape
from textual.message import Message
from textual.screen import Screen
from textual.system_commands import SystemCommandsProvider
from textual.widgets import Input, OptionList

from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.keytable import KEYS, MOVING
from smwatch.tui.left_once import LeftOnce
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.text import visible

READY, BOX = "-ready", "#--container"
"""Textual's names."""
BY_PAGES = ("page_up", "page_down")
"""Textual's names of what moves by pages."""


class Palette(DirectlyComposed, LeftOnce, CommandPalette):
    """Textual's, put together as our screens are, and shown in several turns of the loop.

    Textual looks up the styles of all that is in it three times in the turn in which the commands have been gathered:
    serves "opened-palette".
    """

    def add_class(self, *class_names: str, update: bool = True) -> Self:
        """Have classes; on the one that says that there are commands, only its box depends, which it shows."""
        if class_names != (READY,):
            return super().add_class(*class_names, update=update)
        super().add_class(READY, update=False)
        if update and self.is_attached:
            self.app.stylesheet.update_nodes(self.query(BOX))
        return self

    def _watch__list_visible(self) -> None:
        """Show the list or hide it, in the next turn; in one of its own before, what it shows is measured."""
        show, call_soon = super()._watch__list_visible, asyncio.get_running_loop().call_soon
        if self._list_visible:
            call_soon(self._measure)
            call_soon(call_soon, lambda: show() if self.is_attached else None)
        else:
            call_soon(lambda: show() if self.is_attached else None)

    def _action_command_list(self, action: str) -> None:
        """Move in the list; by pages only once it is laid out: Textual asks for lines that are not there before."""
        if self.query_one(CommandList).scrollable_content_region or action not in BY_PAGES:
            super()._action_command_list(action)

    @on(Input.Submitted)
    @on(OptionList.OptionSelected)
    def _choose_once(self, event: Message) -> None:
        """Have Textual choose nothing any more once the palette has been left: it would carry that out once again."""
        if not self.is_active:
            event.prevent_default().stop()

    def _measure(self) -> None:
        """Ask each command how many lines it takes, in a turn of its own before the list is laid out.

        Textual keeps the answers for that width; they are half of what laying it out takes.
        """
        if self.is_attached:
            self.query_one(CommandList).get_content_height(self.size, self.size, self.size.width)


class Commands(SystemCommandsProvider):
    """The app's commands in its own order, which keeps together what belongs together; Textual sorts them by name."""

    async def discover(self) -> Hits:
        """All commands."""
        for command in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(command.title, command.callback, help=command.help)


def offered(app: App[Any], desk: Desk, screen: Screen[Any]) -> Iterator[SystemCommand]:
    """Saved filters, what keys do on a screen in the order of their table, and the themes."""
    if isinstance(screen, WatchScreen):
        for name, text in desk.filters.items():
            yield SystemCommand(f"filter: {escape(name)}", escape(visible(text)), partial(screen.take, text))
    here = {binding.id: (node, binding) for node, binding, enabled, _ in screen.active_bindings.values() if enabled}
    for key in KEYS:
        if key.id in here and key.id not in MOVING:
            node, binding = here[key.id]
            told = f"{key.help} ({desk.keys.told(key.id)})"
            yield SystemCommand(key.word, told, partial(app.run_action, binding.action, node))
    yield SystemCommand("theme", "Change the colours", app.action_change_theme)
