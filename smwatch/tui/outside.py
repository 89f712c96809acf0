"""What a screen may have done beyond its store, and what it gets back."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from pathlib import Path

import msgspec

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm


class Answers(msgspec.Struct, frozen=True):
    """What AWS said about a secret."""

    at: datetime
    said: tuple[tuple[str, object], ...]
    """(operation, its response, or why there is none as a sentence)."""


class Before(msgspec.Struct, frozen=True, kw_only=True):
    """How alarms stood when the screen began."""

    known: Sequence[Alarm] = ()
    """Those that were known: none of them is new."""
    unheard: Sequence[str] = ()
    """Those, by group, that were to be heard at the end of a mute when that was kept last."""


class Outside(msgspec.Struct, frozen=True, kw_only=True):
    """What the screen may have done beyond the store; None for what can't be done here."""

    keep: Callable[[Sequence[Alarm]], None] | None = None
    """Given alarms that people or the passing of time have changed."""
    poll: Callable[[], None] | None = None
    """Asks the sources now."""
    live_tail: Callable[[bool], None] | None = None
    """Switches Live Tail on or off."""
    live_tail_on: bool = False
    """Whether it is on from the start."""
    live_tail_cost: Callable[[], str] = str
    """Says what Live Tail costs, in a sentence."""
    reach_back: Callable[[datetime], Awaitable[bool] | None] | None = None
    """Brings what happened since a moment, from the journal and the sources; it arrives like everything else.

    The end tells whether all of it could be read; None if all of it was read before, or none of it can be.
    """
    remember: Callable[[Sequence[str]], None] | None = None
    """Keeps the filters that were typed, oldest first, for the next time."""
    before: Before = Before()
    """How alarms stood when the screen began."""
    hold: Callable[[Sequence[str]], None] | None = None
    """Keeps which alarms, by group, are to be heard at the end of a mute, for the next time."""
    ask: Callable[[Secret], Awaitable[Answers]] | None = None
    """Asks AWS what events can't say of a secret; never its value."""
    same_call: Callable[[str], Sequence[Event]] | None = None
    """The events that the journal holds with one sharedEventID: what several accounts have recorded of one call."""
    export: Callable[[Path, Sequence[Event], Sequence[Alarm], str, Callable[[int], None]], str] | None = None
    """Writes events to a file, in a thread, and says how that went; may raise OSError.

    It is given the path, the events, the alarms that go with them, the query in words, and whom to tell how many events
    it has written.
    """
