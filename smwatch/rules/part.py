"""What of one slot was found to be evidence, and what it amounts to."""

from __future__ import annotations

from bisect import bisect_left, insort
from collections.abc import Sequence
from operator import attrgetter
from typing import TypeAlias

from smwatch.rules.dimension import Value
from smwatch.rules.evidence import Evidence, Total, total_of
from smwatch.rules.measure import Sight

FEW = 8
"""Evidence that is inserted piece by piece; more is sorted in."""
Ends: TypeAlias = tuple[int, int]
"""The first and the last key of some evidence, or the first and the last second of a value."""
_KEY, _VALUE, _KEY_AND_VALUE = attrgetter("key"), attrgetter("value"), attrgetter("key", "value")


class Part:
    """The evidence of one slot, and what there is to say of it."""

    __slots__ = ("evidence", "firsts", "lasts", "total")

    def __init__(self, evidence: Sequence[Evidence]) -> None:
        values, keys = [*map(_VALUE, evidence)], [*map(_KEY, evidence)]
        self.evidence = [*evidence]
        """Ascending; of each value the first and the last there is."""
        self.firsts: dict[Value, int] = dict(zip(reversed(values), reversed(keys), strict=True))
        """The first key of each value."""
        self.lasts: dict[Value, int] = dict(zip(values, keys, strict=True))
        self.total = total_of(self.evidence)

    @property
    def ends(self) -> Ends:
        """Its first and its last key."""
        return self.evidence[0].key, self.evidence[-1].key

    def change(self, gone: Sequence[Sight], new: Sequence[Evidence]) -> None:
        """Some of it is gone, and there is some more, ascending."""
        evidence, firsts, lasts = self.evidence, self.firsts, self.lasts
        for _, key, value in gone:
            del evidence[bisect_left(evidence, (key, value), key=_KEY_AND_VALUE)]
            first, last = firsts[value], lasts[value]
            if first == last:
                del firsts[value], lasts[value]
            elif key == first:
                firsts[value] = last
            else:
                lasts[value] = first
        later = bool(evidence and new and new[0].key > evidence[-1].key)
        if not later and len(new) <= FEW:
            for one in new:
                insort(evidence, one, key=_KEY_AND_VALUE)
        else:
            evidence += new
            if not later:
                evidence.sort(key=_KEY_AND_VALUE)
        for one in new:
            assert one.value is not None
            firsts[one.value] = min(firsts.get(one.value, one.key), one.key)
            lasts[one.value] = max(lasts.get(one.value, one.key), one.key)
        if later and (more := total_of(new))[:3] == self.total[:3]:
            self.total = Total(*more[:3], evidence[0].at, evidence[-1].at)  # it is as bad as before
        else:
            self.total = total_of(evidence)
