"""What ends an alarm: the fact that its rule names, and the ends that are known from before."""

from __future__ import annotations

from bisect import bisect_left, insort
from typing import TYPE_CHECKING

from smwatch.rules.evidence import BEGINNING
from smwatch.rules.group import Known
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.times import Times
from smwatch.rules.watching import Recalling, Teller

if TYPE_CHECKING:
    from smwatch.rules.case import Case

ENDS = 16
"""Endings remembered for each case."""


class Ending(Recalling):
    """What is known of the ends of one case's alarm.

    It hears of the closing fact on its own: an alarm that nothing has ended yet cares for that fact up to whatever
    second, but for nothing else after its evidence. Serves the row "rules".
    """

    __slots__ = ("_case", "_ends", "_watched", "high", "known")

    def __init__(self, case: Case) -> None:
        self._case = case
        self._ends: list[int] = []
        self._watched: Teller | None = None
        self.known: Known | None = None
        """The closing fact, if there is one."""
        self.high = BEGINNING

    def hear_of(self, known: Known) -> None:
        """Have the alarm end by this fact, and hear of it."""
        self.known = known
        known.watch(self)

    def care_up_to(self, high: int) -> None:
        """What the fact says of later seconds does not matter."""
        if high > self.high and self._watched is not None:
            self._watched.grow_loud(high)
        self.high = high

    def watches(self, known: Teller) -> None:
        """It watches this fact from now on."""
        self._watched = known

    def heed(self, second: int) -> None:
        """The fact is now known of this second too."""
        case = self._case
        if case.low <= second <= self.high:
            # A deadline that is called off is none: then the evidence is another as well.
            (case.evidence_changes if case.rule.timer is None else case.wake)()

    def lose(self, second: int, _until: int) -> None:
        """What ended it in this second is known by name no longer."""
        self.heed(second)

    def wake(self) -> None:
        """More is known of the fact than a second."""
        self._case.wake()

    def note(self, second: int) -> None:
        """It ended in this second."""
        if second not in self._ends:
            insort(self._ends, second)
            del self._ends[:-ENDS]

    def absorb(self, other: Ending) -> None:
        """Know what is known of the ends of a group that has turned out to be this one."""
        self._ends = sorted({*self._ends, *other._ends})[-ENDS:]

    def around(self, last_at: int) -> tuple[int, int | None]:
        """The seconds in which the last episode but one ended, and the last one: by the first close after its evidence.

        Of the latter there may be none yet.
        """
        start, end = self.known.around(last_at) if self.known is not None else (None, None)
        at = bisect_left(self._ends, last_at)
        if at < len(self._ends) and (end is None or self._ends[at] < end):
            end = self._ends[at]
        if end is not None and end not in self._ends:
            self.note(end)  # the fact itself may be forgotten one day
            at = bisect_left(self._ends, last_at)
        noted = self._ends[at - 1] if at else BEGINNING
        return noted if start is None else max(start, noted), end

    def event_in(self, end: int) -> str:
        """The closing event of this second, and who made it; "" where it is not known by name."""
        if isinstance(self.known, Times):
            for key, name, who in self.known.notes or ():
                if key >> SECOND_BITS == end:
                    return f"{name} by {who}" if who else name
        return ""
