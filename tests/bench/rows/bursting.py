"""A burst: how long the screen's loop stands still while events that come all at once are taken in.

The figure is the longest of all steps, in processor time, so that one interruption of the machine shows in it. The
floor tells how much of it is the machine's: the longest of as many loops that do nothing, one after each step, and as
long.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from statistics import fmean

import msgspec

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.monitor.handing import SLICE
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.running.background import LEAST
from smwatch.running.backstage import SETTLED
from smwatch.store.store import Store
from tests.bench.harness import Pair, Row, clock, collecting
from tests.bench.traffic import PAGE, AnyTraffic, Traffic, Trouble, filtering
from tests.records import AT

BEFORE = 20_000
"""Events taken in before a burst."""
AGAIN = 3
"""Bursts of the same events."""


class Burst:
    """Events taken in as the screen's loop takes them, `part` of them in one step, after each page alarms.

    After each step there is a plain loop, in which only the machine can stand still: all of them last together as long
    as all steps did the time before.
    """

    def __init__(self, traffic_of: Callable[[], AnyTraffic], part: int) -> None:
        self._traffic, self._reader, self._part = traffic_of(), Reader(), part
        engine = Engine(combine(load_builtin()))
        engine.at_once = SETTLED
        self._store = Store(engine=engine)
        self.view = self._store.view(filtering("payments" if traffic_of is Traffic else "prod", self._store))
        self.steps: list[float] = []
        self.loops: list[float] = []
        """Milliseconds of each that takes events in, and of the longest that works out the alarms of a page."""
        self._turns = 0

    def take(self, count: int) -> None:
        """Take in the next events."""
        self._turns = turns_in(fmean(self.steps) / 1e3) if self.steps else 0
        self.steps.clear()
        self.loops.clear()
        page, store = min(PAGE, count), self._store
        for _ in range(0, count, page):
            arrivals = [self._reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in self._traffic.texts(page)]
            for start in range(0, page, self._part):
                some, more = arrivals[start : start + self._part], start + self._part < page
                self._note(self._timed(partial(store.add, some, more=more)))
            settled = [(0.0, 0.0)]
            while store.unsettled:
                settled.append(self._timed(store.settle))
            self._note((max(step for step, _ in settled), max(loop for _, loop in settled)))

    def _timed(self, work: Callable[[], object]) -> tuple[float, float]:
        return milliseconds(work), milliseconds(partial(plain, self._turns))

    def _note(self, took: tuple[float, float]) -> None:
        step, loop = took
        self.steps.append(step)
        self.loops.append(loop)


@contextmanager
def burst(size: int, traffic_of: Callable[[], AnyTraffic] = Traffic, part: int = SLICE) -> Iterator[Pair]:
    """The longest step of a burst."""
    one = Burst(traffic_of, part)
    one.take(BEFORE if traffic_of is Traffic else size)

    def longest() -> float:
        one.take(size)
        return max(one.steps)

    with collecting():
        yield Pair(longest, lambda: max(one.loops))
    assert one.view.rows


@contextmanager
def same_burst(size: int) -> Iterator[Pair]:
    """The longest step of a burst, of each that time when it took least: the machine does not stand still twice."""
    steps, loops = list[list[float]](), list[list[float]]()

    def again() -> None:
        steps.clear()
        loops.clear()
        for _ in range(AGAIN):
            one = Burst(Traffic, SLICE)
            for count in (BEFORE, size):
                one.take(min(size, count))
            steps.append(one.steps)
            loops.append(one.loops)

    def longest(runs: list[list[float]]) -> float:
        if not runs:
            again()
        shortest: list[float] = [min(step) for step in zip(*runs, strict=True)]
        runs.clear()
        return max(shortest)

    with collecting():
        yield Pair(partial(longest, steps), partial(longest, loops))


def milliseconds(work: Callable[[], object]) -> float:
    """How long it takes."""
    began = clock()
    work()
    return (clock() - began) * 1e3


def plain(turns: int) -> None:
    """A loop that does nothing."""
    for _ in range(turns):
        pass


def turns_in(seconds: float, tried: int = 20_000) -> int:
    """How many turns of that loop take so long, where nothing disturbs it."""
    least = math.inf
    for _ in range(50):
        began = clock()
        plain(tried)
        least = min(least, clock() - began)
    return round(seconds / least * tried)


_burst = Row(
    name="burst",
    what=f"a burst: longest stall, {SLICE} events at a time",
    floor="the longest of as many plain loops in between, all together as long",
    target=15.0,
    absolute=True,
    unit="ms",
    size=50_000,
    sized="events",
    rounds=3,
    ready=burst,
)

ROWS = (
    _burst,
    msgspec.structs.replace(
        _burst,
        name="burst-work",
        what=f"the same, each step as long as the shortest of {AGAIN} bursts of the same events has it",
        floor="the same of the loops",
        exact=True,
        rounds=1,
        largest=50_000,
        remark="takes long",
        ready=same_burst,
    ),
    msgspec.structs.replace(
        _burst,
        name="burst-trouble",
        what=f"a burst, five of six refused, failed or writing, {LEAST} events at a time",
        floor="plain loops as for burst",
        size=2_000,
        ready=partial(burst, traffic_of=Trouble, part=LEAST),
    ),
)
