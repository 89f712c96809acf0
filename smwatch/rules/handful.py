"""Different values of a group while they are too few to be evidence, ahead of a case."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable, Mapping, Sequence
from operator import itemgetter
from typing import TYPE_CHECKING

from smwatch.events.event import Event
from smwatch.events.renaming import names_any, renamed_event
from smwatch.events.secret import Secret
from smwatch.rules.dimension import Group, Renames, Value
from smwatch.rules.plan import Plan
from smwatch.rules.sighter import SLOTS, Sighter, slotted
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.times import FEW, PLANS, crowded

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

_KEY = itemgetter(0)


class Handful:
    """What a case would keep of its values, for as long as they are fewer than any need of its rule asks for.

    Serves the row "rules" of the benchmarks: a case of values costs five times as much to open, and most sessions come
    to one or two values and are never heard of again.
    """

    __slots__ = ("_group", "_open", "_plans", "_seen", "case", "event", "least", "newest_key", "width")

    def __init__(self, least: int, width: int, group: Group, open_case: Callable[[Group], object]) -> None:
        """`open_case` opens the case in its place, and hands it over: so many values are enough, in whatever time."""
        self.least = least
        self.width = width
        """Seconds of a slot, as of the case."""
        self._group = group
        self._open = open_case
        self.case: SpreadCase | None = None
        """What goes on in its place."""
        self.event: Event | None = None
        """The newest."""
        self.newest_key = -1
        self._seen: dict[Value, list[int]] = {}
        """Of each value the first and the last event key in each slot, all in a row, which takes half as much as a dict
        for each slot: serves "memory-flat". Of no more slots than a case keeps."""
        self._plans: list[Plan] = []
        """Who may know of more."""

    def listen(self, plan: Plan) -> None:
        """Have this plan tell before the values are asked for."""
        if self.case is not None:
            self.case.listen(plan)
            return
        self._plans.append(plan)
        if len(self._plans) > FEW and crowded(self._plans, plan.since):
            self._hear(PLANS // 4)

    def release(self, plan: Plan) -> None:
        """Have this plan, which has told all, listen no more."""
        if self.case is not None:
            self.case.release(plan)
        elif plan in self._plans:
            self._plans.remove(plan)

    def _hear(self, count: int) -> None:
        plans, self._plans = self._plans[:count], self._plans[count:]
        for plan in plans:
            plan.tell(self.case or self)

    def heard(self, event: Event) -> None:
        """Take in the newest event."""
        self.newest_key, self.event = event.key, event

    def add(self, value: Value, key: int, second: int) -> list[int]:
        """Take in that a value was seen; its keys, the last one last, as long as this slot is kept."""
        seen = self._seen.get(value)
        if seen is None:
            seen = self._seen[value] = []
            if len(self._seen) >= self.least:
                self._open(self._group)
        if self.case is not None:
            return self.case.add(value, key, second)
        begin = second // self.width * self.width
        at = bisect_left(seen, begin << SECOND_BITS)
        if at < len(seen) and seen[at] < begin + self.width << SECOND_BITS:
            if key > seen[at + 1]:
                seen[at + 1] = key
            elif key < seen[at]:
                seen[at] = key
        elif sum(map(len, self._seen.values())) < 2 * SLOTS or self._make_room(begin // self.width):
            seen = self._seen[value]
            at = bisect_left(seen, key)
            seen[at:at] = key, key
        else:
            return [key, key]
        return seen

    def _make_room(self, number: int) -> bool:
        """Whether a slot is among the newest; an older one is dropped for it where there are too many."""
        numbers = {key // (self.width << SECOND_BITS) for seen in self._seen.values() for key in seen[::2]}
        if number not in numbers and len(numbers) >= SLOTS:
            oldest = min(numbers)
            if number < oldest:
                return False
            self._drop_before(oldest + 1)
        return True

    def _drop_before(self, number: int) -> None:
        """Forget older slots."""
        first = number * self.width << SECOND_BITS
        for value, seen in self._seen.items():
            if seen and seen[-1] < first:
                self._seen[value] = []  # a glimpse may go on with the last key that there was
            elif seen and seen[0] < first:
                del seen[: bisect_left(seen, first)]

    def hand_over(self, case: SpreadCase) -> None:
        """Have a case know all that is known here, and go on in its place."""
        self.case = case
        if self.event is not None and self.newest_key > case.newest_key:
            case.heard(self.event)
        for key, value in sorted([(key, value) for value, seen in self._seen.items() for key in {*seen}], key=_KEY):
            case.add(value, key, key >> SECOND_BITS)
        for seen in self._seen.values():
            seen.clear()
        self._hear(PLANS)

    def names_any(self, right: Renames) -> bool:
        """Whether one of these is among its values."""
        return not self._seen.keys().isdisjoint(right)

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the newest event by the right names of its secrets."""
        self._hear(PLANS)
        if self.event is not None and names_any(self.event, right):
            self.event = renamed_event(self.event, right)

    def forget_before(self, second: int) -> bool:
        """Let go of slots from before this second; whether nothing is left then."""
        limit = second // self.width
        if any(seen and seen[0] < limit * self.width << SECOND_BITS for seen in self._seen.values()):
            self._hear(PLANS)
            self._drop_before(limit)
        return not any(self._seen.values())


class Glimpse:
    """One value of a handful, for a caller that comes with it again and again."""

    __slots__ = ("_ends", "_handful", "_number", "_sighter", "_value")

    def __init__(self, handful: Handful, value: Value) -> None:
        self._handful = handful
        self._value = value
        self._number = -1
        """The slot in which it was seen last, at the last of these keys."""
        self._ends: list[int] = []
        self._sighter: Sighter | None = None

    @property
    def listener(self) -> Handful | SpreadCase:
        """The handful, or the case that goes on in its place."""
        return self._handful.case or self._handful

    @property
    def calm(self) -> bool:
        """Whether seeing the value again changes nothing that is not asked for."""
        case = self._handful.case
        return case is None or case.calm

    def add(self, event: Event, second: int) -> None:
        """The value was seen again."""
        handful, key = self._handful, event.key
        if handful.case is not None:
            (self._sighter or self._sighter_of(handful.case)).add(event, second)
            return
        if key > handful.newest_key:  # it heard the event; that is not worth a call, of each that comes here
            handful.newest_key, handful.event = key, event
        number = second // handful.width
        if number == self._number and key > self._ends[-1]:
            self._ends[-1] = key
        else:
            self._number = number
            self._ends = handful.add(self._value, key, second)

    def extend(self, keys: Sequence[int], seconds: Sequence[int], newest: Event) -> None:
        """The value was seen in events of these keys, which are ascending, and seconds; `newest` is the last one."""
        handful = self._handful
        if handful.case is not None:
            self._sighter_of(handful.case).extend(keys, seconds, newest)
            return
        if keys[-1] > handful.newest_key:
            handful.heard(newest)
        for ends in slotted(keys, seconds, handful.width):
            for key in ends:
                handful.add(self._value, key, key >> SECOND_BITS)

    def _sighter_of(self, case: SpreadCase) -> Sighter:
        if self._sighter is None:
            self._sighter = Sighter(case, self._value)
        return self._sighter
