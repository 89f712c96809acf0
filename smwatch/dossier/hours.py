"""The reads of a secret, hour by hour."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from datetime import UTC, datetime

import msgspec

from smwatch.dossier.again import HOUR
from smwatch.dossier.dealings import SECONDS, reads_of

SINGLES, FAILED, BATCHES = range(1, 4)
"""What is counted of an hour: reads of this secret alone, failed reads, batches that named it."""
WIDTH = 4
"""Numbers for each hour: its own, since the epoch, and these three."""


class Hour(msgspec.Struct, frozen=True):
    """The reads of one hour."""

    start: datetime
    reads: int
    failed: int


class Hours:
    """The counts of the newest `bound` hours, of those in which there were any."""

    # Sixteen bytes an hour, where a dict has two hundred: there are as many of these as secrets. Serves "memory-flat".
    __slots__ = ("_counts", "bound")

    def __init__(self, bound: int) -> None:
        self.bound = bound
        self._counts = array("I")
        """WIDTH numbers for each hour, ascending."""

    def count(self, what: int, key: int, times: int = 1) -> None:
        """Count so many more in the hour of an event; what is of an hour too long ago is counted nowhere."""
        counts, number = self._counts, (key >> SECONDS) // HOUR
        place = len(counts) - WIDTH
        if place < 0 or counts[place] != number:
            place = self._place(number)
        if place >= 0:
            counts[place + what] += times

    def absorb(self, other: Hours) -> None:
        """Add what `other` has counted."""
        theirs = other._counts
        for at in range(0, len(theirs), WIDTH):
            key = theirs[at] * HOUR << SECONDS
            for what in (SINGLES, FAILED, BATCHES):
                self.count(what, key, theirs[at + what])

    def shown(self, now: datetime, count: int) -> tuple[Hour, ...]:
        """The last `count` hours, oldest first, the running one last."""
        last, counts = int(now.timestamp()) // HOUR, self._counts
        known = {counts[at]: counts[at + 1 : at + WIDTH] for at in range(0, len(counts), WIDTH)}
        return tuple(_shown(number, *known.get(number, (0, 0, 0))) for number in range(last - count + 1, last + 1))

    def _place(self, number: int) -> int:
        """Where an hour stands, made if it was not there; -1: it was too long ago."""
        counts = self._counts
        place = bisect_left(counts[::WIDTH], number) * WIDTH
        if place < len(counts) and counts[place] == number:
            return place
        if counts and number <= counts[-WIDTH] - self.bound:
            return -1
        counts[place:place] = array("I", (number, 0, 0, 0))
        gone = 0
        while counts[gone] <= counts[-WIDTH] - self.bound:
            gone += WIDTH
        del counts[:gone]
        return place - gone


def _shown(number: int, singles: int, failed: int, batches: int) -> Hour:
    return Hour(datetime.fromtimestamp(number * HOUR, UTC), reads_of(singles, failed, batches), failed)
