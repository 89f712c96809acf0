"""Everything that events tell about one secret, in the order an incident asks for it."""

from __future__ import annotations

from datetime import datetime

import msgspec

from smwatch.dossier.again import Again
from smwatch.dossier.bounded import Counted, keep, latest, newest, united
from smwatch.dossier.changes import (
    Change,
    LabelMove,
    Topic,
    changes,
    label_moves,
    labels_after,
    policy_change,
    summary,
    turn,
)
from smwatch.dossier.dealings import DECRYPT, READS, moment_of
from smwatch.dossier.hours import BATCHES, FAILED, SINGLES, Hour, Hours
from smwatch.dossier.lifecycle import Lifecycle, Turn, lifecycle
from smwatch.dossier.outcome import Outcome, failure
from smwatch.dossier.policy import PolicyChange
from smwatch.dossier.record import LIST, TEXT
from smwatch.dossier.rotation import ENDINGS, Rotation, Step, rotations
from smwatch.dossier.users import Consumer, Disclosure, User, Users
from smwatch.events.event import Arrival, Event
from smwatch.events.header import Header, header_of
from smwatch.events.links import BATCH, READ
from smwatch.events.principal import Principal
from smwatch.events.secret import Secret
from smwatch.record import Record

__all__ = ["Consumer", "Disclosure", "Entry", "Hour", "SecretDossier", "User"]

HOURS, CODES, VERSIONS = 24 * 14, 64, 16
TURNS, STEPS, MOVES, POLICIES, CHANGES, WRITES, FAILURES = 32, 64, 48, 8, 64, 64, 32
"""How much a dossier remembers of each kind; what is counted is counted beyond that too."""
ALIVE = frozenset({READ, "PutSecretValue", "UpdateSecret", "RotateSecret", "UpdateSecretVersionStage"})
"""Calls that succeed only for a secret that is not marked for deletion."""
KMS = "kms.amazonaws.com"


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


class SecretDossier:
    """What events tell about one secret: the same whatever order they come in, each noted once.

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
        self._codes: Counted[str] = Counted(CODES)
        self._kms: dict[str, int] = {}
        self._versions: dict[str, int] = {}
        self._turns: list[Turn] = []
        self._steps: list[Step] = []
        self._moves: list[LabelMove] = []
        self._policies: list[PolicyChange] = []
        self._changes: list[Change] = []
        self._writes: list[Entry] = []
        self._failures: list[Entry] = []

    # -- events in

    def note(self, arrival: Arrival) -> None:
        """Take in an event that was not noted before."""
        event = arrival.event
        how = failure(arrival) if event.error_code or event.error_message else None
        self._count(event, how, 1, event.key, event.key)
        if how is not None:
            self._note_failure(event, how)
        elif event.name in READS:
            pass  # counted
        elif not event.read_only:
            self._note_write(event, arrival.record)
        elif event.source == KMS:
            self._note_kms(event, arrival.header or header_of(arrival.record), event.key)

    def note_again(self, known: Again) -> None:
        """Take in events that are alike, and were not noted before."""
        event = known.event
        self._count(event, None, known.times, known.first, known.last)
        if event.source == KMS and known.header is not None:
            self._note_kms(event, known.header, known.last)

    def _count(self, event: Event, how: Outcome | None, times: int, first: int, last: int) -> None:
        """Count an event, or as many that succeeded and are alike, all of one hour."""
        self.events += times
        if last > self.last_key:
            self.last_key = last
        if first < self.first_key or not self.first_key:
            self.first_key = first
        if event.secret_arn and last > self._arn_key:
            self._arn, self._arn_key = event.secret_arn, last
        self._users.note(event, how, times, first, last)
        if how is not None:
            return
        if event.name == READ:
            self._hours.of(last)[SINGLES] += times
            if last > self._alive:
                self._alive = last
        elif event.name == BATCH:
            self._hours.of(last)[BATCHES] += times

    def merged(self, other: SecretDossier) -> SecretDossier:
        """This dossier with what `other` knows of the same secret, which was noted under another identity."""
        both = SecretDossier(self.secret)
        both._absorb(self)
        both._absorb(other)
        return both

    def renamed(self, secret: Secret) -> SecretDossier:
        """The same dossier for a secret that has turned out to be called otherwise."""
        return SecretDossier(secret).merged(self)

    @property
    def managed_by(self) -> str:
        """The id of the AWS service that manages the secret, as in rds!…; "" where the name tells of none."""
        service, mark, _ = self.secret.name.partition("!")
        return service if mark and service.replace("-", "").isalnum() else ""

    @property
    def outlasting(self) -> tuple[str, ...]:
        """What was done to the secret and stays done whatever becomes of whoever did it, in words."""
        last = self._policies[-1] if self._policies else None
        there = {
            "a resource policy": last is not None and bool(last.text),
            "a replica": bool(self.replicas),
            "a moved label": any(move.name == "UpdateSecretVersionStage" for move in self._moves),
        }
        return tuple(what for what, done in there.items() if done)

    # -- 1: disclosed?

    def disclosure(self) -> Disclosure:
        """Whether the value has been given out, to how many and to whom last."""
        return self._users.disclosure()

    def users(self, now: datetime) -> tuple[User, ...]:
        """Everyone who called, those with most reads, successful or not, first."""
        return self._users.ranked(now)

    def readers(self, now: datetime) -> tuple[User, ...]:
        """The users who got the value or tried to."""
        return tuple(user for user in self.users(now) if user.reads or user.denied or user.deleted or user.failed)

    @property
    def others(self) -> int:
        """Events of principals beyond the USERS that are kept."""
        return self._users.others

    def hours(self, now: datetime, count: int = 24) -> tuple[Hour, ...]:
        """Reads in each of the last `count` hours, oldest first, the running one last."""
        return self._hours.shown(now, count)

    # -- 2: still reachable?

    def lifecycle(self, now: datetime) -> Lifecycle:
        """The state at `now`: active, in its recovery window, deleted or unknown."""
        return lifecycle(self._turns, self._alive, self._refused, now)

    @property
    def arn(self) -> str:
        """The ARN as the newest record that has one tells it."""
        return self._arn

    @property
    def policies(self) -> tuple[PolicyChange, ...]:
        """Changes of the resource policy, newest first."""
        return tuple(reversed(self._policies))

    @property
    def replicas(self) -> tuple[str, ...]:
        """The regions with a replica, as far as changes tell."""
        regions: dict[str, None] = {}
        for change in self._changes:
            if change.topic is Topic.REPLICAS:
                regions |= dict.fromkeys(change.added)
                for region in change.removed:
                    regions.pop(region, None)
        return tuple(regions)

    @property
    def labels(self) -> dict[str, str]:
        """The version that each staging label is on, as far as moves tell."""
        return labels_after(self._moves)

    @property
    def moves(self) -> tuple[LabelMove, ...]:
        """Moves of staging labels, newest first."""
        return tuple(reversed(self._moves))

    @property
    def decrypted_versions(self) -> dict[str, datetime]:
        """The versions that KMS decrypted lately and when last, the newest first."""
        return {version: moment_of(key) for version, key in newest(self._versions, VERSIONS)}

    @property
    def kms_key(self) -> str:
        """The KMS key that was set or used last; "" where nothing tells."""
        told = [(change.key, change.what) for change in self._changes if change.topic is Topic.KEY]
        return max([*told, *((key, name) for name, key in newest(self._kms, 1))], default=(0, ""))[1]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Changes of replicas, KMS key, rotation setting, description and tags, newest first."""
        return tuple(reversed(self._changes))

    @property
    def rotations(self) -> tuple[Rotation, ...]:
        """Rotations, newest first."""
        return rotations(self._steps)

    # -- 3: who breaks?

    def consumers(self, now: datetime) -> tuple[Consumer, ...]:
        """Those that got the value within the last 7 days or would have if it were not for a deletion, latest first."""
        return self._users.consumers(now)

    # -- 4: who did it?

    def doers(self, now: datetime) -> tuple[User, ...]:
        """Those that changed something, the latest first."""
        return self._users.doers(now)

    @property
    def errors(self) -> tuple[tuple[str, int], ...]:
        """How many calls failed with which code, most first."""
        return tuple(sorted(self._codes.items(), key=lambda kv: (-kv[1], kv[0])))

    def timeline(self, count: int = 100) -> tuple[Entry, ...]:
        """The newest `count` of what happened, newest first: changes, failures, and each principal's first read."""
        entries = {entry.key: entry for entry in (*self._failures, *self._writes)}
        for key, by in self._users.first_reads():
            entries.setdefault(key, Entry(key, READ, by, "first read"))
        for step in self._turns:
            entries.setdefault(step.key, Entry(step.key, step.name, step.by, ""))
        for policy in self._policies:
            entries.setdefault(policy.key, Entry(policy.key, policy.name, policy.by, ", ".join(policy.words)))
        return tuple(entries[key] for key in sorted(entries, reverse=True)[:count])

    # -- how

    def _note_failure(self, event: Event, how: Outcome) -> None:
        if event.name in ENDINGS:
            self._note_step(event)
        if how is Outcome.EXPECTED:
            return
        if event.name in READS:
            self._hours.of(event.key)[FAILED] += 1
        if how is Outcome.DELETED and event.key > self._refused:
            self._refused = event.key
        code = event.error_code[:TEXT] or event.name
        self._codes.count(code)
        said = event.error_message[:TEXT] or code
        keep(self._failures, Entry(event.key, event.name, event.principal, said, how), FAILURES)

    def _note_step(self, event: Event) -> None:
        keep(self._steps, Step(event.key, event.name, event.error_message[:TEXT]), STEPS)

    def _note_write(self, event: Event, record: Record) -> None:
        if event.name in ENDINGS:
            self._note_step(event)
        if event.name in ALIVE and event.key > self._alive:
            self._alive = event.key
        step = turn(event, record)
        if step is not None:
            keep(self._turns, step, TURNS)
        for move in label_moves(event, record):
            keep(self._moves, move, MOVES)
        policy = policy_change(event, record)
        if policy is not None:
            keep(self._policies, policy, POLICIES)
        for change in changes(event, record):
            keep(self._changes, change, CHANGES)
        keep(self._writes, Entry(event.key, event.name, event.principal, summary(event, record)), WRITES)

    def _note_kms(self, event: Event, header: Header, key: int) -> None:
        context = header.parameters.context if header.parameters is not None else None
        if context is not None and context.version_id and event.name == DECRYPT:
            latest(self._versions, context.version_id[:TEXT], key, VERSIONS)
        for resource in (header.resources or ())[:LIST]:
            if resource.arn and ":kms:" in resource.arn:
                latest(self._kms, resource.arn[:TEXT], key, 1)

    def _absorb(self, other: SecretDossier) -> None:
        self.events += other.events
        self.first_key = min(self.first_key or other.first_key, other.first_key or self.first_key)
        self.last_key = max(self.last_key, other.last_key)
        self._arn_key, self._arn = max((self._arn_key, self._arn), (other._arn_key, other._arn))
        self._alive, self._refused = max(self._alive, other._alive), max(self._refused, other._refused)
        self._users.absorb(other._users)
        self._hours.absorb(other._hours)
        for code, times in other._codes.items():
            self._codes.count(code, times)
        for known, theirs_known, bound in ((self._kms, other._kms, 1), (self._versions, other._versions, VERSIONS)):
            for name, key in theirs_known.items():
                latest(known, name, key, bound)
        self._turns = united(self._turns, other._turns, TURNS)
        self._steps = united(self._steps, other._steps, STEPS)
        self._moves = united(self._moves, other._moves, MOVES)
        self._policies = united(self._policies, other._policies, POLICIES)
        self._changes = united(self._changes, other._changes, CHANGES)
        self._writes = united(self._writes, other._writes, WRITES)
        self._failures = united(self._failures, other._failures, FAILURES)
