"""What a filter is made of: terms, each a question about an event.

A term answers for one event, and picks from many in one loop without a call per event: filters are applied to the whole
store while a person types. Where many events share a value, it is asked about once (see `answers`).
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from smwatch.events.event import Event

FAST_STEP, STEP, ID_STEP = 10_000, 5_000, 2_500
"""Events that a term gets through in some milliseconds, also where each of them is by another caller: where it looks at
one short value of each, at what is said of callers and calls, and at event IDs."""


class Term(ABC):
    """One question; a filter asks all of its own."""

    cost: int = 3
    """Terms of low cost go first."""
    step: int = STEP
    """Events it gets through in some milliseconds."""

    def __init__(self, *, exclude: bool) -> None:
        self.exclude = exclude
        """Whether the answer is turned round."""

    def keeps(self, event: Event) -> bool:
        """Whether the event is kept."""
        return self._found(event) is not self.exclude

    def select(self, events: list[Event]) -> list[Event]:
        """The kept ones, in order."""
        return self._picked(events, self.exclude)

    def reach(self, events: list[Event], end: int) -> int:  # noqa: ARG002  some look at them
        """How many of the first `end` to leave for later, so that the last of them take some milliseconds."""
        return max(0, end - self.step)

    def implies(self, other: Term) -> bool:
        """Whether everything this keeps is known to be kept by `other` too."""
        narrow, wide = (other, self) if self.exclude else (self, other)
        return self.exclude is other.exclude and narrow._within(wide)

    @property
    def description(self) -> str:
        """The question in plain words."""
        return self._described(self.exclude)

    @abstractmethod
    def _found(self, event: Event) -> bool: ...

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        found = self._found
        return [e for e in events if found(e) is not exclude]

    @abstractmethod
    def _within(self, other: Term) -> bool:
        """Whether everything that is found by this is known to be found by `other`."""

    @abstractmethod
    def _described(self, exclude: bool) -> str: ...
