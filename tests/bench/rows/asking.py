"""What watching the event history costs in calls, and how late it shows what it could show, in virtual time."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

from tests.bench.harness import Pair, Row
from tests.sources import virtual_time
from tests.sources.simulation import Spent, ordinary

DAY = 86_400
TABLE = {
    0.3: Spent(5, 10, 0.22),
    1: Spent(7, 18, 0.44),
    3: Spent(22, 55, 0.47),
    10: Spent(119, 306, 0.54),
}
"""Events a second → what was planned; the plan's figures are of the first two hours of watching, which have less to
settle than the hours after them."""


@cache
def spent(rate: float, seconds: int) -> Spent:
    """So much time of watching so many events a second (a quarter of an hour at least: before, nothing is visible)."""
    return virtual_time.run(ordinary(rate, max(900, seconds)))


@contextmanager
def calls(rate: float, size: int) -> Iterator[Pair]:
    """Calls a second."""
    yield Pair(lambda: spent(rate, size).calls, lambda: TABLE[rate].calls)


@contextmanager
def latency(rate: float, size: int) -> Iterator[Pair]:
    """Seconds from visible to handed over, for 99 of 100."""
    yield Pair(lambda: spent(rate, size).p99, lambda: TABLE[rate].p99)


ROWS = tuple(
    Row(
        name=f"{name}-{rate}",
        what=f"LookupEvents at {rate} events/s: {what}",
        floor="what was planned",
        target=1.0,
        size=DAY,
        sized="simulated seconds",
        unit=unit,
        ready=partial(ready, rate),
        rounds=1,
        largest=DAY,
        remark="virtual time: the figures are the same on every machine",
    )
    for rate in TABLE
    for name, what, unit, ready in (
        ("calls", "calls a second", "/s", calls),
        ("latency", "99 % seen after", "s", latency),
    )
)
