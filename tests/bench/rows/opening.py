"""Screens that are opened: how long a key waits that is pressed meanwhile.

That is the longest turn of the event loop, in processor time, while a screen is opened for the first time and left
again. The floor is a bare Textual app that opens a list of as many lines as there are names of events.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from functools import partial
from operator import itemgetter
from time import sleep

from tests.bench.harness import Row, Runs
from tests.bench.rows.living import DOWN, SETTLED, Played

LARGE, SMALLER = (80, 250), (70, 230)
"""Lines and columns."""
ESCAPE = "\x1b"
OPENINGS = {
    "alarms": ("a", "all alarms"),
    "names": ("f", "event names to tick"),
    "help": ("?", "help"),
    "groups": ("v", "events by secret"),
    "event": (f"{DOWN}\r", "an event's details"),
    "palette": (":", "the command palette"),
}
Turns = Mapping[str, float]
"""Milliseconds of the longest turn, by what was opened."""


@contextmanager
def opening(size: int) -> Iterator[tuple[Callable[[], Turns], Callable[[], Turns]]]:
    """Each run is of a program that has opened nothing yet: the first time takes longest."""
    yield partial(ours, size), theirs


def ours(size: int) -> Turns:
    """All of smwatch's, one after the other, each left again."""
    turns: dict[str, float] = {}
    with Played("opening", size, 0, pains=1.0, size=LARGE) as smwatch:
        sleep(SETTLED)
        smwatch.longest_turn("")  # what it took to start is told by others
        for name, (keys, _) in OPENINGS.items():
            opened = smwatch.longest_turn(keys)
            turns[name] = max(opened, smwatch.longest_turn(ESCAPE))
        turns["size"] = max(smwatch.longest_turn("", size=size) for size in (SMALLER, LARGE))
    return turns


def theirs() -> Turns:
    """The same box for each."""
    with Played("box", 0, 0, pains=1.0, size=LARGE) as box:
        sleep(SETTLED)
        box.longest_turn("")
        turn = max(box.longest_turn(keys) for keys in ("f", ESCAPE))
    return dict.fromkeys((*OPENINGS, "size"), turn)


def _rows() -> Iterator[Row]:
    runs = Runs(opening)
    first = Row(
        name="opened",
        what=f"opened in {LARGE[1]} columns for the first time, and left: longest turn of the loop",
        floor="a bare Textual app that opens a list",
        target=15,
        unit="ms",
        absolute=True,
        size=20_000,
        sized="events",
        rounds=3,
        exact=True,
        largest=20_000,
        remark="takes long",
        ready=partial(runs.told, figure=lambda turns: max(turns.values())),
    )
    each = ((name, f"{what}, the same", "ms", itemgetter(name)) for name, (_, what) in OPENINGS.items())
    return runs.rows(first, *each, ("size", "another size, the same", "ms", itemgetter("size")))


ROWS = tuple(_rows())
