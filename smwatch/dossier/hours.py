"""The reads of a secret, hour by hour."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from smwatch.dossier.again import HOUR
from smwatch.dossier.dealings import SECONDS, reads_of

SINGLES, FAILED, BATCHES = range(3)
"""What is counted of an hour: reads of this secret alone, failed reads, batches that named it."""


class Hour(msgspec.Struct, frozen=True):
    """The reads of one hour."""

    start: datetime
    reads: int
    failed: int


class Hours(dict[int, list[int]]):
    """The counts of the newest `bound` hours, by the hour's number since the epoch."""

    # A dict itself: there are as many as there are secrets.
    __slots__ = ("bound",)

    def __init__(self, bound: int) -> None:
        super().__init__()
        self.bound = bound

    def of(self, key: int) -> list[int]:
        """The counts of the hour of an event, to be added to; those of an hour too long ago are kept nowhere."""
        number = (key >> SECONDS) // HOUR
        hour = self.get(number)
        if hour is None:
            hour = self[number] = [0, 0, 0]
            least = max(self) - self.bound
            for old in [old for old in self if old <= least]:
                del self[old]
        return hour

    def absorb(self, other: Hours) -> None:
        """Add what `other` has counted."""
        for number, counts in other.items():
            hour = self.of(number * HOUR << SECONDS)
            hour[:] = [one + another for one, another in zip(hour, counts, strict=True)]

    def shown(self, now: datetime, count: int) -> tuple[Hour, ...]:
        """The last `count` hours, oldest first, the running one last."""
        last = int(now.timestamp()) // HOUR
        return tuple(self._shown(number) for number in range(last - count + 1, last + 1))

    def _shown(self, number: int) -> Hour:
        singles, failed, batches = self.get(number, (0, 0, 0))
        return Hour(datetime.fromtimestamp(number * HOUR, UTC), reads_of(singles, failed, batches), failed)
