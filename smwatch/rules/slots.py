"""What a case has seen of its values: only the first and the last event of each, in each stretch of time."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, KeysView, Sequence, Set
from itertools import chain
from typing import TYPE_CHECKING, NamedTuple

from smwatch.rules.dimension import Renames, Value
from smwatch.rules.measure import Sight, sight
from smwatch.rules.subject import SECOND_BITS

NEVER = 1 << 512
"""A key later than any event's."""
VALUES = 10_000
"""Values told apart in one slot, and among those no longer kept."""


class More(NamedTuple):
    """What was seen in a slot since it was judged: where nothing else has changed, most of what was found stands.

    As of each value the first and the last sight are kept, what there is of one in the slot then begins no later, and
    ends no earlier, than it did. Serves the rows "rules-trouble" and "burst-trouble" of the benchmarks.
    """

    before: Sequence[Sight]
    """What was to be judged of the slot without it."""
    gone: Sequence[Sight]
    """What of that is not any more: of some values something earlier was the first in the slot, or later the last."""
    new: Sequence[Sight]
    """Ascending."""

    @property
    def later(self) -> bool:
        """Whether all of it is later than what was seen before."""
        return self.new[0] > self.before[-1]


class Slots:
    """Values in slots: stretches of time, numbered, each of so many seconds.

    As a slot is no longer than the shortest period asked about, every such period that holds any event of a value holds
    one of those that are kept, so nothing is missed.
    """

    __slots__ = ("_again", "_counts", "as_judged", "by_number", "last", "packed", "pairs", "width")

    def __init__(self, width: int) -> None:
        self.width = width
        """Seconds."""
        self.by_number: dict[int, dict[Value, list[int]]] = {}
        """By slot, ascending, and value: the first and the last event key."""
        self.pairs = 0
        """Values in all slots, each as often as there are slots with it."""
        self._counts: dict[Value, int] = {}
        """In how many slots each value is."""
        self.as_judged: dict[int, list[Sight]] = {}
        """What was seen in some slots as it is judged: of these it has to be told what is `stale`."""
        self._again: dict[int, dict[Value, Sequence[int]]] = {}
        """By slot, the values that were seen otherwise since, and the first and the last key of each before."""
        self.last = -1
        """The last slot there ever was."""
        self.packed: tuple[tuple[int, tuple[int | Value, ...]], ...] = ()
        """Instead of `by_number`, where that is not there: each slot, its values in a row, each with its two keys."""

    def pack(self) -> None:
        """Take little room until somebody asks for anything: four of five bytes are of dicts and lists.

        Who goes on with the keys of a value, see `put`, finds that it has been seen later, and comes here.
        """
        self.all_stale()
        packed = list[tuple[int, tuple[int | Value, ...]]]()
        for number, slot in self.by_number.items():
            packed.append((number, tuple(chain.from_iterable((value, *ends) for value, ends in slot.items()))))
            for ends in slot.values():
                ends[1] = NEVER
        self.packed = tuple(packed)
        del self.by_number, self._counts

    if not TYPE_CHECKING:  # which is to know of no other names than there are

        def __getattr__(self, name: str) -> object:
            """What `pack` has let go of: who needs it need not ask first whether it is there, which takes a call."""
            if name not in ("by_number", "_counts"):
                raise AttributeError(name)
            self.by_number = {
                number: {value: [first, last] for value, first, last in zip(*[iter(told)] * 3, strict=True)}
                for number, told in self.packed
            }
            self.packed = ()
            self._counts = dict(Counter(chain.from_iterable(self.by_number.values())))
            return getattr(self, name)

    @property
    def values(self) -> KeysView[Value]:
        """The different values."""
        return self._counts.keys()

    @property
    def oldest(self) -> int | None:
        """The oldest slot."""
        return self.packed[0][0] if self.packed else next(iter(self.by_number), None)

    def new(self, number: int) -> dict[Value, list[int]]:
        """A slot that there was not yet."""
        slot = self.by_number[number] = {}
        if number > self.last:
            self.last = number
        else:
            self.by_number = dict(sorted(self.by_number.items()))
        return slot

    def put(self, slot: dict[Value, list[int]], value: Value, ends: list[int]) -> bool:
        """Put a value into a slot in which it was not; whether it was in none."""
        slot[value] = ends
        self.pairs += 1
        count = self._counts[value] = self._counts.get(value, 0) + 1
        return count == 1

    def drop(self, number: int) -> bool:
        """Forget a slot; whether there are values that are in no other one."""
        slot, counts, gone = self.by_number.pop(number), self._counts, False
        self._forget(number)
        self.pairs -= len(slot)
        for value in slot:
            if counts[value] > 1:
                counts[value] -= 1
            else:
                del counts[value]
                gone = True
        return gone

    def having(self, value: Value) -> list[int]:
        """The slots that a value is in."""
        return [number for number, slot in self.by_number.items() if value in slot]

    def lasts(self, number: int, reach: int) -> Iterator[tuple[Value, int]]:
        """The last second of each value in a slot, and in each of so many before, ascending by slot."""
        slots = self.by_number
        for one in range(number - reach, number + 1):
            for value, (_, last) in slots[one].items() if one in slots else ():
                yield value, last >> SECOND_BITS

    def enough_near(self, number: int, needs: Iterable[tuple[int, int]]) -> bool:
        """Whether a period may hold a slot's events and as many values as one of these needs, see `Needs.near`.

        It is cheaper than to be exact.
        """
        slots = self.by_number
        for least, reach in needs:
            near = [slots[i] for i in range(number - reach, number + reach + 1) if i in slots]
            if sum(map(len, near)) >= least and len(set().union(*near)) >= least:
                return True
        return False

    def fold(self, right: Renames) -> None:
        """Know values that have turned out to be others as those."""
        for number, slot in self.by_number.items():
            for old in [each for each in right if each in slot]:
                first, last = slot.pop(old)
                ends = slot.setdefault(right[old], [first, last])
                ends[:] = min(first, ends[0]), max(last, ends[1])
                self._forget(number)
        self.pairs = sum(map(len, self.by_number.values()))
        self._counts = dict(Counter(value for slot in self.by_number.values() for value in slot))

    def days(self, day: int) -> Set[int]:
        """The days, of so many seconds, in which slots begin."""
        return {number * self.width // day for number in self.by_number}

    def any_after(self, day: int, length: int) -> bool:
        """Whether there may be a slot that ends after this day, of so many seconds."""
        return (self.last + 1) * self.width > (day + 1) * length

    def each(self) -> Iterator[tuple[Value, int]]:
        """Every value with each key that is kept of it."""
        for slot in self.by_number.values():
            for value, ends in slot.items():
                for key in ends:
                    yield value, key

    # -- as they are judged

    @property
    def unsorted(self) -> list[int]:
        """The slots in which what was seen has to be sorted before it can be judged."""
        return sorted([*(self.by_number.keys() - self.as_judged.keys()), *self._again])

    @property
    def known(self) -> dict[int, Sequence[Sight]]:
        """What was seen in the others as it is judged, and in some of these as it was; in no order."""
        return {**self.as_judged}

    def sights(self, number: int, *, keep: bool) -> tuple[Sequence[Sight], More | None]:
        """What is to be judged of a slot, ascending, and what of that is other than the last time, if that is known.

        To `keep` it is for whoever says when it is `stale`.
        """
        sights, again, slot = self.as_judged.get(number), self._again.pop(number, None), self.by_number[number]
        if sights is None:
            found = sorted([sight((key >> SECOND_BITS, key, value)) for value, ends in slot.items() for key in {*ends}])
            if keep:
                self.as_judged[number] = found
            return found, None
        if again is None:
            return sights, None
        new = sorted(_but([(value, slot[value], ends) for value, ends in again.items()]))
        gone = _but([(value, ends, slot[value]) for value, ends in again.items()])
        more = More(sights, gone, new) if sights and new else None
        found = self.as_judged[number] = sights.copy()
        for one in gone:
            del found[bisect_left(found, one)]
        found += new
        if more is None or not more.later:
            found.sort()
        return found, more

    def stale(self, number: int, value: Value, ends: Sequence[int]) -> None:
        """A value was seen in this slot, which is known `as_judged`; its first and its last key were these before."""
        self._again.setdefault(number, {}).setdefault(value, tuple(ends))

    def all_stale(self) -> None:
        """Something may have been seen in any slot."""
        self.as_judged.clear()
        self._again.clear()

    def _forget(self, number: int) -> None:
        self.as_judged.pop(number, None)
        self._again.pop(number, None)


def _but(ends: Iterable[tuple[Value, Sequence[int], Sequence[int]]]) -> list[Sight]:
    """What was seen of values first and last, but for what was among other ends of them."""
    return [
        sight((key >> SECOND_BITS, key, value)) for value, keys, others in ends for key in {*keys}.difference(others)
    ]
