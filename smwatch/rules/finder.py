"""What is evidence of what a case has seen: which sights lie close to others, and count, slot by slot."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Collection, Generator, Iterable, Iterator, Mapping, Sequence
from itertools import chain, islice, pairwise
from typing import TYPE_CHECKING, TypeAlias

from smwatch.rules.closeness import Close, Slots, among
from smwatch.rules.evidence import Evidence
from smwatch.rules.found import Found
from smwatch.rules.lately import Lately, goes_on
from smwatch.rules.measure import Measure, Need, Sight
from smwatch.rules.slots import More

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

Covers: TypeAlias = Sequence[tuple[int, int]]
"""Of a slot, for each need by which there is anything to find, what `Close.covers` says."""
Grade: TypeAlias = tuple[int, int, str]
"""How bad something is: its severity's rank, how many escalations it takes part in, and the title of that."""


class Finder:
    """Finds what is evidence of what a case has seen: sights close to others, of which what else is known counts."""

    __slots__ = (
        "_alike",
        "_asked",
        "_case",
        "_close",
        "_counted_lately",
        "_counting",
        "_graded",
        "_judged",
        "_measure",
        "_near",
        "_open",
        "_reach",
        "_seen_lately",
        "_whole",
    )

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
        """By slot, ascending, the sights that are near others and count."""
        self._whole: set[int] = set()
        """The slots in which all count that are near others."""
        self._alike = True
        """Whether both know the same, as all counts that is near others: which is mostly so."""
        self._asked: set[int] = set()
        """The slots of which all that was seen was asked about."""
        self._graded: dict[int, Grade] = {}
        """By slot, how bad all that counts in it is, where that is the same for all."""
        self._judged: dict[int, Sequence[Sight]] = {}
        """By slot, what it was judged by."""
        self._reach = max(close.reach for close in self._near)
        self._seen_lately, self._counted_lately = (Lately(need.within for need in measure.needs) for _ in range(2))
        """Of all sights, and of those that count."""

    def drop(self, slot: int) -> None:
        """Forget a slot."""
        for close in (*self._near, *self._close):
            close.ends.pop(slot, None)
        far = slot + self._reach < max(self._judged, default=slot)
        for lately, known in ((self._seen_lately, self._judged), (self._counted_lately, self._counting)):
            sights = known.pop(slot, ())
            if far:
                lately.drop(sights)  # no period of what comes reaches as far back
            else:
                lately.forget()
        self._graded.pop(slot, None)
        self._whole.discard(slot)
        self._asked.discard(slot)

    def find(
        self,
        slots: Slots,
        seen: Collection[int],
        asked: Collection[int],
        new: Mapping[int, More],
        values: int,
        found: Found,
    ) -> Iterator[int]:
        """Bring what was `found` to be evidence, by slot, up to date; yields how many sights it has looked at since.

        There are so many `values` in all slots. In the slots of `seen` something was seen, in those of `asked`
        something may have other answers. Of those of `new` is known by what they differ from what was known of them.
        """
        newest = [] if asked else self._newest(seen, slots, new)
        only, more = self._differing(newest[:1] or ([] if asked else seen), new)
        self._judged.update((slot, slots[slot]) for slot in seen)
        # Most needs are for more values than most cases ever have.
        self._open = [
            (near, close)
            for near, close in zip(self._near, self._close, strict=True)
            if near.open(values) or close.open(values)
        ]
        covered, moved = set[int](), list[list[int]]()
        self._go_on(self._seen_lately, newest, slots, more)
        for close, _ in self._open:
            moved.append([])
            for slot in close.later(seen, slots):
                if some := close.find(slot, slots, more if slot == only else None, self._seen_lately):
                    moved[-1].append(slot)
                    covered.update(some)
                yield len(slots[slot])
        # What else is known is asked only where there would be enough without it.
        covers = {slot: [close.covers(slot, slots) for close, _ in self._open] for slot in {*seen, *asked, *covered}}
        counted, counted_more = yield from self._count_each(slots, covers, only, more)
        if [*self._counting] != [*slots]:
            self._counting = {slot: self._counting[slot] for slot in slots}
        counting = self._counting
        changed = {*counted, *asked}
        if self._alike and self._whole.issuperset(slots):
            changed |= covered
            covers = {slot: known for slot, known in covers.items() if len(counting[slot]) == len(slots[slot])}
            self._counted_lately.forget()
            for plain, close in self._open:
                close.follow(plain)
        else:
            covers.clear()
            if only is not None and counted_more is None:
                newest = [] if only in counted else newest[1:]  # what counted of it before may not, or all of it does
            self._go_on(self._counted_lately, newest if {*counted}.issubset(newest) else [], counting, counted_more)
            changed |= yield from self._find_counting(counted, moved, {only: counted_more})
        for slot in sorted(changed):
            known = covers.get(slot) or [close.covers(slot, counting) for _, close in self._open]
            self._judge(slot, counting[slot], known, found, counted_more if slot == only else None)
            yield 2 * len(counting[slot])

    def _count_each(
        self, slots: Slots, covers: Mapping[int, Covers], only: int | None, more: More | None
    ) -> Generator[int, None, tuple[list[int], More | None]]:
        """Find what counts of the slots that are asked about; those in which others do than before.

        And by what these others differ in the `only` one in which there was `more`, if that is known.
        """
        counted, counted_more = list[int](), None
        for slot in sorted(covers):
            if slot == only:
                differs, counted_more = self._count(slot, slots[slot], covers[slot], more)
            else:
                differs, _ = self._count(slot, slots[slot], covers[slot], None)
            if differs:
                counted.append(slot)
            yield len(slots[slot])
        return counted, counted_more

    def _find_counting(
        self, counted: Collection[int], moved: Sequence[Collection[int]], new: Mapping[int | None, More | None]
    ) -> Generator[int, None, set[int]]:
        """Find what lies close by those sights alone that count; the slots in which others are covered than before.

        Those `counted` have others than before; in those `moved`, for each need, others are near others.
        """
        counting, changed = self._counting, set[int]()
        for (plain, close), ends in zip(self._open, moved, strict=True):
            for slot in sorted({*close.later(counted, counting), *ends}):
                changed.update(self._close_in(slot, counting, plain, close, new.get(slot)))
                yield len(counting[slot])
        self._alike = self._whole.issuperset(counting) and all(close.knows_as(plain) for plain, close in self._open)
        return changed

    def _differing(self, seen: Collection[int], new: Mapping[int, More]) -> tuple[int, More] | tuple[None, None]:
        """The one slot in which something was seen, and what; if that is all by which it differs from when judged."""
        only = next(iter(seen)) if len(seen) == 1 else None
        more = new.get(only) if only is not None else None
        if only is None or more is None or more.before is not self._judged.get(only):
            return None, None
        return only, more

    def _newest(self, seen: Collection[int], slots: Slots, new: Mapping[int, More]) -> list[int]:
        """The slots of `seen`, ascending, if what was seen there is later than all that was judged; none otherwise."""
        numbers, judged = sorted(seen), self._judged
        if [*islice(reversed(slots), len(numbers))] != numbers[::-1] or not judged.keys().isdisjoint(numbers[1:]):
            return []
        first, more = numbers[0], new.get(numbers[0])
        if first in judged and (more is None or more.before is not judged[first]):
            return []
        return numbers

    def _go_on(self, lately: Lately, newest: Sequence[int], slots: Slots, more: More | None) -> None:
        """Have it count what was seen in the `newest` slots; in the first of them that was `more`, or all of it."""
        if not newest or (more is not None and not goes_on(more)):
            lately.forget()
            return
        first = newest[0]
        before = list[Sequence[Sight]]()
        if not lately.up_to_date:
            before += [slots[one] for one in among(range(first - self._reach, first), slots)]
            if more is not None:
                before.append(more.before)
        lately.go_on({one: slots[one] for one in newest} | ({first: more.new} if more is not None else {}), before)

    def _close_in(self, slot: int, counting: Slots, plain: Close, close: Close, more: More | None) -> list[int]:
        if self._whole.issuperset(close.within(slot, counting)):
            return close.adopt(slot, plain, counting)
        return close.find(slot, counting, more, self._counted_lately)

    def _count(self, slot: int, sights: Sequence[Sight], covers: Covers, more: More | None) -> tuple[bool, More | None]:
        """Find the sights of a slot that count; whether they are others than before, and by what, if that is known."""
        upto, since = 0, len(sights)
        for some, rest in covers:
            upto, since = max(upto, some), min(since, rest)
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
        if stays and gone and not whole:
            firsts = {value: key for _, key, value in reversed(counting)}
            stays = all(firsts.get(one.value, one.key) < one.key for one in gone)
        return bool(gone or new) or whole is not was, More(known, gone, new) if stays else None

    def _judge(self, slot: int, sights: Sequence[Sight], covers: Covers, found: Found, more: More | None) -> None:
        """Find what of a slot is evidence."""
        graded = list[tuple[int, int, Grade]]()
        for start, end in pairwise(sorted({0, len(sights), *chain.from_iterable(covers)})):
            met = [
                close.need
                for (_, close), (upto, since) in zip(self._open, covers, strict=True)
                if end <= upto or start >= since
            ]
            if (grade := _worst(met)) is not None:
                graded.append((start, end, grade))
        was = self._graded.pop(slot, None)
        if len(graded) == 1 and graded[0][:2] == (0, len(sights)):
            self._graded[slot] = grade = graded[0][2]
            known = found.by_slot.get(slot)
            if more is not None and grade == was and known is not None and len(known.evidence) == len(more.before):
                found.change(slot, more.gone, self._pieces(more.new, grade))
                return
        found.put(slot, [one for start, end, grade in graded for one in self._pieces(sights[start:end], grade)])

    def _pieces(self, sights: Sequence[Sight], grade: Grade) -> list[Evidence]:
        """These sights as evidence that is as bad, or worse where the rule grades it so."""
        least, step, usual = grade
        if not self._measure.grades:
            return [Evidence(second, key, least, step, usual, value) for second, key, value in sights]
        pieces = list[Evidence]()
        for sight in sights:
            known = self._measure.grade(sight, self._case)
            rank, title = known if known is not None and known[0] >= least else (least, usual)
            pieces.append(Evidence(sight.second, sight.key, rank, step, title, sight.value))
        return pieces


def _worst(needs: Iterable[Need]) -> Grade | None:
    """How bad it is to meet these needs, which are in their rule's order; None where nothing is bad by itself."""
    worst: Grade | None = None
    for need in needs:
        grade = need.rank, need.step, need.title
        if grade > worst if worst is not None else need.alone:
            worst = grade
    return worst
