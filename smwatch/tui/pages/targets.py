"""Where a line can lead."""

from __future__ import annotations

import msgspec

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Mute


class ToEvent(msgspec.Struct, frozen=True):
    """An event, by its key."""

    key: int


class ToSecret(msgspec.Struct, frozen=True):
    """The dossier of a secret."""

    secret: Secret


class ToPrincipal(msgspec.Struct, frozen=True):
    """The dossier of a principal, by its stable identity."""

    identity: str


class ToAccessKey(msgspec.Struct, frozen=True):
    """What was done with one access key."""

    access_key: str


class ToAlarm(msgspec.Struct, frozen=True):
    """An alarm, by its group."""

    group: str


class ToMute(msgspec.Struct, frozen=True):
    """What is muted."""

    mute: Mute

    def __eq__(self, other: object) -> bool:
        """It is the same mute, however long it lasts."""
        return isinstance(other, ToMute) and self._scope == other._scope

    def __hash__(self) -> int:
        return hash(self._scope)

    @property
    def _scope(self) -> tuple[object, ...]:
        return self.mute.rule, self.mute.secret, self.mute.identity


class ToValue(msgspec.Struct, frozen=True):
    """Only the events with this value of a field of the filter language."""

    field: str
    value: str


class ToFold(msgspec.Struct, frozen=True):
    """A part of a JSON document to fold or unfold, by its path."""

    path: tuple[str | int, ...]
