"""An engine that judges beside a store, which shows what it has until that engine takes over in one go."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, cast

from smwatch.events.event import Arrival
from smwatch.events.renaming import Rename
from smwatch.monitor.watched import Watched
from smwatch.store.judging import Judging

if TYPE_CHECKING:
    from smwatch.rules.alarm import Alarm
    from smwatch.rules.engine import Engine
    from smwatch.rules.standing import Compared
    from smwatch.store.change import Change

TOGETHER = 10_000
"""Events of what is past for which alarms are worked out together: after each page, those of everybody who goes on were
worked out again and again. Serves "replay"."""
SOME = 20
"""Alarms that are worked out in one go, each in up to a millisecond: others are heard in between."""


class Successor:
    """Judges what a store has been given, in any thread, while the store itself judges nothing."""

    def __init__(self, engine: Engine, fresh: Judging) -> None:
        """`engine` is the one that the store judges by; the engine of `fresh` is to take its place."""
        self.engine = cast("Engine", fresh.engine)
        self.whole = True
        """Whether it is given all that the store was; the rest is judged when the store is given that once more."""
        self._known = engine
        self._fresh = fresh
        self._unsettled = 0
        """Events taken since alarms were worked out."""
        self._compared: Compared | None = None

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Judge these, each of which is given once, by what their names stand for at present; `fold` ends that."""
        self._fresh.add(arrivals, more=True)
        self._unsettled += len(arrivals)

    def settle(self) -> bool:
        """Work out some alarms, if enough has been taken since that was done; whether there are more to be worked out.

        In the end `compare` does it.
        """
        if self._unsettled >= TOGETHER:
            self.engine.at_once = SOME
            self._fresh.settle()
            self.engine.at_once = None  # nothing else is to be left half done
            if self._fresh.unsettled:
                return True
            self._unsettled = 0
        return False

    def fold(self, renames: Iterable[Rename]) -> None:
        """Take note that what looked like two secrets is one."""
        self._fresh.fold(renames)

    def watched(self, watched: Iterable[Watched]) -> None:
        """Take note of what has been read whole, once all of it has been taken."""
        for each in watched:
            self._fresh.watched(each.source, each.spans)

    def compare(self) -> None:
        """To be called when all have been taken: does what takes long, so that little is left to the store's thread."""
        self._fresh.settle()
        self._compared = self.engine.compared(self._known)

    def into(self, store: Judging) -> Change:
        """Have the store judge by this engine from then on; on the store's thread."""
        known, fresh = self._known, self.engine
        for status in store.sources.values():
            if status.last_good_at is not None:
                fresh.feed(status.source, status.newest_at, status.last_good_at)
        alarms = fresh.take_over(known, self._compared)
        fresh.at_once = known.at_once
        return self._taken_over(store, alarms)

    def _taken_over(self, store: Judging, alarms: Sequence[Alarm]) -> Change:
        if not self.whole:
            store.leave_unjudged(self._fresh)
        return store.take_over(self.engine, alarms, self._fresh)
