"""The whole screen on a terminal: how soon it answers, and what it costs to leave it open.

smwatch and the floor run as programs of their own, each on a terminal whose output is read and let go (see
`tests.bench.player`).

- `key`: by the clock, from writing a key to the terminal until the frame with its effect has been written. The floor is
  a bare ScrollView that is given as many new rows and the same keys.
- `alarm-shown`: by the clock, from an alarm's event coming in until the band names it. Beside it stands how long the
  row of the same event takes, of which the alarm is to be no later.
- `cpu`: the processor time of all threads, as the kernel counts it, over ten seconds. The floor is an empty Textual
  app.
- `burst-screen`: the longest turn of the event loop, in processor time. The floor is the longest turn of a bare
  ScrollView that grows by 100 rows at a time.
"""

from __future__ import annotations

import os
import re
import sys
import tempfile
import threading
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import cycle
from pathlib import Path
from random import Random
from select import select
from signal import SIGUSR1, SIGUSR2
from statistics import quantiles
from time import monotonic_ns, sleep
from types import TracebackType
from typing import Self, TextIO

import msgspec
import pexpect

from tests.bench.harness import Pair, Row
from tests.bench.player import AHEAD, ALARMED

DOWN, UP, PAGE_DOWN, PAGE_UP = "\x1b[B", "\x1b[A", "\x1b[6~", "\x1b[5~"
KEYS = (DOWN, DOWN, PAGE_DOWN, PAGE_DOWN, UP, DOWN, PAGE_UP, UP, PAGE_UP, UP)
"""Each moves by something, and together they come back to where they began."""
PRESSES = 60
SETTLED = 3.0
"""Seconds after the start, before anything is looked at."""
OPENED = 1.5
"""Seconds in which a screen is opened, or another size taken."""
WATCHED = 10.0
"""Seconds for which the processor's time is looked at."""
SMALL = 1_000
"""Of so few rows no figure is wanted, only to see that there can be one: a tenth of all that will do."""
ROOM = 20_000
"""Rows that there are at least where keys go to them: in a smaller store the row under the cursor would be let go."""
ALARMS = 10
"""Of which the longest wait is told."""
NAMED = re.compile(rb"[^\x1b]*" + ALARMED.encode() + rb"(\d+)(?!\d)")
REMEMBERED = 200
"""Bytes before those that are written: a text may come in two pieces."""
PATIENCE = 180.0
"""Seconds for which something that must come is waited for: a million rows, at the longest."""


class Played:
    """A program of `tests.bench.player` on a terminal whose output is read and let go, as fast as it comes."""

    def __init__(
        self, how: str, rows: int, per_second: int, *, pains: float, size: tuple[int, int] = (50, 160)
    ) -> None:
        """Only a part, `pains`, of the presses and seconds is taken; `size` is lines and columns."""
        self.pains = pains
        self._folder = tempfile.TemporaryDirectory()
        told = Path(self._folder.name) / "told"
        os.mkfifo(told)
        program = ["-m", "tests.bench.player", how, str(rows), str(per_second), str(told)]
        environment = {
            "TERM": "xterm-256color",
            "COLORTERM": "truecolor",
            "LANG": "C.UTF-8",
            "PATH": os.environ["PATH"],
            "TEXTUAL_FPS": "120",  # as smwatch sets it: the floor is better for it, too
        }
        self._child: pexpect.spawn[bytes] = pexpect.spawn(
            sys.executable, program, env=environment, dimensions=size, timeout=None
        )
        threading.Thread(target=self._read, daemon=True).start()
        self._told: TextIO = told.open(encoding="utf-8")

    def __enter__(self) -> Self:
        assert self._heard() == "ready\n"
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._child.kill(9)
        self._child.wait()
        self._told.close()
        self._folder.cleanup()

    def _read(self) -> None:
        try:
            while written := os.read(self._child.child_fd, 1 << 16):
                self.see(written)
        except OSError:
            return  # it has ended

    def see(self, written: bytes) -> None:
        """Something was written to the terminal; a thread of its own reads it."""

    def _heard(self) -> str:
        """The next line that the program says; it says one, and then waits for a key."""
        assert select([self._told], [], [], PATIENCE)[0], "it says nothing"
        return self._told.readline()

    def press(self, key: str) -> float:
        """Milliseconds from a key to the frame that shows what it did."""
        began = monotonic_ns()
        os.write(self._child.child_fd, key.encode())
        return (int(self._heard()) - began) / 1e6

    def longest_turn(self, keys: str, *, size: tuple[int, int] | None = None) -> float:
        """Milliseconds of work in the longest turn of the event loop while it does what keys say, or takes a size."""
        if size is not None:
            self._child.setwinsize(*size)
        os.write(self._child.child_fd, keys.encode())
        sleep(OPENED)
        return self._longest_turn()

    def burst(self) -> float:
        """The same of `player.Bursting` while all of its events come at once, and a little longer."""
        self._longest_turn()
        self._child.kill(SIGUSR2)
        assert self._heard() == "taken in\n"
        sleep(OPENED * self.pains)
        return self._longest_turn()

    def _longest_turn(self) -> float:
        """The longest since this was last asked."""
        self._child.kill(SIGUSR1)
        return float(self._heard())

    def share(self) -> float:
        """Per cent of one core that it takes while nobody touches it."""
        before, began = self._spent(), monotonic_ns()
        sleep(WATCHED * self.pains)
        return 100 * (self._spent() - before) / (monotonic_ns() - began)

    def _spent(self) -> int:
        """Nanoseconds of processor time so far, of all threads."""
        tasks = Path(f"/proc/{self._child.pid}/task").iterdir()
        return sum(int((task / "schedstat").read_text(encoding="ascii").split()[0]) for task in tasks)


class Shown(Played):
    """Tells when the alarms of `player.Alarmed`, and the rows of the events that they are of, are on the terminal."""

    def __init__(self, rows: int, per_second: int, *, pains: float) -> None:
        self._written = b""
        self._rows: dict[int, int] = {}
        self._bands: dict[int, int] = {}
        """When they were there first, by number: monotonic nanoseconds."""
        super().__init__("alarmed", rows, per_second, pains=pains)

    def see(self, written: bytes) -> None:
        """Look for the names of their secrets; with what an alarm is called before it that is the band."""
        self._written = self._written[-REMEMBERED:] + written
        for found in NAMED.finditer(self._written):
            seen = self._bands if b"CRITICAL" in found[0] else self._rows
            seen.setdefault(int(found[1]), monotonic_ns())

    def waits(self) -> tuple[float, float]:
        """Milliseconds from the next alarm's coming until it is shown, and until its event's row is."""
        number, came = map(int, self._heard().split())
        until = monotonic_ns() + PATIENCE * 1e9
        while number not in self._bands or number not in self._rows:
            assert monotonic_ns() < until, f"alarm {number} is not shown"
            sleep(0.01)
        return (self._bands[number] - came) / 1e6, (self._rows[number] - came) / 1e6


def pains_for(size: int) -> float:
    """How much is taken of what the figures are made of."""
    return 1.0 if size > SMALL else 0.1


@contextmanager
def answering(size: int, *, percentile: int) -> Iterator[Pair]:
    """Keys go to both, one after the other, while rows arrive."""
    pains, rows = pains_for(size), max(size, ROOM)
    with (
        Played("smwatch", rows, 1_000, pains=pains) as smwatch,
        Played("plain", rows, 1_000, pains=pains) as plain,
    ):
        sleep(SETTLED * smwatch.pains)
        random = Random(1)

        def pressed(played: Played) -> float:
            took = []
            for key, _ in zip(cycle(KEYS), range(round(PRESSES * played.pains)), strict=False):
                sleep(random.uniform(0.03, 0.09))  # out of step with the rows and the clock
                took.append(played.press(key))
            return quantiles(took, n=100)[percentile - 1]

        yield Pair(partial(pressed, smwatch), partial(pressed, plain))


@contextmanager
def shown(size: int, *, per_second: int) -> Iterator[Pair]:
    """Alarms come among rows that arrive: the longest until one is painted, and until the row of its event is."""
    pains = pains_for(size)
    with Shown(max(size, ROOM), per_second, pains=pains) as program:
        found: tuple[deque[float], deque[float]] = deque(), deque()

        def longest(side: int) -> float:
            if not found[side]:
                waits = [program.waits() for _ in range(max(2, round(ALARMS * pains)))]
                for each, into in zip(zip(*waits, strict=True), found, strict=True):
                    into.append(max(each))
            return found[side].popleft()

        yield Pair(partial(longest, 0), partial(longest, 1))


@contextmanager
def idling(size: int, *, per_second: int) -> Iterator[Pair]:
    """Both are left alone."""
    pains = pains_for(size)
    with Played("smwatch", size, per_second, pains=pains) as smwatch, Played("plain", 0, 0, pains=pains) as plain:
        sleep(SETTLED * smwatch.pains)
        yield Pair(smwatch.share, plain.share)


@contextmanager
def bursting(size: int) -> Iterator[Pair]:
    """So many events come at once; each time to another screen, as the first time takes longest."""
    pains = pains_for(size)

    def smwatch() -> float:
        with Played("bursting", ROOM, max(10, size // AHEAD), pains=pains) as program:
            sleep(SETTLED * pains)
            return program.burst()

    def floor() -> float:
        with Played("plain", ROOM, 1_000, pains=pains) as program:
            sleep(SETTLED * pains)
            program.longest_turn("")
            return program.longest_turn("")

    yield Pair(smwatch, floor)


_answering = Row(
    name="key-p50",
    what="key press to painted at 1,000 new rows/s, p50",
    floor="a bare ScrollView with as many new rows",
    target=1.0,
    unit="ms",
    size=100_000,
    sized="rows",
    rounds=3,
    ready=partial(answering, percentile=50),
)
_idling = Row(
    name="cpu-idle",
    what="processor, nothing happens",
    floor="an empty Textual app",
    target=1.0,
    unit="%",
    size=100_000,
    sized="rows",
    rounds=3,
    ready=partial(idling, per_second=0),
)


_shown = Row(
    name="alarm-shown",
    what="an alarm's event comes, at 1,000 rows/s: the longest until the alarm is painted",
    floor="until the row of that event is",
    target=250,
    absolute=True,
    unit="ms",
    size=100_000,
    sized="rows",
    rounds=3,
    exact=True,
    largest=100_000,
    remark="takes long",
    ready=partial(shown, per_second=1_000),
)


def _cpu(name: str, what: str, target: float, ready: Callable[..., object]) -> Row:
    return msgspec.structs.replace(_idling, name=name, what=what, target=target, absolute=True, ready=ready)


ROWS = (
    _answering,
    msgspec.structs.replace(
        _answering,
        name="key-p95",
        what="key press to painted at 1,000 new rows/s, p95",
        ready=partial(answering, percentile=95),
    ),
    _shown,
    msgspec.structs.replace(
        _shown,
        name="alarm-shown-50",
        what="the same at 50 rows/s",
        ready=partial(shown, per_second=50),
    ),
    Row(
        name="burst-screen",
        what="a burst, read already, comes to the whole screen: longest turn of the loop",
        floor="a bare ScrollView, 100 more rows at a time",
        target=15,
        unit="ms",
        absolute=True,
        size=50_000,
        sized="events",
        rounds=3,
        exact=True,
        largest=50_000,
        remark="takes long",
        ready=bursting,
    ),
    _idling,
    _cpu("cpu-50", "processor at 50 rows/s, read already", 3, partial(idling, per_second=50)),
    _cpu("cpu-1000", "processor at 1,000 rows/s, read already", 5, partial(idling, per_second=1_000)),
)
