"""What is kept of the events of one secret: counted, or the newest of a kind."""

from __future__ import annotations

from datetime import datetime

import msgspec

from smwatch.dossier.again import Again
from smwatch.dossier.bounded import Counted, kept, latest, newest, united
from smwatch.dossier.changes import Change, LabelMove, changes, label_moves, policy_change, summary, turn
from smwatch.dossier.dealings import READS, moment_of
from smwatch.dossier.hours import BATCHES, FAILED, SINGLES, Hours
from smwatch.dossier.kms import KmsUse, kms_use
from smwatch.dossier.lifecycle import Turn
from smwatch.dossier.outcome import Outcome, failure
from smwatch.dossier.policy import PolicyChange
from smwatch.dossier.record import TEXT
from smwatch.dossier.rotation import ENDINGS, Step
from smwatch.dossier.users import Users
from smwatch.events.event import Arrival, Event
from smwatch.events.links import BATCH, READ
from smwatch.events.naming import KMS
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret
from smwatch.record import Record

HOURS, CODES, VERSIONS = 24 * 14, 64, 16
TURNS, STEPS, MOVES, POLICIES, CHANGES, WRITES, FAILURES = 32, 64, 48, 8, 64, 64, 32
"""How much a dossier remembers of each kind; what is counted is counted beyond that too."""
ALIVE = frozenset({READ, "PutSecretValue", "UpdateSecret", "RotateSecret", "UpdateSecretVersionStage"})
"""Calls that succeed only for a secret that is not marked for deletion."""


class Entry(msgspec.Struct, frozen=True):
    """One line of the timeline."""

    key: int
    """The event to jump to."""
    name: str
    by: Principal
    what: str
    """What it was about, in words; from the record, so it can hold anything."""
    outcome: Outcome = Outcome.OK

    @property
    def at(self) -> datetime:
        """When it happened."""
        return moment_of(self.key)


class Noted:
    """The events of one secret: the same whatever order they come in, each noted once.

    Bounded: see `Users`, the last HOURS hours, and the newest of each kind of change.
    """

    __slots__ = (
        "_alive",
        "_arn",
        "_arn_key",
        "_changes",
        "_codes",
        "_failures",
        "_hours",
        "_kms",
        "_moves",
        "_policies",
        "_refused",
        "_steps",
        "_turns",
        "_users",
        "_versions",
        "_writes",
        "events",
        "first_key",
        "last_key",
        "secret",
    )

    def __init__(self, secret: Secret) -> None:
        self.secret = secret
        self.events = 0
        """How many were noted."""
        self.first_key = self.last_key = 0
        self._arn, self._arn_key = "", 0
        self._alive = self._refused = 0
        self._users = Users()
        self._hours = Hours(HOURS)
        self._kms = 0, ""
        """The key of KMS that was used last, after that of the event."""
        self._versions: dict[str, int] = {}
        # Of what most secrets have none of, as little as can be: serves "memory-varied".
        self._codes: Counted[str] | None = None
        self._turns: tuple[Turn, ...] = ()
        self._steps: tuple[Step, ...] = ()
        self._moves: tuple[LabelMove, ...] = ()
        self._policies: tuple[PolicyChange, ...] = ()
        self._changes: tuple[Change, ...] = ()
        self._writes: tuple[Entry, ...] = ()
        self._failures: tuple[Entry, ...] = ()

    def note(self, arrival: Arrival) -> None:
        """Take in an event that was not noted before."""
        event, call = arrival.event, arrival.event.call
        how = failure(arrival) if call.error_code or call.error_message else None
        self._count(event, how, 1, event.key, event.key)
        if how is not None:
            self._note_failure(event, how)
        elif call.name in READS:
            pass  # counted
        elif not call.read_only:
            self._note_write(event, arrival.record)
        elif call.source == KMS:
            self._note_kms(kms_use(arrival), event.key)

    def note_again(self, known: Again) -> None:
        """Take in events that are alike, and were not noted before."""
        self._count(known.event, None, known.times, known.first, known.last)
        if known.kms is not None:
            self._note_kms(known.kms, known.last)

    def _count(self, event: Event, how: Outcome | None, times: int, first: int, last: int) -> None:
        """Count an event, or as many that succeeded and are alike, all of one hour."""
        call = event.call
        self.events += times
        if last > self.last_key:
            self.last_key = last
        if first < self.first_key or not self.first_key:
            self.first_key = first
        if call.secret_arn and last > self._arn_key:
            self._arn, self._arn_key = call.secret_arn, last
        self._users.note(event, how, times, first, last)
        if how is not None:
            return
        if call.name == READ:
            self._hours.count(SINGLES, last, times)
            if last > self._alive:
                self._alive = last
        elif call.name == BATCH:
            self._hours.count(BATCHES, last, times)

    def _note_failure(self, event: Event, how: Outcome) -> None:
        if event.name in ENDINGS:
            self._note_step(event)
        if how is Outcome.EXPECTED:
            return
        if event.name in READS:
            self._hours.count(FAILED, event.key)
        if how is Outcome.DELETED and event.key > self._refused:
            self._refused = event.key
        code = event.error_code[:TEXT] or event.name
        self._count_code(code, 1)
        said = event.error_message[:TEXT] or code
        self._failures = kept(self._failures, Entry(event.key, event.name, event.principal, said, how), FAILURES)

    def _count_code(self, code: str, times: int) -> None:
        if self._codes is None:
            self._codes = Counted(CODES)
        self._codes.count(code, times)

    def _note_step(self, event: Event) -> None:
        self._steps = kept(self._steps, Step(event.key, event.name, event.error_message[:TEXT]), STEPS)

    def _note_write(self, event: Event, record: Record) -> None:
        if event.name in ENDINGS:
            self._note_step(event)
        if event.name in ALIVE and event.key > self._alive:
            self._alive = event.key
        step = turn(event, record)
        if step is not None:
            self._turns = kept(self._turns, step, TURNS)
        for move in label_moves(event, record):
            self._moves = kept(self._moves, move, MOVES)
        policy = policy_change(event, record)
        if policy is not None:
            self._policies = kept(self._policies, policy, POLICIES)
        for change in changes(event, record):
            self._changes = kept(self._changes, change, CHANGES)
        self._writes = kept(self._writes, Entry(event.key, event.name, event.principal, summary(event, record)), WRITES)

    def _note_kms(self, use: KmsUse, key: int) -> None:
        if use.version:
            latest(self._versions, use.version, key, VERSIONS)
        for arn in use.keys:
            self._kms = max(self._kms, (key, arn))

    def _decrypted(self) -> list[tuple[str, int]]:
        """The versions that KMS decrypted lately and the keys of when last, the newest first."""
        return newest(self._versions, VERSIONS)

    def _absorb(self, other: Noted) -> None:
        self.events += other.events
        self.first_key = min(self.first_key or other.first_key, other.first_key or self.first_key)
        self.last_key = max(self.last_key, other.last_key)
        self._arn_key, self._arn = max((self._arn_key, self._arn), (other._arn_key, other._arn))
        self._alive, self._refused = max(self._alive, other._alive), max(self._refused, other._refused)
        self._users.absorb(other._users)
        self._hours.absorb(other._hours)
        for code, times in (other._codes or {}).items():
            self._count_code(code, times)
        self._kms = max(self._kms, other._kms)
        for version, key in other._versions.items():
            latest(self._versions, version, key, VERSIONS)
        self._turns = united(self._turns, other._turns, TURNS)
        self._steps = united(self._steps, other._steps, STEPS)
        self._moves = united(self._moves, other._moves, MOVES)
        self._policies = united(self._policies, other._policies, POLICIES)
        self._changes = united(self._changes, other._changes, CHANGES)
        self._writes = united(self._writes, other._writes, WRITES)
        self._failures = united(self._failures, other._failures, FAILURES)
