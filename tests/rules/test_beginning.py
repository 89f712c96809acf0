"""Since when events are known: who waits for older ones is woken once, in whatever order they come."""

from __future__ import annotations

import gc

from smwatch.rules.beginning import HOPES, Beginning
from smwatch.rules.fact import Teller


class Waiting:
    """Counts how often it is woken."""

    high = 0

    def __init__(self) -> None:
        self.woken = 0

    def watches(self, _known: Teller) -> None:
        """It hangs on nothing else."""

    def heed(self, _second: int) -> None:
        raise AssertionError

    def wake(self) -> None:
        self.woken += 1


def test_each_is_woken_once_as_history_comes_newest_first() -> None:
    began = Beginning()
    began.move(10_000)
    waiting = {second: Waiting() for second in range(0, 10_000, 100)}
    for second, one in waiting.items():
        for _ in range(3):
            began.by(second).watch(one)
    for second in range(9_999, 4_999, -1):
        began.move(second)
    assert {second for second, one in waiting.items() if one.woken} == set(range(5_000, 10_000, 100))
    assert {one.woken for one in waiting.values()} == {0, 1}


def test_nobody_waits_for_what_is_known() -> None:
    began, one = Beginning(), Waiting()
    began.move(100)
    began.watch_for(100, one)
    began.watch_for(500, one)
    began.move(50)
    assert one.woken == 0


def test_who_is_no_more_is_forgotten() -> None:
    began, one = Beginning(), Waiting()
    began.move(HOPES * 10)
    began.watch_for(1, one)
    for second in range(HOPES * 3):
        began.watch_for(second, Waiting())
    gc.collect()
    assert len(began._hoping) <= HOPES + 1
    began.move(0)
    assert one.woken == 1
