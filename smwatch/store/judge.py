"""What the store needs of the rules' engine."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from smwatch.events.event import Arrival
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, Decided, Mute


class Judge(Protocol):
    """Judges events by rules, and holds the alarms that these have raised."""

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """All alarms by group."""
        ...

    @property
    def mutes(self) -> Sequence[Mute]:
        """What is muted, also what no longer is."""
        ...

    def judge(self, arrivals: Sequence[Arrival], *, more: bool = False) -> Sequence[Alarm]:
        """Evaluate new events; returns the alarms that changed: none yet, if `more` events follow."""
        ...

    def tick(self, now: datetime) -> Sequence[Alarm]:
        """Let time pass; returns the alarms that changed."""
        ...

    @property
    def unsettled(self) -> bool:
        """Whether there are alarms still to be worked out."""
        ...

    def settle(self) -> Sequence[Alarm]:
        """Work out some more alarms; returns those that changed."""
        ...

    def fold(self, renames: Iterable[tuple[Secret, Secret]]) -> Sequence[Alarm]:
        """Take note that what looked like two secrets is one; returns the alarms that changed."""
        ...

    def acknowledge(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Sequence[Alarm]:
        """Someone has seen an alarm."""
        ...

    def close(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Sequence[Alarm]:
        """Someone ends an alarm."""
        ...

    def mute(self, mute: Mute) -> Sequence[Alarm]:
        """Someone wants no noise about a rule, a secret or a principal for a while."""
        ...

    def adopt(self, decided: Decided, *, more: bool = False) -> Sequence[Alarm]:
        """People have decided something elsewhere; returns the alarms that changed, `more` as for events."""
        ...

    def feed(self, source: str, newest_at: datetime | None, now: datetime, *, more: bool = False) -> Sequence[Alarm]:
        """A source was read whole at `now`; its newest event is from `newest_at`."""
        ...

    def watched(
        self, place: tuple[str, str], spans: Iterable[tuple[int, int]], *, more: bool = False
    ) -> Sequence[Alarm]:
        """Of an account and Region ("" for any), all events of these spans of seconds have been judged."""
        ...
