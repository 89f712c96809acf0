"""From a record's text to an event, and through the whole of smwatch into the view."""

from __future__ import annotations

import asyncio
import math
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from statistics import fmean

import msgspec

from smwatch.background import LEAST
from smwatch.backstage import SETTLED
from smwatch.delivery import Delivery
from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.handing import SLICE
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor import Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store import Store
from tests.bench.harness import Pair, Row, clock, collecting
from tests.bench.traffic import PAGE, AnyTraffic, Pages, Traffic, Trouble, Varied, filtering
from tests.records import AT

decode = msgspec.json.Decoder().decode
"""The floor: JSON to dicts with nothing asked of it."""


def decoding(texts: list[str]) -> float:
    """Seconds to decode the records and do nothing with them."""
    encoded = [text.encode() for text in texts]
    began = clock()
    for text in encoded:
        decode(text)
    return clock() - began


class Fresh:
    """Records that are new in each round, the same ones for both sides, whichever of them comes first."""

    def __init__(self, traffic: AnyTraffic, count: int) -> None:
        self._traffic, self._count = traffic, count
        self._left: dict[str, list[str]] = {"smwatch": [], "floor": []}

    def smwatch(self) -> list[str]:
        """What this side has not had."""
        return self._texts("smwatch", "floor")

    def floor(self) -> list[str]:
        """What this side has not had."""
        return self._texts("floor", "smwatch")

    def _texts(self, side: str, other: str) -> list[str]:
        texts, self._left[side] = self._left[side], []
        if not texts:
            texts = self._left[other] = self._traffic.texts(self._count)
        return texts


@contextmanager
def parse(size: int) -> Iterator[Pair]:
    """Records that are new in each round, read by a reader that has read others before, as after its first minute."""
    fresh, reader = Fresh(Traffic(), size), Reader()
    for text in Traffic(seed=2).texts(10_000):
        reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT)

    def smwatch() -> float:
        texts = fresh.smwatch()
        began = clock()
        for text in texts:
            reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT)
        return clock() - began

    yield Pair(smwatch, lambda: decoding(fresh.floor()))


@contextmanager
def ingest(size: int, traffic_of: Callable[[], AnyTraffic] = Traffic) -> Iterator[Pair]:
    """A page at a time into a journal on disk and a store that hold so many events already, with a filtered view."""
    traffic = traffic_of()
    fresh = Fresh(traffic, PAGE)
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner, collecting():
        engine = Engine(combine(load_builtin()))
        journal, store = Journal(Path(folder, FILE_NAME)), Store(engine=engine)
        view = store.view(filtering("payments", store))

        async def deliver(delivery: Delivery) -> None:
            delivery.into(store)

        monitor = Monitor(journal, deliver=deliver, selects=engine.selects, now=lambda: AT)

        def take(texts: list[str]) -> float:
            pages = Pages(texts)
            began = clock()
            runner.run(monitor.read_once([pages]))
            return clock() - began

        take(traffic.texts(size))
        assert journal.last_seq() == size
        yield Pair(lambda: take(fresh.smwatch()), lambda: decoding(fresh.floor()))
        assert view.rows
        journal.close()


@contextmanager
def burst(size: int, traffic_of: Callable[[], AnyTraffic] = Traffic, part: int = SLICE) -> Iterator[Pair]:
    """Events that come all at once, taken in as the screen's loop takes them, after each page alarms: the longest step.

    After each step there is a plain loop, in which only the machine can stand still: all of them last together as long
    as all steps did the time before. `part`: how many events in one step.
    """
    traffic, reader, engine = traffic_of(), Reader(), Engine(combine(load_builtin()))
    engine.at_once = SETTLED
    store, word = Store(engine=engine), "payments" if traffic_of is Traffic else "trouble"
    view = store.view(filtering(word, store))
    steps, loops, turns = list[float](), list[float](), 0

    def timed(work: Callable[[], object]) -> None:
        for each, into in ((work, steps), (partial(plain, turns), loops)):
            began = clock()
            each()
            into.append((clock() - began) * 1e3)

    def take(count: int) -> float:
        nonlocal turns
        turns = turns_in(fmean(steps) / 1e3) if steps else 0
        steps.clear()
        loops.clear()
        page = min(PAGE, count)
        for _ in range(0, count, page):
            arrivals = [reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in traffic.texts(page)]
            for start in range(0, page, part):
                timed(partial(store.add, arrivals[start : start + part], more=start + part < page))
            while store.unsettled:
                timed(store.settle)
        return max(steps)

    take(20_000 if traffic_of is Traffic else size)
    with collecting():
        yield Pair(lambda: take(size), lambda: max(loops))
    assert view.rows


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


ROWS = (
    Row(
        name="parse",
        what="record to Event",
        floor="msgspec.json.decode of the same bytes",
        target=2.2,
        size=5_000,
        sized="records",
        ready=parse,
    ),
    Row(
        name="ingest",
        what=f"page of {PAGE:,}: parse, journal, store, rules, view",
        floor="msgspec.json.decode of the same bytes",
        target=12.0,
        size=100_000,
        sized="events held",
        ready=ingest,
    ),
    Row(
        name="ingest-varied",
        what="the same, of 400 principals and 3,000 secrets",
        floor="msgspec.json.decode of the same bytes",
        target=12.0,
        size=20_000,
        sized="events held",
        ready=partial(ingest, traffic_of=Varied),
    ),
    Row(
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
    ),
    Row(
        name="burst-trouble",
        what=f"the same, five of six refused, failed or writing, {LEAST} events at a time",
        floor="the same",
        target=15.0,
        absolute=True,
        unit="ms",
        size=2_000,
        sized="events",
        rounds=3,
        ready=partial(burst, traffic_of=Trouble, part=LEAST),
    ),
)
