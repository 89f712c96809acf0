"""What is known of a fact is said without asking those who may know more, where they can say nothing else."""

from __future__ import annotations

from smwatch.rules.plan import Listener, Plan
from smwatch.rules.times import Times
from smwatch.rules.watching import Teller


class Knowing(Plan):
    """A plan that knows of one more second of a fact."""

    def __init__(self, second: int) -> None:
        super().__init__()
        self.second = second
        self.asked: list[Listener] = []

    def tell(self, listener: Listener) -> None:
        self.asked.append(listener)
        assert isinstance(listener, Times)
        listener.add(self.second)


def test_who_may_know_more_is_asked_only_where_what_was_told_does_not_say_it() -> None:
    times, plan = Times(), Knowing(second=20)
    times.add(10)
    times.listen(plan)
    assert times.any(5, 10)
    assert times.any(10, 30)
    assert not times.any(5, 9)
    assert plan.asked == []
    assert times.any(11, 30)
    assert plan.asked == [times]
    assert not times.any(21, 30)


def test_seconds_of_any_century_are_known() -> None:
    far = 1 << 40
    times, other = Times(), Times()
    times.add(10)
    times.extend([11, 12])
    times.extend([13, far])
    times.add(14)
    other.add(12)
    other.absorb(times)
    times.add(far + 1)
    assert [*times.seconds] == [*other.seconds] == [10, 11, 12, 13, 14, far, far + 1]
    late = Times()
    late.add(far)
    assert (late.before(far), late.before(far + 1), late.since(0)) == (None, far, far)
    late.add(15)
    assert [*late.seconds] == [15, far]


def test_who_knows_the_same_as_another_goes_on_with_it_in_any_century() -> None:
    times, other = Times(), Times()
    times.absorb(other)
    times.add(20)
    times.add(1 << 40)
    assert [*other.seconds] == [*times.seconds] == [20, 1 << 40]


def test_facts_that_are_known_of_one_second_alone_keep_it_together() -> None:
    known = [Times(), Times(), Times()]
    for times in known:
        times.add(20)
    assert known[0].told is known[1].told is known[2].told
    known[0].add(10)
    known[1].add(30)
    assert [[*times.seconds] for times in known] == [[10, 20], [20, 30], [20]]
    assert [times.first for times in known] == [10, 20, 20]


class Watching:
    """Equal to the others that ask the same."""

    high = 50

    def __init__(self, asked: str) -> None:
        self.asked = asked
        self.told: list[int] = []
        self.watched = 0

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Watching) and other.asked == self.asked

    def __hash__(self) -> int:
        return hash(self.asked)

    def watches(self, known: Teller) -> None:
        self.watched += 1

    def heed(self, second: int) -> None:
        self.told.append(second)

    def wake(self) -> None:
        """It hangs on nothing else."""


def test_of_those_that_watch_for_the_same_one_is_told_and_the_only_one_takes_no_dict() -> None:
    times, first, same, other = Times(), Watching("a"), Watching("a"), Watching("b")
    times.watch(first)
    assert not isinstance(times.watchers, dict)
    for watcher in (first, same, other, same, other):
        times.watch(watcher)
    times.add(20)
    times.add(60)
    assert [(each.watched, each.told) for each in (first, same, other)] == [(1, [20]), (0, []), (1, [20])]


def test_who_watches_one_of_two_that_are_the_same_hears_of_the_other() -> None:
    times, other, watchers = Times(), Times(), [Watching("a"), Watching("b"), Watching("a")]
    times.watch(watchers[0])
    other.watch(watchers[1])
    times.absorb(other)
    other.watch(watchers[2])
    times.add(20)
    assert [each.told for each in watchers] == [[20], [20], []]
