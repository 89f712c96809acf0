"""The store and its views: late events, filters, memory.

- `late`: processor time to bring late rows into the list of all rows, which is copied before each round. The floor does
  with the same lists what is simplest in Python: extend, and sort by the same keys.
- `filter`: processor time from giving the view a filter until all of its rows are looked at and the frame is painted.
  The floor looks for the same word in the same rows, each with its whole text in lower case beside it, without
  painting.
- `memory`: what a process of its own holds after events (see `tests.bench.holding`). Beside it stands the length of
  their records or, for `memory-flat`, what the same process held after a quarter of them.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

import msgspec

from smwatch.store.store import Store
from smwatch.store.view import KEY, View, merge
from tests.bench.harness import Pair, Row, clock
from tests.bench.painting import Streamed, Theatre
from tests.bench.traffic import AnyTraffic, Traffic, Varied, arrivals, filtering

NEAR = 0.18
"""Late rows "near the end" belong into this last part of all rows."""


@contextmanager
def late(size: int, *, count: int, anywhere: bool) -> Iterator[Pair]:
    """Rows that come after newer ones, in the order in which a log group hands them over."""
    events = [arrival.event for arrival in arrivals(Traffic().texts(size + count))]
    among = range(len(events))[0 if anywhere else -int(size * NEAR) - count :]
    chosen = set(Random(1).sample(among, count))
    late = [event for place, event in enumerate(events) if place in chosen]
    rows = sorted((event for place, event in enumerate(events) if place not in chosen), key=KEY)

    def smwatch() -> float:
        held = rows.copy()
        began = clock()
        merge(held, sorted(late, key=KEY))
        took = clock() - began
        assert len(held) == len(events)
        return took

    def floor() -> float:
        held = rows.copy()
        began = clock()
        held.extend(late)
        held.sort(key=KEY)
        return clock() - began

    yield Pair(smwatch, floor)


class Searched(msgspec.Struct, gc=False):
    """A row that has its whole search text beside it."""

    text: str


@contextmanager
def filtered(
    size: int, *, text: str, before: str = "", needle: str, traffic_of: Callable[[], AnyTraffic] = Traffic
) -> Iterator[Pair]:
    """A filter applied to all rows of the store, after another one if `before` is given, until the last is painted."""
    store = Store(capacity=size)
    store.add(arrivals(traffic_of().texts(size)))
    plain = [Searched(event.text) for event in store.events]
    with Theatre() as theatre:
        streamed = Streamed(store.view())
        stream = streamed.stream
        painted = theatre.stage(streamed, stream)

        def ask(text: str) -> None:
            stream.view.choose(filtering(text, store) if text else None)
            through(stream.view)
            stream.update()

        def begin() -> None:
            ask(before)
            stream.refresh()  # a frame comes, also where the same rows are in sight as before

        def smwatch() -> float:
            painted(begin)
            return painted(lambda: ask(text))

        def floor() -> float:
            began = clock()
            _ = [row for row in plain if needle in row.text]
            return clock() - began

        yield Pair(smwatch, floor)


def through(view: View) -> None:
    """Have a view look at all of its rows."""
    while view.step():
        pass


@contextmanager
def memory(size: int, *, how: str, traffic_of: type[AnyTraffic] = Traffic) -> Iterator[Pair]:
    """Figures that a process of its own prints, see `holding`: what it holds, and what it is compared with."""
    printed: list[float] = []

    def smwatch() -> float:
        command = [sys.executable, "-m", "tests.bench.holding", how, traffic_of.__name__, str(size)]
        done = subprocess.run(command, check=True, capture_output=True, text=True)
        printed[:] = map(float, done.stdout.split())
        return printed[0]

    def floor() -> float:
        if not printed:
            smwatch()
        return printed.pop()

    yield Pair(smwatch, floor)


_filtering = Row(
    name="filter-text",
    what="text filter over all rows, painted",
    floor="[r for r in rows if needle in r.text]",
    target=1.2,
    size=100_000,
    sized="rows",
    ready=partial(filtered, text="billing-7", needle="billing-7"),
)
_merging = Row(
    name="late-100",
    what="100 late rows inserted near the end",
    floor="extend and sort of all rows by their keys",
    target=0.1,
    size=100_000,
    sized="rows",
    ready=partial(late, count=100, anywhere=False),
)

_memory = Row(
    name="memory",
    what="memory of an event in the store",
    floor="the record's JSON text",
    target=450,
    absolute=True,
    unit="bytes",
    size=100_000,
    sized="events",
    rounds=1,
    ready=partial(memory, how="an-event"),
)
_flat = Row(
    name="memory-flat",
    what="memory after all events, the store holding a 20th",
    floor="memory after a quarter of them",
    target=1.02,
    unit="MB",
    size=2_000_000,
    sized="events",
    rounds=1,
    largest=2_000_000,
    remark="takes too long",
    ready=partial(memory, how="in-time"),
)

ROWS = (
    _merging,
    msgspec.structs.replace(
        _merging,
        name="late-5000-near",
        what="5,000 late rows inserted near the end",
        target=0.35,
        ready=partial(late, count=5_000, anywhere=False),
    ),
    msgspec.structs.replace(
        _merging,
        name="late-5000-any",
        what="5,000 late rows inserted anywhere",
        target=0.8,
        ready=partial(late, count=5_000, anywhere=True),
    ),
    _filtering,
    msgspec.structs.replace(
        _filtering,
        name="filter-name",
        what="filter by event name, painted",
        target=0.7,
        ready=partial(filtered, text="name:PutSecretValue", needle="putsecretvalue"),
    ),
    msgspec.structs.replace(
        _filtering,
        name="filter-narrow",
        what="one more letter, painted",
        target=0.5,
        ready=partial(filtered, text="billing-7", before="billing-", needle="billing-7"),
    ),
    msgspec.structs.replace(
        _filtering,
        name="filter-varied",
        what="text filter, painted: rows of 400 principals and 3,000 secrets",
        ready=partial(filtered, text="billing-7", needle="billing-7", traffic_of=Varied),
    ),
    msgspec.structs.replace(
        _filtering,
        name="filter-user",
        what="filter by principal, painted: the same rows",
        ready=partial(filtered, text="user:billing-7*", needle="billing-7", traffic_of=Varied),
    ),
    _memory,
    msgspec.structs.replace(
        _memory,
        name="memory-varied",
        what="the same, of 400 principals and 3,000 secrets",
        ready=partial(memory, how="an-event", traffic_of=Varied),
    ),
    _flat,
    msgspec.structs.replace(
        _flat,
        name="memory-flat-rules",
        what="the same, all built-in rules judging them",
        ready=partial(memory, how="judged-in-time"),
    ),
)
