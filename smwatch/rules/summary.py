"""What an alarm says of the different values that it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from smwatch.rules.alarm import EVIDENCE
from smwatch.rules.dimension import Value
from smwatch.rules.evidence import Evidence


class Summary:
    """The values in some evidence, gone through once: several things are told of it each time."""

    __slots__ = ("_firsts", "_lasts", "_values", "episode")

    def __init__(self, episode: Sequence[Evidence]) -> None:
        self.episode = episode
        self._firsts = {one.value: one for one in reversed(episode) if one.value is not None}
        self._lasts = {one.value: one.at for one in episode if one.value is not None}
        self._values: Mapping[Value, tuple[int, int]] | None = None

    @property
    def values(self) -> Mapping[Value, tuple[int, int]]:
        """The different values, and the first and last second of each; ascending by the first."""
        if self._values is None:
            ascending = sorted(self._firsts.items(), key=lambda item: item[1].key)
            self._values = {value: (first.at, self._lasts[value]) for value, first in ascending}
        return self._values

    @property
    def keys(self) -> list[int]:
        """The newest keys of the first event with each value, ascending."""
        return sorted({one.key for one in self._firsts.values()})[-EVIDENCE:]

    def count(self, gone: Mapping[Value, int]) -> int:
        """How many different values there are, with those of which no evidence is kept."""
        return len(self._firsts.keys() | gone.keys()) if gone else len(self._firsts)


NOTHING = Summary(())
"""Of most cases, which have no evidence."""
