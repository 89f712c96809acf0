"""A bounded memory of values that are costly to make and come again soon."""

from __future__ import annotations

import sys
from collections.abc import Callable, Hashable
from typing import Generic, NoReturn, TypeVar

K = TypeVar("K")
V = TypeVar("V")
AT_ONCE = 16
"""Forgotten values that are let go of as one is made: more than one, so that a generation of them is soon gone."""
LOOKED_THROUGH = 64
"""Keys that are looked through in about the time in which one value is made."""


class Recent(dict[K, V], Generic[K, V]):
    """A mapping that makes what it lacks, and forgets keys that were not asked for in a long while.

    It holds two generations of up to `limit` keys. A hit costs what a dict's does, which is why this is one.
    """

    __slots__ = ("_aged", "_gone", "_limit", "_made", "_make", "older")

    def __init__(self, make: Callable[[K], V], limit: int, *, aged: Callable[[], None] = lambda: None) -> None:
        """`aged` is called after the older generation was forgotten for one that is not asked for any more."""
        super().__init__()
        self._make = make
        self._limit = limit
        self._aged = aged
        self._made = 0
        self.older: dict[K, V] = {}
        """The older generation: who asks whether a key is there need not make a call for that."""
        self._gone: dict[K, V] = {}
        """What is forgotten, let go of bit by bit as others are made: thousands that hold much take milliseconds.
        Serves "longest stall of the event loop".
        """

    def __missing__(self, key: K) -> V:
        value = self.older.pop(key, None)
        if value is None:
            if self._gone:
                self._let_go_of_some()
            value = self._make(key)
            self._made += 1
        if len(self) >= self._limit:  # as `keep` does; to call it takes as long. Serves "parse".
            self.age()
        self[key] = value
        return value

    def keep(self, key: K, value: V) -> None:
        """Remember `value` for `key`."""
        if len(self) >= self._limit:
            self.age()
        self[key] = value

    def age(self) -> None:
        """Forget what was not asked for since this was called last."""
        self._let_go(self.older)
        self.older = dict(self)
        self.clear()
        self._aged()

    def find(self, key: K) -> V | None:
        """What is remembered for `key`; makes nothing."""
        value = self.get(key)
        return self.older.get(key) if value is None else value

    def take(self, key: K) -> V | None:
        """What is remembered for `key`, which is forgotten; makes nothing."""
        older = self.older.pop(key, None)
        return self.pop(key, older)

    def remembered(self) -> list[K]:
        """Every key that something is remembered for."""
        return [*self, *self.older]

    def every(self) -> list[V]:
        """All that is remembered."""
        return [*self.values(), *self.older.values()]

    def forget_if(self, test: Callable[[V], bool]) -> None:
        """Forget what passes `test`, or everything, where it was looked through lately and little was made since.

        So that it never costs much more than what is made, however often somebody can have it called.
        """
        if len(self) + len(self.older) > self._made * LOOKED_THROUGH:
            self.forget()
        self._made = 0
        for each in (self, self.older):
            for key in [key for key, value in each.items() if test(value)]:
                del each[key]

    def forget(self) -> None:
        """Forget everything."""
        self._let_go(self.older | self)
        self.older = {}
        self.clear()

    def _let_go_of_some(self) -> None:
        gone = self._gone
        for _ in range(min(AT_ONCE, len(gone))):
            gone.popitem()

    def _let_go(self, gone: dict[K, V]) -> None:
        self._gone = self._gone | gone if self._gone else gone


mark_of: Callable[[Hashable], Hashable] = hash if sys.flags.hash_randomization else lambda key: key
"""What stands for a key: its hash, of 64 bits and keyed by a secret of the process, so that nobody can have two of them
be one; a billion keys beside thousands that are remembered have odds of one in two million that two are. Where Python
was told to have no such secret (PYTHONHASHSEED=0), the key itself.
"""


class Marked(Recent[Hashable, V], Generic[K, V]):
    """The same for keys of many strings, of which only marks are kept.

    To compare and keep a dozen strings costs more than all else of a look-up, and most of them are kept nowhere else:
    serves "parse" and "memory-varied". Where no call is to be made for a hit, it is `get(mark_of(key))`, and where that
    is None, `made` has the value.
    """

    __slots__ = ("_make_of",)

    def __init__(self, make: Callable[[K], V], limit: int) -> None:
        super().__init__(_unmade, limit)
        self._make_of = make

    def of(self, key: K) -> V:
        """The value for a key."""
        mark = mark_of(key)
        value = self.get(mark)
        return self.made(mark, key) if value is None else value

    def made(self, mark: Hashable, key: K) -> V:
        """The value for a key with this mark that was not asked for lately."""
        value = self.older.pop(mark, None)
        if value is None:
            if self._gone:
                self._let_go_of_some()
            value = self._make_of(key)
            self._made += 1
        if len(self) >= self._limit:
            self.age()
        self[mark] = value
        return value


def _unmade(mark: Hashable) -> NoReturn:
    raise KeyError(mark)
