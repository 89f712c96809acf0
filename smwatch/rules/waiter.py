"""Events that wait in a case until a fact is known of which nothing is known so far."""

from __future__ import annotations

from collections.abc import Callable

from smwatch.events.event import Event
from smwatch.rules.dormant import model_of
from smwatch.rules.sighting import SightingCase
from smwatch.rules.times import Times


class Waiter:
    """A case for a caller whose events are evidence only if a fact is known, which it mostly is not.

    Serves the row "rules" of the benchmarks: an event that waits costs a tenth of a Mark with its open question.
    """

    __slots__ = ("_ahead", "_back", "_case", "_model", "_take", "_waiting", "listener")

    def __init__(self, case: SightingCase, known: Times, back: int, ahead: int, take: Callable[[Event], None]) -> None:
        known.watch(case)
        self.listener = known
        self._waiting = case.waiting
        self._model: Event | None = None
        self._case = case
        self._back, self._ahead = back, ahead
        self._take = take

    @property
    def calm(self) -> bool:
        """Whether nothing is known of the fact."""
        return self.listener.unknown

    def add(self, event: Event, second: int) -> None:
        """Another event of this caller."""
        low, high = second - self._back, second + self._ahead
        if self.calm or not self.listener.any(low, high):
            self.hold(event)
            self._case.wait(low, high)
        else:
            self._take(event)

    def hold(self, event: Event) -> None:
        """Another one, while nothing is known of the fact; see `extend`."""
        self._model = model_of(event, self._model)
        self._waiting.append(event.key, self._model)

    def extend(self, first: int, last: int) -> None:
        """Some were held, from one second up to another."""
        self._case.wait(first - self._back, last + self._ahead)
