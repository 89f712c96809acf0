"""What a person asks setup for."""

from __future__ import annotations

import shlex
from enum import StrEnum

import msgspec

from smwatch.rules.documented import (
    DOCUMENTED_ALARM,
    DOCUMENTED_METRIC,
    DOCUMENTED_NAMESPACE,
    DOCUMENTED_PATTERN,
)
from smwatch.setup.documents import Document
from smwatch.setup.place import Names

RETENTIONS = (1, 3, 5, 7, 14, 30, 60, 90, 120, 150, 180, 365, 400, 545, 731, 1096, 1827, 2192, 2557, 2922, 3288, 3653)
"""The days CloudWatch Logs knows."""
RETENTION = 90
"""What a new log group gets: as far back as LookupEvents goes."""


class Part(StrEnum):
    """What setup consists of; each can be had without the others."""

    TRAIL = "trail"
    ALARM = "alarm"
    EVENTS = "events"


class MetricAlarm(msgspec.Struct, frozen=True):
    """A metric filter on the log group and the alarm on its metric."""

    filter_name: str
    pattern: str
    namespace: str
    metric: str
    alarm: str
    description: str = ""
    period: int = 300
    threshold: float = 1.0
    default: float | None = None
    caveat: str = ""
    """What of a rule it leaves out, as a clause; "" for nothing."""


DELETED_SECRETS = MetricAlarm(
    filter_name=DOCUMENTED_METRIC,
    pattern=DOCUMENTED_PATTERN,
    namespace=DOCUMENTED_NAMESPACE,
    metric=DOCUMENTED_METRIC,
    alarm=DOCUMENTED_ALARM,
    description="Somebody tried to read a secret that is scheduled for deletion. Made by smwatch setup.",
)
"""As in "Monitor secrets scheduled for deletion" of the Secrets Manager User Guide; Sum over 5 minutes: the console."""


class EventWish(msgspec.Struct, frozen=True):
    """An EventBridge rule to have."""

    name: str
    pattern: Document
    description: str = ""
    reads: bool = False
    """Whether it has to see read-only operations, which EventBridge leaves out unless asked."""
    caveat: str = ""
    """What of a rule it leaves out, as a clause; "" for nothing."""

    @property
    def state(self) -> str:
        """The state the rule needs."""
        return "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS" if self.reads else "ENABLED"


class Wanted(msgspec.Struct, frozen=True, kw_only=True):
    """Everything setup is asked for; what a person named must be so, the rest may be as it is found."""

    parts: frozenset[Part] = frozenset({Part.TRAIL, Part.ALARM})
    regions: tuple[str, ...] = ()
    """Where EventBridge rules are wanted, and what the trail has to cover."""
    names: Names = Names()
    group_named: bool = False
    trail_named: bool = False
    topic_named: bool = False
    retention: int | None = None
    emails: tuple[str, ...] = ()
    alarms: tuple[MetricAlarm, ...] = (DELETED_SECRETS,)
    events: tuple[EventWish, ...] = ()
    to_queue: bool = False
    """Whether the EventBridge rules go to a queue rather than a topic."""
    new_trail: bool = False
    replace_delivery: bool = False


def removal(wanted: Wanted, region: str) -> str:
    """Return the command that takes away what this setup made."""
    names, usual = wanted.names, Names()
    words = ["smwatch", "setup", "--remove", "--region", region]
    for option in ("log_group", "trail", "bucket", "role", "topic", "queue"):
        if (name := getattr(names, option)) != getattr(usual, option):
            words += ["--" + option.replace("_", "-"), name]
    for other in wanted.regions:
        words += ["--region", other] if other != region else []
    return shlex.join(words)
