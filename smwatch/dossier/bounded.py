"""Bounded memories: what they hold depends on what was put in, never on the order it came in."""

from __future__ import annotations

from bisect import bisect_right
from heapq import heapify, heappushpop
from operator import attrgetter, itemgetter
from typing import Protocol, TypeVar
from zlib import crc32


class Keyed(Protocol):
    """Something that happened at an event."""

    @property
    def key(self) -> int:
        """The key of the event."""
        ...


T = TypeVar("T", bound=Keyed)
K = TypeVar("K")
V = TypeVar("V")
KEY = attrgetter("key")
SLACK = 4
"""What is cut to the newest is so by a part more than it is to hold, so that cutting costs little for each."""


def kept(entries: tuple[T, ...], entry: T, bound: int) -> tuple[T, ...]:
    """These, ascending by key, with one more: of more than `bound` the oldest goes."""
    if not entries or entry.key >= entries[-1].key:
        with_it = (*entries, entry)
    elif len(entries) >= bound and entry.key < entries[0].key:
        return entries
    else:
        at = bisect_right(entries, entry.key, key=KEY)
        with_it = (*entries[:at], entry, *entries[at:])
    return with_it[1:] if len(with_it) > bound else with_it


def united(mine: tuple[T, ...], theirs: tuple[T, ...], bound: int) -> tuple[T, ...]:
    """The newest entries of both, those of one event that both have once."""
    known = {entry.key for entry in mine}
    return tuple(sorted([*mine, *(entry for entry in theirs if entry.key not in known)], key=KEY)[-bound:])


class Sampled(dict[K, V]):
    """A dict of at most `bound` keys: those whose text has the smallest checksums, the same ones in whatever order.

    A key that is there in the end has been there from its first time on, so that what is counted for it is exact.
    """

    __slots__ = ("_heap", "bound")

    def __init__(self, bound: int) -> None:
        super().__init__()
        self.bound = bound
        self._heap: list[tuple[int, str, K]] | None = None

    def surplus(self, key: K) -> K | None:
        """The key that has to go if `key` comes in, perhaps `key` itself; None while there is room.

        The caller puts `key` in and takes the answer out; if the answer is `key`, neither.
        """
        if len(self) < self.bound:
            return None
        if self._heap is None:
            self._heap = [_rank(known) for known in self]
            heapify(self._heap)
        return heappushpop(self._heap, _rank(key))[2]


class Counted(Sampled[K, int]):
    """How often each of those keys has come."""

    __slots__ = ()

    def count(self, key: K, times: int = 1) -> None:
        """It has come so many times more."""
        if key in self:
            self[key] += times
            return
        surplus = self.surplus(key)
        if surplus == key:
            return
        if surplus is not None:
            del self[surplus]
        self[key] = times


def _rank(key: K) -> tuple[int, str, K]:
    text = str(key)
    return -crc32(text.encode(errors="surrogatepass")), text, key


def latest(known: dict[K, int], name: K, key: int, bound: int) -> None:
    """Note in `known` that `name` was seen at `key`; `newest` gives the `bound` names seen last."""
    seen = known.get(name)
    if seen is None:
        known[name] = key
        if len(known) > bound + (bound // SLACK or 1):
            for old in sorted(known, key=known.__getitem__)[:-bound]:
                del known[old]
    elif key > seen:
        known[name] = key


def newest(known: dict[K, int], bound: int) -> list[tuple[K, int]]:
    """The `bound` names seen last and the keys of when, newest first."""
    return sorted(known.items(), key=itemgetter(1), reverse=True)[:bound]
