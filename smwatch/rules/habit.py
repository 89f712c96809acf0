"""What principals do habitually: how many different values they come to on ordinary days."""

from __future__ import annotations

from smwatch.events.recent import Recent
from smwatch.rules.envelope import Habit
from smwatch.rules.fact import Watcher

DAY = 86_400
DAYS = 60
PRINCIPALS = 2_000


class _Days:
    __slots__ = ("interested", "peaks")

    def __init__(self) -> None:
        self.peaks: dict[int, int] = {}
        self.interested: set[Watcher] = set()


class Habits:
    """The most different values that each principal came to within the rule's period, day by day."""

    def __init__(self, habit: Habit) -> None:
        self.habit = habit
        self._known: Recent[str, _Days] = Recent(lambda _: _Days(), PRINCIPALS)

    def note(self, identity: str, second: int, count: int, by: Watcher) -> None:
        """A principal came to so many values at once."""
        days, day = self._known[identity], second // DAY
        if count <= days.peaks.get(day, 0):
            return
        days.peaks[day] = count
        if len(days.peaks) > DAYS:
            del days.peaks[min(days.peaks)]
        for watcher in days.interested:
            if watcher is not by:
                watcher.wake()

    def usual(self, identity: str, second: int, count: int) -> bool:
        """Whether a principal did nearly as much on enough of the days before."""
        day, habit = second // DAY, self.habit
        first = day - habit.within // DAY
        peaks = self._known[identity].peaks.items()
        return sum(first <= other < day and count <= peak * habit.factor for other, peak in peaks) >= habit.days

    def watch(self, identity: str, watcher: Watcher) -> None:
        """Tell `watcher` when more becomes known of a principal."""
        self._known[identity].interested.add(watcher)
