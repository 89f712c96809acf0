"""The command palette: what it lists before anything is typed."""

from __future__ import annotations

from textual.command import DiscoveryHit, Hits
from textual.system_commands import SystemCommandsProvider


class Commands(SystemCommandsProvider):
    """The app's commands in the app's order, which puts together what belongs together; Textual's is the alphabet's."""

    async def discover(self) -> Hits:
        """All commands."""
        for command in self.app.get_system_commands(self.screen):
            yield DiscoveryHit(command.title, command.callback, help=command.help)
