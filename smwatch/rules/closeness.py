"""Which sights of a case lie, with enough others, within a period: found slot by slot, and anew only where needed.

A caller that goes through hundreds of values in each slot has thousands of sights, of which one more event changes one:
serves the row "rules-trouble" of the benchmarks, and "longest stall of the event loop".
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from itertools import chain, pairwise
from operator import attrgetter, itemgetter
from typing import TYPE_CHECKING, TypeAlias

from smwatch.rules.dimension import Value
from smwatch.rules.evidence import Evidence
from smwatch.rules.measure import Measure, Need, Sight
from smwatch.rules.period import DAY
from smwatch.rules.slots import More

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

SEVERAL = 8
"""Seconds in which something new was seen that are looked at one by one, rather than all that there are."""
Slots: TypeAlias = Mapping[int, Sequence[Sight]]
"""By slot, ascending: what was seen in it, ascending."""
Ends: TypeAlias = tuple[int, int]
"""The first and the last second of a slot in which enough had been seen."""
Grade: TypeAlias = tuple[int, int, str]
"""How bad something is: its severity's rank, how many escalations it takes part in, and the title of that."""
_key_and_value = attrgetter("key", "value")
_value = itemgetter(Sight._fields.index("value"))


class Close:
    """What is known of one need: since when, and until when, enough different values had been seen within its period.

    What counts in such a second is every sight of the period that ends with it.
    """

    __slots__ = ("_case", "_ends", "_least", "_measure", "_notes", "_plain", "need", "reach")

    def __init__(self, need: Need, measure: Measure, case: SpreadCase, *, notes: bool) -> None:
        """`notes`: what a principal comes to is noted as habitual."""
        self.need = need
        self.reach = need.within // measure.width + 1
        """How many slots before a second its period may begin in."""
        self._measure = measure
        self._case = case
        self._notes = notes
        self._least = int(need.least / (measure.factor if measure.habits is not None and need.alone else 1.0))
        """Fewer values are too few, whatever is habitual."""
        self._plain = measure.bar is None and (measure.habits is None or not need.alone)
        """Whether it is the same number of values at any time."""
        self._ends: dict[int, Ends] = {}
        """By slot; a slot is no longer than the period, so that no second between the two makes a difference."""

    def open(self, values: int) -> bool:
        """Whether there is anything to find where there are so many values in all, or there was."""
        return bool(self._ends) or values >= self._least

    def later(self, changed: Collection[int], slots: Slots) -> list[int]:
        """The slots with seconds whose periods reach into those that have changed."""
        return _around(changed, slots, 0, self.reach)

    def within(self, slot: int, slots: Slots) -> list[int]:
        """The slots into which periods reach that end in this one, which is the last of them."""
        return [one for one in slots if slot - self.reach <= one <= slot]

    def find(self, slot: int, slots: Slots, more: More | None = None) -> list[int]:
        """Find those seconds of a slot; the slots in which others are covered than before.

        With `more`, that is all by which anything differs from when it was asked last.
        """
        if more is None or not self._goes_on(slot, slots, more):
            return self._keep(slot, self._found(slot, slots), slots)
        ends = self._ends.get(slot)
        return self._keep(slot, (ends[0], slots[slot][-1].second), slots) if ends is not None else []

    def _goes_on(self, slot: int, slots: Slots, more: More) -> bool:
        """Whether it is seen at once what there is to find: enough until now, since when there was, or still too few.

        Where a value's last sight in a slot is none any more, its first one is in the same periods, as a slot is no
        longer than these, and where its first one is none, an earlier one is: there are nowhere fewer values than there
        were, and only what there was in that very second is missed.
        """
        ends = self._ends.get(slot)
        if ends is not None:
            if self._measure.bar is not None or more.new[0].second < ends[0]:
                return False
            if any(sight.second == ends[0] for sight in more.gone):
                return False
        sights = slots[slot]
        if self._plain and ends is not None:
            return _enough(sights, self.need.within, self.need.least)
        if len(near := self.within(slot, slots)) > 1:
            sights = [*chain.from_iterable(slots[one] for one in near)]
        seconds = dict.fromkeys(sight.second for sight in more.new)
        if more.later and len(seconds) <= SEVERAL:
            return self._enough_lately(seconds, sights, had=ends is not None)
        return self._enough_at_the_end(slots[slot], sights, had=ends is not None)

    def _enough_lately(self, seconds: Iterable[int], sights: Sequence[Sight], *, had: bool) -> bool:
        """Whether there are enough values in the last of these seconds where they `had` been before, or in none."""
        enough = False
        for second in seconds:
            first, last = bisect_left(sights, (second - self.need.within,)), bisect_left(sights, (second + 1,))
            enough = self._enough_in(second, len({*map(_value, sights[first:last])}))
            if enough and not had:
                return False
        return enough is had

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
        habits.watch(case.identity, case)
        self._note(day, count)
        return every <= habits.usual(case.identity, within, day) or every < self.need.least

    def _enough_in(self, second: int, count: int) -> bool:
        """Whether so many values may be enough in a second; what the principal comes to is noted."""
        need, measure = self.need, self._measure
        habits = measure.habits if need.alone else None
        factor = measure.factor if habits else 1.0
        if count < self._least or (measure.bar is not None and count * factor < measure.bar.at(second)):
            return False
        if habits is not None and measure.bar is None:
            habits.watch(self._case.identity, self._case)
            self._note(second // DAY, count)
            if count <= habits.usual(self._case.identity, need.within, second // DAY):
                return False
        return measure.watched(second, self._case) if measure.bar is not None else count >= need.least

    def adopt(self, slot: int, other: Close, slots: Slots) -> list[int]:
        """Know of a slot what another one knows; the slots in which others are covered than before."""
        return self._keep(slot, other._ends.get(slot), slots)

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        self._ends.pop(slot, None)

    def _keep(self, slot: int, ends: Ends | None, slots: Slots) -> list[int]:
        known = self._ends.get(slot)
        if known == ends:
            return []
        if ends is None:
            del self._ends[slot]
        else:
            self._ends[slot] = ends
        if known is not None and ends is not None and known[0] == ends[0]:
            return [slot]  # to those before it makes a difference when it begins
        return _around((slot,), slots, self.reach, 0)

    def covers(self, slot: int, slots: Slots) -> tuple[int, int]:
        """How many of a slot's sights are each one of enough with what was before or soon after them, and at which
        place those begin that are so with what came in later slots."""
        sights, own = slots[slot], self._ends.get(slot)
        upto = bisect_left(sights, (own[1] + 1,)) if own is not None else 0
        later = (one for one in slots if slot < one <= slot + self.reach and one in self._ends)
        following = next(later, None)
        if following is None:
            return upto, len(sights)
        return upto, max(upto, bisect_left(sights, (self._ends[following][0] - self.need.within,)))

    def _found(self, slot: int, slots: Slots) -> Ends | None:
        need, measure, case = self.need, self._measure, self._case
        habits = measure.habits if need.alone else None
        factor = measure.factor if habits else 1.0
        least, within, bar = self._least, need.within, 0.0
        new = slots[slot]
        if not new:
            return None
        sights = [sight for one in self.within(slot, slots)[:-1] for sight in slots[one]]
        around = len(sights)
        sights += new
        if len(sights) < least:
            return None
        until: int | None = None
        if self._plain and _enough(sights, within, least):
            until = new[-1].second  # only since when is to be found yet
        start = bisect_left(sights, (new[0].second - within,))
        inside = Counter(map(_value, sights[start:around]))
        ends: Ends | None = None
        day, most, usual, watched = -1, -1, -1.0, False
        for second, _, value in new:
            inside[value] = inside.get(value, 0) + 1
            while second - sights[start].second > within:
                left = sights[start].value
                if inside[left] > 1:
                    inside[left] -= 1
                else:
                    del inside[left]
                start += 1
            count = len(inside)
            if count < least:
                continue
            if until is not None:
                return second, until
            if measure.bar is not None:
                bar = measure.bar.at(second)
                if count * factor < bar:
                    continue
                if not watched:
                    if not measure.watched(new[-1].second, case):
                        break  # nor was enough watched before any earlier one
                    watched = measure.watched(second, case)  # and so it was before all later ones
                if not watched:
                    continue
            if habits is not None:
                if second // DAY != day:
                    self._note(day, most)
                    habits.watch(case.identity, case)
                    day, most, usual = second // DAY, -1, habits.usual(case.identity, within, second // DAY)
                if count > most:
                    most = count
                if count <= usual:
                    continue
            if count >= need.least and count >= bar:
                ends = (ends[0] if ends is not None else second), second
        self._note(day, most)
        return ends

    def _note(self, day: int, most: int) -> None:
        if most > 0 and self._notes and (habits := self._measure.habits) is not None:
            habits.note(self._case.identity, self.need.within, day, most, self._case)


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


class Finder:
    """Finds what is evidence of what a case has seen: sights close to others, of which what else is known counts."""

    __slots__ = ("_asked", "_case", "_close", "_counting", "_graded", "_judged", "_measure", "_near", "_open", "_whole")

    def __init__(self, measure: Measure, case: SpreadCase) -> None:
        self._measure = measure
        self._case = case
        self._near = [Close(need, measure, case, notes=True) for need in measure.needs]
        """By all sights."""
        self._close = [Close(need, measure, case, notes=False) for need in measure.needs]
        """By those alone that count."""
        self._open: list[tuple[Close, Close]] = []
        """Of both, those by which there is anything to find."""
        self._counting: dict[int, Sequence[Sight]] = {}
        """By slot, the sights that are near others and count."""
        self._whole: set[int] = set()
        """The slots in which all count that are near others."""
        self._asked: set[int] = set()
        """The slots of which all that was seen was asked about."""
        self._graded: dict[int, Grade] = {}
        """By slot, how bad all that counts in it is, where that is the same for all."""
        self._judged: dict[int, Sequence[Sight]] = {}
        """By slot, what it was judged by."""

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        for close in (*self._near, *self._close):
            close.drop(slot)
        for known in (self._counting, self._graded, self._judged):
            known.pop(slot, None)
        self._whole.discard(slot)
        self._asked.discard(slot)

    def find(
        self,
        slots: Slots,
        seen: Collection[int],
        asked: Collection[int],
        new: Mapping[int, More],
        values: int,
        found: dict[int, list[Evidence]],
    ) -> Iterator[int]:
        """Bring what was `found` to be evidence, by slot, up to date; yields how many sights it has looked at since.

        There are so many `values` in all slots. In the slots of `seen` something was seen, in those of `asked`
        something may have other answers. Of those of `new` is known by what they differ from what was known of them.
        """
        only = next(iter(seen)) if len(seen) == 1 and not asked else None
        more = new.get(only) if only is not None else None
        if only is None or more is None or more.before is not self._judged.get(only):
            only = more = None
        self._judged.update((slot, slots[slot]) for slot in seen)
        # Most needs are for more values than most cases ever have.
        self._open = [
            pair for pair in zip(self._near, self._close, strict=True) if any(one.open(values) for one in pair)
        ]
        near, moved = {*seen, *asked}, list[list[int]]()
        for close, _ in self._open:
            moved.append([])
            for slot in close.later(seen, slots):
                if covered := close.find(slot, slots, more if slot == only else None):
                    moved[-1].append(slot)
                    near.update(covered)
                yield len(slots[slot])
        # What else is known is asked only where there would be enough without it.
        counted, counted_more = list[int](), None
        for slot in sorted(near):
            if slot == only:
                differs, counted_more = self._count(slot, slots, more)
            else:
                differs, _ = self._count(slot, slots, None)
            if differs:
                counted.append(slot)
            yield len(slots[slot])
        counting = {slot: self._counting[slot] for slot in slots}
        changed = {*counted, *asked}
        for (plain, close), ends in zip(self._open, moved, strict=True):
            for slot in sorted({*close.later(counted, counting), *ends}):
                changed.update(self._close_in(slot, counting, plain, close, counted_more if slot == only else None))
                yield len(counting[slot])
        for slot in sorted(changed):
            before = found.pop(slot, [])
            if evidence := self._evidence(slot, counting, before, counted_more if slot == only else None):
                found[slot] = evidence
            yield len(counting[slot])

    def _close_in(self, slot: int, counting: Slots, plain: Close, close: Close, more: More | None) -> list[int]:
        if self._whole.issuperset(close.within(slot, counting)):
            return close.adopt(slot, plain, counting)
        return close.find(slot, counting, more)

    def _count(self, slot: int, slots: Slots, more: More | None) -> tuple[bool, More | None]:
        """Find the sights of a slot that count; whether they are others than before, and by what, if that is known."""
        sights, covers = slots[slot], [close.covers(slot, slots) for close, _ in self._open]
        upto = max((upto for upto, _ in covers), default=0)
        since = min((since for _, since in covers), default=len(sights))
        asked = sights if upto >= since else [*sights[:upto], *sights[since:]]
        known, asked_all = self._counting.get(slot), slot in self._asked
        if asked is sights:
            self._asked.add(slot)
            if more is not None and known is not None and asked_all:
                return self._count_more(slot, sights, known, more)
        else:
            self._asked.discard(slot)
        counting = self._measure.counting(asked, self._case)
        whole = len(counting) == len(asked)
        if counting == known and whole is (slot in self._whole):
            return False, None
        self._counting[slot] = counting
        if whole:
            self._whole.add(slot)
        else:
            self._whole.discard(slot)
        return True, None

    def _count_more(
        self, slot: int, sights: Sequence[Sight], known: Sequence[Sight], more: More
    ) -> tuple[bool, More | None]:
        """The same, where all of them are asked, as they were before."""
        new = self._measure.counting(more.new, self._case)
        gone = [one for one in more.gone if (at := bisect_left(known, one)) < len(known) and known[at] == one]
        left = [*known]
        for one in gone:
            del left[bisect_left(left, one)]
        counting = self._counting[slot] = [*left, *new]
        if left and new and new[0] < left[-1]:
            counting.sort()
        was = slot in self._whole
        if whole := len(counting) == len(sights):
            self._whole.add(slot)
        else:
            self._whole.discard(slot)
        # Of a value that did not count when it was first seen, the sight that is gone may have been all there was.
        stays = bool(new) and bool(known)
        if stays and gone:
            firsts = {value: key for _, key, value in reversed(counting)}
            stays = all(firsts.get(one.value, one.key) < one.key for one in gone)
        return bool(gone or new) or whole is not was, More(known, gone, new) if stays else None

    def _evidence(self, slot: int, counting: Slots, before: Sequence[Evidence], more: More | None) -> list[Evidence]:
        """What of a slot is evidence; `before`: what was."""
        sights = counting[slot]
        covers = [(close.need, *close.covers(slot, counting)) for _, close in self._open]
        places = sorted({0, len(sights), *(place for _, *both in covers for place in both)})
        graded = [
            (start, end, grade)
            for start, end in pairwise(places)
            if (grade := _worst(need for need, upto, since in covers if end <= upto or start >= since)) is not None
        ]
        was = self._graded.pop(slot, None)
        if len(graded) == 1 and graded[0][:2] == (0, len(sights)):
            self._graded[slot] = grade = graded[0][2]
            if more is not None and grade == was and len(before) == len(more.before):
                return self._with_more(before, more, grade)
        return [self._piece(sight, grade) for start, end, grade in graded for sight in sights[start:end]]

    def _with_more(self, before: Sequence[Evidence], more: More, grade: Grade) -> list[Evidence]:
        """What was evidence of a slot, with what was seen since."""
        evidence = [*before]
        for sight in more.gone:
            at = bisect_left(evidence, (sight.key, sight.value), key=_key_and_value)
            del evidence[at]
        evidence += [self._piece(sight, grade) for sight in more.new]
        if not more.later:
            evidence.sort(key=_key_and_value)
        return evidence

    def _piece(self, sight: Sight, grade: Grade) -> Evidence:
        least, step, usual = grade
        known = self._measure.grade(sight, self._case) if self._measure.grades else None
        rank, title = known if known is not None and known[0] >= least else (least, usual)
        return Evidence(sight.second, sight.key, rank, step, title, sight.value)


def _worst(needs: Iterable[Need]) -> Grade | None:
    """How bad it is to meet these needs, which are in their rule's order; None where nothing is bad by itself."""
    worst: Grade | None = None
    for need in needs:
        grade = need.rank, need.step, need.title
        if grade > worst if worst is not None else need.alone:
            worst = grade
    return worst
