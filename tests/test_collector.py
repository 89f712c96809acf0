from __future__ import annotations

import gc
import weakref
from collections import deque
from collections.abc import Iterator
from datetime import timedelta

import pytest

from smwatch.collector import EARLIEST, LATEST, QUIET, WHOLE, Collector
from tests.tui.scene import NOW, Stage, reads

SECOND = timedelta(seconds=1)


@pytest.fixture(autouse=True)
def _as_before() -> Iterator[None]:
    """What a collector has set is the whole process's."""
    thresholds = gc.get_threshold()
    yield
    gc.set_threshold(*thresholds)
    gc.unfreeze()


class Knot:
    """An object that only a search frees."""

    def __init__(self) -> None:
        self.itself = self


def test_cycles_are_freed_once_it_is_quiet() -> None:
    collector = Collector(NOW)
    collector.start()
    knot = weakref.ref(Knot())
    collector.stir(NOW + EARLIEST)
    assert not collector.tick(NOW + EARLIEST + QUIET - SECOND)
    assert knot() is not None
    assert collector.tick(NOW + EARLIEST + QUIET)
    assert knot() is None
    assert not collector.tick(NOW + EARLIEST + QUIET + SECOND)


def test_cycles_are_freed_in_the_end_even_if_it_is_never_quiet() -> None:
    collector = Collector(NOW)
    for minutes in range(int(LATEST / timedelta(minutes=1))):
        now = NOW + timedelta(minutes=minutes)
        collector.stir(now)
        assert not collector.tick(now)
    collector.stir(NOW + LATEST)
    assert collector.tick(NOW + LATEST)


def test_whatever_is_made_no_search_through_everything_begins_by_itself() -> None:
    Collector(NOW).start()
    full: list[int] = []

    def seen(phase: str, info: dict[str, int]) -> None:
        if phase == "start" and info["generation"] == 2:
            full.append(1)

    gc.callbacks.append(seen)
    try:
        kept = [[Knot()] for _ in range(400_000)]
    finally:
        gc.callbacks.remove(seen)
    assert kept
    assert not full


def test_few_objects_are_looked_through_in_one_go() -> None:
    Collector(NOW).start()
    looked_through: list[int] = []

    def seen(phase: str, info: dict[str, int]) -> None:
        if phase == "start":
            looked_through.append(sum(len(gc.get_objects(each)) for each in range(info["generation"] + 1)))

    gc.callbacks.append(seen)
    try:
        kept = [[Knot()] for _ in range(20_000)]
    finally:
        gc.callbacks.remove(seen)
    assert kept
    assert max(looked_through[10:]) < 2_500


def test_few_objects_are_looked_through_in_one_go_though_as_many_are_freed_as_are_made() -> None:
    collector = Collector(NOW)
    held: deque[list[int]] = deque(([] for _ in range(10_000)), maxlen=10_000)
    collector.start()
    most = 0
    for _ in range(100):
        for _ in range(100):
            held.append([])  # which lets the oldest one go
        most = max(most, len(gc.get_objects(0)) + len(gc.get_objects(1)))
        collector.look()
    assert most < 2_500


def test_what_a_search_has_left_is_looked_through_again_once_a_day() -> None:
    collector, knot, now = Collector(NOW), Knot(), NOW + EARLIEST
    left = weakref.ref(knot)
    assert collector.tick(now)
    del knot
    for _ in range(3):
        now += EARLIEST
        assert collector.tick(now)
        assert left() is not None
    assert collector.tick(NOW + WHOLE)
    assert left() is None


async def test_what_is_made_where_something_is_taken_in_is_looked_through() -> None:
    stage = Stage(reads(3))
    stage.app.collector = Collector(NOW)
    looks: list[int] = []
    async with stage.app.run_test():

        def seen(phase: str, info: dict[str, int]) -> None:
            if phase == "start":
                looks.append(info["generation"])

        gc.set_threshold(1 << 30)  # Python itself begins none
        gc.callbacks.append(seen)
        try:
            stage.bring(*reads(1, secret="prod/other"))
        finally:
            gc.callbacks.remove(seen)
    assert looks


async def test_keys_and_events_put_the_search_off() -> None:
    stage = Stage(reads(3))
    stage.app.collector = Collector(NOW)
    async with stage.app.run_test() as pilot:
        stage.now = NOW + EARLIEST
        await pilot.press("j")
        assert not stage.app.collector.tick(stage.now + QUIET - SECOND)
        stage.now += QUIET
        stage.bring(*reads(1, secret="prod/other"))
        assert not stage.app.collector.tick(stage.now + QUIET - SECOND)
        assert stage.app.collector.tick(stage.now + QUIET)
