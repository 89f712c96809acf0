"""Bounded memories of cases and facts, and when what is in them may be forgotten."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Generic, TypeVar, cast
from weakref import ref

from smwatch.events.recent import Recent

K = TypeVar("K")
V = TypeVar("V")


class Generations(dict[K, V | None], Generic[K, V]):
    """What was found out lately, two generations of it of up to `limit` keys each.

    What was not asked for in a long while gets into `gone`, and whoever owns that lets it go bit by bit. A hit among
    the newer costs what a dict's does, which is why this is one; what is not there at all is None.
    """

    __slots__ = ("_gone", "_limit", "older")

    def __init__(self, limit: int, gone: list[dict[Any, Any]]) -> None:
        super().__init__()
        self._limit = limit
        self._gone = gone
        self.older: dict[K, V | None] = {}
        """The older generation: who finds nothing in either need not make a call for that."""

    def __missing__(self, key: K) -> V | None:
        value = self.older.pop(key, None)
        if value is not None:
            self.keep(key, value)
        return value

    def keep(self, key: K, value: V) -> None:
        """Remember `value` for `key`."""
        if len(self) >= self._limit:
            self.turn_over()
        self[key] = value

    def turn_over(self) -> None:
        """Begin a new generation, of which the first key may be kept without `keep`, and so for `limit` keys."""
        if self.older:
            self._gone.append(self.older)
        self.older = dict(self)
        self.clear()

    def forget(self) -> None:
        """Forget everything."""
        self.turn_over()
        self.turn_over()


class Turns:
    """Counts how often a memory has begun a new generation: what is kept of it elsewhere may be forgotten soon."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0

    def turn(self) -> None:
        """One has."""
        self.count += 1


class Memory(Recent[K, V]):
    """A Recent that counts its generations."""

    __slots__ = ()

    def __init__(self, make: Callable[[K], V], limit: int, turns: Turns) -> None:
        super().__init__(make, limit, aged=turns.turn)

    def age(self) -> None:
        """Forget what was not asked for since this was called last, and let go of it at once: it may hold much more."""
        super().age()
        self._gone = {}


class Outlasting(Memory[K, V]):
    """A Memory in which some values outlast those that were not asked for in a long while."""

    __slots__ = ("_outlasts", "_part_from")

    def __init__(
        self,
        make: Callable[[K], V],
        limit: int,
        turns: Turns,
        outlasts: Callable[[V], bool],
        part_from: Callable[[V], None],
    ) -> None:
        """`outlasts` is asked of each value that would be forgotten; unless it does, `part_from` is told of it."""
        super().__init__(make, limit, turns)
        self._outlasts = outlasts
        self._part_from = part_from

    def age(self) -> None:
        """Forget what was not asked for since this was called last, but for what outlasts it."""
        older = self.older
        super().age()
        for key, value in older.items():
            if self._outlasts(value):
                self.older[key] = value
            else:
                self._part_from(value)


class _Kept(ref[V], Generic[K, V]):
    """What is kept for as long as somebody hangs on it, and its key."""

    __slots__ = ("key",)

    key: K


class Asked(Generic[K, V]):
    """What was asked about before anything was written of it: each is kept for as long as somebody hangs on it."""

    # So whoever makes rules ask about thousands of names that do not exist pushes nothing out that was written.

    __slots__ = ("_gone", "_make", "kept")

    def __init__(self, make: Callable[[], V]) -> None:
        self._make = make
        # A WeakValueDictionary by hand: that makes six calls for each that is new, as each session is (row "rules").
        self.kept: dict[K, _Kept[K, V]] = {}
        """By key: what is not in here need not be asked for, which takes a call."""
        self._gone = self._forget
        """One for all of them: a callback of each one's own takes as much as what is kept. Serves "memory-flat"."""

    def __getitem__(self, key: K) -> V:
        known = self.kept.get(key)
        value = known() if known is not None else None
        if value is None:
            value = self._make()
            self.keep(key, value)
        return value

    def _forget(self, gone: ref[V]) -> None:
        key = cast("_Kept[K, V]", gone).key
        if self.kept.get(key) is gone:
            del self.kept[key]

    def keep(self, key: K, value: V) -> None:
        """Find `value` under `key` for as long as somebody hangs on it."""
        kept: _Kept[K, V] = _Kept(value, self._gone)
        kept.key = key
        self.kept[key] = kept

    def take(self, key: K) -> V | None:
        """What was asked about under `key`, which is forgotten here; None if nobody hangs on it."""
        known = self.kept.pop(key, None)
        return known() if known is not None else None

    def remembered(self) -> list[K]:
        """Every key that somebody hangs on."""
        return list(self.kept)


class Written(Memory[K, V]):
    """A memory of what was written, which what is only asked about does not get into."""

    __slots__ = ("_asked",)

    def __init__(self, make: Callable[[], V], limit: int, turns: Turns) -> None:
        self._asked: Asked[K, V] = Asked(make)
        asked = self._asked.kept

        def made(key: K) -> V:
            known = self._asked.take(key) if key in asked else None
            return make() if known is None else known

        super().__init__(made, limit, turns)

    def known(self, key: K) -> V | None:
        """What is written of `key`, which is thereby heard of again; None if nothing is."""
        return self[key] if key in self or key in self.older else None

    def ask(self, key: K) -> V:
        """What is written of `key`, or will be."""
        if key in self or key in self.older:
            return self[key]
        return self._asked[key]

    def remembered(self) -> list[K]:
        """Every key that something is written of or will be."""
        return [*super().remembered(), *self._asked.remembered()]

    def take(self, key: K) -> V | None:
        """What is written of `key`, or will be, which is forgotten; makes nothing."""
        return super().take(key) or self._asked.take(key)
