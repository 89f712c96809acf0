"""A filtered window on the store, kept up to date row by row."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from operator import attrgetter
from typing import Protocol

from smwatch.events.event import Event
from smwatch.events.numbered import Numbered

KEY = attrgetter("key")
FEW, MANY = 500, 8
"""Late rows are inserted one by one where they are fewer than one in FEW, and sorted in where more than one in MANY."""
STEP = 128
"""Rows between two that are looked at first to find where a late one goes."""
NEWEST = 500
"""Rows that are looked at before a sweep asks its questions, so that something is shown at once."""
NARROW = 50
"""A filter that narrows another looks at the rows of that one where they are less than one in so many: each is far away
in memory."""


class Sweep(Protocol):
    """A filter on its way through all events of a store, a step at a time."""

    @property
    def size(self) -> int:
        """Events that `pick` gets through in some milliseconds."""
        ...

    def ask(self) -> bool:
        """Ask about some of what events share; False if there was nothing more to ask: now they can be picked."""
        ...

    def pick(self, events: list[Event], start: int, end: int) -> list[Event]:
        """The kept ones from `start` to `end` of all events, in order."""
        ...


class Filter(Protocol):
    """A question with a yes or no for each event."""

    @property
    def text(self) -> str:
        """What the person typed."""
        ...

    @property
    def changeable(self) -> bool:
        """Whether the answer for an event can change while the event stays the same."""
        ...

    def __call__(self, event: Event) -> bool:
        """Whether the event is kept."""
        ...

    def select(self, events: list[Event]) -> list[Event]:
        """The kept ones of some that ascend by key: one pass without a call per row where that can be."""
        ...

    def reach(self, events: list[Event], end: int) -> int:
        """How many of the first `end` to leave for later, so that `select` takes some milliseconds for the rest."""
        ...

    def sweep(self, numbered: Numbered, *, since: int = 0, before: object = None) -> Sweep | None:
        """What asks the same of all events of a store, from the key `since` on; None where `select` is as good.

        `before` may be a finished sweep of any filter, which may have answered some of the questions.
        """
        ...

    def narrows(self, other: Filter) -> bool:
        """Whether everything this keeps is kept by `other` too."""
        ...


class View:
    """The rows that a filter keeps, ascending by key; with no filter the store's own list.

    A new filter is applied in steps, newest rows first, so that 100,000 rows never stop the event loop: call `step`
    until it says False. Rows that arrive meanwhile are never missed and never twice.
    """

    def __init__(
        self,
        events: list[Event],
        chosen: Filter | None = None,
        on_close: Callable[[View], None] | None = None,
        numbered: Numbered | None = None,
    ) -> None:
        """`numbered`: the calls and callers of the events, where they have numbers."""
        self._events = events
        self._numbered = numbered
        self._on_close = on_close
        self.chosen: Filter | None = None
        self.rows = events
        self._source = events
        """What is looked at: all events, or those that a wider filter kept."""
        self._before: int | None = None
        """Of these, the ones with smaller keys are still to be looked at."""
        self._sweep: Sweep | None = None
        """What looks at them, if these are all events."""
        self._through: Sweep | None = None
        """The last one that has looked at all of them."""
        if chosen is not None:
            self.choose(chosen)

    @property
    def busy(self) -> bool:
        """Whether `step` has more to do."""
        return self._before is not None

    def choose(self, chosen: Filter | None) -> None:
        """Change the filter; the first step is done at once."""
        previous, self.chosen = self.chosen, chosen
        if chosen is None:
            self.rows = self._source = self._events
            self._before = self._sweep = self._through = None
            return
        narrower = previous is not None and not self.busy and chosen.narrows(previous)
        few = narrower and len(self.rows) * NARROW < len(self._events)
        self._sweep = None
        if self._numbered is not None and not few:
            self._sweep = chosen.sweep(self._numbered, before=self._through)
        self._source, self.rows = self.rows if narrower and self._sweep is None else self._events, []
        end = len(self._source)
        self._look(chosen, 0 if self._sweep is None else max(0, end - NEWEST), end)

    def step(self) -> bool:
        """Look at the next rows; False when all have been looked at."""
        if self._before is None or self.chosen is None:
            return False
        end = bisect_left(self._source, self._before, key=KEY)
        if self._sweep is None:
            self._look(self.chosen, 0, end)
        elif not self._sweep.ask():
            rest = max(0, end - self._sweep.size)
            self._show(self._sweep.pick(self._source, rest, end), rest)
        return self.busy

    def _look(self, chosen: Filter, first: int, end: int) -> None:
        # What is still to be looked at is not copied: that is a third of what "filter-…" measures.
        rest = max(first, chosen.reach(self._source, end))
        self._show(chosen.select(self._source[rest:end]), rest)

    def _show(self, kept: list[Event], rest: int) -> None:
        """The rows from `rest` on have been looked at."""
        self.rows[0:0] = kept
        self._before = self._source[rest].key if rest else None
        if not rest:
            self._source, self._through, self._sweep = self._events, self._sweep or self._through, None

    def added(self, fresh: list[Event]) -> list[Event]:
        """Take in events that are new in the store, ascending by key; returns those the filter keeps."""
        if self.chosen is None:
            return fresh
        kept = self.chosen.select(fresh)
        if self._before is not None:
            # Older than what has been looked at: they wait their turn with the rest.
            split = bisect_left(kept, self._before, key=KEY)
            if self._source is not self._events:
                merge(self._source, kept[:split])
            kept = kept[split:]
        merge(self.rows, kept)
        return kept

    def recheck(self, events: Iterable[Event]) -> None:
        """Ask again about events of the store: the answer can have changed, or they are new versions of old rows."""
        if self.chosen is None:
            return
        for event in events:
            key, kept = event.key, self.chosen(event)
            rows = self._source if self._before is not None and key < self._before else self.rows
            if rows is self._events:
                continue  # its turn is to come
            at = bisect_left(rows, key, key=KEY)
            known = at < len(rows) and rows[at].key == key
            rows[at : at + known] = [event] if kept else []

    def evicted(self, oldest: int | None) -> None:
        """Forget rows older than the event with key `oldest`; all of them if there is none left."""
        for rows in (self.rows, self._source):
            if rows is not self._events:
                del rows[: len(rows) if oldest is None else bisect_left(rows, oldest, key=KEY)]

    def index(self, key: int) -> int:
        """The index of the first row whose key is not smaller; len(rows) for none."""
        return bisect_left(self.rows, key, key=KEY)

    def close(self) -> None:
        """Stop following the store."""
        if self._on_close is not None:
            self._on_close(self)


def merge(rows: list[Event], batch: list[Event]) -> None:
    """Merge `batch` into `rows`, both ascending by key: append if it can, else insert, interleave or sort.

    Which of them is fastest depends on how many rows are late among how many: see "late-…".
    """
    if not batch:
        return
    if not rows or batch[0].key > rows[-1].key:
        rows.extend(batch)
        return
    if batch[-1].key < rows[0].key:  # history that is loaded newest first
        rows[0:0] = batch
        return
    low = bisect_right(rows, batch[0].key, key=KEY)
    late, among = bisect_right(batch, rows[-1].key, key=KEY), len(rows) - low
    if late * FEW <= among:
        for event in batch[:late]:
            rows.insert(bisect_right(rows, event.key, low, key=KEY), event)
        rows.extend(batch[late:])
        return
    if late * MANY <= among:
        _insert(rows, batch, low)
        return
    tail = rows[low:]
    del rows[low:]
    tail += batch
    tail.sort(key=KEY)  # merges two ordered runs
    rows += tail


def _insert(rows: list[Event], batch: list[Event], low: int) -> None:
    """Insert `batch` into `rows` from index `low` on, the last one first: what lies between two is moved once.

    Each row is far away in memory. So few are looked at: one in STEP says between which two to look. And all are moved
    within the list, part by part, as a copy of it would note of each row that it is held once more. Serves "late-…".
    """
    steps = list(map(KEY, rows[low::STEP]))
    end, upto, left = len(rows), len(steps), len(batch)
    rows += batch  # makes room
    for event in reversed(batch):
        key = event.key
        upto = bisect_right(steps, key, 0, upto)
        last = low + upto * STEP
        first = last - STEP if upto else low
        if last > end:  # `min` takes longer
            last = end
        place = bisect_right(rows, key, first, last, key=KEY)
        rows[place + left : end + left] = rows[place:end]
        left -= 1
        rows[place + left] = event
        end = place
