"""Which sights of a case lie, with enough others, within a period: found slot by slot, and anew only where needed.

A caller that goes through hundreds of values in each slot has thousands of sights, of which one more event changes one:
serves the row "rules-trouble" of the benchmarks, and "longest stall of the event loop".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Sequence
from itertools import chain
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from smwatch.rules.dimension import Value
from smwatch.rules.lately import Lately
from smwatch.rules.measure import Measure, Need, Sight, stretches
from smwatch.rules.period import DAY
from smwatch.rules.slots import More

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

Slots: TypeAlias = dict[int, Sequence[Sight]]
"""By slot, ascending: what was seen in it, ascending."""
Ends: TypeAlias = tuple[int, int]
"""The first and the last second of a slot in which enough had been seen."""
_second, _value = (itemgetter(Sight._fields.index(name)) for name in ("second", "value"))


class Close:
    """What is known of one need: since when, and until when, enough different values had been seen within its period.

    What counts in such a second is every sight of the period that ends with it.
    """

    __slots__ = ("_case", "_least", "_measure", "_notes", "_plain", "ends", "need", "reach")

    def __init__(self, need: Need, measure: Measure, case: SpreadCase, *, notes: bool) -> None:
        """`notes`: what a principal comes to is noted as habitual."""
        self.need = need
        self.reach = stretches(need.within, measure.width)
        """How many slots before a second its period may begin in."""
        self._measure = measure
        self._case = case
        self._notes = notes
        self._least = int(need.least / (measure.factor if measure.habits is not None and need.alone else 1.0))
        """Fewer values are too few, whatever is habitual."""
        self._plain = measure.bar is None and (measure.habits is None or not need.alone)
        """Whether it is the same number of values at any time."""
        self.ends: dict[int, Ends] = {}
        """By slot; a slot is no longer than the period, so that no second between the two makes a difference. Who
        lets go of a slot takes it out."""

    def open(self, values: int) -> bool:
        """Whether there is anything to find where there are so many values in all, or there was."""
        return bool(self.ends) or values >= self._least

    def later(self, changed: Collection[int], slots: Slots) -> list[int]:
        """The slots with seconds whose periods reach into those that have changed."""
        if len(changed) == 1 and (last := next(reversed(slots))) in changed:
            return [last]  # which is mostly so
        return _around(changed, slots, 0, self.reach)

    def within(self, slot: int, slots: Collection[int]) -> list[int]:
        """The slots into which periods reach that end in this one, which is the last of them."""
        return among(range(slot - self.reach, slot + 1), slots)

    def find(self, slot: int, slots: Slots, more: More | None = None, lately: Lately | None = None) -> list[int]:
        """Find those seconds of a slot; the slots in which others are covered than before.

        With `more`, that is all by which anything differs from when it was asked last; without it, anything may, or
        the slot is new. `lately`: what was seen when, where that is later than all that was seen before.
        """
        if more is None:
            counts = lately.counts(self.need.within, slot) if lately is not None else None
            return self._keep(slot, self._found(slot, slots, counts), slots)
        if not self._goes_on(slot, slots, more, lately):
            return self._keep(slot, self._found(slot, slots, None), slots)
        ends = self.ends.get(slot)
        return self._keep(slot, (ends[0], slots[slot][-1].second), slots) if ends is not None else []

    def _goes_on(self, slot: int, slots: Slots, more: More, lately: Lately | None) -> bool:
        """Whether it is seen at once what there is to find: enough until now, since when there was, or still too few.

        Where a value's last sight in a slot is none any more, its first one is in the same periods, as a slot is no
        longer than these, and where its first one is none, an earlier one is: there are nowhere fewer values than there
        were, and only what there was in that very second is missed.
        """
        ends = self.ends.get(slot)
        if ends is not None:
            if self._measure.bar is not None or more.new[0].second < ends[0]:
                return False
            if ends[0] in map(_second, more.gone):
                return False
        sights = slots[slot]
        if self._plain and ends is not None and _enough(sights, self.need.within, self.need.least):
            return True
        counts = lately.counts(self.need.within, slot) if lately is not None else None
        if counts is not None:
            return self._enough_lately(slot, slots, counts, had=ends is not None)
        if len(near := self.within(slot, slots)) > 1:
            sights = [*chain.from_iterable(slots[one] for one in near)]
        return self._enough_at_the_end(slots[slot], sights, had=ends is not None)

    def _enough_lately(self, slot: int, slots: Slots, counts: Sequence[tuple[int, int]], *, had: bool) -> bool:
        """Whether there are enough values in the last of these seconds where they `had` been before, or in none."""
        ends = self._found(slot, slots, counts)
        return ends is not None and ends[1] == counts[-1][0] if had else ends is None

    def _enough_at_the_end(self, own: Sequence[Sight], sights: Sequence[Sight], *, had: bool) -> bool:
        """The same of the last second of a slot, if more than are noted can't have been in any other second of it.

        `own`: the sights of the slot; `sights`: also those of the slots before into which periods reach.
        """
        last, every = own[-1].second, len({*map(_value, sights)})
        if every < self._least:
            return not had
        if (habits := self._measure.habits) is None or self._measure.bar is not None or self._plain:
            return False
        case, day, within = self._case, last // DAY, self.need.within
        if own[0].second // DAY != day:
            return False
        count = len({*map(_value, sights[bisect_left(sights, (last - within,)) :])})
        if count < every and self._notes and habits.noted(case.identity, within, day, case) < every:
            return False
        if had:
            return self._enough_in(last, count)
        identity = case.identity
        habits.watch(identity, case)
        self._note(identity, day, count)
        return every <= habits.usual(identity, within, day) or every < self.need.least

    def _enough_in(self, second: int, count: int) -> bool:
        """Whether so many values may be enough in a second; what the principal comes to is noted."""
        need, measure = self.need, self._measure
        habits = measure.habits if need.alone else None
        factor = measure.factor if habits else 1.0
        if count < self._least or (measure.bar is not None and count * factor < measure.bar.at(second)):
            return False
        if habits is not None and measure.bar is None:
            case, day = self._case, second // DAY
            identity = case.identity
            habits.watch(identity, case)
            self._note(identity, day, count)
            if count <= habits.usual(identity, need.within, day):
                return False
        return measure.watched(second, self._case) if measure.bar is not None else count >= need.least

    def adopt(self, slot: int, other: Close, slots: Slots) -> list[int]:
        """Know of a slot what another one knows; the slots in which others are covered than before."""
        return self._keep(slot, other.ends.get(slot), slots)

    def follow(self, other: Close) -> None:
        """Know of all slots what another one knows."""
        self.ends = other.ends.copy()

    def knows_as(self, other: Close) -> bool:
        """Whether it knows of all slots what another one knows."""
        return self.ends == other.ends

    def _keep(self, slot: int, ends: Ends | None, slots: Slots) -> list[int]:
        known = self.ends.get(slot)
        if known == ends:
            return []
        if ends is None:
            del self.ends[slot]
        else:
            self.ends[slot] = ends
        if known is not None and ends is not None and known[0] == ends[0]:
            return [slot]  # to those before it makes a difference when it begins
        # What comes before another slot in which there is enough is covered, or not, by that one.
        back = _next(range(slot - 1, slot - self.reach - 1, -1), self.ends)
        if back is None:
            return among(range(slot - self.reach, slot + 1), slots)
        # And that one mostly is, up to its end, by what was seen in it. Serves the row "rules-random".
        sights = slots.get(back, ())
        whole = bool(sights) and sights[-1].second <= self.ends[back][1]
        return among(range(back + whole, slot + 1), slots)

    def covers(self, slot: int, slots: Slots) -> tuple[int, int]:
        """How many of a slot's sights are each one of enough with what was before or soon after them, and at which
        place those begin that are so with what came in later slots."""
        sights, own = slots[slot], self.ends.get(slot)
        if own is not None and sights and sights[-1].second <= own[1]:
            return len(sights), len(sights)
        upto = bisect_left(sights, (own[1] + 1,)) if own is not None else 0
        following = _next(range(slot + 1, slot + self.reach + 1), self.ends)
        if following is None:
            return upto, len(sights)
        return upto, max(upto, bisect_left(sights, (self.ends[following][0] - self.need.within,)))

    def _found(self, slot: int, slots: Slots, counts: Iterable[tuple[int, int]] | None) -> Ends | None:
        """The first and the last second with enough; `counts`: how many values there are in each, if that is known."""
        need, measure, case = self.need, self._measure, self._case
        habits = measure.habits if need.alone else None
        factor = measure.factor if habits else 1.0
        least, within, bar = self._least, need.within, 0.0
        new = slots[slot]
        if not new:
            return None
        until: int | None = None
        if counts is None:
            sights = [sight for one in self.within(slot, slots)[:-1] for sight in slots[one]]
            around = len(sights)
            sights += new
            if len(sights) < least:
                return None
            if self._plain and _enough(sights, within, least):
                until = new[-1].second  # only since when is to be found yet
            counts = _counts(sights, around, within)
        if self._plain:
            enough = (second for second, count in counts if count >= least)
            first = next(enough, None)
            return None if first is None else (first, until if until is not None else max(enough, default=first))
        ends: Ends | None = None
        day, most, usual = -1, -1, -1.0
        watched, ever, identity = measure.bar is None, None, ""
        for second, count in counts:
            if count < least:
                continue
            if measure.bar is not None:
                bar = measure.bar.at(second)
                if count * factor < bar:
                    continue
                if ever is None:
                    ever = measure.watched(new[-1].second, case)
                if not watched and ever:
                    watched = measure.watched(second, case)  # and so it was before all later ones
                if not ever and habits is None:
                    break  # nor was enough watched before any earlier one
            if habits is not None:
                if second // DAY != day:
                    if most > 0:
                        self._note(identity, day, most)
                    identity = case.identity
                    habits.watch(identity, case)
                    day, most, usual = second // DAY, -1, habits.usual(identity, within, second // DAY)
                if count > most:
                    most = count  # what is done while nothing is judged yet is habitual too
                if count <= usual:
                    continue
            if watched and count >= need.least and count >= bar:
                ends = (ends[0] if ends is not None else second), second
        if most > 0:
            self._note(identity, day, most)
        return ends

    def _note(self, identity: str, day: int, most: int) -> None:
        if self._notes and (habits := self._measure.habits) is not None:
            habits.note(identity, self.need.within, day, most, self._case)


def among(numbers: range, slots: Collection[int]) -> list[int]:
    """The slots that there are of these, which mostly are few; in the order of one or the other."""
    if len(numbers) <= len(slots):
        return [one for one in numbers if one in slots]
    return [one for one in slots if one in numbers]


def _next(numbers: range, slots: Collection[int]) -> int | None:
    """The first of these slots that there is: they ascend, or descend, where `slots` may be in no order."""
    if len(numbers) <= len(slots):
        return next(filter(slots.__contains__, numbers), None)
    return next(iter(sorted(among(numbers, slots), key=numbers.index)), None)


def _around(changed: Collection[int], slots: Slots, back: int, ahead: int) -> list[int]:
    """The slots from so many before each of those that have changed to so many after it, ascending."""
    numbers, found, done = [*slots], list[int](), 0
    for one in sorted(changed):
        start = max(done, bisect_left(numbers, one - back))
        done = max(done, bisect_right(numbers, one + ahead))
        found += numbers[start:done]
    return found


def _enough(sights: Sequence[Sight], within: int, least: int) -> bool:
    """Whether there are enough different values in the period that ends with the last of these sights."""
    earliest, values = sights[-1].second - within, set[Value]()
    for second, _, value in reversed(sights):
        if second < earliest:
            break
        values.add(value)
        if len(values) >= least:
            return True
    return False


def _counts(sights: Sequence[Sight], place: int, within: int) -> Iterator[tuple[int, int]]:
    """Of each of the sights from a place on the second, and how many different values its period holds until then."""
    start = bisect_left(sights, (sights[place].second - within,))
    inside = Counter(map(_value, sights[start:place]))
    for second, _, value in sights[place:]:
        inside[value] = inside.get(value, 0) + 1
        while second - sights[start].second > within:
            left = sights[start].value
            if inside[left] > 1:
                inside[left] -= 1
            else:
                del inside[left]
            start += 1
        yield second, len(inside)
