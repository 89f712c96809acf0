"""A text that is looked for on a page of lines."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from time import perf_counter

from smwatch.tui.lines import Line

LOOKED_AT = 200
"""Lines that are looked at in one go, at the most."""
SPARED, FEW = 0.004, 10
"""Seconds after which no more are, and lines until the clock is looked at: each may have to be written first, which
takes up to a third of a millisecond. Serves "longest stall of the event loop".
"""


class Search:
    """Looks for a text in whatever case, on some lines at a time; without a text it finds nothing."""

    def __init__(self, text: str = "", *, clock: Callable[[], float] = perf_counter) -> None:
        self.text = text
        """As it was typed."""
        self._sought = text.lower()
        self._clock = clock
        self._ahead: Sequence[int] = ()
        """The places of the lines still to be looked at, in order."""

    def __bool__(self) -> bool:
        return bool(self._sought)

    @property
    def goes_on(self) -> bool:
        """Whether there are lines still to be looked at."""
        return bool(self._ahead)

    def begin(self, places: Sequence[int]) -> None:
        """Have the lines at these places looked at, in this order."""
        self._ahead = places

    def look(self, lines: Sequence[Line]) -> int | None:
        """The first place whose line holds it, of the next ones that there is time for."""
        until, done = self._clock() + SPARED, 0
        for at in self._ahead[:LOOKED_AT]:
            done += 1
            if at < len(lines) and self._sought in lines[at].text.lower():
                self._ahead = self._ahead[done:]
                return at
            if not done % FEW and self._clock() >= until:
                break
        self._ahead = self._ahead[done:]
        return None

    def parted(self, text: str) -> Iterator[tuple[str, bool]]:
        """A text in parts that are what is looked for, and parts that are not."""
        sought = self._sought
        if not sought:
            yield text, False
            return
        lower, start = text.lower(), 0
        while (at := lower.find(sought, start)) >= 0 and len(lower) == len(text):
            yield text[start:at], False
            yield text[at : at + len(sought)], True
            start = at + len(sought)
        yield text[start:], False
