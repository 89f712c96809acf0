"""Whether a secret can still be read: what its events prove, and until when it can be restored."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from enum import StrEnum

import msgspec

from smwatch.dossier.dealings import SECONDS, moment_of
from smwatch.events.principal import Principal

WINDOW = 30
"""Days of a recovery window that DeleteSecret does not state (API default)."""
GRACE = 60
"""Seconds for which a change may not be seen everywhere: what contradicts it sooner proves nothing."""
FAR = datetime(9999, 12, 31, tzinfo=UTC)


class State(StrEnum):
    """What is known of a secret; the value is the word shown."""

    UNKNOWN = "unknown"
    ACTIVE = "active"
    PENDING = "pending deletion"
    DELETED = "deleted"


class Turn(msgspec.Struct, frozen=True):
    """A successful event that changes whether the secret can be read."""

    key: int
    state: State
    name: str
    by: Principal
    access_key: str = ""
    deletion_at: datetime | None = None
    """The end of the recovery window, where the record states it."""
    window_days: int = WINDOW
    forced: bool = False
    whole: bool = True
    """EndSecretVersionDelete: whether it says that the secret goes, and not just an old version of it."""


class Lifecycle(msgspec.Struct, frozen=True):
    """The state of a secret at a moment, and the event that says so."""

    state: State
    key: int = 0
    """The event that shows it; 0 for none."""
    by: Principal | None = None
    """Who deleted, restored or created it, where the event is known."""
    access_key: str = ""
    deletion_at: datetime | None = None
    """Pending: when the recovery window ends; deleted: when it ended. None where nothing tells."""
    window_days: int | None = None
    forced: bool = False
    """Deleted without a recovery window: nothing brings it back."""
    inferred: bool = False
    """Known from how other calls ended: the event that changed it has not been seen."""

    @property
    def since(self) -> datetime | None:
        """When the event happened."""
        return moment_of(self.key) if self.key else None

    def remaining(self, now: datetime) -> timedelta | None:
        """How long the secret can still be restored; None where that is not a question or not known."""
        if self.state is not State.PENDING or self.deletion_at is None:
            return None
        return max(self.deletion_at - now, timedelta())


def lifecycle(turns: Iterable[Turn], alive: int, refused: int, now: datetime) -> Lifecycle:
    """The state at `now`, from the events that change it, ascending.

    `alive` is the key of the last call whose success shows that the secret is not deleted, `refused` of the last one
    refused because it is marked for deletion; 0 for none. They count where they are newer than the last change.
    """
    found = Lifecycle(State.UNKNOWN)
    for turn in turns:
        found = _turned(found, turn)
    changed = found.key >> SECONDS
    grace = GRACE if found.key else 0
    proof = max(alive, refused)
    if proof and proof >> SECONDS >= changed + grace and proof > found.key:
        if proof == alive and found.state is not State.ACTIVE:
            found = Lifecycle(State.ACTIVE, key=alive, inferred=True)
        elif proof == refused and found.state in (State.UNKNOWN, State.ACTIVE):
            found = Lifecycle(State.PENDING, key=refused, inferred=True)
    if found.state is State.PENDING and found.deletion_at is not None and found.deletion_at <= now:
        return msgspec.structs.replace(found, state=State.DELETED)
    return found


def _turned(before: Lifecycle, turn: Turn) -> Lifecycle:
    if turn.name == "EndSecretVersionDelete":
        # There is one for each version, and after DeleteSecret: that one says who did it.
        if before.state is State.DELETED or (before.state is State.ACTIVE and not turn.whole):
            return before
        if before.state is State.PENDING:
            return msgspec.structs.replace(before, state=State.DELETED, deletion_at=moment_of(turn.key))
        return Lifecycle(State.DELETED, key=turn.key, deletion_at=moment_of(turn.key), forced=turn.forced)
    if turn.state is not State.PENDING:
        return Lifecycle(
            turn.state,
            key=turn.key,
            by=turn.by,
            access_key=turn.access_key,
            forced=turn.forced,
            deletion_at=moment_of(turn.key) if turn.forced else None,
        )
    return Lifecycle(
        State.PENDING,
        key=turn.key,
        by=turn.by,
        access_key=turn.access_key,
        deletion_at=turn.deletion_at or _after(moment_of(turn.key), turn.window_days),
        window_days=turn.window_days,
    )


def _after(at: datetime, days: int) -> datetime:
    try:
        return at + timedelta(days=days)
    except OverflowError:
        return FAR
