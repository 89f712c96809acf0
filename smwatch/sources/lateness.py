"""How late records usually turn up: what decides how far back it is worth looking again and again."""

from __future__ import annotations

import heapq
from bisect import bisect_right
from collections import deque
from datetime import datetime, timedelta
from itertools import pairwise

SAMPLES = 12_000
SORT_EVERY = 100
USUAL, HABIT = 0.985, 1.065
GOLDEN = 0.618
LOOKS = 6
"""Ages between two looks that stand for all."""
PRIOR = ((0.0, 3.0), (0.1, 96.0), (0.5, 201.0), (0.9, 419.0), (0.99, 505.0), (1.0, 594.0))
"""(share of the records, seconds): measured on 2,900 records of a real trail, and taken for granted at first."""
PRIOR_SAMPLES = 300


class Lateness:
    """The delays, from moment to visibility, of the records that were seen last."""

    def __init__(self) -> None:
        self._samples = deque(_prior(), maxlen=SAMPLES)
        self._sorted = sorted(self._samples)
        self._unsorted = 0
        self._drawn = 0.0
        self._held: list[tuple[datetime, timedelta, timedelta]] = []
        self.added = 0
        """How many records were seen."""

    def add(self, delay: timedelta) -> None:
        """One record was this late."""
        self._samples.append(max(0.0, delay.total_seconds()))
        self.added += 1
        self._unsorted += 1
        if self._unsorted == SORT_EVERY:
            self._sorted, self._unsorted = sorted(self._samples), 0

    def add_between(self, least: timedelta, most: timedelta) -> None:
        """One record was later than the one and not later than the other: what is known so far says how late it was.

        Such a record takes the delay of one, drawn from those known, that was between the two as well: so the shares of
        the records between moments of looking become right, however seldom that is (Turnbull's self-consistency).
        """
        low, high = (self._rank(delay) for delay in (least, most))
        self._drawn = (self._drawn + GOLDEN) % 1
        drawn = self._at(low + self._drawn * (high - low)) if low < high else (least + most) / 2
        self.add(min(max(drawn, least), most))

    def hold(self, at: datetime, least: timedelta, most: timedelta, wanted: float = 1) -> None:
        """A record of this moment was that late; it counts once all of that moment can have been seen (`release`).

        Otherwise those that come quickly would count first, and for too much wherever something begins to happen.
        Of many, a share that is wanted will do: all the records of some seconds, and none of the others.
        """
        if _lot(at) < wanted:
            heapq.heappush(self._held, (at, least, most))

    def release(self, before: datetime, wanted: float = 1) -> int:
        """All records of the moments before this one have been seen; how many of them count."""
        released = 0
        while self._held and self._held[0][0] < before:
            at, least, most = heapq.heappop(self._held)
            if _lot(at) < wanted:
                self.add_between(least, most)
                released += 1
        return released

    def within(self, share: float) -> timedelta:
        """The delay that this share of the records does not exceed."""
        return self._at(share * len(self._sorted))

    @property
    def usual(self) -> timedelta:
        """How late nearly all records are at the most."""
        return self.within(USUAL)

    @property
    def habit(self) -> timedelta:
        """A little more than that: what is even rarer can't be told from few records."""
        return HABIT * self.usual

    def beyond(self, delay: timedelta) -> float:
        """The share of the records that are later than this."""
        return 1 - self._rank(delay) / len(self._sorted)

    def leaving(self, share: float, pause: timedelta) -> timedelta:
        """How old a moment has to be at the last look at it for no more than this share of its records to come later.

        Looks come a `pause` apart, so that the last one comes at this age or up to a pause later.
        """
        low, high = timedelta(), timedelta(seconds=self._sorted[-1])
        while high - low > timedelta(seconds=1):
            age = (low + high) / 2
            left = sum(self.beyond(age + (n + 0.5) / LOOKS * pause) for n in range(LOOKS)) / LOOKS
            low, high = (age, high) if left > share else (low, age)
        return high

    def visible(self, length: timedelta) -> timedelta:
        """How much of the last so much time can be seen, on average: all of it where nothing is late."""
        seconds = length.total_seconds()
        return timedelta(seconds=sum(seconds - delay for delay in self._sorted if delay < seconds) / len(self._sorted))

    def spared(self, age: timedelta, last: timedelta) -> float:
        """Seconds that a record is seen earlier, on average, if its moment is read at `age` and not only at `last`."""
        return (last - age).total_seconds() * (1 - self.beyond(age))

    def midway(self, last: timedelta) -> timedelta:
        """The age, before a last one, at which one look spares records the most waiting."""
        seconds = last.total_seconds()
        _, age = max(((seconds - delay) * number, delay) for number, delay in enumerate(self._sorted, 1))
        return timedelta(seconds=min(age, seconds))

    def _rank(self, delay: timedelta) -> int:
        """How many of the delays do not exceed this one."""
        return bisect_right(self._sorted, delay.total_seconds())

    def _at(self, rank: float) -> timedelta:
        """The delay that `rank` samples do not exceed, interpolated between neighbours."""
        last = len(self._sorted) - 1
        place = min(max(rank - 0.5, 0.0), last)
        below = int(place)
        low, high = self._sorted[below], self._sorted[min(below + 1, last)]
        return timedelta(seconds=low + (high - low) * (place - below))


def _lot(at: datetime) -> float:
    """A number from 0 to 1 for each second, spread evenly."""
    return int(at.timestamp()) * GOLDEN % 1


def _prior() -> list[float]:
    """Samples that are spread as PRIOR says."""
    return [
        low + (high - low) * (n + 0.5) / count
        for (share, low), (until, high) in pairwise(PRIOR)
        for count in (round((until - share) * PRIOR_SAMPLES),)
        for n in range(count)
    ]
