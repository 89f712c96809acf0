"""What comes in: taken into the store at once, and shown soon, together with what comes until then."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import UTC, datetime, timedelta

from smwatch.monitor.delivery import Delivery
from smwatch.rules.alarm import Alarm
from smwatch.store.change import Change
from smwatch.tui.keys import MOMENT
from smwatch.tui.painting import Soon
from smwatch.tui.screens.desk import Desk
from smwatch.tui.turns import Turns

PAINT_SECONDS = 0.25
"""How long what has arrived may wait for what arrives next, to be painted together; keys paint at once.

Serves "cpu-50": what has arrived is minutes old.
"""
OFTEN = 2
"""How many times as long it may wait where something was painted just now: nobody reads what goes by more often than
twice a second. Serves the same.
"""
JUST_NOW = timedelta(seconds=1)
RAISED_SECONDS = 0.05
"""The same for an alarm that is new, or open again: it is worked out after its page, or 0.1 s, and is to be on the
terminal 0.25 s after its event has come. Serves "alarm-shown".
"""


class Incoming:
    """Takes what comes into the store of a desk, and says when to look at what that has changed."""

    def __init__(
        self,
        desk: Desk,
        turns: Turns,
        *,
        show: Callable[[Change], None],
        runs: Callable[[], bool],
        apart: Callable[[Callable[[], None]], None],
    ) -> None:
        """`show` is told what has changed while `runs` says that there is a screen; what waits is done by `apart`, in
        one of the `turns`.
        """
        self._desk = desk
        self._show = show
        self._runs = runs
        self._subscription = desk.store.subscribe(self._wake)
        self._shown_soon = Soon(lambda: apart(self.flush), turns)
        self._settled_soon = Soon(lambda: apart(self._settle), turns)
        self._more_follows = False
        """Of what came together: alarms are worked out after the last of it."""
        self._none_shown = True
        """Of the events: the first ones don't wait for what comes next. Serves "view-…"."""
        self._shown_at = datetime.min.replace(tzinfo=UTC)

    @property
    def waits(self) -> bool:
        """Whether something has changed that is to be shown soon."""
        return bool(self._shown_soon)

    def take_in(self, delivery: Delivery) -> Sequence[Alarm]:
        """Have the store take in what is new; returns the alarms that it changed."""
        _, changed = delivery.into(self._desk.store)
        self._more_follows = delivery.more
        self.settle_soon()
        if self._none_shown and delivery.arrivals and self._runs():
            self._none_shown = False
            self.flush()
        return tuple(changed.values())

    def settle_soon(self) -> None:
        """Have alarms worked out that would have made the screen stand still, a few at a time."""
        if self._desk.store.unsettled and not self._more_follows and self._runs():
            self._settled_soon.within(MOMENT)

    def flush(self) -> None:
        """Show what has changed, now."""
        self._shown_soon.cancel()
        self._shown_at = self._desk.clock
        change = self._subscription.take()
        self._desk.take_note(change)
        self._show(change)
        self.settle_soon()  # what a person has decided upon many alarms

    def stop(self) -> None:
        """Show nothing more of what waits."""
        self._shown_soon.cancel()
        self._settled_soon.cancel()

    def _settle(self) -> None:
        self._desk.settle()
        self.settle_soon()

    def _wake(self) -> None:
        """Something changed: look at it soon, together with whatever comes until then, unless that is much already."""
        if self._runs():
            often = timedelta() <= self._desk.clock - self._shown_at <= JUST_NOW
            patient = PAINT_SECONDS * OFTEN if often else PAINT_SECONDS
            soon = RAISED_SECONDS if self._subscription.raised else patient
            self._shown_soon.within(0 if self._subscription.much else soon)
