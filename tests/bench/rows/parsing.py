"""From a record's text to an event, and through the whole of smwatch into the view.

Processor time. The floor decodes the same records from bytes to dicts with msgspec and does nothing with them. The
records of each round are new to both sides; the reader and the rules have met others of the same callers before, as
after the first minutes of watching.
"""

from __future__ import annotations

import asyncio
import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from pathlib import Path

import msgspec

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.journal import FILE_NAME, Journal
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.monitor import Monitor
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from tests.bench.harness import Pair, Row, clock, collecting
from tests.bench.traffic import PAGE, AnyTraffic, AtRandom, Pages, Traffic, Varied, filtering
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
def parse(size: int, traffic_of: type[AnyTraffic] = Traffic) -> Iterator[Pair]:
    """Records that are new in each round, read by a reader that has read others before, as after its first minute."""
    fresh, reader = Fresh(traffic_of(), size), Reader()
    for text in traffic_of(seed=2).texts(10_000):
        reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT)

    def smwatch() -> float:
        texts = fresh.smwatch()
        began = clock()
        for text in texts:
            arrival = reader.read(text, seen_by=SeenBy.LOGS, seen_at=AT)
        took = clock() - began
        assert arrival.event.id in text
        return took

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


_ingest = Row(
    name="ingest",
    what=f"page of {PAGE:,}: parse, journal, store, rules, view",
    floor="msgspec.json.decode of the same bytes",
    target=12.0,
    size=100_000,
    sized="events held",
    ready=ingest,
)

_parse = Row(
    name="parse",
    what="record to Event",
    floor="msgspec.json.decode of the same bytes",
    target=2.2,
    size=5_000,
    sized="records",
    ready=parse,
)

ROWS = (
    _parse,
    msgspec.structs.replace(
        _parse,
        name="parse-varied",
        what="the same, of 400 principals and 3,000 secrets",
        ready=partial(parse, traffic_of=Varied),
    ),
    _ingest,
    msgspec.structs.replace(
        _ingest,
        name="ingest-varied",
        what="the same, of 400 principals and 3,000 secrets",
        size=20_000,
        ready=partial(ingest, traffic_of=Varied),
    ),
    msgspec.structs.replace(
        _ingest,
        name="ingest-random",
        what="the same, each a random call of 36 callers and 180 secrets",
        size=20_000,
        ready=partial(ingest, traffic_of=AtRandom),
    ),
)
