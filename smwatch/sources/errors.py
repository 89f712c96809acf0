"""What goes wrong at a source, in words for a person.

SourceError
├── ConfigurationError   nothing can start: says what is wrong and what to do
│   └── ProfileError     there is no such profile
└── CallError              one call failed: how the source is doing, what to do, and how it goes on by itself
"""

from __future__ import annotations

from datetime import datetime
from enum import Enum, auto

from smwatch.sources.source import State

TRYING_AGAIN = "; trying again"
"""Ends what is said of a failure that may pass: whoever waits no longer leaves that out."""


class SourceError(Exception):
    """Expected trouble with a place that records come from."""


class ConfigurationError(SourceError):
    """A setting that can't work, as one sentence and the next step."""


class ProfileError(ConfigurationError):
    """There is no such profile."""


class Remedy(Enum):
    """How a source goes on after a failed call."""

    PACE = auto()
    """Ask for the same page again, more slowly."""
    RETRY = auto()
    """Ask for the same page again, after growing pauses."""
    SET_CLOCK = auto()
    """Like RETRY; but at once when this machine's clock is set."""
    GARBLED = auto()
    """Like RETRY; but if other pages arrive and this one never does, it can't be read."""
    WAIT = auto()
    """Look again every minute: somebody has to change something first."""
    SIGN_IN = auto()
    """Wait for other credentials."""
    RESUME = auto()
    """Ask without the page token for what remains."""
    CLAMP = auto()
    """The period begins before what the service keeps."""


class CallError(SourceError):
    """A failed call."""

    def __init__(self, state: State, message: str, remedy: Remedy) -> None:
        super().__init__(message)
        self.state = state
        self.message = message
        """What happened and the next step, for a person."""
        self.remedy = remedy
        self.date: datetime | None = None
        """The service's time, where it answered at all."""
