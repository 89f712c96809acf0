"""A store for lines: an event is let go as soon as it has been judged, but is known when it comes again."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from smwatch.events.event import UNREADABLE, Arrival, Event, uuid_of
from smwatch.events.recent import Recent
from smwatch.store.change import Change
from smwatch.store.judge import Judge
from smwatch.store.judging import SLACK, Judging
from smwatch.store.packed import Packed

PLACES = 1_024
SORTED = 0.1
"""As SLACK, where all have to be sorted first, as of the files of one Region after those of another: for a hundred
thousand that takes as long as it takes to replay thousands, and so is done once for ten thousand."""


class _Known(NamedTuple):
    """What is remembered of an event, beside its key."""

    odd_id: str
    account: str
    region: str


class Ledger(Judging):
    """Knows the keys of some `capacity` events, what an alarm's line tells of each, and the alarms.

    Keys are let go in the order in which they came or, where they came newest first as out of a journal, oldest first.

    An event takes a fifth of what it takes in a store: serves "tail-…-memory".
    """

    keeps_events = False

    def __init__(self, *, capacity: int = 100_000, engine: Judge | None = None) -> None:
        super().__init__(capacity=capacity, engine=engine)
        self._known: Packed[_Known] = Packed(capacity)
        """In the order in which they are to be let go."""
        self._backwards = False
        """Whether events have come that are to be let go before the first of those."""
        self._places: Recent[tuple[str, str], _Known] = Recent(lambda place: _Known("", *place), PLACES)

    def find(self, key: int) -> Event | None:
        """None: no event is held."""
        del key
        return None

    def told_of(self, key: int) -> tuple[str, str, str]:
        """The eventID, account and Region of an event; all "" if it is not known any more."""
        known = self._known.get(key)
        return (known.odd_id or uuid_of(key), known.account, known.region) if known is not None else ("", "", "")

    def add(self, arrivals: Sequence[Arrival], *, more: bool = False) -> Change:
        """Take in events, in any order; ones already known are ignored, but for what corrects them; see `Judging`."""
        known, new, better = self._known, list[Arrival](), list[Arrival]()
        change = Change()
        oldest = known.first
        for arrival in arrivals:
            event = arrival.event
            remembered = self._remembered(event)
            before = known.add(event.key, remembered)
            if before is None:
                new.append(arrival)
                if event.key < oldest:
                    self._backwards = True
                if event.call.name == UNREADABLE:
                    self.unreadable += 1
            elif event.odd_id > before.odd_id:
                better.append(arrival)
                known.replace(event.key, remembered)
            elif event.odd_id < before.odd_id:
                change.superseded.append(event)
        change.added = [arrival.event for arrival in new]
        change.corrected = [arrival.event for arrival in better]
        change.evicted = self._evict()
        for some in (new, better):
            if some:
                self._judge(some, change, more=more)
        return self._publish(change)

    def _remembered(self, event: Event) -> _Known:
        caller = event.caller
        if event.odd_id:
            return _Known(event.odd_id, caller.account, caller.region)
        return self._places[caller.account, caller.region]

    def _knows(self, key: int) -> bool:
        return key in self._known

    def _evict(self) -> int:
        extra = len(self._known) - self.capacity
        if extra < max(1, int(self.capacity * (SORTED if self._backwards else SLACK))):
            return 0
        if self._backwards:
            self._known.sort()
            self._backwards = False
        self._marks.unmark(self._known.drop(extra))
        self.dropped += extra
        return extra
