"""Cases of many different values: distinct rules."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Self

from smwatch.events.renaming import names_any, renamed_event
from smwatch.events.secret import Secret
from smwatch.rules.dimension import DIMENSIONS, Dimension, Renames, Value
from smwatch.rules.envelope import Rule
from smwatch.rules.evidence import BEGINNING, END, Evidence
from smwatch.rules.inquiry import Inquiry
from smwatch.rules.last_seen import LastSeen
from smwatch.rules.measure import Measure
from smwatch.rules.newest import Newest
from smwatch.rules.period import DAY
from smwatch.rules.seen import SeenCase
from smwatch.rules.sighter import SLOTS
from smwatch.rules.slots import VALUES, Slots
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.telling import Listing
from smwatch.rules.world import World

_ACCOUNT, _REGION = DIMENSIONS["account"], DIMENSIONS["region"]
PAIRS = 5_000
"""Values in slots kept of each case; beyond them the oldest slots go, as long as a period's worth of them is left."""
AT_ONCE = 12
"""Slots of a case with evidence that are let go of at once, unless it is judged before there are as many too many."""
KEPT = 7 * DAY
"""Seconds for which a slot without evidence is kept at the least: an event that comes later than that counts alone."""
ASKED = 4 * PAIRS
"""Answers, and facts that they hang on, held by each case before all are asked for again."""


class SpreadCase(SeenCase):
    """A case whose evidence is different values close to each other in time."""

    __slots__ = ("_inquiry", "_last_seen")

    def __init__(self, rule: Rule, world: World, values: Mapping[Dimension, Value], measure: Measure) -> None:
        super().__init__(rule, world, values, measure)
        if measure.bar is not None:
            measure.bar.population.watch(self)
        self._last_seen: LastSeen | None = None
        """By seconds, of values that were seen in their order and are no evidence; None where that is not known."""
        self._inquiry = Inquiry(self, self.evident)

    def doubt_all(self) -> None:
        """Have all values judged again; what was asked about each holds until it is doubted."""
        self._inquiry.restart()

    def doubt_habit(self, day: int) -> None:
        """What is habitual after this day may have changed: mostly nothing was seen since then."""
        if self.slots.any_after(day, DAY):
            self.wake()

    def doubt(self, value: Value) -> None:
        """What was asked about a value may have another answer."""
        self._inquiry.doubt(value)
        self.evidence_changes()

    def add(self, value: Value, key: int, second: int) -> list[int]:
        """Take in that a value was seen; the value's first and last key in that slot, as long as that is kept."""
        number, slots = second // self.width, self.slots
        slot = slots.by_number.get(number)
        if slot is None:
            if not self._make_room(number):
                return [key, key]
            slot = slots.new(number)
        ends = slot.get(value)
        if ends is None:
            ends = [key, key]
            if len(slot) >= VALUES:
                return ends
            # Since when its values are counts for nothing but a share of all.
            if slots.put(slot, value, ends) or (self.measure.bar is not None and number == next(iter(slots.by_number))):
                self._count()
            if number in slots.as_judged:
                slots.stale(number, value, ())
        elif ends[0] <= key <= ends[1]:
            return ends
        else:
            if number in slots.as_judged:
                slots.stale(number, value, ends)
            ends[0 if key < ends[0] else 1] = key
        inquiry = self._inquiry
        if inquiry.finder is not None:
            inquiry.seen.add(number)
        if self.enough and not inquiry.due and self._may_matter(value, second):
            inquiry.due = True
            self.evidence_changes()
        return ends

    def _may_matter(self, value: Value, second: int) -> bool:
        """Whether what is evidence may be otherwise as a value was seen.

        Most who go through many values go through no more than they did before: serves the row "rules-varied".
        """
        slots, measure, last_seen, number = self.slots, self.measure, self._last_seen, second // self.width
        if self.alarmed or measure.bar is not None or number != slots.last:
            self._last_seen = None
            return slots.enough_near(number, measure.near)
        if last_seen is None:
            last_seen = self._last_seen = LastSeen(slots.lasts(number, measure.reach))
        elif second >= last_seen.newest:
            was = last_seen.see(value, second)
            if was >= second - self.width and was // DAY == second // DAY:
                return False  # what was seen before was as much, on the same day
        if second < last_seen.newest:
            self._last_seen = None
            return slots.enough_near(number, measure.near)
        return measure.note_seen(last_seen, second, self)

    def _make_room(self, number: int) -> bool:
        """Let go of what there is no room for beside a new slot; whether there is room for that one."""
        # Where letting go takes a judgement, several go by the same one, at the latest when all is judged anyway.
        if self.calm or self._beyond(SLOTS + AT_ONCE - 1, PAIRS + PAIRS // 4):
            while self._beyond(SLOTS - 1, PAIRS):
                oldest = self.slots.oldest
                assert oldest is not None
                if number < oldest:
                    return False
                self._drop(oldest)
        return True

    def _beyond(self, count: int, pairs: int) -> bool:
        """Whether there are more slots than so many, or more values in them, with slots to spare."""
        slots, held = self.slots, len(self.slots.by_number)
        return held > count or (slots.pairs > pairs and held > 2 * self.measure.reach)

    def absorb(self, other: Self) -> None:
        """Take over the values of a group that has turned out to be this one."""
        self._catch_up()
        other._catch_up()
        slots, other.slots = other.slots, Slots(other.width)
        other._inquiry.end()
        super().absorb(other)
        self.bygone.absorb(other.bygone)
        self.weigh(*self.bygone.values, *self.bygone.excused)
        self.shed = self.bygone.shed
        if other.event is not None and other.newest_key > self.newest_key:
            self.heard(other.event)
        for value, key in slots.each():
            self.add(value, key, key >> SECOND_BITS)

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the newest event by the right names of its secrets."""
        self._catch_up()
        if self.event is not None and names_any(self.event, right):
            self.event = renamed_event(self.event, right)
            self.evidence_changes()

    def fold(self, right: Renames) -> bool:
        """Count values that have turned out to be others as those; whether there are any."""
        self._catch_up()
        bygone, wrong = self.bygone, right.keys()
        if all(wrong.isdisjoint(known) for known in (self.slots.values, bygone.values, bygone.excused)):
            return False
        bygone.fold(right)
        self.slots.fold(right)
        self.measure.forget({*right, *right.values()})
        self.weigh(*right.values())
        self._count()
        if (habits := self.measure.habits) is not None:
            habits.recount(self.identity, self.slots.days(DAY), self)
        self.wake()
        return True

    def evidence(self) -> Sequence[Evidence]:
        """The kept events of the values that are evidence."""
        self._catch_up()
        self.newest = Newest(self.event, {}) if self.event is not None else None
        began, kept = self.world.beginning, self.bygone.kept
        if kept is not None and began.caught_up and began.reaches(kept.first_at):
            self.bygone.kept = None  # all of it is known again, and judged anew
            self.shed = self.bygone.shed
        while self.unready:
            self._inquiry.finish()
        while self._beyond(SLOTS, PAIRS) and (oldest := self.slots.oldest) is not None:
            self._drop(oldest)
        return self.evident.episode

    @property
    def unready(self) -> bool:
        """Whether there is more to judge: a slot, for one need, at a time."""
        if not self._inquiry.under_way:
            self._catch_up()
            self._inquiry.reconsider()
        return self._inquiry.due or self._inquiry.under_way

    def go_on(self) -> int:
        """Judge some of it; how many sights that meant looking at."""
        return self._inquiry.go_on()

    def weigh(self, *values: Value) -> None:
        """Have what was dropped of these values count, or not, by what is known by now."""
        for value in values:
            if (last := self.bygone.last(value)) is not None:
                self.bygone.weigh(value, counts=self.measure.counts(value, last, self))
                self.shed = self.bygone.shed

    def hear_all(self) -> None:
        """Hear of whatever becomes known from now on: what does so between two looks is not to be missed."""
        self.low, self.own_high = BEGINNING, END
        self._care_up_to(END)
        self._last_seen = None  # which was not told of what was seen since something was to be judged

    def recounted(self, first: int, last: int, *, more: bool) -> None:
        """There are more values in all than was thought, so that what was evidence may be none; or there are fewer."""
        if more and not (self.enough or self.found):
            return  # what was too little of all is too little of more
        self._catch_up()
        self._count()
        oldest = self.slots.oldest
        if oldest is not None and oldest * self.width < last and first <= self.newest_key >> SECOND_BITS:
            self.wake()

    def forget_before(self, second: int) -> None:
        """Let go of slots without evidence from before this second: most cases are sessions that never come back."""
        limit = second // self.width
        if (oldest := self.slots.oldest) is None or oldest >= limit:
            return
        self._find()
        for number in [number for number in self.slots.by_number if number < limit and number not in self.found]:
            self._drop(number)

    def rest(self) -> int:
        """Hold nothing that can be found out anew, if all is judged; of how many values that was.

        Most sessions that an alarm is of never come back: serves "memory-flat".
        """
        slots = self.slots
        if self._inquiry.open or self in self.world.dirty:
            return 0
        self._inquiry.rest()
        slots.pack()
        self.evident.rest()
        self._last_seen = self._episode = self._commands = None
        self._listing = Listing()
        return slots.pairs

    @property
    def empty(self) -> bool:
        """Whether it is as good as one that is made anew."""
        bygone = self.bygone
        return not (self.slots.by_number or bygone.values or bygone.excused or self.found) and self.shed is None

    def _find(self) -> None:
        """Have `found` hold what is evidence by all that is known."""
        self._catch_up()
        if (bar := self.measure.bar) is not None:
            bar.population.tell()
        if self._inquiry.open:
            self.evidence()

    def _drop(self, number: int) -> None:
        """Forget a slot; what was evidence in it is still counted."""
        if not self.calm or self._inquiry.under_way:
            self._find()
            if number not in self.slots.by_number:
                return  # to judge all lets go of what is too much
        gone, self._last_seen = self.slots.drop(number), None
        self._inquiry.forget(number)
        if gone:
            self._catch_up()  # it may have been seen since
        if self.enough:
            self._count()
        if (part := self.found.get(number)) is not None:
            self.bygone.drop(part)
            self.shed = self.bygone.shed
            self.evident.drop(number)
        if len(self._watching) > ASKED or self.measure.asked > ASKED:
            self._watching.clear()
            self.measure.forget_all()
            self.wake()
