"""What principals do habitually: how many different values they come to on ordinary days."""

from __future__ import annotations

from collections.abc import Set
from operator import itemgetter
from typing import Protocol

from smwatch.events.recent import Recent
from smwatch.rules.envelope import Habit
from smwatch.rules.period import DAY
from smwatch.rules.vigil import Place, Want

DAYS = 120
PRINCIPALS = 2_000
DOERS = 8
"""Groups remembered of a principal's day: those that came to the most."""


class Doer(Protocol):
    """A group of a rule by which a principal came to so many values: its session, say."""

    @property
    def group(self) -> str:
        """The same for the group in every run."""
        ...

    def doubt_habit(self, day: int) -> None:
        """What is habitual after this day may have changed."""
        ...


class _Days:
    __slots__ = ("doers", "interested")

    def __init__(self) -> None:
        self.doers: dict[tuple[int, int], dict[str, int]] = {}
        """By (period, day): the most that each group came to."""
        self.interested: dict[Doer, None] = {}


class Habits:
    """The most different values that each principal came to within the rule's period, day by day."""

    def __init__(self, habit: Habit) -> None:
        self.habit = habit
        self._known: Recent[str, _Days] = Recent(lambda _: _Days(), PRINCIPALS)

    def note(self, identity: str, within: int, day: int, count: int, by: Doer) -> None:
        """A principal came to so many values within so many seconds of a day."""
        days = self._known[identity]
        doers = days.doers.setdefault((within, day), {})
        if count <= doers.get(by.group, 0):
            return
        peak = max(doers.values(), default=0)
        doers[by.group] = count
        if len(doers) > DOERS:
            del doers[min(doers, key=lambda group: (doers[group], group))]
        if len(days.doers) > DAYS:
            del days.doers[min(days.doers, key=itemgetter(1))]
        if count > peak:
            _tell(days, day)

    def noted(self, identity: str, within: int, day: int, by: Doer) -> int:
        """To how many values within so many seconds of a day a group has come, as far as that is noted."""
        doers = self._known[identity].doers.get((within, day))
        return doers.get(by.group, 0) if doers is not None else 0

    def recount(self, identity: str, days: Set[int], by: Doer) -> None:
        """What a group came to on these days was too much; it notes them anew."""
        known = self._known[identity]
        for (_, day), doers in known.doers.items():
            if day in days:
                doers.pop(by.group, None)
        if days:
            _tell(known, min(days))

    def usual(self, identity: str, within: int, day: int) -> float:
        """To how many values a principal may come on a day, having come nearly as far on enough of the days before."""
        habit = self.habit
        first = day - habit.within // DAY
        peaks = [
            max(doers.values(), default=0) * habit.factor
            for (period, other), doers in self._known[identity].doers.items()
            if period == within and first <= other < day
        ]
        return sorted(peaks)[-habit.days] if len(peaks) >= habit.days else -1.0

    def foretold(self, place: Place, day: int) -> Want:
        """What must have been watched of a place for enough of the days before this one to be known at all."""
        habit = self.habit
        return Want(place, day * DAY - habit.within, day * DAY, (habit.days - 1) * DAY + 1)

    def watch(self, identity: str, doer: Doer) -> None:
        """Tell `doer` when more becomes known of a principal."""
        self._known[identity].interested[doer] = None

    def leave(self, identity: str, doer: Doer) -> None:
        """Tell it no more."""
        if (days := self._known.find(identity)) is not None:
            days.interested.pop(doer, None)


def _tell(days: _Days, day: int) -> None:
    for doer in days.interested:  # also who has noted it, of whom a later day may be known already
        doer.doubt_habit(day)
