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
