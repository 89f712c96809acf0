"""What watching the event history costs in calls, and how late it shows what it could show, in virtual time.

The source that smwatch runs asks a simulated LookupEvents, in which events become visible with the delays of a real
trail, for a day of virtual time. Beside each figure stands what was planned for that many events a second: the target.
The same seed gives the same figures on every machine.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache, partial

from tests.bench.harness import Pair, Row
from tests.sources import virtual_time
from tests.sources.simulation import Spent, ordinary

DAY = 86_400
TABLE = {
    0.3: (5, 10, 0.22),
    1: (7, 18, 0.44),
    3: (22, 55, 0.47),
    6: (53, 126, 0.50),
    10: (119, 306, 0.54),
    15: (287, 1078, 0.60),
}
"""Events a second → what was planned: the median and the 99th percentile of seconds from visible to handed over, and
calls a second, without those of audits, which take what is idle. The plan's figures are of the first two hours of
watching, which have less to settle than later ones."""
AUDITS = {rate: max(0.12, 0.042 * rate) for rate in TABLE}
"""Events a second → calls a second that audits may take of those that nothing else needs, as README says."""


@cache
def spent(rate: float, seconds: int) -> Spent:
    """So much time of watching so many events a second (a quarter of an hour at least: before, nothing is visible)."""
    return virtual_time.run(ordinary(rate, max(900, seconds)))


@contextmanager
def figure(name: str, rate: float, size: int) -> Iterator[Pair]:
    """One of the four figures, and what was planned for it."""
    planned = dict(zip(("p50", "p99", "calls", "audits"), (*TABLE[rate], AUDITS[rate]), strict=True))[name]
    yield Pair(lambda: getattr(spent(rate, size), name), lambda: planned)


ROWS = tuple(
    Row(
        name=f"{name}-{rate}",
        what=f"LookupEvents at {rate} events/s: {what}",
        floor="what was planned",
        target=1.0,
        size=DAY,
        sized="simulated seconds",
        unit=unit,
        ready=partial(figure, field, rate),
        rounds=1,
        largest=DAY,
        remark="virtual time: the figures are the same on every machine",
    )
    for rate in TABLE
    for name, what, unit, field in (
        ("calls", "calls a second", "/s", "calls"),
        ("median", "half is shown after", "s", "p50"),
        ("latency", "99 % are shown after", "s", "p99"),
        ("audits", "calls a second of audits, besides", "/s", "audits"),
    )
)
