"""What tells a case of different values that one of them was seen again."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Sequence
from typing import TYPE_CHECKING

from smwatch.events.event import Event
from smwatch.rules.dimension import Value
from smwatch.rules.subject import SECOND_BITS

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

SLOTS = 48
"""Stretches of time, each as long as the rule's period, kept of each case: the newest in which anything happened."""


class Sighter:
    """One value in a case, for a caller that comes with it again and again."""

    __slots__ = ("_ends", "_number", "_runs", "_value", "listener")

    def __init__(self, case: SpreadCase, value: Value) -> None:
        self.listener = case
        self._value = value
        self._number = -1
        """The slot of `_ends`."""
        self._ends = [0, 0]
        self._runs: list[list[int]] = []
        """By slot, ascending: the first and the last key that the case was not told of yet."""

    @property
    def calm(self) -> bool:
        """Whether seeing the value again changes nothing that the case does not ask for."""
        case = self.listener
        return not (case.enough or case.found)

    def add(self, event: Event, second: int) -> None:
        """The value was seen again."""
        case, key = self.listener, event.key
        if key > case.newest_key:  # it heard the event; that is not worth a call, of each that comes here
            case.newest_key, case.event = key, event
            if case.found:
                case.world.dirty[case] = None
        number = second // case.width
        if number == self._number and key > self._ends[1] and not case.enough:
            self._ends[1] = key
        else:
            self._number = number
            self._ends = case.add(self._value, key, second)

    def extend(self, keys: Sequence[int], seconds: Sequence[int], newest: Event) -> None:
        """The value was seen in events of these keys, which are ascending, and seconds; `newest` is the last one."""
        case, runs, width = self.listener, self._runs, self.listener.width
        if keys[-1] > case.newest_key:
            case.heard(newest)
        if not runs:
            case.await_sighter(self)
        for first, last in slotted(keys, seconds, width):
            number, at = (first >> SECOND_BITS) // width, len(runs)
            # Mostly it is the last one; but a session may come to tell of what it knows later than another.
            while at and (runs[at - 1][0] >> SECOND_BITS) // width > number:
                at -= 1
            if at and (runs[at - 1][0] >> SECOND_BITS) // width == number:
                run = runs[at - 1]
                run[:] = min(run[0], first), max(run[1], last)
            else:
                runs.insert(at, [first, last])
        if len(runs) > SLOTS:
            self.tell()  # of more than it keeps at a time: it judges what it lets go of

    def tell(self) -> None:
        """Tell the case of all that it was not told of."""
        runs, self._runs = self._runs, []
        for run in runs:
            for key in dict.fromkeys(run):
                self.listener.add(self._value, key, key >> SECOND_BITS)


def slotted(keys: Sequence[int], seconds: Sequence[int], width: int) -> Sequence[tuple[int, int]]:
    """The first and the last of the keys in each slot of so many seconds; they are ascending, `seconds` are theirs."""
    if seconds[0] // width == seconds[-1] // width:
        return ((keys[0], keys[-1]),)  # as is mostly so
    found, start, count = list[tuple[int, int]](), 0, len(keys)
    while start < count:
        end = bisect_left(seconds, (seconds[start] // width + 1) * width, start)
        found.append((keys[start], keys[end - 1]))
        start = end
    return found
