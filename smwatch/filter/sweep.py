"""A filter on its way through all events of a store, of which it touches none that it does not keep."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import Generic, TypeVar

from smwatch.events.columns import Column, Columns
from smwatch.events.event import Event
from smwatch.filter.term import Term

V = TypeVar("V")
KEY = attrgetter("key")
ASKED, SWEPT = 5_000, 20_000
"""Values that are asked about, and events that are gone through, in some milliseconds."""
DENSE = 8
"""Events are kept by going through all of them where more than one in so many are."""


class Sweep:
    """Asks about all calls and callers with `ask`, then picks events by the numbers of theirs.

    Each term has a bit, which is set for what it finds an event by: an event is kept if the bits of its call, of its
    caller and its own are together those of the terms that are to find it. Meanwhile no number may become another
    value's; there may be more of them, which are to be asked about.
    """

    def __init__(self, terms: Sequence[Term], columns: Columns, *, since: int = 0) -> None:
        """`terms` in the order in which they are to be asked; no event is kept whose key is less than `since`."""
        shared = [term for term in terms if term.shared]
        self._own = [term for term in terms if not term.shared]
        self._calls = _Bits(columns.calls, [term.finds_calls if term.by_call else None for term in shared])
        self._callers = _Bits(columns.callers, [term.finds_callers if term.by_caller else None for term in shared])
        self._events = _numbered([term.finds_events if term.by_event else None for term in shared])
        self._wanted = sum(1 << bit for bit, term in enumerate(shared) if not term.exclude)
        self._since = since
        self.size = min([SWEPT, *(term.step for term in terms if term.by_event)])
        """Events that `pick` gets through in some milliseconds."""

    def ask(self) -> bool:
        """Ask about some thousand values; False if all of them were asked about before."""
        return self._calls.ask() or self._callers.ask()

    def pick(self, events: list[Event], start: int, end: int) -> list[Event]:
        """The kept ones from `start` to `end` of all events, in order."""
        if self._since:
            start = bisect_left(events, self._since, start, end, key=KEY)
        places = self._places_by(events, start, end) if self._events else self._places(start, end)
        if len(places) * DENSE > end - start:
            # One after the other they are brought into the processor's caches faster than one here, one there.
            some = events[start:end]
            kept = some if len(places) == len(some) else [some[place - start] for place in places]
        else:
            kept = [events[place] for place in places]
        for term in self._own:
            kept = term.select(kept)
        return kept

    def _places(self, start: int, end: int) -> list[int]:
        """Where the kept ones are: most are not, and are not touched."""
        calls, callers, wanted = self._calls, self._callers, self._wanted
        alone = calls if not callers.asks else callers if not calls.asks else None
        if alone is not None:
            found = alone.found
            return [place for place, number in enumerate(alone.numbers(start, end), start) if found[number] == wanted]
        call, caller = calls.found, callers.found
        numbered = zip(range(start, end), calls.numbers(start, end), callers.numbers(start, end), strict=True)
        if wanted == calls.all == 1:
            # So it is with a word, and half as much work: serves "filter-text".
            return [place for place, a, b in numbered if call[a] or caller[b]]
        return [place for place, a, b in numbered if call[a] | caller[b] == wanted]

    def _places_by(self, events: list[Event], start: int, end: int) -> list[int]:
        """The same where events are asked about as well."""
        call, caller, wanted = self._calls.found, self._callers.found, self._wanted
        own = _bits(self._events, events[start:end])
        calls, callers = self._calls.numbers(start, end), self._callers.numbers(start, end)
        numbered = zip(range(start, end), calls, callers, own, strict=True)
        return [place for place, a, b, bits in numbered if call[a] | caller[b] | bits == wanted]


class _Bits(Generic[V]):
    """For each value of a column, the bits of the terms that find it."""

    def __init__(self, column: Column[V], asking: Sequence[Callable[[Sequence[V]], list[bool]] | None]) -> None:
        """`asking` has each term's question, None where it does not ask about these values."""
        self.found: list[int] = []
        """By number."""
        self.all = (1 << len(asking)) - 1
        self.asks = _numbered(asking)
        self._column = column

    def ask(self) -> bool:
        known = len(self.found)
        values = self._column.values[known : known + ASKED] if self.asks else []
        if not values:
            return False
        self.found += _bits(self.asks, values)
        return True

    def numbers(self, start: int, end: int) -> Sequence[int]:
        """Those of the events from `start` to `end`."""
        return self._column.numbers[start:end]


Asks = list[tuple[int, Callable[[Sequence[V]], list[bool]]]]
"""Questions, each with the bit of its term."""


def _numbered(asking: Sequence[Callable[[Sequence[V]], list[bool]] | None]) -> Asks[V]:
    return [(bit, ask) for bit, ask in enumerate(asking) if ask is not None]


def _bits(asks: Asks[V], values: Sequence[V]) -> Sequence[int]:
    """The bits of the terms that find each of some values."""
    bits: Sequence[int] = [0] * len(values)
    for bit, ask in asks:
        said = ask(values)
        # The first one's are its answers as they are: serves "filter-varied".
        bits = [one << bit | more for one, more in zip(said, bits, strict=True)] if bit else said
    return bits
