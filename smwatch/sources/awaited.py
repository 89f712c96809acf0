"""Records that are known to be there and can't be found yet: how long that takes is measured."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

LIMIT = 10_000
"""So many are remembered; of more, some will do to measure by."""


class Awaited:
    """What Live Tail has shown and FilterLogEvents has yet to show."""

    def __init__(self) -> None:
        self._ingested: dict[int, tuple[datetime, datetime]] = {}
        """(place on the time line, ingested at) by the hash of the record's text."""

    def add(self, raw: str, at: datetime, ingested_at: datetime) -> None:
        """This record has been ingested."""
        if len(self._ingested) < LIMIT:
            self._ingested[hash(raw)] = at, ingested_at

    def found(self, records: Iterable[str]) -> None:
        """These can be found."""
        if self._ingested:
            for raw in records:
                self._ingested.pop(hash(raw), None)

    def longest(self, start: datetime, asked_at: datetime) -> timedelta:
        """For how long the oldest record is awaited that a scan from `start` on, begun at `asked_at`, did not show.

        What lies before `start` is forgotten: no later scan will look there again.
        """
        waited = [asked_at - ingested_at for at, ingested_at in self._ingested.values() if at >= start]
        if len(waited) < len(self._ingested):
            self._ingested = {raw: times for raw, times in self._ingested.items() if times[0] >= start}
        return max(waited, default=timedelta())
