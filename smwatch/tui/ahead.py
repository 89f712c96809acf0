"""What screens need that may be opened, made ready before they are."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from importlib import import_module
from typing import TYPE_CHECKING, Any

from textual.app import App
from textual.widget import Widget

if TYPE_CHECKING:
    from smwatch.tui.screens.desk import Desk

AHEAD_SECONDS = 2.0
"""How long after the start: what is shown first comes first."""
_MODULES = (
    *("smwatch.tui.palette", "smwatch.tui.screens.alarms", "smwatch.tui.screens.names", "smwatch.tui.screens.groups"),
    *("smwatch.tui.screens.wall", "smwatch.tui.pages.help"),
)


async def make_ready(app: App[Any], desk: Desk) -> None:
    """Load the modules of screens in a thread, then read the styles of one after the other.

    Serves "opened-alarms": both are half of what it takes to open the alarms.
    """
    await asyncio.to_thread(_load)
    for make in _makers(desk):
        if not app.is_running:
            return
        make()._post_register(app)  # has its styles read when next they are asked for, which is
        assert app.stylesheet.rules  # now
        await asyncio.sleep(0)


def _load() -> None:
    for name in _MODULES:
        import_module(name)


def _makers(desk: Desk) -> list[Callable[[], Widget]]:
    """Makers of widgets whose styles are needed."""
    from smwatch.tui.palette import Palette
    from smwatch.tui.screens.alarms import AlarmsScreen
    from smwatch.tui.screens.page import PageScreen
    from smwatch.tui.widgets.choices import Choices

    return [lambda: AlarmsScreen(desk), Choices, lambda: PageScreen(desk, "", None), Palette]
