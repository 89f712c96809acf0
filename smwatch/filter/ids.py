"""Event IDs that hold some digits: most of an event's ID is in its key, and to make its text is slow."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import repeat
from operator import attrgetter

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event

KEY, ODD = attrgetter("key"), attrgetter("odd_id")
KEY_BYTES = 8 + (ID_BITS + ACCOUNT_BITS) // 8
DIGITS = "0123456789abcdef"


def places_that_may_hold(digits: str, events: Sequence[Event]) -> list[int]:
    """The places, in order, of those events whose IDs may hold hexadecimal digits, which dashes may part.

    They are few among thousands if there are some digits. Odd IDs, which are not in the keys, always may.
    """
    places = {place for place, odd in enumerate(map(ODD, events)) if odd}
    # One text of all: to make one for each takes twice as long.
    written = b"".join(map(int.to_bytes, map(KEY, events), repeat(KEY_BYTES))).hex()
    at = written.find(digits)
    while at >= 0:
        places.add(at // (2 * KEY_BYTES))
        at = written.find(digits, at + 1)
    return sorted(places)
