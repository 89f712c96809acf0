"""Bounded memories of cases and facts, and when what is in them may be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

from smwatch.events.recent import Recent

K = TypeVar("K")
V = TypeVar("V")


class Turns:
    """Counts how often a memory has begun a new generation: what is kept of it elsewhere may be forgotten soon."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class Memory(Recent[K, V]):
    """A Recent that counts its generations."""

    __slots__ = ("_turns",)

    def __init__(self, make: Callable[[K], V], limit: int, turns: Turns) -> None:
        super().__init__(make, limit)
        self._turns = turns

    def keep(self, key: K, value: V) -> None:
        """Remember `value` for `key`."""
        if len(self) >= self._limit:
            self._turns.count += 1
        super().keep(key, value)
