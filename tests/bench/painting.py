"""A widget alone on a terminal of a fixed size: what Textual would write to the terminal is made, and let go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from rich.segment import Segment
from rich.style import Style
from textual.app import App, ComposeResult
from textual.containers import Horizontal
from textual.drivers.headless_driver import HeadlessDriver
from textual.geometry import Size
from textual.screen import Screen
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from smwatch.store.view import View
from smwatch.tui.composed import DirectlyComposed
from smwatch.tui.widgets.scrollbar import Bar
from smwatch.tui.widgets.stream import EventStream
from tests.bench.harness import clock

COLUMNS, LINES = 160, 50
PATIENCE = 30.0
"""Seconds in which something must have been painted; no figure depends on it."""


class Sink(HeadlessDriver):
    """A real driver as far as Textual can tell: it gets every byte that a terminal would."""

    @property
    def is_headless(self) -> bool:
        """Else Textual would not make the output."""
        return False


class Bare(ScrollView):
    """The floor: Textual's own scrolling widget, every line of which is the same strip, made once."""

    def __init__(self, rows: int) -> None:
        super().__init__()
        self.virtual_size = Size(COLUMNS - 2, rows)
        text = "14:05:58 GetSecretValue       prod/payments/db     ROLE ci-deployer     ok"
        self._line = Strip([Segment(text.ljust(COLUMNS - 2), Style(color="white"))], COLUMNS - 2)

    def render_line(self, y: int) -> Strip:
        """The same for all."""
        return self._line

    def show_rows(self, rows: int) -> None:
        """There are so many rows now; the last ones are in sight."""
        self.virtual_size = Size(COLUMNS - 2, rows)
        self.scroll_end(animate=False, immediate=True)


class Streamed(Horizontal):
    """The event stream of the main screen with the scrollbar beside it."""

    def __init__(self, view: View) -> None:
        super().__init__()
        self._bar = Bar()
        self.stream = EventStream(view, level_of=lambda _: "", scrolled=self._bar.put, newest_first=False)

    def compose(self) -> ComposeResult:
        """Side by side."""
        yield self.stream
        yield self._bar


class Composed(DirectlyComposed, Screen[None]):
    """A screen put together as the main screen is."""


class Stage(App[None]):
    """Shows a widget and says when it has been painted."""

    def __init__(self, shown: Widget, focused: Widget) -> None:
        super().__init__(driver_class=Sink)
        self._ours = shown is not focused
        self.animation_level = "none"
        self._widget, self._focused = shown, focused
        self._painted, self._stopped = asyncio.Event(), asyncio.Event()

    def get_default_screen(self) -> Screen[None]:
        """Ours, or Textual's own."""
        return Composed() if self._ours else super().get_default_screen()

    def compose(self) -> ComposeResult:
        """Nothing else."""
        yield self._widget

    def on_mount(self) -> None:
        """As when a person uses it."""
        self._focused.focus()

    def post_display_hook(self) -> None:
        """Textual has handed a frame to the driver."""
        self._painted.set()

    async def play(self) -> None:
        """Run until `stop`."""
        async with self.run_test(headless=False, size=(COLUMNS, LINES)):
            await self._stopped.wait()

    def stop(self) -> None:
        """End."""
        self._stopped.set()

    async def painted(self, change: Callable[[], object]) -> float:
        """Seconds of work from a change to the frame that shows it."""
        await asyncio.sleep(0)
        self._painted.clear()
        began = clock()
        with self._context():
            change()
        async with asyncio.timeout(PATIENCE):
            await self._painted.wait()
        return clock() - began

    async def calm(self) -> None:
        """Let everything that is under way come to its end."""
        async with asyncio.timeout(PATIENCE):
            while not self.is_running or self._painted.is_set():
                self._painted.clear()
                await asyncio.sleep(0.02)


class Theatre:
    """Apps on one event loop that runs only while something is measured."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._stages: list[tuple[Stage, asyncio.Task[None]]] = []

    def __enter__(self) -> Theatre:
        return self

    def __exit__(self, *_: object) -> None:
        for app, playing in reversed(self._stages):  # each gives standard output back to the one before it
            app.stop()
            self._loop.run_until_complete(playing)
        self._loop.close()

    def stage(self, shown: Widget, focused: Widget | None = None) -> Callable[[Callable[[], object]], float]:
        """Show a widget; returns what measures a change to it, in seconds until it is painted."""
        app, playing = self._loop.run_until_complete(self._begun(shown, focused or shown))
        self._stages.append((app, playing))

        def painted(change: Callable[[], object]) -> float:
            took = self._loop.run_until_complete(app.painted(change))
            self._loop.run_until_complete(app.calm())
            return took

        return painted

    async def _begun(self, shown: Widget, focused: Widget) -> tuple[Stage, asyncio.Task[None]]:
        app = Stage(shown, focused)
        playing = asyncio.create_task(app.play())
        await app.calm()
        return app, playing
