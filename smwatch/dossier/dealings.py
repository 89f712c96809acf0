"""What one principal did to one secret, counted."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, TypeVar

import msgspec

from smwatch.dossier.outcome import Outcome
from smwatch.dossier.record import TEXT
from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.events.links import BATCH, READ

SECONDS = ID_BITS + ACCOUNT_BITS
DECRYPT = "Decrypt"
READS = (READ, BATCH)


def moment_of(key: int) -> datetime:
    """The eventTime in an event's key."""
    return datetime.fromtimestamp(key >> SECONDS, UTC)


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


class Dealt(msgspec.Struct, frozen=True):
    """What came of what one principal did to one secret, as it is told: `Dealings` at some moment."""

    reads: int
    """Successful ones: the value is known to the principal."""
    denied: int
    """Refused calls of any kind."""
    deleted: int
    """Reads refused because the secret is marked for deletion or not there any more."""
    failed: int
    """Reads that failed for other reasons."""
    writes: int
    calls: int
    """Everything, reads included."""
    decrypts: int
    """Values decrypted by KMS on the principal's behalf: the second witness of a read."""
    first_key: int
    last_key: int
    last_failure: Failure | None

    @property
    def first_at(self) -> datetime:
        """When the principal first came to the secret."""
        return moment_of(self.first_key)

    @property
    def last_at(self) -> datetime:
        """When it was last seen there."""
        return moment_of(self.last_key)


DealtT = TypeVar("DealtT", bound=Dealt)
_REPORTS = frozenset(
    (
        *(f"{test}Rotation{what}" for test in ("", "Test") for what in ("Started", "Succeeded", "Failed", "Abandoned")),
        *(f"{what}SecretVersionDelete" for what in ("Start", "Cancel", "End")),
    )
)
"""Events by which Secrets Manager tells how it goes on with what somebody has asked for."""


def changes(event: Event) -> bool:
    """Whether somebody changed something, going by an event that succeeded."""
    call = event.call
    return not call.read_only and call.name not in _REPORTS


def reads_of(singles: int, failed: int, batches: int) -> int:
    """How many reads succeeded, a batch and the reads that it causes being one, whether or not the trail has both.

    AWS documents a GetSecretValue record for each secret of a BatchGetSecretValue; real trails have been seen without.
    Of as many single reads as there are batches each is therefore taken to be the doing of one.
    """
    return singles + max(0, batches - singles - failed)


class Refusals(msgspec.Struct, gc=False, eq=False):
    """Counts of what did not succeed."""

    denied: int = 0
    """Refused calls of all kinds."""
    failures: dict[Outcome, int] = msgspec.field(default_factory=dict)
    """Reads, by how they ended."""
    failed_singles: int = 0
    """Those that were GetSecretValue."""
    last_refused: int = 0
    """The key of the last read refused because of a deletion; 0 for none."""
    last_failure: Failure | None = None

    def note(self, event: Event, how: Outcome) -> None:
        """Count an event."""
        key = event.key
        if how is Outcome.DENIED:
            self.denied += 1
        if event.name in READS:
            self.failures[how] = self.failures.get(how, 0) + 1
            self.failed_singles += event.name == READ
            if how is Outcome.DELETED and key > self.last_refused:
                self.last_refused = key
        if how is not Outcome.EXPECTED and (self.last_failure is None or key > self.last_failure.key):
            self.last_failure = Failure(key, event.name, how, event.error_code, event.error_message[:TEXT])

    def absorb(self, other: Refusals) -> None:
        """Count what `other` has counted too."""
        self.denied += other.denied
        for how, count in other.failures.items():
            self.failures[how] = self.failures.get(how, 0) + count
        self.failed_singles += other.failed_singles
        self.last_refused = max(self.last_refused, other.last_refused)
        mine, theirs = self.last_failure, other.last_failure
        if theirs is not None and (mine is None or theirs.key > mine.key):
            self.last_failure = theirs


class Changes(msgspec.Struct, gc=False, eq=False):
    """Counts of what changed something."""

    count: int = 0
    last: int = 0
    """The key of the last one."""


class Dealings(msgspec.Struct, gc=False, eq=False):
    """Counts of what one principal did to one secret, and the keys of the first and last events.

    Made with the key of an event which is about to be noted, twice.
    """

    # There may be one for each secret of each principal: serves "memory-varied".

    first: int
    last: int
    calls: int = 0
    """Everything, reads included."""
    singles: int = 0
    """Successful GetSecretValue."""
    batches: int = 0
    """Successful BatchGetSecretValue."""
    decrypts: int = 0
    """Values decrypted by KMS for the principal: the second witness of a read."""
    first_read: int = 0
    """Keys of successful reads; 0 for none."""
    last_read: int = 0
    changed: Changes | None = None
    """What few come to: a part of its own takes less. So for what was refused."""
    refused: Refusals | None = None

    @property
    def writes(self) -> int:
        """Calls that changed something."""
        return self.changed.count if self.changed is not None else 0

    @property
    def last_write(self) -> int:
        """The key of the last of these; 0 for none."""
        return self.changed.last if self.changed is not None else 0

    @property
    def reads(self) -> int:
        """Successful reads."""
        refused = self.refused
        return reads_of(self.singles, refused.failed_singles if refused is not None else 0, self.batches)

    @property
    def tried(self) -> int:
        """Reads, successful or not."""
        return self.reads + (sum(self.refused.failures.values()) if self.refused is not None else 0)

    def failed(self, *how: Outcome) -> int:
        """How many reads ended in one of these ways."""
        if self.refused is None:
            return 0
        failures = self.refused.failures
        return sum(failures.get(one, 0) for one in how)

    def note(self, event: Event, how: Outcome | None, times: int, first: int, last: int) -> None:
        """Count an event, or as many that succeeded and are alike, with their first and last key.

        `how` it failed, None for success.
        """
        self.calls += times
        if last > self.last:
            self.last = last
        if first < self.first:
            self.first = first
        if how is not None:
            self.refused = self.refused or Refusals()
            self.refused.note(event, how)
        elif (name := event.call.name) in READS:
            if name == READ:
                self.singles += times
            else:
                self.batches += times
            if last > self.last_read:
                self.last_read = last
            if first < self.first_read or not self.first_read:
                self.first_read = first
        elif not event.call.read_only and changes(event):
            self._change(times, last)
        elif name == DECRYPT:
            self.decrypts += times

    def told(self, kind: type[DealtT], **more: Any) -> DealtT:
        """How it stands, as a kind of Dealt that has these fields besides."""
        refused = self.refused
        return kind(
            reads=self.reads,
            denied=refused.denied if refused is not None else 0,
            deleted=self.failed(Outcome.DELETED, Outcome.MISSING),
            failed=self.failed(Outcome.FAILED),
            writes=self.writes,
            calls=self.calls,
            decrypts=self.decrypts,
            first_key=self.first,
            last_key=self.last,
            last_failure=refused.last_failure if refused is not None else None,
            **more,
        )

    def absorb(self, other: Dealings) -> None:
        """Count what `other` has counted too."""
        self.calls += other.calls
        self.singles += other.singles
        self.batches += other.batches
        self.decrypts += other.decrypts
        if other.changed is not None:
            self._change(other.changed.count, other.changed.last)
        if other.refused is not None:
            self.refused = self.refused or Refusals()
            self.refused.absorb(other.refused)
        self.first = min(self.first, other.first)
        self.last = max(self.last, other.last)
        self.first_read = min(self.first_read or other.first_read, other.first_read or self.first_read)
        self.last_read = max(self.last_read, other.last_read)

    def _change(self, times: int, last: int) -> None:
        self.changed = self.changed or Changes()
        self.changed.count += times
        self.changed.last = max(self.changed.last, last)
