"""What has happened to the store, gathered for each of those who draw it until they look."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm

MANY, CROWD = 500, 1_500
"""Alarms that changed, and events that came, which whoever draws them should look at without waiting for more: together
they take longer than a screen may stand still. Serves "longest stall of the event loop".
"""


class Change(msgspec.Struct):
    """What has happened to the store since a subscriber last looked."""

    added: list[Event] = msgspec.field(default_factory=list)
    corrected: list[Event] = msgspec.field(default_factory=list)
    """Corrections that took the place of what they correct: not new, and not counted again."""
    superseded: list[Event] = msgspec.field(default_factory=list)
    """Events that came after their correction, and are not in the store."""
    evicted: int = 0
    """How many of the oldest events have left the store; each counts as dropped."""
    secrets: set[Secret] = msgspec.field(default_factory=set)
    alarms: dict[str, Alarm] = msgspec.field(default_factory=dict)
    """The alarms that changed, by group; one with count 0 has been taken back."""
    raised: bool = False
    """One of them asks for attention that did not before."""
    sources: set[str] = msgspec.field(default_factory=set)
    renamed: bool = False
    """Secrets turned out to be one: rows already drawn may carry an old name."""

    def __bool__(self) -> bool:
        events = self.added or self.corrected or self.superseded or self.evicted
        return bool(events or self.alarms or self.sources or self.renamed)


class Subscription:
    """What has changed for one subscriber: `wake` is called once until `take` is, and again if an alarm is `raised`.

    If there is `much` to take, it is called with each change.
    """

    def __init__(self, wake: Callable[[], None]) -> None:
        self._wake = wake
        self._change = Change()
        self._awake = False

    @property
    def much(self) -> bool:
        """Whether so many alarms have changed, or events come, that it should be taken now."""
        return len(self._change.alarms) >= MANY or len(self._change.added) >= CROWD

    @property
    def raised(self) -> bool:
        """Whether an alarm asks for attention that did not before."""
        return self._change.raised

    def take(self) -> Change:
        """Everything since the last call, as one change."""
        change, self._change = self._change, Change()
        self._awake = False
        return change

    def note(self, change: Change) -> None:
        """Add to what has not been taken yet."""
        pending = self._change
        pending.added += change.added
        pending.corrected += change.corrected
        pending.superseded += change.superseded
        pending.evicted += change.evicted
        pending.secrets |= change.secrets
        pending.alarms |= change.alarms
        pending.sources |= change.sources
        pending.renamed |= change.renamed
        raised = change.raised and not pending.raised
        pending.raised |= change.raised
        if not self._awake or self.much or raised:
            self._awake = True
            self._wake()
