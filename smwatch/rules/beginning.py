"""Since when events are known, and who waits for older ones."""

from __future__ import annotations

from dataclasses import dataclass
from heapq import heapify, heappop, heappush
from itertools import count
from weakref import WeakSet, ref

from smwatch.rules.fact import Watcher

HOPES = 10_000
"""Hopes for older events that are kept before those of cases that are no more are dropped."""


class Beginning:
    """Since when events are known.

    Where events come newest first, each moves it: only those are woken for whom that is far enough, and once.
    """

    __slots__ = ("_hopes", "_hoping", "_most", "_tickets", "_waiting", "at", "before")

    def __init__(self) -> None:
        self.at: int | None = None
        """The second of the oldest event known."""
        self.before: int | None = None
        """The same as it was before a restart, as far as told."""
        self._hoping: list[tuple[int, int, ref[Watcher]]] = []
        """Who hopes for events from a second or before: a heap of those seconds, negative: the last is first."""
        self._hopes: set[tuple[int, ref[Watcher]]] = set()
        self._most = HOPES
        self._tickets = count()
        self._waiting: WeakSet[Watcher] = WeakSet()

    def move(self, second: int) -> None:
        """Events are known from this second on."""
        self.at = second
        hoping = self._hoping
        while hoping and -hoping[0][0] >= second:
            wanted, _, who = heappop(hoping)
            self._hopes.discard((-wanted, who))
            if (watcher := who()) is not None:
                watcher.wake()
        if self._waiting and self.caught_up:
            for watcher in tuple(self._waiting):
                watcher.wake()
            self._waiting.clear()

    @property
    def caught_up(self) -> bool:
        """Whether as much is known again as was before a restart."""
        return self.before is not None and self.reaches(self.before)

    def reaches(self, second: int) -> bool:
        """Whether events are known from this second on."""
        return self.at is not None and self.at <= second

    def by(self, second: int) -> Since:
        """What there is to watch until events are known from this second on."""
        return Since(self, second)

    def watch_for(self, second: int, watcher: Watcher) -> None:
        """Wake `watcher` once events are known from this second on, if they are not."""
        hope = second, ref(watcher)
        if self.reaches(second) or hope in self._hopes:
            return
        self._hopes.add(hope)
        heappush(self._hoping, (-second, next(self._tickets), hope[1]))
        if len(self._hoping) > self._most:
            self._hoping = [each for each in self._hoping if each[2]() is not None]
            heapify(self._hoping)
            self._hopes = {(-wanted, who) for wanted, _, who in self._hoping}
            self._most = max(HOPES, 2 * len(self._hoping))

    def await_catching_up(self, watcher: Watcher) -> None:
        """Wake `watcher` once as much is known again as was before a restart."""
        self._waiting.add(watcher)


@dataclass(frozen=True, slots=True)
class Since:
    """Events are to be known from a second on."""

    began: Beginning
    second: int

    def watch(self, watcher: Watcher) -> None:
        """Wake `watcher` once they are."""
        self.began.watch_for(self.second, watcher)
