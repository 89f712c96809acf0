"""Events that wait, ahead of a case, until a fact is known of which nothing is known so far."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.rules.dormant import Dormant
from smwatch.rules.evidence import BEGINNING
from smwatch.rules.period import HOUR
from smwatch.rules.sighting import MARKS
from smwatch.rules.times import Times
from smwatch.rules.watching import Teller
from smwatch.rules.world import World


class Waiter:
    """The events of a group that are evidence only if a fact is known, which it mostly is not.

    Serves the row "rules" of the benchmarks: an event that waits costs a tenth of a Mark with its open question, and
    most groups never have any other, so that they need no case.
    """

    __slots__ = ("__weakref__", "_ahead", "_back", "_take", "_waiting", "_world", "high", "listener")

    def __init__(self, known: Times, world: World, back: int, ahead: int, take: Callable[[Event], None]) -> None:
        """`back`, `ahead`: how far before and after an event the fact matters; `take` takes one once it is known."""
        self.listener = known
        self.high = BEGINNING
        self._world = world
        self._back, self._ahead = back, ahead
        self._take = take
        self._waiting = Dormant(MARKS)

    @property
    def calm(self) -> bool:
        """Whether nothing is known of the fact."""
        return self.listener.unknown

    def add(self, event: Event, second: int) -> None:
        """Another event."""
        known = self.listener
        if not known.told or not known.any(second - self._back, second + self._ahead):
            self._waiting.append(event)
            if second + self._ahead > self.high:
                self._care_for(second)
        else:
            self._take(event)

    def extend(self, events: Sequence[Event], last: int) -> None:
        """Others, of which nothing is known, in order, up to this second."""
        self._waiting.extend(events)
        if last + self._ahead > self.high:
            self._care_for(last)

    def _care_for(self, second: int) -> None:
        begins = self.high == BEGINNING
        self.high = second + self._ahead + HOUR  # more than matters, so that not every event has to say so
        if begins:
            self.listener.watch(self)
        else:
            self.listener.grow_loud(self.high)

    def look_again(self, most: int | None = None) -> bool:
        """Have them taken, or the oldest so many, as more is known; whether there are others."""
        for event in self._waiting.take(most):
            self._take(event)
        return bool(self._waiting)

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the events by the right names of their secrets."""
        self.listener.catch_up()
        self._waiting.rename(right)

    def absorb(self, other: Waiter) -> None:
        """Take over the events of a group that has turned out to be this one."""
        self._waiting.join(other._waiting)
        other._waiting = Dormant(MARKS)
        self.wake()

    def watches(self, known: Teller) -> None:
        """The fact is kept as `listener`."""

    def heed(self, second: int) -> None:
        """The fact is known of a second."""
        if second <= self.high:
            self.wake()

    def wake(self) -> None:
        """Have all of them looked at again."""
        self._world.roused[self] = None
