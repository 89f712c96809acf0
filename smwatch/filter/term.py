"""What a filter is made of: terms, each a question about an event.

A term asks about the event's call, its caller, or the event itself, and finds it where one of them says so. Calls and
callers are shared by many events: each is asked about once, by `select` for some events, by a Sweep for all of a store.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence

from smwatch.events.call import Call, Caller
from smwatch.events.event import Event
from smwatch.filter.answers import Answers

FAST_STEP, STEP, ID_STEP = 10_000, 5_000, 2_500
"""Events that a term gets through in some milliseconds, also where each of them is by another caller: where it looks at
one short value of each, at what is said of callers and calls, and at event IDs."""


class Term(ABC):
    """One question; a filter asks all of its own."""

    cost: int = 3
    """Terms of low cost go first."""
    step: int = STEP
    """Events it gets through in some milliseconds."""
    by_call = by_caller = by_event = False
    """Whether it asks about calls, callers, and events themselves: about these alone, or beside both of the others."""

    def __init__(self, *, exclude: bool) -> None:
        self.exclude = exclude
        """Whether the answer is turned round."""
        self._call, self._caller = Answers(self.finds_call), Answers(self.finds_caller)

    @property
    def shared(self) -> bool:
        """Whether it asks about what many events share."""
        return self.by_call or self.by_caller

    def keeps(self, event: Event) -> bool:
        """Whether the event is kept."""
        return (
            (self.by_call and self.finds_call(event.call))
            or (self.by_caller and self.finds_caller(event.caller))
            or (self.by_event and self.finds_event(event))
        ) is not self.exclude

    def select(self, events: list[Event]) -> list[Event]:
        """The kept ones, in order, by one loop without a call per event where that can be."""
        call, caller, exclude = self._call, self._caller, self.exclude
        match self.by_call, self.by_caller, self.by_event:
            case True, False, False:
                return [e for e in events if call[e.call] is not exclude]
            case False, True, False:
                return [e for e in events if caller[e.caller] is not exclude]
            case True, True, False:
                return [e for e in events if (call[e.call] or caller[e.caller]) is not exclude]
            case True, True, True:
                finds = self.finds_event
                return [e for e in events if (call[e.call] or caller[e.caller] or finds(e)) is not exclude]
            case _:
                places = self.places_of_found(events)
                if not exclude:
                    return [events[place] for place in places]
                found = set(places)
                return [e for place, e in enumerate(events) if place not in found]

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

    def finds_call(self, call: Call) -> bool:  # noqa: ARG002  see by_call
        """Whether the events of a call are found for it alone."""
        return False

    def finds_caller(self, caller: Caller) -> bool:  # noqa: ARG002  see by_caller
        """Whether the events of a caller are found for it alone."""
        return False

    def finds_event(self, event: Event) -> bool:  # noqa: ARG002  see by_event
        """Whether an event is found for what is its own."""
        return False

    def finds_calls(self, calls: Sequence[Call]) -> list[bool]:
        """The same as `finds_call` of many."""
        return list(map(self.finds_call, calls))

    def finds_callers(self, callers: Sequence[Caller]) -> list[bool]:
        """The same as `finds_caller` of many."""
        return list(map(self.finds_caller, callers))

    def places_of_found(self, events: Sequence[Event]) -> list[int]:
        """The places of those among many of which `finds_event` is true."""
        return [place for place, event in enumerate(events) if self.finds_event(event)]

    @abstractmethod
    def _within(self, other: Term) -> bool:
        """Whether everything that is found by this is known to be found by `other`: each event, call and caller."""

    @abstractmethod
    def _described(self, exclude: bool) -> str: ...
