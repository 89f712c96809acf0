"""What is remembered by event key, in the order in which it came, with the keys packed into bytes."""

from __future__ import annotations

from array import array
from typing import Generic, TypeVar

from smwatch.events.event import ACCOUNT_BITS, ID_BITS

V = TypeVar("V")
SECOND_BYTES = 8
BYTES = SECOND_BYTES + (ID_BITS + ACCOUNT_BITS) // 8
"""Of one key."""
END = 1 << 8 * BYTES
"""Above all keys of events. An alarm of a journal that somebody has edited may name others, which are nobody's."""
WORN = 1 << 31
"""Numbers given, after which they are given anew: they have 32 bits."""


class Packed(Generic[V]):
    """A value for each event key, let go of in the order in which they came.

    It takes 46 bytes for each, where a dict and its keys take 116: serves "tail-…-memory". Keys are numbered as they
    come, and found by hash, in chains of which the newest comes first: a chain ends where those begin that are gone.
    """

    __slots__ = ("_first", "_following", "_heads", "_keys", "_values")

    def __init__(self, capacity: int) -> None:
        """`capacity` is about how many there will be; more are only found more slowly."""
        self._heads = array("I", bytes(4 << max(1, capacity - 1).bit_length()))
        """The number of the newest key of each chain; 0 where there was none."""
        self._begin()

    def _begin(self) -> None:
        self._keys = bytearray()
        self._values: list[V] = []
        self._following = array("I")
        """What comes after each key in its chain; as for `_heads`."""
        self._first = 1
        """The number of the first key that is kept."""

    def __len__(self) -> int:
        return len(self._values)

    def __contains__(self, key: int) -> bool:
        return self._find(key) is not None

    def get(self, key: int) -> V | None:
        """The value of a key that is known."""
        at = self._find(key)
        return None if at is None else self._values[at]

    def add(self, key: int, value: V) -> V | None:
        """The value of a key that is known; for one that is not, None, and it has this one from now on."""
        packed, keys, first, following = key.to_bytes(BYTES), self._keys, self._first, self._following
        # As `_find` does, with no call for it: serves "replay".
        chain = hash(packed) & len(self._heads) - 1
        head = number = self._heads[chain]
        while number >= first:
            at = number - first
            if keys.startswith(packed, at * BYTES):
                return self._values[at]
            number = following[at]
        self._heads[chain] = first + len(self._values)
        following.append(head)
        self._values.append(value)
        keys += packed
        return None

    def replace(self, key: int, value: V) -> None:
        """Give a key that is known another value; it is let go of in its old turn."""
        at = self._find(key)
        assert at is not None
        self._values[at] = value

    @property
    def first(self) -> int:
        """The key that is to be let go of first; 0 if there is none."""
        return self._key(0)

    def drop(self, count: int) -> list[int]:
        """Let go of the first so many; returns their keys."""
        gone = [self._key(at) for at in range(count)]
        del self._keys[: count * BYTES], self._values[:count], self._following[:count]
        self._first += count
        if self._first > WORN:
            self._number([self._key(at) for at in range(len(self))], self._values)
        return gone

    def sort(self) -> None:
        """Have them let go of in the order of their keys from now on."""
        keys = [self._key(at) for at in range(len(self))]
        places = sorted(range(len(keys)), key=keys.__getitem__)
        self._number([keys[at] for at in places], [self._values[at] for at in places])

    def _number(self, keys: list[int], values: list[V]) -> None:
        self._heads = array("I", bytes(4 * len(self._heads)))
        self._begin()
        for key, value in zip(keys, values, strict=True):
            self.add(key, value)

    def _find(self, key: int) -> int | None:
        if not 0 <= key < END:
            return None
        packed, first, following = key.to_bytes(BYTES), self._first, self._following
        number = self._heads[hash(packed) & len(self._heads) - 1]
        while number >= first:
            if self._keys.startswith(packed, (number - first) * BYTES):
                return number - first
            number = following[number - first]
        return None

    def _key(self, at: int) -> int:
        return int.from_bytes(self._keys[at * BYTES : (at + 1) * BYTES])
