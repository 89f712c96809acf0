"""A program on a terminal of its own, for the rows about keys and processors: `python -m tests.bench.player HOW …`.

It says in a named pipe when it is ready, and when the line that a key went to is painted; or, to the signal USR1, how
long the longest turn of its event loop was since the last one.
"""

from __future__ import annotations

import argparse
import asyncio
import threading
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from selectors import DefaultSelector, SelectorKey
from signal import SIGUSR1, SIGUSR2
from time import monotonic_ns, thread_time
from typing import Any, ClassVar, TextIO

import msgspec
from textual.app import App, ComposeResult
from textual.binding import BindingType
from textual.screen import ModalScreen
from textual.widgets import OptionList

from smwatch.collector import Collector
from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival, Event
from smwatch.events.redact import redact
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.running.background import Background, Deliver
from smwatch.running.backstage import SET_RIGHT, SETTLED
from smwatch.store.store import Store
from smwatch.tui.app import SmwatchApp
from smwatch.tui.screens.desk import Desk
from smwatch.tui.screens.watch import WatchScreen
from tests import records
from tests.bench.painting import Bare
from tests.bench.traffic import PAGE, Traffic, Trouble, arrivals

DISTINCT = 20_000
"""Events that are read for what the store holds; the rest are the same ones at other times."""
PERIOD = 0.1
"""Seconds between two deliveries."""
FILLED = 1_000
"""Events that the store takes in at once while it is filled."""
TROUBLE = 300
"""Events that alarms are made of."""
AHEAD = 90
"""Seconds for which what will come is made before it begins: to make it is no work of what is measured."""
ALARMED, ALARMED_EVERY = "prod/alarmed-", 13
"""Secrets that alarms are about, by a number each, and deliveries for one of which there is an alarm."""


class Smwatch(SmwatchApp):
    """The whole screen over a full store, all of which all built-in rules have judged; what comes has been read.

    What comes is as new to them as traffic is: some callers have other sessions from time to time.
    """

    def __init__(self, rows: int, per_second: int, say: Callable[[str], None]) -> None:
        self._rows, self._distinct = rows, min(max(rows, 1), DISTINCT)
        self._models = arrivals(Traffic().texts(self._distinct + per_second * AHEAD))
        now = int(datetime.now(UTC).timestamp())
        store = Store(capacity=rows, engine=Engine(combine(load_builtin())))
        for start in range(0, rows, FILLED):
            some = range(start, min(start + FILLED, rows))
            store.add([self._made(i, now - 3600 + i * 3500 // rows) for i in some])
        self._fed, self._batch, self._say = rows, round(per_second * PERIOD), say
        self._coming = deque(self._delivery(now + i * PERIOD) for i in range(round(AHEAD / PERIOD)))
        self._at: int | None = None
        desk = Desk(store, record_of=lambda _: None, now=datetime.now(UTC))
        super().__init__(desk, start=self._stand, collector=Collector(desk.now))

    def _model(self, number: int) -> Arrival:
        """What the event with a number is like: those of the store are like a few, each that comes is like none."""
        if number < self._rows:
            return self._models[number % self._distinct]
        return self._models[self._distinct + (number - self._rows) % (len(self._models) - self._distinct)]

    def _made(self, number: int, second: int) -> Arrival:
        model = self._model(number)
        key = (second << ID_BITS | number) << ACCOUNT_BITS
        return msgspec.structs.replace(model, event=msgspec.structs.replace(model.event, key=key))

    def _stand(self, _: SmwatchApp) -> None:
        if self._batch:
            repeat(self, self._feed)
        self._say("ready")

    def _delivery(self, at: float) -> Delivery:
        batch = [self._made(self._fed + i, int(at)) for i in range(self._batch)]
        self._fed += self._batch
        return Delivery(tuple(enumerate(batch)))

    def _feed(self) -> None:
        self.apply(self._coming.popleft() if self._coming else self._delivery(datetime.now(UTC).timestamp()))

    def post_display_hook(self) -> None:
        """A frame has been written."""
        if isinstance(self.screen, WatchScreen) and self.screen.stream.cursor != self._at:
            self._at = self.screen.stream.cursor
            self._say(str(monotonic_ns()))


class Opening(Smwatch):
    """The same with alarms and records, to see what it takes to open one of its screens."""

    def __init__(self, rows: int, per_second: int, say: Callable[[str], None]) -> None:
        super().__init__(rows, per_second, say)
        self.desk.record_of = self._record_of
        hour_ago = datetime.now(UTC) - timedelta(hours=1)
        self.store.add(arrivals(Trouble(start=hour_ago).texts(TROUBLE)))
        while self.store.unsettled:
            self.desk.settle()

    def _record_of(self, event: Event) -> Record | None:
        number = event.key >> ACCOUNT_BITS & (1 << ID_BITS) - 1
        record: Record = redact(self._model(number % self._rows).record)
        return record

    def post_display_hook(self) -> None:
        """Nothing is said of frames."""


class Alarmed(Smwatch):
    """The same, fed by a thread as sources feed it: now and then there is an alarm among what comes, of which it says
    when that came and what its secret's name ends in.
    """

    def __init__(self, rows: int, per_second: int, say: Callable[[str], None]) -> None:
        super().__init__(rows, per_second, say)
        self.store.at_once = SET_RIGHT
        assert isinstance(self.store.engine, Engine)
        self.store.engine.at_once = SETTLED
        self._background = Background(self._bring, keep=lambda _: None, go_on=self._go_on)
        self._alarms = arrivals([records.raw(records.read_deleted(f"{ALARMED}{n}")) for n in range(AHEAD)])

    def _stand(self, _: SmwatchApp) -> None:
        self._background.start(self.apply, self.fail, self.turns.do)
        self._say("ready")

    def _go_on(self) -> bool:
        if self.store.set_right():
            return True
        if self.store.unsettled:
            self.desk.settle()
        return self.store.unsettled

    async def _bring(self, deliver: Deliver) -> None:
        loop = asyncio.get_running_loop()
        for number, coming in enumerate(self._coming):
            began, delivery = loop.time(), coming
            which, rest = divmod(number, ALARMED_EVERY)
            if which and not rest:
                delivery = Delivery((*coming.arrivals, (0, self._alarm(which))))
                self._say(f"{which} {monotonic_ns()}")
            await deliver(delivery)
            await asyncio.sleep(began + PERIOD - loop.time())

    def _alarm(self, number: int) -> Arrival:
        """A read of a secret that is being deleted, the newest event of this second."""
        model = self._alarms[number]
        key = ((int(datetime.now(UTC).timestamp()) + 1 << ID_BITS) - 1) << ACCOUNT_BITS
        return msgspec.structs.replace(model, event=msgspec.structs.replace(model.event, key=key))

    def post_display_hook(self) -> None:
        """Nothing is said of frames."""


class Bursting(Alarmed):
    """Fed by a thread as well: as many events as come otherwise, all at once when there is a signal USR2.

    It says when they have been taken in.
    """

    def __init__(self, rows: int, per_second: int, say: Callable[[str], None]) -> None:
        super().__init__(rows, per_second, say)
        self._asked_for = threading.Event()

    def _stand(self, app: SmwatchApp) -> None:
        asyncio.get_running_loop().add_signal_handler(SIGUSR2, self._asked_for.set)
        super()._stand(app)

    async def _bring(self, deliver: Deliver) -> None:
        self._asked_for.wait()
        came = [arrival for coming in self._coming for _, arrival in coming.arrivals]
        for start in range(0, len(came), PAGE):
            await deliver(Delivery(tuple(enumerate(came[start : start + PAGE])), more=start + PAGE < len(came)))
        self._say("taken in")


class Box(App[None]):
    """Nothing but a list in a box, which a key opens."""

    BINDINGS: ClassVar[list[BindingType]] = [("f", "open", "open")]

    def __init__(self, rows: int, per_second: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self._say = say

    def on_mount(self) -> None:
        """Begin."""
        self.call_after_refresh(self._say, "ready")

    def action_open(self) -> None:
        """Open it."""
        self.push_screen(Listed())


class Listed(ModalScreen[None]):
    """The box."""

    BINDINGS: ClassVar[list[BindingType]] = [("escape", "dismiss", "close")]

    def compose(self) -> ComposeResult:
        """As many lines as there are names of events."""
        yield OptionList(*(f"GetSecretValue {number}" for number in range(20)))


class Turns(DefaultSelector):
    """Takes the time of each turn of the event loop that it is of: what a key that is pressed meanwhile waits for."""

    def __init__(self) -> None:
        super().__init__()
        self._longest = 0.0
        self._began: float | None = None

    def select(self, timeout: float | None = None) -> list[tuple[SelectorKey, int]]:
        """What there is to do; a turn ends, and another begins."""
        if self._began is not None:
            self._longest = max(self._longest, thread_time() - self._began)
        ready = super().select(timeout)
        self._began = thread_time()
        return ready

    def longest(self) -> float:
        """Milliseconds of work in the longest turn since this was last asked."""
        longest, self._longest = self._longest, 0.0
        return longest * 1e3


class Plain(App[None]):
    """A bare ScrollView whose rows grow in number, or nothing at all."""

    def __init__(self, rows: int, per_second: int, say: Callable[[str], None]) -> None:
        super().__init__()
        self.animation_level = "none"
        self._rows, self._batch, self._say, self._at = rows, round(per_second * PERIOD), say, 0.0
        self._bare = Bare(rows) if rows else None

    def compose(self) -> ComposeResult:
        """The rows, if there are any."""
        if self._bare is not None:
            yield self._bare

    def on_mount(self) -> None:
        """Begin."""
        if self._bare is not None:
            self._bare.focus()
        self.call_after_refresh(self._stand)

    def _stand(self) -> None:
        if self._batch:
            repeat(self, self._feed)
        self._say("ready")

    def _feed(self) -> None:
        assert self._bare is not None
        self._rows += self._batch
        self._bare.virtual_size = self._bare.virtual_size.with_height(self._rows)

    def post_display_hook(self) -> None:
        """A frame has been written."""
        if self._bare is not None and self._bare.scroll_y != self._at:
            self._at = self._bare.scroll_y
            self._say(str(monotonic_ns()))


PROGRAMS: dict[str, Callable[[int, int, Callable[[str], None]], App[Any]]] = {
    "smwatch": Smwatch,
    "plain": Plain,
    "opening": Opening,
    "alarmed": Alarmed,
    "bursting": Bursting,
    "box": Box,
}


def main() -> None:
    """See --help."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.player", description=__doc__)
    parser.add_argument("how", choices=PROGRAMS)
    parser.add_argument("rows", type=int)
    parser.add_argument("per_second", type=int)
    parser.add_argument("told", type=Path, help="a named pipe")
    options = parser.parse_args()
    with options.told.open("w", encoding="utf-8") as told:
        turns, say = Turns(), speaker(told)
        loop = asyncio.SelectorEventLoop(turns)
        asyncio.set_event_loop(loop)
        loop.add_signal_handler(SIGUSR1, lambda: say(str(turns.longest())))
        PROGRAMS[options.how](options.rows, options.per_second, say).run(loop=loop)


def repeat(app: App[Any], feed: Callable[[], None]) -> None:
    """Call it each PERIOD, without a timer of Textual's: what that takes is no work of what is measured."""
    loop = asyncio.get_running_loop()

    def call(at: float) -> None:
        try:
            feed()
        except Exception as error:
            app._handle_exception(error)
        loop.call_at(at + PERIOD, call, at + PERIOD)

    loop.call_at(loop.time() + PERIOD, call, loop.time() + PERIOD)


def speaker(told: TextIO) -> Callable[[str], None]:
    """Writes lines at once."""

    def say(what: str) -> None:
        told.write(f"{what}\n")
        told.flush()

    return say


if __name__ == "__main__":
    main()
