"""How many different values were seen lately, kept up to date while they go on being seen."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from itertools import chain, groupby
from operator import itemgetter

from smwatch.rules.last_seen import LastSeen
from smwatch.rules.measure import Sight
from smwatch.rules.slots import More
from smwatch.rules.subject import SECOND_BITS

_second, _value = (itemgetter(Sight._fields.index(name)) for name in ("second", "value"))


class Lately:
    """How many different values had been seen in the periods that end with what is new.

    A caller that goes through hundreds of values has thousands of sights in a period, of which one more event is one.
    Serves the rows "rules-varied" and "rules-trouble" of the benchmarks.
    """

    __slots__ = ("_before", "_counts", "_last", "_new", "_periods")

    def __init__(self, periods: Iterable[int]) -> None:
        """`periods`: how many seconds each lasts that is asked about."""
        self._periods = frozenset(periods)
        self._last: LastSeen | None = None
        """By keys; None where that is not known."""
        self._new: Mapping[int, Sequence[Sight]] = {}
        self._before: Sequence[Sequence[Sight]] = ()
        self._counts: dict[tuple[int, int], list[tuple[int, int]]] | None = None
        """By slot, and period."""

    def forget(self) -> None:
        """Anything may have been seen."""
        self._last = self._counts = None
        self._new = {}

    def drop(self, sights: Iterable[Sight]) -> None:
        """Forget these, which are older than any period reaches back that is asked about from now on."""
        if self._last is not None:
            self._last.forget(sights)

    @property
    def up_to_date(self) -> bool:
        """Whether it knows all that there was before, and need not be told."""
        return self._last is not None and self._counts is not None  # somebody has asked since it went on last

    def go_on(self, new: Mapping[int, Sequence[Sight]], before: Sequence[Sequence[Sight]]) -> None:
        """By slot, ascending, what is `new`: all of it is later than what there was `before`, ascending."""
        if not self.up_to_date:
            self._last = None
        self._new, self._before, self._counts = new, before, None

    def counts(self, within: int, slot: int) -> Sequence[tuple[int, int]] | None:
        """Each new second of a slot, and how many different values there are in the period that ends in it.

        None where there may be other seconds in which there are more or fewer than before.
        """
        if slot not in self._new:
            return None
        if self._counts is None:
            if self._last is None:
                self._last = LastSeen((value, key) for _, key, value in chain(*self._before))
            self._counts = self._counted(self._last)
            self._before = ()  # which is thousands of sights
        return self._counts[slot, within]

    def _counted(self, last: LastSeen) -> dict[tuple[int, int], list[tuple[int, int]]]:
        keys, counts = last.ascending, dict[tuple[int, int], list[tuple[int, int]]]()
        for slot, new in self._new.items():
            own = [(within, counts.setdefault((slot, within), [])) for within in self._periods]
            for second, sights in groupby(new, _second):
                last.see_all(sights)
                for within, found in own:
                    found.append((second, len(keys) - bisect_left(keys, second - within << SECOND_BITS)))
        return counts


def goes_on(more: More) -> bool:
    """Whether more of a slot is the newest of it, and no value of it was seen last before that by now."""
    return more.later and {*map(_value, more.gone)} <= {*map(_value, more.new)}
