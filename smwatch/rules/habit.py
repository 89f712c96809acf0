"""What principals do habitually: how many different values they come to on ordinary days."""

from __future__ import annotations

from operator import itemgetter

from smwatch.events.recent import Recent
from smwatch.rules.envelope import Habit
from smwatch.rules.fact import Watcher

DAY = 86_400
DAYS = 120
PRINCIPALS = 2_000


class _Days:
    __slots__ = ("interested", "peaks")

    def __init__(self) -> None:
        self.peaks: dict[tuple[int, int], int] = {}
        """By (period, day)."""
        self.interested: set[Watcher] = set()


class Habits:
    """The most different values that each principal came to within the rule's period, day by day."""

    def __init__(self, habit: Habit) -> None:
        self.habit = habit
        self._known: Recent[str, _Days] = Recent(lambda _: _Days(), PRINCIPALS)

    def note(self, identity: str, within: int, second: int, count: int, by: Watcher) -> None:
        """A principal came to so many values within so many seconds."""
        days, day = self._known[identity], (within, second // DAY)
        if count <= days.peaks.get(day, 0):
            return
        days.peaks[day] = count
        if len(days.peaks) > DAYS:
            del days.peaks[min(days.peaks, key=itemgetter(1))]
        for watcher in days.interested:
            if watcher is not by:
                watcher.wake()

    def usual(self, identity: str, within: int, second: int, count: int) -> bool:
        """Whether a principal did nearly as much on enough of the days before."""
        day, habit = second // DAY, self.habit
        first = day - habit.within // DAY
        nearly = (
            other
            for (period, other), peak in self._known[identity].peaks.items()
            if period == within and first <= other < day and count <= peak * habit.factor
        )
        return sum(1 for _ in nearly) >= habit.days

    def watch(self, identity: str, watcher: Watcher) -> None:
        """Tell `watcher` when more becomes known of a principal."""
        self._known[identity].interested.add(watcher)
