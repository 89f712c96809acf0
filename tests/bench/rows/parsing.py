"""From a record's text to an event, and through the whole of smwatch into the view."""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import chain
from pathlib import Path
from statistics import median

import msgspec

from smwatch.background import LEAST
from smwatch.backstage import SETTLED
from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor import SLICE, Delivery, Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store import Store
from tests.bench.harness import Pair, Row, clock, collecting
from tests.bench.traffic import PAGE, Pages, Traffic, Trouble, filtering
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


@contextmanager
def parse(size: int) -> Iterator[Pair]:
    """Records read by a reader that has read others before, as it has after its first minute."""
    texts, reader = Traffic().texts(size), Reader()
    for text in Traffic(seed=2).texts(10_000):
        reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT)

    def smwatch() -> float:
        began = clock()
        for text in texts:
            reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT)
        return clock() - began

    yield Pair(smwatch, lambda: decoding(texts))


@contextmanager
def ingest(size: int) -> Iterator[Pair]:
    """A page at a time into a journal on disk and a store that hold so many events already, with a filtered view."""
    traffic = Traffic()
    with tempfile.TemporaryDirectory() as folder, asyncio.Runner() as runner, collecting():
        engine = Engine(combine(load_builtin()))
        journal, store = Journal(Path(folder, FILE_NAME)), Store(engine=engine)
        view = store.view(filtering("payments", store))

        async def deliver(delivery: Delivery) -> None:
            store.add([arrival for _, arrival in delivery.arrivals])

        monitor = Monitor(journal, deliver=deliver, selects=engine.selects, now=lambda: AT)

        def take(count: int) -> float:
            pages = Pages(traffic.texts(count))
            began = clock()
            runner.run(monitor.read_once([pages]))
            return clock() - began

        take(size)
        assert journal.last_seq() == size
        yield Pair(lambda: take(PAGE), lambda: decoding(traffic.texts(PAGE)))
        assert view.rows
        journal.close()


@contextmanager
def burst(size: int, traffic_of: Callable[[], Traffic | Trouble] = Traffic, part: int = SLICE) -> Iterator[Pair]:
    """Events that come all at once, taken in as the screen's loop takes them, and then alarms: the longest step.

    `part`: how many of them in one step.
    """
    traffic, reader, engine = traffic_of(), Reader(), Engine(combine(load_builtin()))
    engine.at_once = SETTLED
    store, word = Store(engine=engine), "payments" if traffic_of is Traffic else "trouble"
    view = store.view(filtering(word, store))
    parts, settled = list[float](), list[float]()

    def timed(work: Callable[[], object], into: list[float]) -> None:
        began = clock()
        work()
        into.append((clock() - began) * 1e3)

    def take(count: int) -> float:
        parts.clear()
        settled.clear()
        for _ in range(0, count, SLICE):
            arrivals = [reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT) for text in traffic.texts(SLICE)]
            for start in range(0, SLICE, part):
                timed(partial(store.add, arrivals[start : start + part]), parts)
            while store.unsettled:
                timed(store.settle, settled)
        return max(chain(parts, settled))

    take(20_000 if traffic_of is Traffic else size)
    with collecting():
        yield Pair(lambda: take(size), lambda: median(parts))
    assert view.rows


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
        name="burst",
        what=f"a burst: longest stall, {SLICE} events at a time",
        floor="the median of the slices",
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
        floor="the median of the parts",
        target=15.0,
        absolute=True,
        unit="ms",
        size=2_000,
        sized="events",
        rounds=3,
        ready=partial(burst, traffic_of=Trouble, part=LEAST),
    ),
)
