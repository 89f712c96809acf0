"""The newest evidence of an alarm, and the commands that are filled with what it says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from smwatch.events.event import Event
from smwatch.events.renaming import names_any, renamed_event
from smwatch.events.secret import Secret
from smwatch.rules.command import event_values, filled, for_secrets


class Newest(NamedTuple):
    """The newest event that is evidence."""

    event: Event
    of_record: Mapping[str, str]
    """What its record alone gives to fill commands with."""

    def renamed(self, right: Mapping[Secret, Secret]) -> Newest:
        """The same with the right names of secrets; itself if it knows no wrong one."""
        return Newest(renamed_event(self.event, right), self.of_record) if names_any(self.event, right) else self

    def fills_as(self, other: Newest) -> bool:
        """Whether commands are filled with the same of both, as is seen at once: all of it is of call and caller."""
        mine, theirs = self.event, other.event
        return mine.call is theirs.call and mine.caller is theirs.caller and self.of_record == other.of_record


class Commands:
    """A rule's commands to run next, filled anew only where that makes a difference: mostly the next event makes none.

    Serves the rows "rules-trouble" and "burst-trouble" of the benchmarks.
    """

    __slots__ = ("_commands", "_each", "_filled", "_newest", "_secrets", "_values")

    def __init__(self, commands: tuple[str, ...]) -> None:
        self._commands = commands
        self._newest: Newest | None = None
        """The last evidence that they were filled for."""
        self._values: Mapping[str, str] | None = None
        """What they were filled with then."""
        self._secrets: Sequence[Secret] = ()
        self._each: list[dict[str, str]] = []
        """What these secrets fill: for the next event, perhaps in another Region, they mostly are the same."""
        self._filled: tuple[str, ...] = ()

    def of(self, newest: Newest, secrets: Sequence[Secret]) -> tuple[str, ...]:
        """The commands for this evidence, and for these secrets where there are many."""
        if self._newest is not None and newest.fills_as(self._newest) and secrets == self._secrets:
            return self._filled
        self._newest = newest
        values = {**event_values(self._commands, newest.event), **newest.of_record}
        if (others := secrets != self._secrets) or values != self._values:
            if others:
                self._secrets, self._each = secrets, for_secrets(secrets)
            self._values = values
            self._filled = filled(self._commands, values, self._each)
        return self._filled
