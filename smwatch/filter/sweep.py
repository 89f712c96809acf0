"""A filter on its way through all events of a store, of which it touches none that it does not keep."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Sequence
from itertools import compress
from operator import attrgetter
from typing import Generic, TypeVar

from smwatch.events.event import Event
from smwatch.events.numbered import Column, Numbered
from smwatch.filter.term import Term

V = TypeVar("V")
KEY = attrgetter("key")
ASKED, SWEPT = 5_000, 20_000
"""Values that are asked about, and events that are gone through, in some milliseconds."""
DENSE = 8
"""Events are kept by going through all of them where more than one in so many are."""


class Sweep:
    """Asks about all calls and callers with `ask`, then picks events by the numbers of theirs.

    Where a term finds few, those after it are asked only about what it leaves. Meanwhile no number may become another
    value's; there may be more of them, which are to be asked about.
    """

    def __init__(self, terms: Sequence[Term], numbered: Numbered, *, since: int = 0) -> None:
        """`terms` in the order in which they are to be asked; no event is kept whose key is less than `since`.

        One of them asks about what events share.
        """
        shared = sorted((term for term in terms if term.shared), key=lambda term: term.by_event)
        self._ahead = [_Asked(term, numbered) for term in shared]
        self._after: list[_Asked] = []
        """Those that are asked about what the others leave."""
        self._own = [term for term in terms if not term.shared]
        self._since = since
        self.size = min([SWEPT // len(shared), *(term.step for term in terms if term.by_event)])
        """Events that `pick` gets through in some milliseconds."""

    def ask(self) -> bool:
        """Ask about some thousand values; False if all of them were asked about before."""
        for place, asked in enumerate(self._ahead, 1):
            if asked.ask():
                return True
            if asked.width * DENSE < 1:
                self._ahead[place:], self._after[:0] = [], self._ahead[place:]
        return False

    def pick(self, events: list[Event], start: int, end: int) -> list[Event]:
        """The kept ones from `start` to `end` of all events, in order."""
        if self._since:
            start = bisect_left(events, self._since, start, end, key=KEY)
        places: Sequence[int] = range(start, end)
        for asked in sorted(self._ahead, key=_Asked.order):
            places = asked.kept(events, places)
        for asked in self._after:
            asked.ask_of(places)
            places = asked.kept(events, places)
        kept = _at(events, places)
        for term in self._own:
            kept = term.select(kept)
        return kept


class _Asked:
    """A term, and what it said of calls and callers."""

    def __init__(self, term: Term, numbered: Numbered) -> None:
        self._term = term
        self._calls = _Said(numbered.calls, term.finds_calls if term.by_call else None)
        self._callers = _Said(numbered.callers, term.finds_callers if term.by_caller else None)

    @property
    def width(self) -> float:
        """About which part of all events it keeps."""
        width = max(self._calls.width, self._callers.width)
        return 1 - width if self._term.exclude else width

    def order(self) -> tuple[bool, float]:
        """What is low for one that looks at no event itself, and keeps few."""
        return self._term.by_event, self.width

    def ask(self) -> bool:
        """Ask about some more values; False if there are none whose answers matter."""
        return self._calls.ask() or (not self._calls.all and self._callers.ask())

    def ask_of(self, places: Sequence[int]) -> None:
        """Ask about the values of the events at these places."""
        said = self._calls.ask_of(places)
        self._callers.ask_of([place for place, found in zip(places, said, strict=True) if not found])

    def kept(self, events: list[Event], places: Sequence[int]) -> Sequence[int]:
        """Those of some places where events are kept."""
        kept, exclude = self._by_values(places), self._term.exclude
        if not self._term.by_event:
            return kept
        looked = kept if exclude else places
        own = {looked[place] for place in self._term.places_of_found(_at(events, looked))}
        if not own:
            return kept
        return [place for place in kept if place not in own] if exclude else sorted(own.union(kept))

    def _by_values(self, places: Sequence[int]) -> Sequence[int]:
        """The same by calls and callers: most events are not kept, and are not touched."""
        calls, callers, exclude = self._calls, self._callers, self._term.exclude
        if calls.all or callers.all:
            return [] if exclude else places
        if not (calls.count and callers.count):
            alone = calls if calls.count else callers
            if not alone.count:
                return places if exclude else []
            found, numbers = alone.found, alone.numbers(places)
            return [place for place, number in zip(places, numbers, strict=True) if found[number] is not exclude]
        call, caller = calls.found, callers.found
        numbered = zip(places, calls.numbers(places), callers.numbers(places), strict=True)
        if exclude:
            return [place for place, a, b in numbered if not (call[a] or caller[b])]
        return [place for place, a, b in numbered if call[a] or caller[b]]


class _Said(Generic[V]):
    """What a term says of the values of a column: of all of them, or of those of some events."""

    def __init__(self, column: Column[V], question: Callable[[Sequence[V]], list[bool]] | None) -> None:
        """`question` is None where the term does not ask about these values: it finds none of them."""
        self.found: list[bool | None] = []
        """By number; None for what was not asked about."""
        self.count = 0
        """How many events have one that it finds, as far as all values are asked about; else how many it finds."""
        self.all = question is not None
        """Whether all were asked about, and it finds each that an event has."""
        self._column = column
        self._question = question

    @property
    def width(self) -> float:
        """Which part of all events has one that it finds."""
        return self.count / (len(self._column.numbers) or 1)

    def ask(self) -> bool:
        """Ask about some thousand more, by number; False if all were asked about."""
        known = len(self.found)
        values = self._column.values[known : known + ASKED]
        if self._question is None or not values:
            return False
        said = self._question(values)
        self.found += said
        self.count += sum(compress(self._column.uses[known : known + ASKED], said))
        nothing = self._column.nothing
        self.all = self.all and all(one or value is nothing for one, value in zip(said, values, strict=True))
        return True

    def ask_of(self, places: Sequence[int]) -> Sequence[bool | None]:
        """What it says of the values of the events at these places; each is asked about once."""
        self.all = False
        if self._question is None:
            return [False] * len(places)
        found, values, numbers = self.found, self._column.values, self.numbers(places)
        found += [None] * (len(values) - len(found))
        new = [number for number in set(numbers) if found[number] is None]
        said = self._question([values[number] for number in new])
        self.count += sum(said)
        for number, one in zip(new, said, strict=True):
            found[number] = one
        return [found[number] for number in numbers]

    def numbers(self, places: Sequence[int]) -> Sequence[int]:
        """Those of the events at these places."""
        numbers = self._column.numbers
        if isinstance(places, range):
            return numbers[places.start : places.stop]
        return [numbers[place] for place in places]


def _at(events: list[Event], places: Sequence[int]) -> list[Event]:
    """The events at some places, which ascend."""
    if not places:
        return []
    start, end = places[0], places[-1] + 1
    if len(places) * DENSE <= end - start:
        return [events[place] for place in places]
    # One after the other they are brought into the processor's caches faster than one here, one there.
    some = events[start:end]
    return some if len(places) == len(some) else [some[place - start] for place in places]
