"""What is known of a fact is said without asking those who may know more, where they can say nothing else."""

from __future__ import annotations

from smwatch.rules.plan import Listener, Plan
from smwatch.rules.times import Times


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


def test_who_knows_the_same_as_another_goes_on_with_it_in_any_century() -> None:
    times, other = Times(), Times()
    times.absorb(other)
    times.add(20)
    times.add(1 << 40)
    assert [*other.seconds] == [*times.seconds] == [20, 1 << 40]
