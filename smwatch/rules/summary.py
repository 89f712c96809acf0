"""What an alarm says of the different values that it counts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import chain
from operator import attrgetter

from smwatch.events.secret import Secret
from smwatch.rules.alarm import EVIDENCE
from smwatch.rules.dimension import UNNAMED, Value
from smwatch.rules.evidence import Evidence, Total, total_of

_AT, _KEY, _VALUE = attrgetter("at"), attrgetter("key"), attrgetter("value")


class Summary:
    """The values in some evidence, each piece of which has one, gone through once: several things are told of it.

    That of a slot stands until the slot is judged again, so that of ten thousand pieces a few are gone through for each
    event: serves the rows "rules-trouble" and "longest stall of the event loop".
    """

    __slots__ = ("_firsts", "_lasts", "_secrets", "_values", "episode", "parts", "total")

    def __init__(
        self,
        episode: Sequence[Evidence],
        firsts: dict[Value, Evidence],
        lasts: dict[Value, Evidence],
        total: Total,
        parts: tuple[Summary, ...] = (),
    ) -> None:
        self.episode = episode
        self.parts = parts
        """Of which this is joined."""
        self.total = total
        """What all of it amounts to."""
        self._firsts, self._lasts = firsts, lasts
        self._values: Mapping[Value, tuple[int, int]] | None = None
        self._secrets: tuple[Secret, ...] | None = None

    @classmethod
    def of(cls, episode: Sequence[Evidence]) -> Summary:
        """The values in this evidence, which is ascending."""
        values = [*map(_VALUE, episode)]
        firsts = dict(zip(reversed(values), reversed(episode), strict=True))
        return cls(episode, firsts, dict(zip(values, episode, strict=True)), total_of(episode))

    @classmethod
    def joined(cls, parts: tuple[Summary, ...]) -> Summary:
        """The values in all of these parts, which are ascending."""
        firsts, lasts, total = dict[Value, Evidence](), dict[Value, Evidence](), total_of(())
        for part in reversed(parts):
            firsts.update(part._firsts)
        for part in parts:
            lasts.update(part._lasts)
            total = total.joined(part.total)
        return cls([*chain.from_iterable(part.episode for part in parts)], firsts, lasts, total, parts)

    @property
    def values(self) -> Mapping[Value, tuple[int, int]]:
        """The different values, and the first and last second of each; ascending by the first."""
        if self._values is None:
            firsts = sorted(self._firsts.values(), key=_KEY)
            values = [*map(_VALUE, firsts)]
            lasts = map(self._lasts.__getitem__, values)
            self._values = dict(zip(values, zip(map(_AT, firsts), map(_AT, lasts), strict=True), strict=True))
        return self._values

    @property
    def secrets(self) -> tuple[Secret, ...]:
        """Those of the values that are secrets, in the same order."""
        if self._secrets is None:
            self._secrets = tuple(value for value in self.values if isinstance(value, Secret) and value is not UNNAMED)
        return self._secrets

    @property
    def keys(self) -> list[int]:
        """The newest keys of the first event with each value, ascending."""
        return sorted({*map(_KEY, self._firsts.values())})[-EVIDENCE:]

    def count(self, gone: Mapping[Value, int]) -> int:
        """How many different values have a name, also of those of which no evidence is kept."""
        known = self._firsts.keys() | gone.keys() if gone else self._firsts.keys()
        return len(known) - (UNNAMED in known)


NOTHING = Summary.of(())
"""Of most cases, which have no evidence."""
