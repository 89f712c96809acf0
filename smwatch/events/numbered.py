"""What the events of a store share, by number: a filter asks about each once, and touches no event it does not keep."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Sequence
from operator import attrgetter
from typing import Generic, TypeVar

from msgspec.structs import force_setattr

from smwatch.events.call import Call, Caller
from smwatch.events.event import Event
from smwatch.events.principal import Kind, Principal

V = TypeVar("V")
KEY = attrgetter("key")
LATELY = 4_096
"""Values of a column that are known by their ids, before all are forgotten."""


class _Chains(Generic[V]):
    """Finds the numbers of values, by their hashes, in 8 bytes each, where a dict takes 100: serves "memory-varied".

    There are as many chains as numbers, and each new number parts one chain (linear hashing): no step takes long.
    """

    __slots__ = ("_following", "_half", "_heads", "_values")

    def __init__(self, values: list[V]) -> None:
        """`values`: by number."""
        self._values = values
        self._heads = array("I", (0,))
        """One more than the first number of each chain; 0 where there is none."""
        self._following = array("I")
        """The same of what comes after each number in its chain."""
        self._half = 1
        """A power of two: there are no fewer chains, and at most twice as many."""

    def find(self, value: V, hashed: int) -> int | None:
        """The number of a value that is equal, if there is one.

        `hashed` is its hash, for which all of its texts are fetched: so that it is made once. Serves "ingest".
        """
        values, following, heads = self._values, self._following, self._heads
        at = hashed & 2 * self._half - 1  # as `_chain` does; to call it takes as long. Serves "ingest".
        number = heads[at if at < len(heads) else at - self._half] - 1
        while number >= 0:
            if values[number] == value:
                return number
            number = following[number] - 1
        return None

    def add(self, number: int, hashed: int) -> None:
        """From now on the value that has this number is found; numbers are taken one after the other, or again."""
        if number == len(self._following):
            self._following.append(0)
            self._part()
        at = self._chain(hashed)
        self._following[number] = self._heads[at]
        self._heads[at] = number + 1

    def remove(self, number: int) -> None:
        """The value that has this number, as yet, is not found any more."""
        at, following = self._chain(hash(self._values[number])), self._following
        each = self._heads[at] - 1
        if each == number:
            self._heads[at] = following[number]
            return
        while following[each] - 1 != number:
            each = following[each] - 1
        following[each] = following[number]

    def _part(self) -> None:
        """Make one more chain, of a part of another one."""
        heads, following, values = self._heads, self._following, self._values
        if len(heads) == 2 * self._half:
            self._half *= 2
        half = self._half
        at = len(heads) - half
        number, heads[at] = heads[at] - 1, 0
        heads.append(0)
        while number >= 0:
            after = following[number] - 1
            chain = at + half if hash(values[number]) & half else at
            following[number] = heads[chain]
            heads[chain] = number + 1
            number = after

    def _chain(self, hashed: int) -> int:
        at = hashed & 2 * self._half - 1
        return at if at < len(self._heads) else at - self._half


class Column(Generic[V]):
    """One value for each of a list of events; equal ones have one number for as long as some event has them."""

    __slots__ = ("_chains", "_free", "_lately", "nothing", "numbers", "reused", "uses", "values")

    def __init__(self, nothing: V) -> None:
        self.numbers = array("I")
        """The number of each event's value."""
        self.values: list[V] = []
        """By number."""
        self.nothing = nothing
        """Stands for what no event has any more."""
        self._chains = _Chains(self.values)
        self._lately: dict[int, int] = {}
        """The numbers of some of `values`, by id: to hash one, the texts that it holds are fetched. Serves "ingest"."""
        self.uses = array("I")
        """How many events have the value; by number."""
        self.reused = 0
        """How often a value got a number that was another one's before."""
        self._free: list[int] = []

    def take(self, values: Iterable[V], *, steady: bool) -> array[int]:
        """Number the values of as many more events; `steady`: give none a number that was another value's before.

        That is for whoever has asked about values by number, and goes on to events by what was said of these.
        """
        taken = array("I")
        lately, uses = self._lately, self.uses
        for value in values:
            number = lately.get(id(value))
            if number is None:
                number = self._number(value, steady=steady)
            uses[number] += 1
            taken.append(number)
        return taken

    def put(self, numbers: array[int], places: Sequence[int]) -> None:
        """Put numbers where they are to be found at `places`, which ascend."""
        low = places[0]
        tail = self.numbers[low:]
        del self.numbers[low:]
        done = 0
        for before, (number, place) in enumerate(zip(numbers, places, strict=True)):
            upto = place - low - before
            self.numbers += tail[done:upto]
            self.numbers.append(number)
            done = upto
        self.numbers += tail[done:]

    def replace(self, place: int, value: V, *, steady: bool) -> None:
        """The event at this place has another value."""
        old = self.numbers[place]
        [self.numbers[place]] = self.take((value,), steady=steady)
        self.uses[old] -= 1
        if not self.uses[old]:
            self._let_go(old)

    def drop(self, count: int) -> None:
        """The first so many events are gone."""
        uses = self.uses
        for number, gone in Counter(self.numbers[:count]).items():
            uses[number] -= gone
            if not uses[number]:
                self._let_go(number)
        del self.numbers[:count]

    def _let_go(self, number: int) -> None:
        """No event has the value with this number any more."""
        self._chains.remove(number)
        self._lately.pop(id(self.values[number]), None)
        self.values[number] = self.nothing
        self._free.append(number)

    def _number(self, value: V, *, steady: bool) -> int:
        """The number of a value that is not among `_lately`."""
        hashed = hash(value)
        number = self._chains.find(value, hashed)
        if number is None:
            number = self._new(value, hashed, steady=steady)
        if self.values[number] is value:  # which is kept, so that no other object has its id
            if len(self._lately) >= LATELY:
                self._lately.clear()
            self._lately[id(value)] = number
        return number

    def _new(self, value: V, hashed: int, *, steady: bool) -> int:
        if self._free and not steady:
            number = self._free.pop()
            self.reused += 1
            self.values[number] = value
        else:
            number = len(self.values)
            self.values.append(value)
            self.uses.append(0)
        self._chains.add(number, hashed)
        return number


class Numbered:
    """The calls and the callers of a list of events, kept beside it: eight bytes an event, a hundred for each of them.

    Serves "filter-varied": the call, the caller and the texts of each event lie far apart in memory.
    """

    __slots__ = ("callers", "calls")

    def __init__(self) -> None:
        self.calls = Column(Call(""))
        self.callers = Column(Caller(Principal(Kind.UNKNOWN, "", "")))

    def added(self, fresh: Sequence[Event], events: Sequence[Event], *, steady: bool) -> None:
        """Follow the list `events`, among which are `fresh` ones; both ascend by key. See `Column.take` for `steady`.

        An event's own call and caller are let go of for equal ones that others have: serves "memory-varied", as a
        reader makes anew what it has forgotten.
        """
        calls, callers = self.calls, self.callers
        call_numbers = calls.take([event.call for event in fresh], steady=steady)
        caller_numbers = callers.take([event.caller for event in fresh], steady=steady)
        for event, number, caller_number in zip(fresh, call_numbers, caller_numbers, strict=True):
            if event.call is not calls.values[number]:
                force_setattr(event, "call", calls.values[number])
            if event.caller is not callers.values[caller_number]:
                force_setattr(event, "caller", callers.values[caller_number])
        known = len(calls.numbers)
        if not known or fresh[0].key > events[known - 1].key:
            calls.numbers += call_numbers
            callers.numbers += caller_numbers
            return
        if events[len(fresh) - 1] is fresh[-1]:  # history that is loaded newest first. Serves "filled-journal".
            calls.numbers[:0] = call_numbers
            callers.numbers[:0] = caller_numbers
            return
        places = [bisect_left(events, event.key, key=KEY) for event in fresh]
        calls.put(call_numbers, places)
        callers.put(caller_numbers, places)

    def replaced(self, place: int, event: Event, *, steady: bool) -> None:
        """Another event has come in the place of one."""
        self.calls.replace(place, event.call, steady=steady)
        self.callers.replace(place, event.caller, steady=steady)

    def dropped(self, count: int) -> None:
        """The first so many events are gone."""
        for column in (self.calls, self.callers):
            column.drop(count)
