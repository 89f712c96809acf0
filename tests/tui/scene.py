"""Stores with something in them, for the tests of the screen."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta

from textual._compositor import Compositor
from textual._context import visible_screen_stack

from smwatch.events.event import Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.redact import redact
from smwatch.monitor.delivery import Delivery
from smwatch.record import Record
from smwatch.settings import UiSettings
from smwatch.sources.source import State, Status
from smwatch.store.store import Store
from smwatch.tui.app import SmwatchApp
from smwatch.tui.outside import Outside
from smwatch.tui.screens.desk import Desk
from tests import records

NOW = records.AT
FINE = Status(
    "cloudtrail:111122223333:eu-west-1",
    "CloudTrail",
    State.OK,
    at=NOW,
    last_good_at=NOW - timedelta(seconds=8),
    lag=timedelta(minutes=4, seconds=10),
    complete_to=NOW - timedelta(minutes=4),
    region="eu-west-1",
)


def ago(seconds: float) -> str:
    """The eventTime of something so many seconds before NOW."""
    return records.stamp(NOW - timedelta(seconds=seconds))


def reads(count: int, *, every: float = 60, secret: str = "prod/db", first: float = 60) -> list[Record]:
    """Ordinary reads, the newest `first` seconds ago."""
    return [records.read(secret, eventTime=ago(first + i * every), id=f"{secret}{i}") for i in range(count)]


class Stage:
    """An app over a store, with a clock that stands still until it is moved."""

    def __init__(
        self,
        given: Sequence[Record] = (),
        *,
        status: Status | None = FINE,
        store: Store | None = None,
        ui: UiSettings | None = None,
        outside: Outside | None = None,
        recorded: bool = False,
    ) -> None:
        self.now = NOW
        self.store = store or Store()
        self.records: dict[int, Record] = {}
        ui = ui or UiSettings(glyphs="unicode")
        desk = Desk(
            self.store,
            record_of=self.record_of,
            now=NOW,
            title="prod · eu-west-1",
            outside=outside,
            ui=ui,
            recorded=recorded,
        )
        self.app = SmwatchApp(desk, clock=lambda: self.now, ui=ui)
        self.bring(*given)
        if status is not None:
            self.store.report(status)

    def record_of(self, event: Event) -> Record | None:
        """What the journal would say."""
        return self.records.get(event.key)

    def bring(self, *given: Record, seen_at: datetime = NOW) -> None:
        """New events, shown at once if the app runs."""
        self.hand_on(*given, seen_at=seen_at)
        if self.app.is_running:
            self.app.flush()

    def hand_on(self, *given: Record, seen_at: datetime = NOW) -> None:
        """New events, shown when the app does so."""
        reader = Reader()
        arrivals = [reader.read(records.raw(one), seen_by=SeenBy.CLOUDTRAIL, seen_at=seen_at) for one in given]
        self.records |= {each.event.key: redact(each.record) for each in arrivals}
        self.app.apply(Delivery(tuple(enumerate(arrivals))))

    def lines(self) -> list[str]:
        """What stands on the screen, line by line, as Textual's own compositor has it."""
        visible_screen_stack.set(self.app._background_screens)  # what it draws behind a box
        return [strip.text for strip in Compositor.render_strips(self.app.screen._compositor)]

    def text(self) -> str:
        """What stands on the screen."""
        return "\n".join(self.lines())
