"""Everything that events tell about one secret, in the order an incident asks for it."""

from __future__ import annotations

from datetime import datetime

from smwatch.dossier.changes import Change, LabelMove, Topic, labels_after
from smwatch.dossier.dealings import moment_of
from smwatch.dossier.hours import Hour
from smwatch.dossier.lifecycle import Lifecycle, lifecycle
from smwatch.dossier.noted import Entry, Noted
from smwatch.dossier.policy import PolicyChange
from smwatch.dossier.rotation import Rotation, rotations
from smwatch.dossier.users import Consumer, Disclosure, User
from smwatch.events.links import READ
from smwatch.events.secret import Secret

__all__ = ["Consumer", "Disclosure", "Entry", "Hour", "SecretDossier", "User"]


class SecretDossier(Noted):
    """What events tell about one secret: the same whatever order they come in, each noted once."""

    __slots__ = ()

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

    def readers(self, now: datetime, most: int | None = None) -> tuple[User, ...]:
        """The users who got the value or tried to; with `most`, the first so many of them, as in the next."""
        return self._users.readers(now, most)

    @property
    def number_of_readers(self) -> int:
        """How many there are."""
        return self._users.number_of_readers

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
        return {version: moment_of(key) for version, key in self._decrypted()}

    @property
    def kms_key(self) -> str:
        """The KMS key that was set or used last; "" where nothing tells."""
        told = [(change.key, change.what) for change in self._changes if change.topic is Topic.KEY]
        return max([*told, self._kms])[1]

    @property
    def changes(self) -> tuple[Change, ...]:
        """Changes of replicas, KMS key, rotation setting, description and tags, newest first."""
        return tuple(reversed(self._changes))

    @property
    def rotations(self) -> tuple[Rotation, ...]:
        """Rotations, newest first."""
        return rotations(self._steps)

    # -- 3: who breaks?

    def consumers(self, now: datetime, most: int | None = None) -> tuple[Consumer, ...]:
        """Those that got the value within the last 7 days or would have if it were not for a deletion, latest first."""
        return self._users.consumers(now, most)

    def number_of_consumers(self, now: datetime) -> int:
        """How many there are."""
        return self._users.number_of_consumers(now)

    # -- 4: who did it?

    def doers(self, now: datetime, most: int | None = None) -> tuple[User, ...]:
        """Those that changed something, the latest first."""
        return self._users.doers(now, most)

    @property
    def number_of_doers(self) -> int:
        """How many there are."""
        return self._users.number_of_doers

    @property
    def errors(self) -> tuple[tuple[str, int], ...]:
        """How many calls failed with which code, most first."""
        return tuple(sorted((self._codes or {}).items(), key=lambda kv: (-kv[1], kv[0])))

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
