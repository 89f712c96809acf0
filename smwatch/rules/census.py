"""How many different secrets (or others) are known: what a rule compares with that counts a share of them."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from collections.abc import Mapping
from typing import Protocol
from weakref import WeakKeyDictionary

from smwatch.rules.dimension import DIMENSIONS, Dimension, Renames, Value, deciding
from smwatch.rules.envelope import Rule, Share
from smwatch.rules.fact import values_of
from smwatch.rules.memory import Turns, Written
from smwatch.rules.plan import Ask, Plan
from smwatch.rules.subject import Subject
from smwatch.rules.times import EVER
from smwatch.rules.vigil import Place, Vigil
from smwatch.rules.warmup import Warmup

PLACES = 1_000
"""Accounts and Regions told apart."""
VALUES = 50_000
"""Values counted in each; of more, only so many."""

_PLACE = (DIMENSIONS["account"], DIMENSIONS["region"])


class Counting(Protocol):
    """Who has counted by a census."""

    def recounted(self, first: int, last: int, *, more: bool) -> None:
        """There is one more than thought, or one less, from a second up to, but not including, another.

        Or enough had been watched by then for one less to matter.
        """
        ...


class _Known:
    """One value, and since when it is known."""

    __slots__ = ("first", "population")

    def __init__(self, population: Population) -> None:
        self.population = population
        self.first = EVER

    def add(self, second: int) -> None:
        """It is known in this second."""
        if second < self.first:
            self.population.move(self, second)


class Population:
    """The values of one place, and since when each is known."""

    __slots__ = ("__weakref__", "_counting", "_firsts", "_known", "_moved", "_news", "_warmup")

    def __init__(self, moved: list[Population]) -> None:
        self._known: dict[Value, _Known] = {}
        self._firsts: list[int] = []
        """Of all values, ascending."""
        self._counting: WeakKeyDictionary[Counting, None] = WeakKeyDictionary()
        self._news: tuple[int, int] | None = None
        """From which second up to which there are more than was told."""
        self._moved = moved
        """Those with news."""
        self._warmup: Warmup | None = None

    def warmed_up(self, vigil: Vigil, place: Place, seconds: int) -> Warmup:
        """Since when this place, which is that of all who count here, has been watched for so long."""
        if self._warmup is None:
            self._warmup = Warmup(vigil, place, seconds, self._tell_warm)
        return self._warmup

    def _tell_warm(self, first: int, last: int) -> None:
        for counting in tuple(self._counting):
            counting.recounted(first, last, more=False)

    def of(self, value: Value) -> _Known | None:
        """Where to write that a value is known; None where it is one too many."""
        known = self._known.get(value)
        if known is None and len(self._known) < VALUES:
            known = self._known[value] = _Known(self)
        return known

    def move(self, known: _Known, second: int) -> None:
        """A value is known from this second on, which is earlier than was thought."""
        was, known.first = known.first, second
        if was != EVER:
            del self._firsts[bisect_left(self._firsts, was)]
        insort(self._firsts, second)
        if self._news is None:
            self._news = second, was
            self._moved.append(self)
        else:
            self._news = min(self._news[0], second), max(self._news[1], was)

    def tell(self) -> None:
        """Tell those who count of more than was thought: once for many, as history that comes newest first is."""
        if self._news is not None:
            (first, last), self._news = self._news, None
            for counting in tuple(self._counting):
                counting.recounted(first, last, more=True)

    def size(self, second: int) -> int:
        """How many are known by then."""
        return bisect_right(self._firsts, second)

    def watch(self, counting: Counting) -> None:
        """Tell `counting` when there were more than thought, or fewer."""
        self._counting[counting] = None

    def fold(self, right: Renames) -> None:
        """Count values that have turned out to be others as those."""
        for old in [each for each in right if each in self._known]:
            gone = self._known.pop(old)
            if gone.first == EVER:
                continue
            del self._firsts[bisect_left(self._firsts, gone.first)]
            if (known := self.of(right[old])) is not None:
                known.add(gone.first)
            for counting in tuple(self._counting):
                counting.recounted(gone.first, EVER, more=False)


class Census:
    """The populations of one rule."""

    def __init__(self, rule: Rule, share: Share, of: Dimension, turns: Turns) -> None:
        self.share = share
        self.of = of
        self._place = tuple(dimension for dimension in _PLACE if dimension in rule.by)
        self._gets = tuple(dimension.get for dimension in self._place)
        self._foreseen = all(dimension.foreseen for dimension in self.dimensions)
        self._moved: list[Population] = []
        self._populations: Written[tuple[Value, ...], Population] = Written(
            lambda: Population(self._moved), PLACES, turns
        )

    @property
    def dimensions(self) -> tuple[Dimension, ...]:
        """What values are told apart by."""
        return (*self._place, self.of)

    @property
    def needs(self) -> frozenset[str]:
        """What an event must have."""
        return deciding(self.dimensions)

    def take(self, subject: Subject) -> None:
        """Take in an event that shows a value."""
        place, value = values_of(self._gets, subject), self.of.get(subject)
        if place is None or not value:
            return
        others = subject.event.call.others if value is subject.secret else ()
        for each in (value, *others):
            if (known := self._populations[place].of(each)) is not None:
                known.add(subject.second)

    def enlist(self, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one."""
        place, value = values_of(self._gets, subject), self.of.get(subject)
        if left or not self._foreseen:
            plan.takes += ((self.take, left),)
        elif place is not None and value and (known := self._populations[place].of(value)) is not None:
            plan.debuts += (known,)

    def population(self, values: Mapping[Dimension, Value]) -> Population:
        """What is known where a group of the rule is."""
        return self._populations.ask(tuple(values.get(dimension, "") for dimension in self._place))

    def tell(self) -> None:
        """Tell those who count of what has become known since they were told."""
        while self._moved:
            self._moved.pop().tell()

    def fold(self, right: Renames) -> None:
        """Count values that have turned out to be others as those."""
        if self.of.names_secret:
            for place in self._populations.remembered():
                self._populations[place].fold(right)
