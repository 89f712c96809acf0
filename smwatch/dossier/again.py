"""Events that are one more of the same, counted until they are noted together."""

from __future__ import annotations

from functools import lru_cache

import msgspec

from smwatch.dossier.dealings import SECONDS
from smwatch.dossier.kms import KmsUse, kms_use
from smwatch.events.event import Arrival, Event
from smwatch.events.naming import KMS

HOUR = 3600


class Again(msgspec.Struct, gc=False):
    """Successful reads of one hour that are all alike."""

    event: Event
    """One that is like them, and was noted by itself."""
    kms: KmsUse | None
    """What is noted of a call of KMS beside the event."""
    begin: int
    end: int
    """Keys: of the hour."""
    times: int = 0
    """How many there have been."""
    first: int = 0
    last: int = 0
    """Keys: of the first and the last of them, if there have been any."""

    @classmethod
    def after(cls, arrival: Arrival) -> Again:
        """To count events that are like this one, which has been noted."""
        event = arrival.event
        kms = kms_use(arrival) if event.source == KMS else None
        return cls(event, kms, *_ends((event.key >> SECONDS) // HOUR))

    def counts(self, key: int) -> bool:
        """Count the one with this key; whether it is of the hour."""
        if not self.begin <= key < self.end:
            return False
        if not self.times:
            self.first = self.last = key
        elif key > self.last:
            self.last = key
        elif key < self.first:
            self.first = key
        self.times += 1
        return True


@lru_cache(64)
def _ends(hour: int) -> tuple[int, int]:
    """The keys at which an hour since the epoch begins and ends.

    They are one pair of objects for all: of thousands, most would have to be fetched from far away to be compared with.
    Serves "ingest".
    """
    return hour * HOUR << SECONDS, (hour + 1) * HOUR << SECONDS
