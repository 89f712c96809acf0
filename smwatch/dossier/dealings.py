"""What one principal did to one secret."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from smwatch.dossier.bounded import latest
from smwatch.dossier.outcome import Outcome, outcome
from smwatch.dossier.record import TEXT
from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival, Event

TRACES = 32
"""Distinct combinations of access key, session, source IP and user agent kept: those seen last."""
SECONDS = ID_BITS + ACCOUNT_BITS
READ, BATCH, DECRYPT = "GetSecretValue", "BatchGetSecretValue", "Decrypt"
READS = (READ, BATCH)


def moment_of(key: int) -> datetime:
    """The eventTime in an event's key."""
    return datetime.fromtimestamp(key >> SECONDS, UTC)


class Trace(msgspec.Struct, frozen=True):
    """From where and with what a principal came."""

    access_key: str
    session: str
    source_ip: str
    user_agent: str
    last_key: int

    @property
    def last_at(self) -> datetime:
        """When it was seen last."""
        return moment_of(self.last_key)


class Failure(msgspec.Struct, frozen=True):
    """A call that did not succeed."""

    key: int
    name: str
    outcome: Outcome
    code: str
    message: str

    @property
    def at(self) -> datetime:
        """When it failed."""
        return moment_of(self.key)


class Dealings:
    """Counts of what one principal did to one secret; first and last events are kept by key."""

    __slots__ = (
        "_batched",
        "_children",
        "_reads",
        "calls",
        "decrypts",
        "denied",
        "failures",
        "first",
        "first_read",
        "last",
        "last_failure",
        "last_read",
        "last_write",
        "traces",
        "writes",
    )

    def __init__(self) -> None:
        self.calls = 0
        """Everything, reads included."""
        self._reads = 0
        self._batched = 0
        self._children = 0
        self.decrypts = 0
        """Values decrypted by KMS for the principal: the second witness of a read."""
        self.writes = 0
        """Calls that changed something."""
        self.denied = 0
        """Refused calls of all kinds."""
        self.failures: dict[Outcome, int] = {}
        """Reads that did not succeed, by how they ended."""
        self.first = self.first_read = 0
        self.last = self.last_read = self.last_write = 0
        """Keys of the first and last event, successful read and successful change; 0 for none."""
        self.last_failure: Failure | None = None
        self.traces: dict[tuple[str, str, str, str], int] = {}

    @property
    def reads(self) -> int:
        """Successful reads; a batch and the reads that it causes are one, whether or not the trail holds both."""
        return self._reads + max(0, self._batched - self._children)

    @property
    def tried(self) -> int:
        """Reads, successful or not."""
        return self.reads + sum(self.failures.values())

    def note(self, arrival: Arrival, child: bool = False) -> None:
        """Count an event; `child` says that a BatchGetSecretValue caused it."""
        event = arrival.event
        key, name = event.key, event.name
        self.calls += 1
        if key > self.last:
            self.last = key
        if key < self.first or not self.first:
            self.first = key
        if child:
            self._children += 1
        if event.error_code or event.error_message:
            self._failed(event, outcome(event, arrival.record))
        elif name in READS:
            if name == READ:
                self._reads += 1
            else:
                self._batched += 1
            if key > self.last_read:
                self.last_read = key
            if key < self.first_read or not self.first_read:
                self.first_read = key
        elif not event.read_only:
            self.writes += 1
            if key > self.last_write:
                self.last_write = key
        elif name == DECRYPT:
            self.decrypts += 1
            return  # sourceIPAddress and userAgent are the service's own
        trace = (event.access_key, event.principal.session, event.source_ip, event.user_agent)
        latest(self.traces, trace, key, TRACES)

    def _failed(self, event: Event, how: Outcome) -> None:
        if how is Outcome.DENIED:
            self.denied += 1
        if event.name in READS:
            self.failures[how] = self.failures.get(how, 0) + 1
        if how is not Outcome.EXPECTED and (self.last_failure is None or event.key > self.last_failure.key):
            self.last_failure = Failure(event.key, event.name, how, event.error_code, event.error_message[:TEXT])

    def absorb(self, other: Dealings) -> None:
        """Count what `other` has counted too."""
        self.calls += other.calls
        self._reads += other._reads
        self._batched += other._batched
        self._children += other._children
        self.decrypts += other.decrypts
        self.writes += other.writes
        self.denied += other.denied
        for how, count in other.failures.items():
            self.failures[how] = self.failures.get(how, 0) + count
        self.first = min(self.first or other.first, other.first or self.first)
        self.first_read = min(self.first_read or other.first_read, other.first_read or self.first_read)
        self.last = max(self.last, other.last)
        self.last_read = max(self.last_read, other.last_read)
        self.last_write = max(self.last_write, other.last_write)
        mine, theirs = self.last_failure, other.last_failure
        if theirs is not None and (mine is None or theirs.key > mine.key):
            self.last_failure = theirs
        for trace, key in other.traces.items():
            latest(self.traces, trace, key, TRACES)

    def shown_traces(self) -> tuple[Trace, ...]:
        """Where the principal came from, the last seen first."""
        return tuple(Trace(*trace, last_key=key) for trace, key in sorted(self.traces.items(), key=lambda kv: -kv[1]))
