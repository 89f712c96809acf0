"""Since when events are known, and whether as much is known again as was before a restart."""

from __future__ import annotations

from weakref import WeakKeyDictionary

from smwatch.rules.watching import Watcher


class Beginning:
    """Since when events are known."""

    __slots__ = ("_waiting", "at", "before", "covered")

    def __init__(self) -> None:
        self.at: int | None = None
        """The second of the oldest event known."""
        self.before: int | None = None
        """The same as it was before a restart, as far as told."""
        self.covered = True
        """Whether it is known which periods had been watched before a restart."""
        self._waiting: WeakKeyDictionary[Watcher, None] = WeakKeyDictionary()

    def move(self, second: int) -> None:
        """Events are known from this second on."""
        self.at = second
        self._look()

    def cover(self) -> None:
        """It is known which periods had been watched."""
        self.covered = True
        self._look()

    @property
    def caught_up(self) -> bool:
        """Whether as much is known again as was before a restart."""
        return self.before is not None and self.reaches(self.before)

    def reaches(self, second: int) -> bool:
        """Whether all that is known from this second on is known again."""
        return self.covered and self.at is not None and self.at <= second

    def await_catching_up(self, watcher: Watcher) -> None:
        """Wake `watcher` once as much is known again as was before a restart."""
        self._waiting[watcher] = None

    def _look(self) -> None:
        if self._waiting and self.caught_up:
            for watcher in tuple(self._waiting):
                watcher.wake()
            self._waiting = WeakKeyDictionary()
