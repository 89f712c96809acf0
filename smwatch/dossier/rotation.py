"""The rotations of a secret: paired from their events."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from enum import StrEnum

import msgspec

from smwatch.dossier.dealings import moment_of

STUCK = timedelta(hours=1)
"""A rotation that has not ended after this long probably never will."""


class Step(msgspec.Struct, frozen=True):
    """A RotationStarted, RotationSucceeded, RotationFailed or RotationAbandoned event, or its TestRotation… form."""

    key: int
    name: str
    message: str = ""


class Ending(StrEnum):
    """How a rotation ended; the value is the word shown."""

    RUNNING = "in progress"
    SUCCEEDED = "succeeded"
    FAILED = "failed"
    ABANDONED = "abandoned"


class Rotation(msgspec.Struct, frozen=True):
    """One rotation; at least one of its two ends is known."""

    ending: Ending
    started_at: datetime | None
    ended_at: datetime | None
    message: str
    """Why it failed."""
    key: int
    """The event that shows it best: the end, else the start."""
    test: bool = False
    """Only the set-up was tried out."""

    @property
    def took(self) -> timedelta | None:
        """How long it took, where both ends are known."""
        return None if self.started_at is None or self.ended_at is None else self.ended_at - self.started_at

    def stuck(self, now: datetime) -> bool:
        """Whether it should have ended by now."""
        return self.ending is Ending.RUNNING and self.started_at is not None and now - self.started_at >= STUCK


ENDINGS = {
    f"{test}Rotation{word}": ending
    for test in ("", "Test")
    for word, ending in (
        ("Started", Ending.RUNNING),
        ("Succeeded", Ending.SUCCEEDED),
        ("Failed", Ending.FAILED),
        ("Abandoned", Ending.ABANDONED),
    )
}


def rotations(steps: Iterable[Step]) -> tuple[Rotation, ...]:
    """The rotations that the steps, ascending, tell of; newest first.

    A start that is followed by another start has been abandoned; a second end (the service tries again by itself) is
    a rotation of its own whose start is not known.
    """
    found: list[Rotation] = []
    for test in (False, True):
        started: Step | None = None
        for step in steps:
            if step.name.startswith("Test") is not test:
                continue
            ending = ENDINGS[step.name]
            if ending is Ending.RUNNING:
                if started is not None:
                    found.append(_rotation(started, None, Ending.ABANDONED))
                started = step
            else:
                found.append(_rotation(started, step, ending))
                started = None
        if started is not None:
            found.append(_rotation(started, None, Ending.RUNNING))
    return tuple(sorted(found, key=lambda rotation: -rotation.key))


def _rotation(start: Step | None, end: Step | None, ending: Ending) -> Rotation:
    shown = end or start
    assert shown is not None
    return Rotation(
        ending=ending,
        started_at=moment_of(start.key) if start is not None else None,
        ended_at=moment_of(end.key) if end is not None else None,
        message=shown.message,
        key=shown.key,
        test=shown.name.startswith("Test"),
    )
