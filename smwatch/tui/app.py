"""The app: wakes the screens when the store has changed, and keeps the clock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from functools import partial
from typing import TYPE_CHECKING, Any, ClassVar

from textual import events
from textual.app import App, ComposeResult, SystemCommand
from textual.binding import BindingType
from textual.driver import Driver
from textual.filter import LineFilter
from textual.screen import ModalScreen, Screen

from smwatch.collector import Collector
from smwatch.settings import UiSettings
from smwatch.tui import glyphs, health, themes
from smwatch.tui.ahead import AHEAD_SECONDS, make_ready
from smwatch.tui.glyphs import AsciiFilter, plain
from smwatch.tui.keys import bindings, name
from smwatch.tui.keytable import MOVING
from smwatch.tui.living import Living
from smwatch.tui.opening import First, Opening, furnished
from smwatch.tui.painting import Beat, at_once
from smwatch.tui.themes import THEMES
from smwatch.tui.title import Title
from smwatch.tui.turns import Turns

if TYPE_CHECKING:  # what the first frame can do without is loaded after it
    from textual.command import Provider

    from smwatch.monitor.delivery import Delivery
    from smwatch.rules.alarm import Alarm
    from smwatch.store.change import Change
    from smwatch.store.view import Filter
    from smwatch.tui.bell import Bell
    from smwatch.tui.screens.desk import Desk
    from smwatch.tui.screens.watch import WatchScreen

TICK_SECONDS = 1.0
TOLD_SECONDS = 3.0
TWICE_SECONDS = 2.0
"""How soon the second ctrl+c has to follow the first."""


def _commands() -> type[Provider]:
    from smwatch.tui.palette import Commands

    return Commands


def utc_now() -> datetime:
    """The present moment."""
    return datetime.now(UTC)


def _nothing(_: object) -> None:
    pass


class SmwatchApp(App[int]):
    """Shows what is on a desk: a store and what may be done with it.

    `desk` may also be a function that makes one: it is called in a thread as soon as a first frame with the head of the
    screen is painted, and keys pressed until the rest stands are kept for it. Then `start(app)` is called on the app's
    loop; from then on `apply` is the way in, on that loop. What ends the work behind the screen is told to `fail`.
    """

    TITLE = "smwatch"
    ENABLE_COMMAND_PALETTE = True
    BINDINGS: ClassVar[list[BindingType]] = [*bindings("app")]
    COMMANDS: ClassVar[set[type[Provider] | Callable[[], type[Provider]]]] = {_commands}
    CSS = """
    Screen { layers: base; }
    """

    def __init__(
        self,
        desk: Desk | Callable[[], Desk],
        *,
        start: Callable[[SmwatchApp], None] = _nothing,
        clock: Callable[[], datetime] = utc_now,
        title: str = "",
        filter_text: str = "",
        wall: bool = False,
        ui: UiSettings | None = None,
        collector: Collector | None = None,
    ) -> None:
        # Without colours a terminal's own are used and then left out: Textual would draw greys otherwise.
        super().__init__(ansi_color=True if os.environ.get("NO_COLOR") else None)
        self._ui = ui or UiSettings()
        self.fault: BaseException | None = None
        """What ended the work behind the screen, if it ended badly."""
        self.collector = collector
        """If given, it is told when something happens, and may work when nothing does."""
        self._start = start
        self._clock = clock
        self._heading = title
        self._filter_text = filter_text
        self._wall = wall
        self._plain = (AsciiFilter(),) if glyphs.chosen(self._ui.glyphs, os.environ) else ()
        self._title = Title(self._to_terminal, os.environ)
        self._interrupted_at: datetime | None = None
        self.turns = Turns()
        self._ticking = Beat(lambda: self._apart(self.tick), self.turns)
        self._opened = asyncio.Event()
        """The main screen stands."""
        self._make_desk: Callable[[], Desk] | None = None
        if callable(desk):
            self._make_desk = desk
        else:
            from smwatch.tui.bell import Bell

            self._furnish(desk, Bell(desk))
        self._dress()

    def _dress(self) -> None:
        """Take our colours before any style is read: with others, all of them are read again. Serves "first-…"."""
        for each in THEMES:
            self.register_theme(each)
        few = self.console.color_system == "standard"
        if theme := themes.chosen(self._ui.theme, self.available_themes, few=few):
            self.theme = theme

    def _furnish(self, desk: Desk, bell: Bell) -> None:
        from smwatch.tui.incoming import Incoming
        from smwatch.tui.noise import Noise

        self.desk = desk
        """Not there before it is made, as all that follows."""
        self.store = desk.store
        self._incoming = Incoming(desk, self.turns, show=self._show, runs=lambda: self.is_running, apart=self._apart)
        self._noise = Noise(desk, bell, ring=self.bell, write=self._to_terminal, plain=plain if self._plain else str)
        self.set_keymap(desk.keys.keymap)

    def parse(self, text: str, typing: bool = False) -> Filter:
        """A filter from what was typed, or is being typed; raises FilterError."""
        from smwatch.filter import parse

        return parse(text, self.desk.context_of_filters, typing=typing)

    def get_driver_class(self) -> type[Driver]:
        """What reads keys and writes to the terminal."""
        usual = super().get_driver_class()
        if usual.__name__ == "LinuxDriver":  # of macOS, too
            from smwatch.tui.driver import PatientDriver

            return PatientDriver
        return usual

    def get_line_filters(self) -> Sequence[LineFilter]:
        """What all that is drawn goes through on its way to the terminal."""
        return [*super().get_line_filters(), *self._plain]

    def refresh_css(self, animate: bool = True) -> None:
        """Have styles read in other colours; where none has been read, only tell them. Serves "first-…"."""
        if self.screen_stack:
            super().refresh_css(animate)
        else:
            self.stylesheet.set_variables(self.get_css_variables())

    def get_default_screen(self) -> Screen[Any]:
        """What the first frame is on."""
        make = self._make_desk
        return First(partial(self._load, make) if make is not None else None, id="_default")

    def compose(self) -> ComposeResult:
        """What is there before anything else, and below it ever after."""
        if self._make_desk is not None:
            yield Opening(self._heading, self._clock(), self._ui.zone, self.size.width)

    def on_mount(self) -> None:
        """Show the main screen, if it is there already."""
        if self._make_desk is None:
            self._open()
            self._opened.set()

    async def _load(self, make: Callable[[], Desk]) -> None:
        """Have the desk made, and show it."""
        try:
            self._furnish(*await asyncio.to_thread(furnished, make))
        except Exception as error:
            self.fail(error)
        else:
            # Not by Textual's own wait, which has all of it laid out once more. Serves "first-…-whole".
            await self._open()._mounted_event.wait()
        self._opened.set()

    def _open(self) -> WatchScreen:
        """Show the stream, then have the work begin."""
        from smwatch.tui.screens.watch import WatchScreen

        screen = WatchScreen(self.desk, self.parse, filter_text=self._filter_text)
        self.push_screen(screen)
        if self._wall:
            self.screen.call_after_refresh(self._show_wall)
        self._entitle()
        self._ticking.begin(TICK_SECONDS)
        self.call_after_refresh(self._begin)
        return screen

    def on_unmount(self) -> None:
        """Leave the terminal as it was."""
        self._ticking.stop()
        if hasattr(self, "desk"):  # it may never have been made
            self._incoming.stop()
        self._title.restore()

    def _show_wall(self) -> None:
        from smwatch.tui.screens.wall import WallScreen

        self.push_screen(WallScreen(self.desk))

    def _begin(self) -> None:
        if self.collector is not None:
            self.collector.start()
        self._start(self)
        self.set_timer(AHEAD_SECONDS, self._make_ready)

    def _make_ready(self) -> None:
        self.run_worker(make_ready(self, self.desk), group="ahead")

    # -- data in

    def apply(self, delivery: Delivery) -> Sequence[Alarm]:
        """Take in what is new, on the app's thread; returns the alarms that it changed."""
        with self._context():
            if delivery.arrivals:
                self._stir()
            changed = self._incoming.take_in(delivery)
        if self.collector is not None:
            self.collector.look()
        return changed

    def fail(self, error: BaseException) -> None:
        """The work behind the screen has ended with a fault: end, and show it."""
        self.fault = error
        self.exit(1)

    def _apart(self, do: Callable[[], None]) -> None:
        """Do something as if Textual called it."""
        if self.is_running:
            with self._context():
                try:
                    do()
                except Exception as error:
                    self._handle_exception(error)

    def flush(self) -> None:
        """Show what has changed, now."""
        self._incoming.flush()

    def _show(self, change: Change) -> None:
        self._noise.about(change.alarms, heard=self._ui.bell)
        if self.screen_stack and isinstance(self.screen, Living):  # none is left while the app ends
            with at_once(self.screen):
                self.screen.show_change(change)

    def _to_terminal(self, sequence: str) -> None:
        """Tell the terminal something that is not drawn."""
        if self._driver is not None:
            self._driver.write(sequence)

    def _entitle(self) -> None:
        desk = self.desk
        blind = health.blind(tuple(self.store.sources.values()), desk.clock, desk.watching_since)
        self._title.tell(len(desk.asking), blind=blind)

    def tick(self) -> None:
        """Bring what depends on the time up to date, as once a second."""
        now = self._clock()
        self.desk.tick(now)
        self._incoming.settle_soon()
        self._entitle()
        if self.screen_stack and isinstance(self.screen, Living):
            with at_once(self.screen):
                if self._incoming.waits and not self.store.unsettled:
                    self.flush()  # what has arrived need not be a frame of its own
                self.screen.tick()
        if self.collector is not None:
            self.collector.tick(now)

    def _stir(self) -> None:
        if self.collector is not None:
            self.collector.stir(self._clock())

    async def on_event(self, event: events.Event) -> None:
        """Take note of keys and the mouse."""
        if isinstance(event, events.InputEvent):
            await self._opened.wait()  # the queue waits with it: what is pressed before is for the main screen
            self._stir()
        await super().on_event(event)

    def notify(self, message: str, **how: Any) -> None:
        """Tell what just happened, in place of what was told before: on a small screen two hide what they are about."""
        self.clear_notifications()
        super().notify(message, **how)

    # -- keys

    def on_key(self, event: events.Key) -> None:
        """Say of a key that nothing here takes where it works."""
        from smwatch.tui.screens.watch import WatchScreen

        if isinstance(self.screen, WatchScreen | ModalScreen) or event.key in self.screen.active_bindings:
            return
        key = self.desk.keys.meant(event.key)
        if key is not None and key.id not in MOVING:
            back = self.desk.keys.hint("details.back")[0]
            told = f"{name(event.key)} ({key.word}) works on the main screen: {back} goes back to it"
            self.notify(told, markup=False, timeout=TOLD_SECONDS)

    async def action_quit(self) -> None:
        """Leave."""
        self.exit(0)

    def action_interrupt(self) -> None:
        """Leave at the second time."""
        now = self._clock()
        if self._interrupted_at is not None and (now - self._interrupted_at).total_seconds() <= TWICE_SECONDS:
            self.exit(0)
        else:
            self._interrupted_at = now
            again = self.desk.keys.one("app.interrupt")
            self.notify(f"{again} again leaves smwatch", markup=False, timeout=TWICE_SECONDS)

    def action_command_palette(self) -> None:
        """Find a command by its name."""
        from smwatch.tui.palette import Palette

        if not isinstance(self.screen, Palette):
            self.push_screen(Palette(id="--command-palette"))

    def action_help(self) -> None:
        """All keys."""
        from smwatch.tui.pages.help import help_page
        from smwatch.tui.screens.page import PageScreen

        page = partial(help_page, self.desk.keys)
        self.push_screen(PageScreen(self.desk, "help", None, page_of=lambda *_: page, leads=False))

    def get_system_commands(self, screen: Screen[object]) -> Iterable[SystemCommand]:
        """What the command palette offers."""
        from smwatch.tui.palette import offered

        return offered(self, self.desk, screen)
