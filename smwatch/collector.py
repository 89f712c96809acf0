"""Python's search for unreachable cycles of objects, when nobody waits for anything."""

from __future__ import annotations

import gc
from datetime import datetime, timedelta

YOUNG = (300, 5)
"""Objects made until the young ones are looked through, and how often until the middle-aged are: up to 1 ms each, and
2 on a machine that is slow.

Every object is looked through twice however many there are at a time; with 500 and 10 it was up to 7 ms in one go
there. Serves "burst-screen".
"""
NEVER = 1 << 30
QUIET = timedelta(seconds=10)
"""Without a key or an event: nobody will notice a tenth of a second."""
EARLIEST, LATEST = timedelta(minutes=10), timedelta(hours=6)
"""How long after the last search the next one may come, if it is quiet, and must come, if it never is."""
WHOLE = timedelta(days=1)
"""How long after the last one that looked through everything the next one does."""


class Collector:
    """Keeps the search through all objects out of bursts of events and from between a key and what it does.

    With a full store and all built-in rules it takes 50 to 150 ms, and Python begins it whenever enough has been made:
    in the middle of a burst. Nearly everything here is freed without it. Serves "burst", and
    "replay", of which it took up to a third. One of these belongs to the process.

    What a search has left lives on, as a rule: but for one a day, none looks through it again, so that each takes as
    long as what was made since the one before.
    """

    def __init__(self, now: datetime) -> None:
        self._stirred_at = self._collected_at = self._whole_at = now
        self._looks = 0

    def start(self) -> None:
        """From now on; what is there already, the program itself, is not looked through again."""
        gc.freeze()
        gc.set_threshold(*YOUNG, NEVER)

    def look(self) -> None:
        """Something has been taken in: look through the young objects, of which there may be any number.

        Python counts how many more were made than freed, and a full store lets go of as much as it takes in: tens of
        thousands were looked through in one go. Serves "burst-screen".
        """
        self._looks += 1
        gc.collect(0 if self._looks % YOUNG[1] else 1)

    def stir(self, now: datetime) -> None:
        """Somebody has pressed a key, or something has arrived."""
        self._stirred_at = now

    def tick(self, now: datetime) -> bool:
        """Let time pass; returns whether a search has been made."""
        since = now - self._collected_at
        if since < EARLIEST or (now - self._stirred_at < QUIET and since < LATEST):
            return False
        if now - self._whole_at >= WHOLE:
            gc.unfreeze()
            self._whole_at = now
        gc.collect()
        gc.freeze()
        self._collected_at = now
        return True
