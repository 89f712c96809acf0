"""Which of the values seen are evidence: how distinct rules judge them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from math import inf
from typing import TYPE_CHECKING, NamedTuple

from smwatch.rules.answer import Pending, holds
from smwatch.rules.census import Population
from smwatch.rules.dimension import DIMENSIONS, Dimension, Value
from smwatch.rules.envelope import Share
from smwatch.rules.habit import Habits
from smwatch.rules.question import Lookout
from smwatch.rules.vigil import Want

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


class Bar(NamedTuple):
    """A share of all the values that there are, which is to be reached too."""

    share: Share
    population: Population

    def at(self, second: int) -> float:
        """How many values that is in a second."""
        return self.share.least * self.population.size(second)


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
        """How many stretches of that width away from an event others can make it evidence."""


class Measure:
    """What the values of one case are judged by, and what was found of each of them."""

    __slots__ = ("_answers", "_factor", "_grades", "_needs", "_questions", "bar", "habits", "least", "reach", "width")

    def __init__(self, needs: Needs, questions: Questions, habits: Habits | None, bar: Bar | None) -> None:
        self._needs = needs.all
        self._questions = questions
        self.habits = habits
        self.bar = bar
        self._factor = needs.factor
        self.least, self.width, self.reach = needs.least, needs.width, needs.reach
        self._answers: dict[Sight, bool] = {}
        """Whether each counts, as far as it was asked since what is known has changed."""
        self._grades: dict[Sight, tuple[int, str] | None] = {}
        """The grade of each likewise."""

    def forget(self) -> None:
        """Ask everything again."""
        self._answers.clear()
        self._grades.clear()

    @property
    def asked(self) -> int:
        """How many answers are held."""
        return len(self._answers)

    def enough(self, count: int, since: int | None) -> bool:
        """Whether so many values, seen from `since` on, are enough for any period: then there are fewest in all."""
        if count < self.least or self.bar is None or since is None:
            return count >= self.least
        return count * self._factor >= self.bar.at(since)

    def judged(self, sights: Sequence[Sight], case: SpreadCase) -> dict[Sight, tuple[int, int, str]]:
        """Those of these, which are ascending, that are evidence: how bad each is, with the step and its title."""
        if self._questions.only or self._questions.unless:
            # What else is known is asked only where there would be enough without it.
            close = {sight for need in self._needs for sight in self._close(sights, need, case)}
            sights = [sight for sight in sights if sight in close and self._counts(sight, case)]
        graded: dict[Sight, tuple[int, int, str]] = {}
        for need in self._needs:
            for sight in self._close(sights, need, case):
                if need.alone or sight in graded:
                    graded[sight] = max(graded.get(sight, (0, 0, "")), (need.rank, need.step, need.title))
        return graded

    def _close(self, sights: Sequence[Sight], need: Need, case: SpreadCase) -> Iterator[Sight]:
        """The sights that lie, with enough different values, within the period."""
        habits = self.habits if need.alone else None
        factor = self._factor if habits else 1.0
        least = int(need.least / factor)
        inside: Counter[Value] = Counter()
        start = done = 0
        for end, sight in enumerate(sights):
            inside[sight.value] += 1
            while sight.second - sights[start].second > need.within:
                left = sights[start].value
                inside[left] -= 1
                if not inside[left]:
                    del inside[left]
                start += 1
            if len(inside) < least:
                continue
            bar = self._reached(sight.second, case)
            if len(inside) * factor < bar:
                continue
            if habits is not None:
                habits.note(case.identity, need.within, sight.second, len(inside), case)
                habits.watch(case.identity, case)
                if habits.usual(case.identity, need.within, sight.second, len(inside)):
                    continue
            if len(inside) < max(need.least, bar):
                continue
            yield from sights[max(start, done) : end + 1]
            done = end + 1

    def _reached(self, second: int, case: SpreadCase) -> float:
        """How many values make a share of all in a second, as far as that can be said; none do where it can't."""
        bar, vigil = self.bar, case.world.vigil
        if bar is None:
            return 0.0
        want = Want(case.place, 0, second, int(bar.share.warmup))
        if want.seconds and not vigil.enough(want):
            vigil.hope(want, case)
            return inf
        return bar.at(second)

    def _counts(self, sight: Sight, case: SpreadCase) -> bool:
        answer = self._answers.get(sight)
        if answer is None:
            only, unless, _ = self._questions
            wanted = all(self._ask(ask, sight, case) for ask in only)
            answer = wanted and not any(self._ask(ask, sight, case) for ask in unless)
            self._answers[sight] = answer
        return answer

    def grade(self, sight: Sight, case: SpreadCase) -> tuple[int, str] | None:
        """How bad a value is by the rule's grades, and the title of that; None for what it is anyway."""
        if sight not in self._grades:
            grades = ((rank, title) for ask, rank, title in self._questions.grades if self._ask(ask, sight, case))
            self._grades[sight] = next(grades, None)
        return self._grades[sight]

    def _ask(self, lookout: Lookout, sight: Sight, case: SpreadCase) -> bool:
        assert case.rule.distinct is not None
        values: dict[Dimension, Value] = {**case.values, case.rule.distinct.of: sight.value}
        if case.identity:
            values.setdefault(_IDENTITY, case.identity)
        for dimension, value in zip((_ACCOUNT, _REGION), case.place, strict=True):
            values.setdefault(dimension, value)
        answer = lookout(values, sight.second)
        if isinstance(answer, Pending):
            answer.watch(case)
        return holds(answer)
