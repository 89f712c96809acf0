"""Which sights of a case lie, with enough others, within a period: found slot by slot, and anew only where needed.

A caller that goes through hundreds of values in each slot has thousands of sights, of which one more event changes one:
serves the row "rules-trouble" of the benchmarks, and "longest stall of the event loop".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING, TypeAlias

from smwatch.rules.evidence import END, Evidence
from smwatch.rules.measure import Measure, Need, Sight
from smwatch.rules.period import DAY

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

Slots: TypeAlias = Mapping[int, Sequence[Sight]]
"""By slot, ascending: what was seen in it, ascending."""
_value = itemgetter(Sight._fields.index("value"))


class Close:
    """What is known of one need: the seconds in which enough different values had been seen within its period.

    What counts in such a second is every sight of the period that ends with it.
    """

    __slots__ = ("_case", "_ends", "_measure", "_notes", "need", "reach")

    def __init__(self, need: Need, measure: Measure, case: SpreadCase, *, notes: bool) -> None:
        """`notes`: what a principal comes to is noted as habitual."""
        self.need = need
        self.reach = need.within // measure.width + 1
        """How many slots before a second its period may begin in."""
        self._measure = measure
        self._case = case
        self._notes = notes
        self._ends: dict[int, list[int]] = {}
        """By slot, those seconds, ascending."""

    def later(self, changed: Collection[int], slots: Slots) -> list[int]:
        """The slots with seconds whose periods reach into those that have changed."""
        return [slot for slot in slots if any(slot - self.reach <= one <= slot for one in changed)]

    def earlier(self, changed: Collection[int], slots: Slots) -> list[int]:
        """The slots into which periods reach that end in those that have changed."""
        return [slot for slot in slots if any(slot <= one <= slot + self.reach for one in changed)]

    def within(self, slot: int, slots: Slots) -> list[int]:
        """The slots into which periods reach that end in this one, which is the last of them."""
        return [one for one in slots if slot - self.reach <= one <= slot]

    def find(self, slot: int, slots: Slots) -> bool:
        """Find those seconds of a slot; whether they are others than before."""
        return self._keep(slot, self._found(slot, slots))

    def adopt(self, slot: int, other: Close) -> bool:
        """Know of a slot what another one knows; whether that is something else than before."""
        return self._keep(slot, other._ends.get(slot, []))

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        self._ends.pop(slot, None)

    def _keep(self, slot: int, ends: list[int]) -> bool:
        if self._ends.get(slot, []) == ends:
            return False
        self._ends[slot] = ends
        return True

    def covers(self, slot: int, slots: Slots) -> list[bool]:
        """Of each sight of a slot, whether it is one of enough."""
        sights, within = slots[slot], self.need.within
        own = self._ends.get(slot, [])
        following = (ends[0] for one in slots if slot < one <= slot + self.reach and (ends := self._ends.get(one)))
        ends = [*own, next(following, END)]
        if ends[0] == END:
            return [False] * len(sights)
        covered, at = list[bool](), 0
        for second, _, _ in sights:
            while ends[at] < second:
                at += 1
            covered.append(ends[at] - second <= within)
        return covered

    def _found(self, slot: int, slots: Slots) -> list[int]:
        need, measure, case = self.need, self._measure, self._case
        habits = measure.habits if need.alone else None
        factor = measure.factor if habits else 1.0
        least, within, bar = int(need.least / factor), need.within, 0.0
        around = [sight for one in self.within(slot, slots)[:-1] for sight in slots[one]]
        new = slots[slot]
        if not new or len(around) + len(new) < least:
            return []
        inside = Counter(map(_value, around))
        sights, start = [*around, *new], 0
        ends: list[int] = []
        day, most, usual, watched = -1, -1, -1.0, False
        for second, _, value in new:
            inside[value] += 1
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
            if count >= need.least and count >= bar and (not ends or ends[-1] != second):
                ends.append(second)
        self._note(day, most)
        return ends

    def _note(self, day: int, most: int) -> None:
        if most > 0 and self._notes and (habits := self._measure.habits) is not None:
            habits.note(self._case.identity, self.need.within, day, most, self._case)


class Finder:
    """Finds what is evidence of what a case has seen: sights close to others, of which what else is known counts."""

    __slots__ = ("_case", "_close", "_counting", "_measure", "_near", "_whole")

    def __init__(self, measure: Measure, case: SpreadCase) -> None:
        self._measure = measure
        self._case = case
        self._near = [Close(need, measure, case, notes=True) for need in measure.needs]
        """By all sights."""
        self._close = [Close(need, measure, case, notes=False) for need in measure.needs]
        """By those alone that count."""
        self._counting: dict[int, Sequence[Sight]] = {}
        """By slot, the sights that are near others and count."""
        self._whole: set[int] = set()
        """The slots in which all count that are near others."""

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        for close in (*self._near, *self._close):
            close.drop(slot)
        self._counting.pop(slot, None)
        self._whole.discard(slot)

    def find(
        self, slots: Slots, seen: Collection[int], asked: Collection[int], found: dict[int, list[Evidence]]
    ) -> Iterator[int]:
        """Bring what was `found` to be evidence, by slot, up to date; yields how many sights it has looked at since.

        In the slots of `seen` something was seen, in those of `asked` something may have other answers.
        """
        near, moved = {*seen, *asked}, list[list[int]]()
        for close in self._near:
            moved.append([])
            for slot in close.later(seen, slots):
                if close.find(slot, slots):
                    moved[-1].append(slot)
                yield len(slots[slot])
            near.update(close.earlier(moved[-1], slots))
        # What else is known is asked only where there would be enough without it.
        counted: list[int] = []
        for slot in slots:
            if slot in near:
                if self._count(slot, slots):
                    counted.append(slot)
                yield len(slots[slot])
        counting = {slot: self._counting[slot] for slot in slots}
        changed = {*counted, *asked}
        for plain, close, ends in zip(self._near, self._close, moved, strict=True):
            again, others = {*close.later(counted, counting), *ends}, list[int]()
            for slot in counting:
                if slot in again:
                    if self._close_in(slot, counting, plain, close):
                        others.append(slot)
                    yield len(counting[slot])
            changed.update(close.earlier(others, counting))
        for slot in counting:
            if slot in changed:
                found.pop(slot, None)
                if evidence := self._evidence(slot, counting):
                    found[slot] = evidence
                yield len(counting[slot])

    def _close_in(self, slot: int, counting: Slots, plain: Close, close: Close) -> bool:
        if self._whole.issuperset(close.within(slot, counting)):
            return close.adopt(slot, plain)
        return close.find(slot, counting)

    def _count(self, slot: int, slots: Slots) -> bool:
        """Find the sights of a slot that count; whether they are others than before."""
        near = [any(each) for each in zip(*[close.covers(slot, slots) for close in self._near], strict=True)]
        asked = [sight for sight, is_near in zip(slots[slot], near, strict=True) if is_near]
        counting = self._measure.counting(asked, self._case)
        whole = len(counting) == len(asked)
        if counting == self._counting.get(slot) and whole is (slot in self._whole):
            return False
        self._counting[slot] = counting
        if whole:
            self._whole.add(slot)
        else:
            self._whole.discard(slot)
        return True

    def _evidence(self, slot: int, counting: Slots) -> list[Evidence]:
        sights, measure = counting[slot], self._measure
        graded: list[tuple[int, int, str] | None] = [None] * len(sights)
        for close in self._close:
            need = close.need
            grade = need.rank, need.step, need.title
            for at, covered in enumerate(close.covers(slot, counting)):
                if covered:
                    known = graded[at]
                    if grade > known if known is not None else need.alone:
                        graded[at] = grade
        found: list[Evidence] = []
        for sight, one in zip(sights, graded, strict=True):
            if one is not None:
                rank, step, title = one
                if measure.grades and (worse := measure.grade(sight, self._case)) is not None and worse[0] >= rank:
                    rank, title = worse
                found.append(Evidence(sight.second, sight.key, rank, step, title, sight.value))
        return found
