"""The command palette, and what it lists before anything is typed."""

from __future__ import annotations

from textual.command import CommandPalette, DiscoveryHit, Hits
from textual.system_commands import SystemCommandsProvider

from smwatch.tui.composed import DirectlyComposed


class Palette(DirectlyComposed, CommandPalette):
    """Textual's, put together as our screens are: serves "the event loop is never blocked over 15 ms"."""


class Commands(SystemCommandsProvider):
    """The app's commands in the app's order, which puts together what belongs together; Textual's is the alphabet's."""

    async def discover(self) -> Hits:
        """All commands."""
        for command in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(command.title, command.callback, help=command.help)
