"""What is to be done with events of one kind by one caller, found out once and kept for a while.

Serves the row "rules" of the benchmarks: most events are one more read of the same secret by the same caller with the
same result, and then all that changes is the second.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from smwatch.events.event import Arrival, Event
from smwatch.rules.fact import EVER, Times
from smwatch.rules.subject import Subject

Take = Callable[[Subject], None]
Ask = Callable[[Subject], bool]


class First(NamedTuple):
    """A rule about what is new: asked only if the fact was not known for long."""

    times: Times
    within: int
    take: Take
    left: tuple[Ask, ...]


class Spreading(Protocol):
    """A case of many values, and the value that this caller comes with."""

    def add(self, event: Event, second: int) -> None:
        """The value was seen again."""
        ...


class Debut(Protocol):
    """Something of which it matters only since when it is known."""

    def add(self, second: int) -> None:
        """It is known in this second."""
        ...


class Plan:
    """What to do with an event like the one it was made for."""

    __slots__ = ("debuts", "earliest", "firsts", "spreads", "takes", "times")

    def __init__(self) -> None:
        self.times: list[Times] = []
        self.debuts: list[Debut] = []
        """What need not be told of any but the first second."""
        self.earliest = EVER
        self.spreads: list[Spreading] = []
        self.firsts: list[First] = []
        self.takes: list[tuple[Take, tuple[Ask, ...]]] = []
        """What has to look at each event anew, and what is to be asked before."""

    def run(self, arrival: Arrival, second: int) -> None:
        """Do it with an event of this second."""
        for times in self.times:
            times.add(second)
        if second < self.earliest:
            self.earliest = second
            for debut in self.debuts:
                debut.add(second)
        if self.spreads:
            event = arrival.event
            for spread in self.spreads:
                spread.add(event, second)
        subject = None
        for first, within, take, left in self.firsts:
            if first.gap < 0 or first.gap > within:
                subject = subject or Subject(arrival)
                pour(subject, take, left)
        if self.takes:
            subject = subject or Subject(arrival)
            for take, left in self.takes:
                pour(subject, take, left)


def pour(subject: Subject, take: Take, left: tuple[Ask, ...]) -> None:
    """Have an event taken, if what is left to ask of it is answered yes."""
    for ask in left:
        if not ask(subject):
            return
    take(subject)
