"""Different values of a group while they are too few to be evidence, ahead of a case."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
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


class Handful:
    """What a case would keep of its values, for as long as they are fewer than any need of its rule asks for.

    Serves the row "rules" of the benchmarks: a case of values costs five times as much to open, and most sessions come
    to one or two values and are never heard of again.
    """

    __slots__ = ("_group", "_open", "_plans", "_slots", "_values", "case", "event", "least", "newest_key", "width")

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
        self._values: set[Value] = set()
        self._slots: dict[int, dict[Value, list[int]]] = {}
        """By slot, and value: the first and the last event key; no more slots than a case keeps."""
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
        """Take in that a value was seen; the value's first and last key in that slot, as long as that is kept."""
        if value not in self._values:
            self._values.add(value)
            if len(self._values) >= self.least:
                self._open(self._group)
        if self.case is not None:
            return self.case.add(value, key, second)
        number = second // self.width
        slot = self._slots.get(number)
        if slot is None:
            if len(self._slots) >= SLOTS:
                oldest = min(self._slots)
                if number < oldest:
                    return [key, key]
                del self._slots[oldest]
            slot = self._slots[number] = {}
        ends = slot.get(value)
        if ends is None:
            ends = slot[value] = [key, key]
        elif key > ends[1]:
            ends[1] = key
        elif key < ends[0]:
            ends[0] = key
        return ends

    def hand_over(self, case: SpreadCase) -> None:
        """Have a case know all that is known here, and go on in its place."""
        self.case = case
        if self.event is not None and self.newest_key > case.newest_key:
            case.heard(self.event)
        for _, slot in sorted(self._slots.items()):
            for value, ends in slot.items():
                for key in dict.fromkeys(ends):
                    case.add(value, key, key >> SECOND_BITS)
        self._slots.clear()
        self._hear(PLANS)

    def names_any(self, right: Renames) -> bool:
        """Whether one of these is among its values."""
        return not self._values.isdisjoint(right)

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the newest event by the right names of its secrets."""
        self._hear(PLANS)
        if self.event is not None and names_any(self.event, right):
            self.event = renamed_event(self.event, right)

    def forget_before(self, second: int) -> bool:
        """Let go of slots from before this second; whether nothing is left then."""
        limit = second // self.width
        if any(number < limit for number in self._slots):
            self._hear(PLANS)
            self._slots = {number: slot for number, slot in self._slots.items() if number >= limit}
        return not self._slots


class Glimpse:
    """One value of a handful, for a caller that comes with it again and again."""

    __slots__ = ("_ends", "_handful", "_number", "_sighter", "_value")

    def __init__(self, handful: Handful, value: Value) -> None:
        self._handful = handful
        self._value = value
        self._number = -1
        """The slot of `_ends`."""
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
        if number == self._number and key > self._ends[1]:
            self._ends[1] = key
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
