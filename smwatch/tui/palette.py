"""The command palette, and what it lists before anything is typed."""

from __future__ import annotations

import asyncio
from typing import Self

from textual.command import CommandPalette, DiscoveryHit, Hits
from textual.system_commands import SystemCommandsProvider

from smwatch.tui.composed import DirectlyComposed

READY, BOX = "-ready", "#--container"
"""Textual's names."""


class Palette(DirectlyComposed, CommandPalette):
    """Textual's, put together as our screens are, and shown in several turns of the loop.

    Textual looks up the styles of all that is in it three times in the turn in which the commands have been gathered:
    serves "the event loop is never blocked over 15 ms".
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
        """Show the list or hide it, in the next turn."""
        show = super()._watch__list_visible
        asyncio.get_running_loop().call_soon(lambda: show() if self.is_attached else None)


class Commands(SystemCommandsProvider):
    """The app's commands in the app's order, which puts together what belongs together; Textual's is the alphabet's."""

    async def discover(self) -> Hits:
        """All commands."""
        for command in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(command.title, command.callback, help=command.help)
