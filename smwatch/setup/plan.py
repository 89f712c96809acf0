"""What a plan is: steps that keep, make, change or remove one thing each, with the very calls they consist of."""

from __future__ import annotations

import json
import shlex
from enum import StrEnum

import msgspec

from smwatch.setup.call import Call
from smwatch.setup.place import Place
from smwatch.setup.wanted import Part


class Change(StrEnum):
    """What a step does to its thing."""

    KEEP = "keep"
    MAKE = "make"
    CHANGE = "change"
    REMOVE = "remove"


class Step(msgspec.Struct, frozen=True):
    """One thing, and what becomes of it."""

    part: Part
    change: Change
    what: str
    """The thing, e.g. "log group CloudTrail/MyCloudWatchLogGroup"."""
    detail: str = ""
    """What it is or becomes, and why."""
    calls: tuple[Call, ...] = ()
    cost: str = ""
    undo: str = ""
    empties: str = ""
    """A bucket whose objects are deleted before the calls are made."""
    destroys: bool = False
    """Whether recorded events are lost by it."""


def aws_command(region: str, service: str, operation: str, **options: object) -> str:
    """Return an AWS CLI command as one would type it; documents are written as JSON."""
    words = ["aws", service, operation]
    for option, value in options.items():
        text = value if isinstance(value, str) else json.dumps(value)
        words += ["--" + option.replace("_", "-"), text]
    return shlex.join([*words, "--region", region])


class Plan(msgspec.Struct, frozen=True):
    """Everything that is to be done, in order; doing it twice is the same as doing it once."""

    place: Place
    steps: tuple[Step, ...]
    notes: tuple[str, ...] = ()
    """What a person should know."""
    blockers: tuple[str, ...] = ()
    """What has to be decided first; a plan with any is not applied."""

    @property
    def changes(self) -> tuple[Step, ...]:
        """The steps that do something."""
        return tuple(step for step in self.steps if step.change is not Change.KEEP)

    @property
    def permissions(self) -> tuple[str, ...]:
        """The IAM actions it takes, beyond looking."""
        emptying = ("s3:ListBucket", "s3:DeleteObject")
        taken = {action for step in self.changes for call in step.calls for action in call.actions}
        return tuple(sorted(taken.union(*(emptying for step in self.changes if step.empties))))
