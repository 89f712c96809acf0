"""Lines of a page that are so many that they are written when they are looked at."""

from __future__ import annotations

from abc import ABC, abstractmethod
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from itertools import accumulate
from typing import overload

from smwatch.tui.lines import Line

KEPT = 500
"""Blocks whose lines are kept: more than a screen has room for."""


class Unwritten(Sequence[Line], ABC):
    """Blocks of lines, each written when a line of it is looked at; two are equal if all their lines would be.

    There may be ten thousand, and each takes up to a tenth of a millisecond. Serves "longest stall of the event loop".
    """

    def __init__(self, heights: Iterable[int], *, skipped: int = 0) -> None:
        """`heights` is how many lines each block will have; `skipped` lines of the first are left out."""
        self._starts = list(accumulate(heights, initial=-skipped))
        """The first line of each block, and the end of all."""
        self._written: dict[int, Sequence[Line]] = {}

    @abstractmethod
    def _write(self, n: int) -> Sequence[Line]:
        """The lines of block `n`, as many as was said."""

    @abstractmethod
    def place_of(self, target: object) -> int | None:
        """The first line that leads to `target`, found without writing those before it; None: there is none."""

    def __len__(self) -> int:
        return self._starts[-1]

    @overload
    def __getitem__(self, at: int) -> Line: ...
    @overload
    def __getitem__(self, at: slice) -> Sequence[Line]: ...
    def __getitem__(self, at: int | slice) -> Line | Sequence[Line]:
        places = range(len(self))
        if isinstance(at, slice):
            return [self._line(i) for i in places[at]]
        return self._line(places[at])

    def _line(self, i: int) -> Line:
        n = bisect_right(self._starts, i) - 1
        lines = self._written.get(n)
        if lines is None:
            if len(self._written) >= KEPT:
                self._written.clear()
            lines = self._written[n] = self._write(n)
        return lines[i - self._starts[n]]


def place_of(lines: Sequence[Line], target: object) -> int | None:
    """The first line that leads to `target`; None: there is none."""
    if isinstance(lines, Unwritten):
        return lines.place_of(target)
    return next((i for i, each in enumerate(lines) if each.target == target), None)
