"""A filter on its way through all events of a store, of which it touches none that it does not keep."""

from __future__ import annotations

import re
import sys
from bisect import bisect_left
from collections.abc import Callable, Iterable, Sequence
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
SOUGHT, BMP = 1_000, 0x10000
"""Numbers that are looked for at once, and how many there may be, to be characters of a set that is quick to ask."""
AT_ONCE = 5
"""So many times as many events are gone through in the same time where numbers are looked for, and so many times as
many values are where nearly all are known not to be found."""
UTF_32 = f"utf-32-{sys.byteorder[0]}e"


class Sweep:
    """Asks about all calls and callers with `ask`, then picks events by the numbers of theirs.

    Where a term finds few, those after it are asked only about what it leaves. Meanwhile no number may become another
    value's; there may be more of them, which are to be asked about.
    """

    def __init__(
        self, terms: Sequence[Term], numbered: Numbered, *, since: int = 0, before: Sweep | None = None
    ) -> None:
        """`terms` in the order in which they are to be asked; no event is kept whose key is less than `since`.

        One of them asks about what events share. `before` is another sweep that is through: of one of its terms that is
        among these nothing is asked again, and where a term narrows one of its, nothing of what that did not find.
        Serves "filter-narrow".
        """
        shared = sorted((term for term in terms if term.shared), key=lambda term: term.by_event)
        known: list[_Asked] = [*before._ahead, *before._after] if before is not None else []
        self._ahead: list[_Asked] = [_Asked(term, numbered, known) for term in shared]
        self._after: list[_Asked] = []
        """Those that are asked about what the others leave."""
        self._own = [term for term in terms if not term.shared]
        self._since = since
        self.swept = min([SWEPT // len(shared), *(term.step for term in terms if term.by_event)])
        """Events that `pick` gets through in some milliseconds where it goes through all of them."""

    @property
    def size(self) -> int:
        """Events that `pick` gets through in some milliseconds."""
        return self.swept * AT_ONCE if any(asked.sparse for asked in self._ahead) else self.swept

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

    def __init__(self, term: Term, numbered: Numbered, known: Iterable[_Asked]) -> None:
        """`known` have been asked."""
        self._term = term
        self._calls = _Said(numbered.calls, term.finds_calls if term.by_call else None)
        self._callers = _Said(numbered.callers, term.finds_callers if term.by_caller else None)
        for other in known:
            same = term.implies(other._term) and other._term.implies(term)
            if same or (term.implies(other._term) and not term.exclude):
                self._calls.go_by(other._calls, same=same)
                self._callers.go_by(other._callers, same=same)
                break

    @property
    def sparse(self) -> bool:
        """Whether the few events that it keeps are found by looking for the numbers of what they share."""
        return not (self._term.exclude or self._term.by_event) and self._calls.sparse and self._callers.sparse

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
        if not exclude and isinstance(places, range) and calls.sparse and callers.sparse:
            return sorted({*calls.places(places), *callers.places(places)})
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

    def __init__(
        self,
        column: Column[V],
        question: Callable[[Sequence[V]], list[bool]] | None,
    ) -> None:
        """`question` is None where the term does not ask about these values: it finds none of them."""
        self.found: list[bool | None] = []
        """By number; None for what was not asked about."""
        self.count = 0
        """How many events have one that it finds, as far as all values are asked about; else how many it finds."""
        self.all = question is not None
        """Whether all were asked about, and it finds each that an event has."""
        self._column = column
        self._question = question
        self._reused = column.reused
        self._sought: list[int] = []
        """The numbers of those that it finds."""
        self._known: Sequence[bool | None] = ()
        """What another said by number, see `go_by`."""
        self._same = False
        self._few = 0
        """Of so many there are few to be asked about."""

    def go_by(self, other: _Said[V], *, same: bool) -> None:
        """Another has said the `same` so far, or finds all that this will: that counts unless numbers are others'."""
        if other._question is not None and other._column is self._column and other._reused == self._reused:
            self._known, self._same = other.found, same
            self._few = len(self._known) if same or len(other._sought) <= ASKED else 0

    @property
    def sparse(self) -> bool:
        """Whether `places` finds the few events that have one that it finds, as far as all values are asked about."""
        few = self.count * DENSE <= len(self._column.numbers) and len(self._sought) <= SOUGHT
        return few and len(self._column.values) <= BMP

    @property
    def width(self) -> float:
        """Which part of all events has one that it finds."""
        return self.count / (len(self._column.numbers) or 1)

    def ask(self) -> bool:
        """Ask about some thousand more, by number; False if all were asked about."""
        start = len(self.found)
        end = min(self._few, start + AT_ONCE * ASKED) if start < self._few else start + ASKED
        values = self._column.values[start:end]
        if self._question is None or not values:
            return False
        known = self._known[start:end]
        if known:
            known = [*(said if self._same else said and None for said in known), *[None] * (len(values) - len(known))]
            asked = [value for value, said in zip(values, known, strict=True) if said is None]
            answers = iter(self._question(asked))
            answered = [next(answers) if said is None else said for said in known]
        else:
            answered = self._question(values)
        self.found += answered
        self._sought += compress(range(start, end), answered)
        self.count += sum(compress(self._column.uses[start:end], answered))
        nothing = self._column.nothing
        self.all = self.all and all(one or value is nothing for one, value in zip(answered, values, strict=True))
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
        self._sought += compress(new, said)
        return [found[number] for number in numbers]

    def places(self, within: range) -> list[int]:
        """Those of some places where events have one that it finds.

        The numbers are characters of a text, in which those of a set are looked for: serves "filter-…", as a loop over
        all events takes ten times as long.
        """
        if not self._sought:
            return []
        text = self._column.numbers[within.start : within.stop].tobytes().decode(UTF_32, "surrogatepass")
        sought = re.compile(f"[{re.escape(''.join(map(chr, self._sought)))}]")
        return [within.start + found.start() for found in sought.finditer(text)]

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
