"""How late records usually turn up: what decides how far back it is worth looking again and again."""

from __future__ import annotations

from bisect import bisect_right
from collections import deque
from datetime import timedelta
from itertools import pairwise

SAMPLES = 3000
SORT_EVERY = 50
PRIOR = ((0.0, 3.0), (0.1, 96.0), (0.5, 201.0), (0.9, 419.0), (0.99, 505.0), (1.0, 594.0))
"""(share of the records, seconds): measured on 2,900 records of a real trail, and taken for granted at first."""
PRIOR_SAMPLES = 300


class Lateness:
    """The delays, from moment to visibility, of the records that were seen last."""

    def __init__(self) -> None:
        self._samples = deque(_prior(), maxlen=SAMPLES)
        self._sorted = sorted(self._samples)
        self._unsorted = 0
        self.added = 0
        """How many records were seen."""

    def add(self, delay: timedelta) -> None:
        """One record was this late."""
        self._samples.append(max(0.0, delay.total_seconds()))
        self.added += 1
        self._unsorted += 1
        if self._unsorted == SORT_EVERY:
            self._sorted, self._unsorted = sorted(self._samples), 0

    def within(self, share: float) -> timedelta:
        """The delay that this share of the records does not exceed."""
        return timedelta(seconds=self._sorted[min(len(self._sorted) - 1, int(share * len(self._sorted)))])

    def beyond(self, delay: timedelta) -> float:
        """The share of the records that are later than this."""
        return 1 - bisect_right(self._sorted, delay.total_seconds()) / len(self._sorted)


def _prior() -> list[float]:
    """Samples that are spread as PRIOR says."""
    return [
        low + (high - low) * n / count
        for (share, low), (until, high) in pairwise(PRIOR)
        for count in (round((until - share) * PRIOR_SAMPLES),)
        for n in range(count)
    ]
