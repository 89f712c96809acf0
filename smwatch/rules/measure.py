"""Which of the values seen are evidence: how distinct rules judge them."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from smwatch.rules.answer import Pending
from smwatch.rules.census import Population
from smwatch.rules.dimension import DIMENSIONS, UNNAMED, Dimension, Value
from smwatch.rules.envelope import Share
from smwatch.rules.habit import Habits
from smwatch.rules.question import Lookout
from smwatch.rules.times import EVER
from smwatch.rules.vigil import Want
from smwatch.rules.watching import Teller

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase

_IDENTITY, _ACCOUNT, _REGION = DIMENSIONS["identity"], DIMENSIONS["account"], DIMENSIONS["region"]


class Need(NamedTuple):
    """So many different values within so many seconds make it this bad."""

    least: int
    within: int
    rank: int
    step: int
    title: str
    alone: bool
    """Whether it is bad by itself, and not only what is so already made worse."""


class Sight(NamedTuple):
    """One value seen in one second."""

    second: int
    key: int
    value: Value


class Questions(NamedTuple):
    """What else a value must, must not, or may be for the worse."""

    only: tuple[Lookout, ...]
    unless: tuple[Lookout, ...]
    grades: tuple[tuple[Lookout, int, str], ...]
    timeless: bool
    """Whether the answers to `only` and `unless` are the same whenever the value was seen."""


class Bar(NamedTuple):
    """A share of all the values that there are, which is to be reached too."""

    share: Share
    population: Population

    def at(self, second: int) -> float:
        """How many values that is in a second."""
        return self.share.least * self.population.size(second)


def stretches(within: int, width: int) -> int:
    """How many stretches of time, each so wide, lie at most between the two ends of a period, both in seconds."""
    return -(-within // width)


class Needs:
    """All that makes values evidence; worked out once for all cases of a rule."""

    def __init__(self, needs: Sequence[Need], factor: float) -> None:
        """`factor`: what is habitual is that many times less."""
        self.all = tuple(needs)
        self.factor = factor
        self.least = int(min(need.least for need in needs) / factor)
        """Fewer values are too few for any need."""
        self.width = max(1, min(need.within for need in needs))
        """Seconds of the shortest period."""
        self.reach = max(need.within for need in needs) // self.width + 1
        """More stretches of that width than others may be away from an event that they make evidence."""
        reaches = dict[int, int]()
        for need in needs:
            least = int(need.least / factor) if need.alone else need.least
            reaches[least] = max(reaches.get(least, 0), stretches(need.within, self.width))
        self.near = tuple(
            (least, reach)
            for least, reach in sorted(reaches.items())
            if all(fewer >= least or other < reach for fewer, other in reaches.items())
        )
        """How many values there must be, and how many stretches away at most, for any need to be met."""


ANY = -1
"""Stands for every event's key."""
HANGS = 32
"""Open questions held of each value, before all is asked again."""


@dataclass(frozen=True, slots=True, weakref_slot=True)
class Asker:
    """What was asked about one value of a case, which wants to know when an answer may be another one.

    What is known of one value changes all the time where a caller goes through many: the others' answers stand.
    """

    case: SpreadCase
    value: Value
    counts: dict[int, bool] = field(default_factory=dict, compare=False)
    """By event key, or for any where `timeless`: whether it counts."""
    grades: dict[int, tuple[int, str] | None] = field(default_factory=dict, compare=False)
    hangs: list[tuple[Pending, bool]] = field(default_factory=list, compare=False)
    """What the answers hang on, as it was then."""

    @property
    def high(self) -> int:
        """Later seconds do not matter to the case."""
        return self.case.high

    def watches(self, known: Teller) -> None:
        """The case keeps what is known."""
        self.case.watches(known)

    def heed(self, _second: int) -> None:
        """More is known."""
        self.case.doubt(self.value)

    def wake(self) -> None:
        """Something else that the answers hang on has changed."""
        self.case.doubt(self.value)


class Measure:
    """What the values of one case are judged by, and what was found of each of them."""

    __slots__ = (
        "_asked",
        "_askers",
        "_questions",
        "bar",
        "factor",
        "habits",
        "least",
        "near",
        "needs",
        "reach",
        "width",
    )

    def __init__(self, needs: Needs, questions: Questions, habits: Habits | None, bar: Bar | None) -> None:
        self.needs = needs.all
        self._questions = questions
        self.habits = habits
        self.bar = bar
        self.factor = needs.factor
        self.least, self.width, self.reach, self.near = needs.least, needs.width, needs.reach, needs.near
        self._askers: dict[Value, Asker] = {}
        """As far as each value was asked about since what is known has changed."""
        self._asked = 0

    def forget_all(self) -> None:
        """Ask everything again."""
        self._askers.clear()
        self._asked = 0

    def forget(self, values: Iterable[Value]) -> None:
        """Ask again about these values."""
        for value in values:
            if (asker := self._askers.pop(value, None)) is not None:
                self._asked -= len(asker.counts)

    def asks_again(self, value: Value) -> bool:
        """Whether anything that was asked about a value has another answer by now: then all is asked again."""
        asker = self._askers.get(value)
        if asker is None or (len(asker.hangs) <= HANGS and all(one.ask() is was for one, was in asker.hangs)):
            return False
        self.forget((value,))
        return True

    @property
    def grades(self) -> bool:
        """Whether there are grades to ask for."""
        return bool(self._questions.grades)

    @property
    def asked(self) -> int:
        """How many answers are held."""
        return self._asked

    def enough(self, count: int, since: int | None) -> bool:
        """Whether so many values, that may count from `since` on, are enough for any period: fewest are known then."""
        if count < self.least or self.bar is None or since is None:
            return count >= self.least
        return since < EVER and count * self.factor >= self.bar.at(since)

    def watched(self, second: int, case: SpreadCase) -> bool:
        """Whether it was watched for long enough to say what a share of all is."""
        assert self.bar is not None
        want, vigil = Want(case.place, 0, second, int(self.bar.share.warmup)), case.world.vigil
        if not want.seconds or vigil.enough(want):
            return True
        vigil.hope(want, case)
        return False

    def _of(self, value: Value, case: SpreadCase) -> Asker:
        asker = self._askers.get(value)
        if asker is None:
            asker = self._askers[value] = Asker(case, value)
        return asker

    def counting(self, sights: Sequence[Sight], case: SpreadCase) -> Sequence[Sight]:
        """Those of these that count by what else is known."""
        counting, askers, (only, unless, _, timeless) = list[Sight](), self._askers, self._questions
        if not only and not unless:
            return sights
        for sight in sights:
            asker, key = askers.get(sight.value), ANY if timeless else sight.key
            answer = asker.counts.get(key) if asker is not None else None
            if answer is None:
                wanted = all(self._ask(ask, sight, case) for ask in only)
                answer = wanted and not any(self._ask(ask, sight, case) for ask in unless)
                self._of(sight.value, case).counts[key] = answer
                self._asked += 1
            if answer:
                counting.append(sight)
        return counting

    def grade(self, sight: Sight, case: SpreadCase) -> tuple[int, str] | None:
        """How bad a value is by the rule's grades, and the title of that; None for what it is anyway."""
        grades = self._of(sight.value, case).grades
        if sight.key not in grades:
            found = ((rank, title) for ask, rank, title in self._questions.grades if self._ask(ask, sight, case))
            grades[sight.key] = next(found, None)
        return grades[sight.key]

    def _ask(self, lookout: Lookout, sight: Sight, case: SpreadCase) -> bool:
        assert case.rule.distinct is not None
        values: dict[Dimension, Value] = {**case.values, case.rule.distinct.of: sight.value}
        if sight.value == UNNAMED:
            del values[case.rule.distinct.of]
        if case.identity:
            values.setdefault(_IDENTITY, case.identity)
        for dimension, value in zip((_ACCOUNT, _REGION), case.place, strict=True):
            values.setdefault(dimension, value)
        answer = lookout(values, sight.second)
        if not isinstance(answer, Pending):
            return answer
        asker = self._of(sight.value, case)
        answer.watch(asker)
        was = answer.ask()
        asker.hangs.append((answer, was))
        return was
