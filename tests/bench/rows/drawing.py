"""The stream on the terminal: painted again, scrolled, and grown.

Processor time from the change until Textual has handed the frame's bytes to a driver, which lets them go: the mean of
ten frames, one after the other. The floor is a ScrollView of the same size in a plain Textual app, every line of which
is one strip that was made before. It so pays for all that Textual does for a frame (layout, compositor, bytes), and for
nothing that a line says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.store.view import View, merge
from tests.bench.harness import Pair, Row
from tests.bench.painting import LINES, Bare, Streamed, Theatre
from tests.bench.traffic import Traffic, arrivals

DISTINCT = 20_000
"""Events that are read for a row; more are the same ones at other times."""
FRAMES = 10
"""In a round."""
SECOND = ID_BITS + ACCOUNT_BITS


def events(count: int, *, after: int = 0) -> list[Event]:
    """So many events, later than the key `after`."""
    models = [arrival.event for arrival in arrivals(Traffic().texts(min(count, DISTINCT)))]
    return later(models, count, after=after)


def later(models: list[Event], count: int, *, after: int) -> list[Event]:
    """Twenty events a second that are like the models."""
    first = (after >> SECOND) + 1 or models[0].seconds
    return [
        msgspec.structs.replace(
            models[i % len(models)], key=(max(first, models[0].seconds) + i // 20 << SECOND) + (i % 20)
        )
        for i in range(count)
    ]


def each(change: Callable[[], float]) -> float:
    """A frame among others: what a single one after a pause takes says more of the processor's caches than of us."""
    return sum(change() for _ in range(FRAMES)) / FRAMES


@contextmanager
def repainted(size: int) -> Iterator[Pair]:
    """Nothing has changed, and everything is painted."""
    with Theatre() as theatre:
        streamed, bare = Streamed(View(events(size))), Bare(size)
        smwatch, floor = theatre.stage(streamed, streamed.stream), theatre.stage(bare)
        yield Pair(partial(each, lambda: smwatch(streamed.stream.refresh)), partial(each, lambda: floor(bare.refresh)))


@contextmanager
def scrolled(size: int, *, lines: int) -> Iterator[Pair]:
    """The window moves by some lines, up through the rows and again from the end."""
    size = max(size, 3 * LINES)  # else there is nowhere to go
    with Theatre() as theatre:
        streamed, bare = Streamed(View(events(size))), Bare(size)
        stream = streamed.stream
        smwatch, floor = theatre.stage(streamed, stream), theatre.stage(bare)
        last = size - LINES
        at = {"smwatch": last, "floor": last}

        def up(side: str) -> int:
            at[side] = at[side] - lines if at[side] >= lines else last
            return at[side]

        floor(partial(bare.show_rows, size))  # as the stream does, which follows its end
        yield Pair(
            partial(each, lambda: smwatch(lambda: stream.scroll_to_line(up("smwatch")))),
            partial(each, lambda: floor(lambda: bare.scroll_to(y=up("floor"), animate=False, immediate=True))),
        )


@contextmanager
def grown(size: int, *, count: int) -> Iterator[Pair]:
    """Rows are added at the end while the end is followed; afterwards as many of the oldest are let go."""
    rows = events(size)
    models = rows[:DISTINCT]
    view = View(rows)
    with Theatre() as theatre:
        streamed, bare = Streamed(view), Bare(size)
        smwatch, floor = theatre.stage(streamed, streamed.stream), theatre.stage(bare)
        total = [size]

        def add(batch: list[Event]) -> None:
            merge(rows, batch)
            streamed.stream.update()

        def ours() -> float:
            took = smwatch(partial(add, later(models, count, after=rows[-1].key)))
            del rows[:count]
            return took

        def theirs() -> float:
            total[0] += count
            return floor(partial(bare.show_rows, total[0]))

        yield Pair(partial(each, ours), partial(each, theirs))


FLOOR = "a bare ScrollView of one strip"
_painting = Row(
    name="repaint",
    what="repaint of an unchanged stream",
    floor=FLOOR,
    target=0.35,
    size=100_000,
    sized="rows",
    ready=repainted,
)


def _row(name: str, what: str, target: float, ready: Callable[..., object], **options: int) -> Row:
    return msgspec.structs.replace(_painting, name=name, what=what, target=target, ready=partial(ready, **options))


ROWS = (
    _painting,
    _row("scroll", "scroll by one line", 0.25, scrolled, lines=1),
    _row("page", "a page of new rows painted", 0.8, scrolled, lines=LINES),
    _row("added-1", "a row added while following, painted", 0.3, grown, count=1),
    _row("added-100", "100 rows added while following, painted", 0.8, grown, count=100),
    _row("added-5000", "5,000 rows added while following, painted", 1.4, grown, count=5_000),
)
