"""When each of many values was seen last, and how many were seen since."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterable

from smwatch.rules.dimension import Value


class LastSeen:
    """Values by when each was seen last, be that told in seconds or by keys: so many were seen since then."""

    __slots__ = ("_lasts", "ascending")

    def __init__(self, sights: Iterable[tuple[Value, int]]) -> None:
        """`sights`: those of one value ascend."""
        self._lasts: dict[Value, int] = dict(sights)
        self.ascending = sorted(self._lasts.values())
        """When each of them was."""

    @property
    def newest(self) -> int:
        """When any was seen last."""
        return self.ascending[-1] if self.ascending else -1

    def see(self, value: Value, when: int) -> int:
        """A value was seen, no other one later; when it had been seen last before, -1 if it had not."""
        lasts, ascending = self._lasts, self.ascending
        was = lasts.get(value, -1)
        if was >= 0:
            del ascending[bisect_left(ascending, was)]
        lasts[value] = when
        ascending.append(when)
        return was

    def see_all(self, sights: Iterable[tuple[int, int, Value]]) -> None:
        """Values were seen in these: a second, a key, by which it is told here, and a value. They ascend."""
        lasts, ascending = self._lasts, self.ascending
        for _, key, value in sights:
            if (was := lasts.get(value)) is not None:
                del ascending[bisect_left(ascending, was)]
            lasts[value] = key
            ascending.append(key)

    def forget(self, sights: Iterable[tuple[int, int, Value]]) -> None:
        """Forget values that were seen last in one of these: a second, a key, by which it is told here, and a value."""
        lasts, ascending = self._lasts, self.ascending
        for _, key, value in sights:
            if lasts.get(value) == key:
                del lasts[value], ascending[bisect_left(ascending, key)]

    def since(self, when: int) -> int:
        """How many values were seen then or later."""
        return len(self.ascending) - bisect_left(self.ascending, when)
