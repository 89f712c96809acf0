"""What changes on a screen in one go, on the terminal in one go."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, ClassVar

from textual.screen import Screen
from textual.widget import Widget
from textual.widgets._toast import ToastRack

from smwatch.tui.turns import Turns

if TYPE_CHECKING:
    from textual import events

    _Screen = Screen[Any]
else:
    _Screen = object  # no Screen, so that a ModalScreen keeps what Textual's styles say of one


class StyledOnce(_Screen):
    """A screen that finds its styles and its layout once as it first comes to the front; named before Textual's."""

    def _extend_compose(self, widgets: list[Widget]) -> None:
        """Have no room for notifications while there are none: Textual takes it away again once all is painted, which
        is then laid out and painted anew. Serves "first-…-event".
        """
        super()._extend_compose(widgets)
        for widget in widgets:
            if isinstance(widget, ToastRack):
                widget.display = False

    def _on_screen_resume(self, event: events.ScreenResume) -> None:
        if not self.stack_updates:
            event.refresh_styles = False


class Painted(Widget):
    """A widget that may be painted with others, at the end of a block of `at_once`."""

    _changed: ClassVar[set[Widget] | None] = None
    """Of the block that is being run. No context variable: the tasks begun in a block would take it with them."""

    def check_idle(self) -> None:
        """Have what has changed looked after: at the end of the block, or else when nothing else is to be done."""
        if Painted._changed is None:
            super().check_idle()
        else:
            Painted._changed.add(self)


class Soon:
    """Something that is to be done soon, once for all who ask for it until then.

    It is none of Textual's timers, each of which is a task, two messages and a look at what it calls: serves
    "cpu-…".
    """

    def __init__(self, do: Callable[[], None], turns: Turns) -> None:
        self._do = do
        self._turns = turns
        self._waits: asyncio.TimerHandle | None = None

    def __bool__(self) -> bool:
        """Whether it is to be done."""
        return self._waits is not None

    def within(self, seconds: float) -> None:
        """Have it done after so long, unless it is done before that anyway."""
        loop = asyncio.get_running_loop()
        at = loop.time() + seconds
        if self._waits is None or at < self._waits.when():
            self.cancel()
            self._waits = loop.call_at(at, self._turns.do, self._end)

    def cancel(self) -> None:
        """It is done, or need not be: else it would be done once more."""
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None

    def _end(self) -> None:
        if self._waits is not None:  # it may be done already where its turn came late
            self.cancel()
            self._do()


class Beat:
    """Something that is done again and again; no timer of Textual's either, which waits in a turn of its own: serves
    "cpu-idle".
    """

    def __init__(self, do: Callable[[], None], turns: Turns) -> None:
        self._do = do
        self._turns = turns
        self._waits: asyncio.TimerHandle | None = None

    def begin(self, seconds: float) -> None:
        """Have it done each so many seconds; what could not be done for so long is left out."""
        loop = asyncio.get_running_loop()

        def wait(due: float) -> None:
            self._waits = loop.call_at(due, beat, due)

        def beat(due: float) -> None:
            now = loop.time()
            wait(due + seconds if due + seconds > now else now + seconds)
            self._turns.do(self._do)

        wait(loop.time() + seconds)

    def stop(self) -> None:
        """Have it done no more."""
        if self._waits is not None:
            self._waits.cancel()
            self._waits = None


@contextmanager
def at_once(screen: Screen[Any]) -> Iterator[None]:
    """Have what changes in the block on the terminal at its end, if nothing else has to come before.

    The usual way there is four messages for each widget and a timer, more than many of them cost to draw: serves
    "cpu-…", where a clock, or some rows and their number, are all that changes. A block inside another of the same
    screen ends with that.
    """
    if Painted._changed is not None:
        yield
        return
    changed = Painted._changed = set()
    try:
        yield
    finally:
        Painted._changed = None
        _paint(screen, changed)


def _paint(screen: Screen[Any], changed: set[Widget]) -> None:
    visible = screen._compositor.visible_widgets if changed and screen.is_current else {}
    dirty = {widget for widget in changed if widget in visible and _has_only_to_be_drawn(widget)}
    if not dirty or changed != dirty or not _is_free(screen):
        for widget in changed:
            widget.check_idle()
        return
    for widget in dirty:
        widget._repaint_required = False
    screen._compositor.update_widgets(screen._dirty_widgets | dirty)
    screen._compositor_refresh()


def _has_only_to_be_drawn(widget: Widget) -> bool:
    """Whether neither its place nor its style nor what it has to do is another."""
    others = widget._layout_required or widget._scroll_required or widget._refresh_styles_required
    return widget._is_mounted and widget._repaint_required and not others and not widget._next_callbacks


def _is_free(screen: Screen[Any]) -> bool:
    """Whether a frame of what has changed may be written now."""
    waits = screen._layout_required or screen._scroll_required or screen._repaint_required
    return not waits and not screen.app._batch_count
