"""How far long work on the command line has come, on one line that goes away again."""

from __future__ import annotations

import sys
import time
from collections.abc import Awaitable, Callable, Iterable, Iterator
from typing import IO, TypeVar

from smwatch.monitor.delivery import Delivery
from smwatch.visible import visible

T = TypeVar("T")
PATIENCE, EVERY = 1.0, 0.25
"""Seconds before anything is shown, and between two times."""
WIDTH = 79


class Meter:
    """Shows a count and a word of the sources on a terminal that shows nothing else.

    Nothing is shown for work of less than a second, where messages do not go to a terminal, or where the results go to
    the same one.
    """

    def __init__(
        self,
        verb: str,
        *,
        of: str = "events",
        stream: IO[str] | None = None,
        out: IO[str] | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """`verb` says what is done to the events, or what they are `of`, that are counted."""
        self.count = 0
        self._verb, self._of = verb, of
        self._stream = stream or sys.stderr
        self._clock = clock
        self._shows = self._stream.isatty() and not (out or sys.stdout).isatty()
        self._due = clock() + PATIENCE
        self._remark = ""
        self._shown = False

    def counted(self, items: Iterable[T]) -> Iterator[T]:
        """The same items, counted as they go by."""
        for item in items:
            self.add(1)
            yield item
        self.clear()

    def delivering(self, deliver: Callable[[Delivery], Awaitable[None]]) -> Callable[[Delivery], Awaitable[None]]:
        """The same way to deliver, counted, with what the sources say of their progress."""

        async def counted(delivery: Delivery) -> None:
            shown = self._shown
            if delivery.statuses:
                self.clear()  # what is said of them has the line to itself
            await deliver(delivery)
            for status in delivery.statuses:
                self._remark = f"{status.label} {status.progress}" if status.progress else ""
            self.add(len(delivery.arrivals), again=shown and not self._shown)

        return counted

    def add(self, number: int, *, again: bool = False) -> None:
        """So many more events; `again` shows them whether or not they have just been shown."""
        self.count += number
        if self._shows and (again or self._clock() >= self._due):
            self._due = self._clock() + EVERY
            told = f"{self.count:,} {self._of} {self._verb}" + (f"; {self._remark}" if self._remark else "")
            self._stream.write(f"\r\x1b[K{visible(told)[:WIDTH]}")
            self._stream.flush()
            self._shown = True

    def clear(self) -> None:
        """Take the line away."""
        if self._shown:
            self._stream.write("\r\x1b[K")
            self._stream.flush()
            self._shown = False
