"""What the events in memory tell of one access key."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from smwatch.dossier import PrincipalDossier
from smwatch.events.event import Arrival, Event
from smwatch.record import Record

STEP = 20_000
"""Events that are looked at in one go, in some milliseconds."""
NOTED, ASKED_FOR = 20, 200
"""As many take as long to look at as one to note, and as one whose record is asked for."""


class KeyUse:
    """A dossier of what an access key was used for, made bit by bit: `step` until it says False, and then kept going.

    A key that half of all events came with takes 300 ms. Serves "longest stall of the event loop".
    """

    def __init__(self, access_key: str, events: Sequence[Event], record_of: Callable[[Event], Record | None]) -> None:
        """`events` are those in memory; what is missing is told apart by its record."""
        self.access_key = access_key
        self.looked_at = 0
        self.total = len(events)
        self.dossier: PrincipalDossier | None = None
        """None as long as no event came with the key."""
        self._events = list(events)
        self._record_of = record_of
        self._noted: set[int] = set()

    def step(self) -> bool:
        """Look at some more events, the newest first; whether there are more."""
        left, events, access_key = STEP, self._events, self.access_key
        while events and left > 0:
            event = events.pop()
            left -= 1
            if event.access_key == access_key:
                left -= self._note(event)
        self.looked_at = self.total - len(events)
        return bool(events)

    def note(self, events: Iterable[Event]) -> None:
        """Take in events that have come since, or perhaps just before."""
        for event in events:
            if event.access_key == self.access_key:
                self._note(event)

    def _note(self, event: Event) -> int:
        """Note an event, once; how long that takes in events looked at."""
        if event.key in self._noted:
            return 0
        self._noted.add(event.key)
        # Only of what is missing does the record tell how that is meant.
        missing = event.error_code == "ResourceNotFoundException"
        record = self._record_of(event) if missing else None
        if self.dossier is None:
            self.dossier = PrincipalDossier(event.principal)
        self.dossier.note(Arrival(event, "", record or {}))
        return ASKED_FOR if missing else NOTED
