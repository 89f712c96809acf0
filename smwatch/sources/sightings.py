"""What a source has handed over already, and how late it came."""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import deque
from datetime import datetime, timedelta
from statistics import median

HORIZON = timedelta(hours=49)
"""How long a row is remembered: a little more than the longest audit reaches back."""
UNDATED = 10_000
"""How many rows that don't say when they happened are remembered: the last ones."""
SAMPLES = 500
SAMPLE_AGE = timedelta(hours=1)


class Sightings:
    """The rows handed over in the last two days, in eight bytes each.

    Only saves work (the journal drops duplicates anyway) and tells an audit which rows are news. Rows are kept by the
    minute they belong to, as sorted 64-bit hashes that differ from process to process.
    """

    def __init__(self) -> None:
        self._minutes: dict[int, array[int]] = {}
        self._undated: dict[int, None] = {}

    def __len__(self) -> int:
        return len(self._undated) + sum(map(len, self._minutes.values()))

    def knows(self, row_id: str, at: datetime | None) -> bool:
        """Whether this row was handed over before."""
        digest = hash(row_id)
        if at is None:
            return digest in self._undated
        digests = self._minutes.get(_minute(at), ())
        place = bisect_left(digests, digest)
        return place < len(digests) and digests[place] == digest

    def add(self, row_id: str, at: datetime | None) -> None:
        """Remember a row that was handed over."""
        digest = hash(row_id)
        if at is None:
            self._undated[digest] = None
            if len(self._undated) > UNDATED:
                del self._undated[next(iter(self._undated))]
            return
        digests = self._minutes.setdefault(_minute(at), array("q"))
        digests.insert(bisect_left(digests, digest), digest)

    def any_between(self, start: datetime, end: datetime) -> bool:
        """Whether there is a row of a whole minute that lies between these moments."""
        first, last = _minute(start), _minute(end)
        return any(first < minute < last for minute in self._minutes)

    def forget_before(self, moment: datetime) -> None:
        """Let go of all rows before this moment."""
        last = _minute(moment)
        for minute in [minute for minute in self._minutes if minute < last]:
            del self._minutes[minute]


class Lag:
    """How much later than its moment something was first seen, over the last hour."""

    def __init__(self) -> None:
        self._samples: deque[tuple[datetime, float]] = deque(maxlen=SAMPLES)
        self._sorted: list[float] | None = None

    def add(self, seen_at: datetime, delay: timedelta) -> None:
        """One sample, first seen at `seen_at`."""
        self._samples.append((seen_at, delay.total_seconds()))
        self._sorted = None

    def at(self, now: datetime) -> tuple[timedelta | None, timedelta | None]:
        """The median and the maximum; None while nothing is known."""
        delays = self._delays(now)
        if not delays:
            return None, None
        return timedelta(seconds=median(delays)), timedelta(seconds=delays[-1])

    def _delays(self, now: datetime) -> list[float]:
        while self._samples and self._samples[0][0] < now - SAMPLE_AGE:
            self._samples.popleft()
            self._sorted = None
        if self._sorted is None:
            self._sorted = sorted(delay for _, delay in self._samples)
        return self._sorted


def _minute(at: datetime) -> int:
    return int(at.timestamp() // 60)
