"""Which of the values seen are evidence: how distinct rules judge them."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, NamedTuple

from smwatch.rules.answer import Pending
from smwatch.rules.census import Population
from smwatch.rules.dimension import UNNAMED, Dimension, Value
from smwatch.rules.envelope import Share
from smwatch.rules.evidence import BEGINNING
from smwatch.rules.habit import Habits
from smwatch.rules.last_seen import LastSeen
from smwatch.rules.period import DAY
from smwatch.rules.question import Lookout
from smwatch.rules.sighter import SLOTS
from smwatch.rules.times import EVER
from smwatch.rules.vigil import Want
from smwatch.rules.watching import Teller

if TYPE_CHECKING:
    from smwatch.rules.spread import SpreadCase


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
    ahead: int
    """How many seconds after a value was seen facts can change an answer."""


class Bar(NamedTuple):
    """A share of all the values that there are, which is to be reached too."""

    share: Share
    population: Population

    def at(self, second: int) -> float:
        """How many values that is in a second."""
        return self.share.least * self.population.size(second)


sight: Callable[[tuple[int, int, Value]], Sight] = partial(tuple.__new__, Sight)
"""Makes one in a third of the time. Serves the row "rules-random"."""


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
        self.fewest = tuple(
            (need.within, int(need.least / factor) if need.alone else need.least, need.least) for need in needs
        )
        """By period, how many values may be habitual, and how many may be evidence."""


ANY = -1
"""Stands for every event's key."""
HANGS = 32
"""Open questions held of each value, before all is asked again."""
GRADES = 2 * SLOTS
"""Answers held of each value to how bad it is, those given last: as many as there are sights of it to be judged."""


@dataclass(slots=True, weakref_slot=True, unsafe_hash=True)
class Asker:
    """What was asked about one value of a case, which wants to know when an answer may be another one.

    What is known of one value changes all the time where a caller goes through many: the others' answers stand.
    """

    # There is one for each value of each case that has an alarm: nothing is made before it is needed. "memory-flat".

    case: SpreadCase
    value: Value
    always: bool | None = field(default=None, compare=False)
    """Whether it counts, where that is `timeless`; None before that was asked."""
    counts: dict[int, bool] | None = field(default=None, compare=False)
    """Elsewhere by event key."""
    grades: dict[int, tuple[int, str] | None] | None = field(default=None, compare=False)
    hangs: tuple[tuple[Pending, bool], ...] = field(default=(), compare=False)
    """What the answers hang on, as it was then."""

    @property
    def high(self) -> int:
        """Later seconds do not matter to what was asked: whether a read was new does not hang on the ones after it.

        Serves the rows "rules" and "rules-varied" of the benchmarks.
        """
        return self.case.measure.matters_up_to(self.value)

    def watches(self, known: Teller) -> None:
        """The case keeps what is known."""
        self.case.watches(known)

    def values(self, shared: Mapping[Dimension, Value]) -> Mapping[Dimension, Value]:
        """What is known of the events with this value: what all of the case share, and the value if it has a name."""
        assert self.case.rule.distinct is not None
        return shared if self.value is UNNAMED else {**shared, self.case.rule.distinct.of: self.value}

    def holds(
        self, only: Iterable[Lookout], unless: Iterable[Lookout], shared: Mapping[Dimension, Value], second: int
    ) -> bool:
        """Whether all of `only`, and none of `unless`, are so of the value seen in this second.

        Where one answer decides that for good, it hears of nothing that the others hang on: serves "rules-trouble".
        """
        values, pending = self.values(shared), list[tuple[Pending, bool]]()
        for looks, wanted in ((only, True), (unless, False)):
            for look in looks:
                answer = look(values, second)
                if not isinstance(answer, bool):
                    pending.append((answer, wanted))
                elif answer is not wanted:
                    return False
        for one, wanted in pending:  # noqa: SIM110  asked of each event of the row "rules-trouble"; all() makes a generator
            if self._hangs_on(one, second) is not wanted:
                return False
        return True

    def ask(self, look: Lookout, values: Mapping[Dimension, Value], second: int) -> bool:
        """The answer to one question as far as is known; it wants to know when that may be another."""
        answer = look(values, second)
        return answer if isinstance(answer, bool) else self._hangs_on(answer, second)

    def _hangs_on(self, answer: Pending, second: int) -> bool:
        self.case.measure.cares(self.value, second)
        answer.watch(self)
        was = answer.ask()
        self.hangs += ((answer, was),)
        return was

    def heed(self, second: int) -> None:
        """More is known of this second."""
        if second <= self.high:
            self.case.doubt(self.value)

    def wake(self) -> None:
        """Something else that the answers hang on has changed."""
        self.case.doubt(self.value)


class Measure:
    """What the values of one case are judged by, and what was found of each of them."""

    __slots__ = (
        "_asked",
        "_askers",
        "_fewest",
        "_highs",
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
        self._fewest = needs.fewest
        self._askers: dict[Value, Asker] = {}
        """As far as each value was asked about since what is known has changed."""
        self._highs: dict[Value, int] = {}
        """Up to which second facts matter to what was asked about each value."""
        self._asked = 0

    def forget_all(self) -> None:
        """Ask everything again."""
        self._askers.clear()
        self._highs.clear()
        self._asked = 0

    def forget(self, values: Iterable[Value]) -> None:
        """Ask again about these values."""
        for value in values:
            if (asker := self._askers.pop(value, None)) is not None:
                self._highs.pop(value, None)
                self._asked -= (asker.always is not None) + len(asker.counts or ())

    def asks_again(self, value: Value) -> bool:
        """Whether anything that was asked about a value has another answer by now: then all is asked again."""
        asker = self._askers.get(value)
        if asker is None:
            return False
        if len(asker.hangs) <= HANGS:
            for one, was in asker.hangs:
                if one.ask() is not was:
                    break
            else:
                return False
        self.forget((value,))
        return True

    def cares(self, value: Value, second: int) -> None:
        """Something is asked about a value that was seen in this second, of which more may become known."""
        self._highs[value] = max(self._highs.get(value, BEGINNING), second + self._questions.ahead)

    def matters_up_to(self, value: Value) -> int:
        """Facts of later seconds change nothing that was asked about a value."""
        return self._highs.get(value, BEGINNING)

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

    def note_seen(self, last_seen: LastSeen, second: int, case: SpreadCase) -> bool:
        """Note how many values had been seen by a second, which is the last, as habitual; whether they may be evidence.

        Those that may be are noted when they are judged.
        """
        habits, day = self.habits, second // DAY
        for within, fewest, least in self._fewest:
            count = last_seen.since(second - within)
            if count >= least:
                return True
            if count >= fewest and habits is not None:
                habits.watch(case.identity, case)
                habits.note(case.identity, within, day, count, case)
        return False

    def counts(self, value: Value, second: int, case: SpreadCase) -> bool:
        """Whether a value that was evidence, last in this second, still counts: that it does is only asked anew where
        it is the same whenever it was seen."""
        return not self._questions.timeless or bool(self.counting([Sight(second, ANY, value)], case))

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
        counting, askers, (only, unless, _, timeless, _) = list[Sight](), self._askers, self._questions
        if not only and not unless:
            return sights
        shared: dict[Dimension, Value] = {}
        for sight in sights:
            asker, answer = askers.get(sight.value), None
            if asker is not None:
                answer = asker.always if timeless else asker.counts.get(sight.key) if asker.counts is not None else None
            if answer is None:
                asker, shared = asker or self._of(sight.value, case), shared or case.shared
                answer = asker.holds(only, unless, shared, sight.second)
                if timeless:
                    asker.always = answer
                else:
                    asker.counts = asker.counts or {}
                    asker.counts[sight.key] = answer
                self._asked += 1
            if answer:
                counting.append(sight)
        return counting

    def grade(self, sight: Sight, case: SpreadCase) -> tuple[int, str] | None:
        """How bad a value is by the rule's grades, and the title of that; None for what it is anyway."""
        asker = self._of(sight.value, case)
        if asker.grades is None:
            asker.grades = {}
        if sight.key not in asker.grades:
            values, second = asker.values(case.shared), sight.second
            found = ((rank, title) for ask, rank, title in self._questions.grades if asker.ask(ask, values, second))
            asker.grades[sight.key] = next(found, None)
            # Of a value that is seen all day, its last sight in the slot is ever another.
            if len(asker.grades) > GRADES:
                del asker.grades[next(iter(asker.grades))]
        return asker.grades[sight.key]
