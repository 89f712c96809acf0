"""How a row is measured: smwatch and its floor in turns, in the same process, at three sizes.

A round measures each side once. Which comes first changes from round to round, garbage is collected before each, and
the first round of both is let go, as it fills caches. What has to be made ready (records, a full store) is not
measured. The row's figure is the median of its rounds, and its ratio that of the two medians. Where the sides are
processes, each round starts both anew.
"""

from __future__ import annotations

import gc
import math
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from datetime import UTC, datetime
from functools import partial
from statistics import median
from time import perf_counter, process_time
from typing import Generic, TypeVar

import msgspec

from smwatch.collector import Collector

clock = process_time
"""Seconds of this process's own work, in all its threads: what the machine does for others meanwhile is not in it."""

T = TypeVar("T")
Figure = Callable[[], float]
"""Does one round and returns its figure in the row's unit; what has to be made ready for it does not count."""


class Pair(msgspec.Struct, frozen=True):
    """What is compared."""

    smwatch: Figure
    floor: Figure


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table."""

    name: str
    what: str
    floor: str
    """What smwatch is compared with: something that does as little as can be done, or a peer."""
    target: float
    """The ratio to keep to or, with `absolute`, the figure."""
    size: int
    """How much of it; a tenth and ten times are measured too."""
    sized: str
    """What `size` counts."""
    ready: Callable[[int], AbstractContextManager[Pair]]
    """Makes a size ready to be measured."""
    unit: str = "s"
    absolute: bool = False
    rounds: int = 7
    """At least; more where they are short."""
    exact: bool = False
    """No more of them than that: its runs are shared with other rows, and seem short where those have made them."""
    largest: int = 1 << 62
    """Larger sizes are left out; `remark` says why."""
    remark: str = ""


class Measured(msgspec.Struct, frozen=True):
    """The figures of both sides at one size, round by round."""

    size: int
    smwatch: tuple[float, ...]
    floor: tuple[float, ...]

    @property
    def ratio(self) -> float:
        """Of the medians."""
        return _over(median(self.smwatch), median(self.floor))

    @property
    def ratios(self) -> tuple[float, float]:
        """The smallest and the largest of the single rounds."""
        each = list(map(_over, self.smwatch, self.floor))
        return min(each), max(each)


class Runs(Generic[T]):
    """Runs of both sides that take long, and of which several rows tell: each is made once, and told of by all."""

    def __init__(self, ready: Callable[[int], AbstractContextManager[tuple[Callable[[], T], Callable[[], T]]]]) -> None:
        """`ready` makes a size ready to be run, if there has to be another run of it."""
        self._ready = ready
        self._made: dict[int, tuple[list[T], list[T]]] = {}

    def rows(self, first: Row, *others: tuple[str, str, str, Callable[[T], float]]) -> Iterator[Row]:
        """`first`, which is of these runs, and others: what follows its name, what they are of, unit and figure."""
        yield first
        for suffix, what, unit, figure in others:
            name, ready = f"{first.name}-{suffix}", partial(self.told, figure=figure)
            yield msgspec.structs.replace(first, name=name, what=what, unit=unit, ready=ready)

    @contextmanager
    def told(self, size: int, *, figure: Callable[[T], float]) -> Iterator[Pair]:
        """One figure of each run, from the first one on."""
        made = self._made.setdefault(size, ([], []))
        with ExitStack() as opened:
            sides: list[tuple[Callable[[], T], Callable[[], T]]] = []

            def each(side: int) -> Iterator[float]:
                number = 0
                while True:
                    if number == len(made[side]):
                        if not sides:
                            sides.append(opened.enter_context(self._ready(size)))
                        made[side].append(sides[0][side]())
                    yield figure(made[side][number])
                    number += 1

            smwatch, floor = each(0), each(1)
            yield Pair(lambda: next(smwatch), lambda: next(floor))


@contextmanager
def collecting() -> Iterator[None]:
    """Python looks for unreachable cycles of objects as it does where smwatch runs: among the young ones, meanwhile."""
    thresholds = gc.get_threshold()
    Collector(datetime.now(UTC)).start()
    try:
        yield
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()


def sizes(row: Row) -> list[int]:
    """A tenth of the row's size, the size itself, ten times as much; of what has no size, that alone."""
    if row.size == 1:
        return [1]
    return [size for size in (row.size // 10, row.size, row.size * 10) if size <= row.largest]


def measure(row: Row, size: int, *, seconds: float) -> Measured:
    """Measure both sides in turns for some seconds, and for no less than the rounds that the row asks for."""
    sides: tuple[list[float], list[float]] = ([], [])
    with row.ready(size) as pair:
        figures = (pair.smwatch, pair.floor)
        if row.rounds > 1:  # the first round fills the caches, on both sides
            for figure in figures:
                figure()
        until = perf_counter() + seconds
        while len(sides[0]) < row.rounds or (not row.exact and perf_counter() < until):
            # Neither always comes first: what one leaves behind in the caches helps or hinders the other.
            for side in (0, 1) if len(sides[0]) % 2 else (1, 0):
                gc.collect()
                sides[side].append(figures[side]())
    return Measured(size, tuple(sides[0]), tuple(sides[1]))


def attempt(row: Row, size: int) -> Measured:
    """One round, to see that the row can be measured; its figures say nothing."""
    with row.ready(size) as pair:
        return Measured(size, (pair.smwatch(),), (pair.floor(),))


def exponent(measured: list[Measured]) -> float:
    """The k for which the figure of smwatch grows like n^k, from the smallest to the largest size."""
    first, last = measured[0], measured[-1]
    if len(measured) < 2 or not median(first.smwatch) or not median(last.smwatch):
        return math.nan
    return math.log(median(last.smwatch) / median(first.smwatch)) / math.log(last.size / first.size)


def _over(figure: float, floor: float) -> float:
    return figure / floor if floor else math.inf
