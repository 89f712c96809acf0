"""Screens that are put together directly, and painted a few lines at a time where there are many."""

from __future__ import annotations

import asyncio
from math import inf
from time import perf_counter
from typing import TYPE_CHECKING, Any

from textual._context import visible_screen_stack

from smwatch.tui.compositor import DirectCompositor, DirectUpdate, Part, Placed
from smwatch.tui.painting import StyledOnce

if TYPE_CHECKING:
    from rich.console import Console
    from textual.geometry import Region
    from textual.message import Message

SPARED = 0.004
"""Seconds for which lines are drawn in one go."""
BAND, LARGEST = 4, 8
"""Lines of a widget that are drawn before the clock is looked at; the next ones are twice as many if it took little.

Not too many, as what was soon drawn may have been known, and what comes next is not.
"""
AT_ONCE = 12
"""Lines up to which what has changed is painted then and there."""
ROUNDS = 3
"""How often what has changed meanwhile is drawn, too, before all of it is shown."""


class Painting:
    """What has changed on a screen, drawn by and by to be shown all at once."""

    def __init__(self, compositor: DirectCompositor, console: Console | None) -> None:
        """`console` says what is written to the terminal for each line; None if nothing is."""
        self._compositor = compositor
        self._console = console
        self.layouts = compositor.layouts
        """Of which layout it is."""
        self.placed: list[Placed] = []
        """What is drawn."""
        self.lines = 0
        """How many there are to draw, as far as it is known."""
        self._changed: set[Region] = set()
        self._parts: list[Part] = []
        """What is still to be drawn."""
        self._band = BAND
        self._rounds = 0
        self.covered = self._take_on()
        """Whether there are widgets all over it: else it is not for here."""

    def _take_on(self) -> bool:
        changed = self._compositor.take_changed()
        parts = self._compositor.parts(changed)
        if parts is None:
            self._compositor.give_back(changed)
            return False
        self._rounds += 1
        self._changed |= changed
        self._parts = parts[::-1]
        self.lines += sum(part.region.height for part in parts)
        return True

    def go_on(self, until: float) -> bool:
        """Draw until a moment of `perf_counter`, at least one band; whether there is more to draw."""
        began = perf_counter()
        while self._parts or (self._rounds < ROUNDS and self._compositor.changed and self._take_on()):
            band, rest = self._parts.pop().cut(self._band if until < inf else self.lines)
            drawn = self._compositor.drawn(band)
            self.placed += drawn
            if self._console is not None:
                for _, _, strip in drawn:
                    strip.render(self._console)  # it keeps that: what shows it finds it there
            now = perf_counter()
            soon = rest is not None and now - began < SPARED / 4
            self._band = min(2 * self._band, LARGEST) if soon else BAND
            if rest is not None:
                self._parts.append(rest)
            if now >= until:
                return True
            began = now
        return False

    @property
    def shown(self) -> list[Placed]:
        """What is drawn, each line as it was drawn last: a frame may come to the terminal in pieces that are seen."""
        if self._rounds == 1:
            return self.placed
        last = {(x, y, strip.cell_length): number for number, (x, y, strip) in enumerate(self.placed)}
        return [self.placed[number] for number in sorted(last.values())]

    def drop(self) -> None:
        """Leave it to be painted another time."""
        self._compositor.give_back(self._changed)


class DirectlyComposed(StyledOnce):
    """What makes a DirectCompositor put a screen together: named before Textual's class, whose own it replaces.

    Textual has no public way to say so. Many lines are drawn in several turns of the event loop, and shown in the last
    one: serves "opened".
    """

    def __init__(self, **how: Any) -> None:
        super().__init__(**how)
        self._compositor: DirectCompositor = DirectCompositor()
        self._painting: Painting | None = None

    async def _dispatch_message(self, message: Message) -> None:
        """Take a message; the next one in another turn, if this one took the time that is spared."""
        began = perf_counter()
        await super()._dispatch_message(message)
        if perf_counter() - began > SPARED:
            await asyncio.sleep(0)

    def _compositor_refresh(self) -> None:
        """Paint what has changed: a little now, much in the next turns."""
        painting, self._painting = self._painting, None
        if painting is not None and painting.layouts == self._compositor.layouts and self._in_front:
            self._painting = painting  # it will come to what has changed meanwhile
            self._dirty_widgets.clear()
            return
        if painting is not None:
            painting.drop()
        app = self.app
        console = None if app.is_headless else app.console
        if not self._in_front or app._batch_count or not (painting := Painting(self._compositor, console)).covered:
            super()._compositor_refresh()
            return
        self._painting = painting
        self._dirty_widgets.clear()
        app._update_mouse_over(self)
        if painting.lines <= AT_ONCE:
            self._draw(painting, inf)
        else:
            self._paint_soon(painting)

    @property
    def _in_front(self) -> bool:
        """Nothing lies over it."""
        stack = self.app.screen_stack
        return bool(stack) and stack[-1] is self and not self.app.is_inline

    def _paint_soon(self, painting: Painting) -> None:
        """Go on in the next turn: little, if what else is done in it has taken the time that is spared already."""
        asyncio.get_running_loop().call_soon(self._paint_on, painting, perf_counter() + SPARED)

    def _paint_on(self, painting: Painting, until: float) -> None:
        if painting is not self._painting:
            return
        if not self._in_front or not self.is_attached or painting.layouts != self._compositor.layouts:
            self._painting = None
            painting.drop()
            return
        if self._layout_required:  # all is painted anew after it, at Textual's next beat: serves "first-…-event"
            self._painting = None
            painting.drop()
            self._on_timer_update()
            return
        self._draw(painting, until)

    def _draw(self, painting: Painting, until: float) -> None:
        app = self.app
        visible_screen_stack.set(app._background_screens)  # what a fade mixes its colours with
        try:
            if painting.go_on(until):
                self._paint_soon(painting)
                return
        except Exception as error:
            app._handle_exception(error)
            return
        self._painting = None
        app._display(self, DirectUpdate(painting.shown) if painting.placed else None)  # type: ignore[arg-type]
        if self._compositor.changed:
            self._compositor_refresh()
