"""What people decide about alarms, shared by the processes that watch with one journal."""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from typing import NamedTuple, TypeAlias
from uuid import uuid4

import msgspec

from smwatch.journal import Journal, JournalError
from smwatch.rules.alarm import Alarm, Decided, Decision, Mute

MUTES = "mutes"
"""Under which name the journal keeps what is muted."""
DECIDED, _TAKEN = "decided ", "decision taken"
"""Before an alarm's group: what was decided of it. And what is another text after each decision."""
_Scope: TypeAlias = tuple[object, ...]


class _Both(NamedTuple):
    """What was decided of one alarm last."""

    acknowledged: Decision | None
    closed: Decision | None


class Decisions:
    """Knows which decisions the journal has, tells what to keep of those taken here, and brings those taken elsewhere.

    Each process judges by itself, and what it keeps of an alarm takes the place of what another one kept: so decisions
    are kept apart from alarms, each by the process in which it was taken. For one thread at a time.
    """

    def __init__(self, journal: Journal, alarms: Iterable[Alarm], mutes: Iterable[Mute] = ()) -> None:
        """`alarms` and `mutes` as the journal has them."""
        self._journal = journal
        self._known: dict[str, _Both] = {alarm.group: _both(alarm) for alarm in alarms if any(_both(alarm))}
        self._mutes: dict[_Scope, Mute] = {_scope(mute): mute for mute in mutes}
        self._taken: bytes | None = None

    def to_keep(self, alarms: Iterable[Alarm], mutes: Iterable[Mute]) -> dict[str, bytes]:
        """The facts to keep of what was decided here since the last time, if anything was."""
        facts: dict[str, bytes] = {}
        for alarm in alarms:
            both = _both(alarm)
            if any(both) and both != self._known.get(alarm.group):
                self._known[alarm.group] = both
                facts[DECIDED + alarm.group] = msgspec.json.encode(both)
        if changed := {_scope(mute): mute for mute in mutes if mute != self._mutes.get(_scope(mute))}:
            self._mutes |= changed
            facts[MUTES] = msgspec.json.encode(list((self._kept_mutes() | changed).values()))
        if facts:
            facts[_TAKEN] = uuid4().hex.encode()
        return facts

    def news(self) -> Decided | None:
        """What was decided elsewhere since the last time; JournalError if the journal can't be read."""
        taken = self._journal.fact(_TAKEN)
        if taken is None or taken == self._taken:
            return None
        self._taken = taken
        kept = self._journal.facts_as(DECIDED, _Both)
        mutes = self._kept_mutes()
        decided = tuple((group, *both) for group, both in kept.items() if both != self._known.get(group))
        muted = tuple(mute for scope, mute in mutes.items() if mute != self._mutes.get(scope))
        self._known |= kept
        self._mutes |= mutes
        return Decided(decided, muted) if decided or muted else None

    def _kept_mutes(self) -> dict[_Scope, Mute]:
        with suppress(JournalError):
            return {_scope(mute): mute for mute in self._journal.fact_as(MUTES, list[Mute]) or ()}
        return {}


def _both(alarm: Alarm) -> _Both:
    return _Both(alarm.acknowledged, alarm.closed)


def _scope(mute: Mute) -> _Scope:
    return mute.rule, mute.secret, mute.identity
