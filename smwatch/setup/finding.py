"""What doctor says of one thing: how it is, in a sentence, and the command that mends it."""

from __future__ import annotations

import shlex
from datetime import timedelta
from enum import StrEnum

import msgspec


class State(StrEnum):
    """How a thing is."""

    OK = "ok"
    WARN = "warn"
    BROKEN = "broken"
    UNKNOWN = "unknown"


class Finding(msgspec.Struct, frozen=True):
    """One check's result."""

    check: str
    state: State
    message: str
    mend: str = ""
    """A command that puts it right, or shows more where nothing can; "" where there is nothing to do."""
    region: str = ""
    """The Region it is about; "" for what is the same everywhere."""


def ok(check: str, message: str) -> Finding:
    """Return that all is well."""
    return Finding(check, State.OK, message)


def warn(check: str, message: str, mend: str = "") -> Finding:
    """Return that something should be looked at."""
    return Finding(check, State.WARN, message, mend)


def broken(check: str, message: str, mend: str = "") -> Finding:
    """Return that something does not work."""
    return Finding(check, State.BROKEN, message, mend)


def unknown(check: str, message: str, mend: str = "") -> Finding:
    """Return that it can't be told."""
    return Finding(check, State.UNKNOWN, message, mend)


def shell(*words: str) -> str:
    """Return a command as one types it; empty words are left out, as are options without a value."""
    kept: list[str] = []
    for word, following in zip(words, (*words[1:], "."), strict=True):
        if word and not (word.startswith("--") and not following):
            kept.append(word)
    return shlex.join(kept)


def age(period: timedelta) -> str:
    """Return a period as people say it: 40 s, 12 min, 5 h, 3 days."""
    seconds = max(0, round(period.total_seconds()))
    for unit, size in (("days", 86_400), ("h", 3_600), ("min", 60)):
        if seconds >= 2 * size:
            return f"{seconds // size} {unit}"
    return f"{seconds} s"
