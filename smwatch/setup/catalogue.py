"""What can be alarmed on: the documented rule, events with a name, operations, and the rules of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

from smwatch.setup.documents import Document, listed
from smwatch.setup.policies import PREFIX
from smwatch.setup.trouble import SetupError
from smwatch.setup.wanted import EventWish, MetricAlarm
from smwatch.visible import visible

SOURCE = "secretsmanager.amazonaws.com"


class ExportableRule(msgspec.Struct, frozen=True):
    """A rule of the catalogue, as far as AWS can run it."""

    id: str
    title: str
    pattern: str = ""
    """Its filter pattern; "" where a metric filter can't say it."""
    event_pattern: Document | None = None
    """The same for EventBridge; None where that can't."""
    threshold: float = 1.0
    period: int = 60
    """Events in seconds that make an alarm."""
    reads: bool = False
    """Whether it looks at read-only operations."""


READS = ("BatchGet", "Describe", "Get", "List", "Validate")
"""How the names of read-only operations begin."""

_OPERATION = re.compile(r"[A-Z][A-Za-z]{2,63}")


def _pattern(detail: Document) -> Document:
    return {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
        "detail": {"eventSource": [SOURCE], **detail},
    }


NAMED_EVENTS = {
    "deleted-secrets": EventWish(
        name=f"{PREFIX}deleted-secrets",
        description="Somebody tried to read a secret that is scheduled for deletion",
        pattern=_pattern(
            {
                "eventName": ["GetSecretValue"],
                "errorMessage": [{"wildcard": "*secret because it was marked for deletion*"}],
            }
        ),
        reads=True,
    ),
    "rotation": EventWish(
        name=f"{PREFIX}rotation",
        description="A rotation started, succeeded, failed or was abandoned",
        pattern=_pattern(
            {
                "eventName": [
                    "RotateSecret",
                    "CancelRotateSecret",
                    "RotationStarted",
                    "RotationSucceeded",
                    "RotationFailed",
                    "RotationAbandoned",
                ]
            }
        ),
    ),
}
"""Events that have a name of their own on the command line."""


def selects_reads(pattern: Document) -> bool:
    """Whether an EventBridge pattern names read-only operations, which a plain ENABLED rule never sees."""
    detail = pattern.get("detail")
    names = detail.get("eventName", []) if isinstance(detail, Mapping) else []
    return any(name.startswith(READS) for name in listed(names))


def exportable_rules() -> Mapping[str, ExportableRule]:
    """Return the built-in rules that a metric filter can say, exactly or nearly, by ID; see `smwatch rules export`."""
    from smwatch.rules.export.event_rule import EVERYTHING, event_rule
    from smwatch.rules.export.metric import metric_filters
    from smwatch.rules.rule import combine, load_builtin

    found = {}
    for rule in combine(load_builtin()).rules:
        event = event_rule(rule)
        # A rule of several patterns would be several filters; the first is what the rule is mainly about.
        for filtered in metric_filters(rule)[:1]:
            found[rule.id] = ExportableRule(
                rule.id,
                rule.title,
                pattern=filtered.pattern,
                event_pattern=dict(event.pattern) if event.pattern is not None else None,
                threshold=float(filtered.threshold),
                period=filtered.period,
                reads=event.state == EVERYTHING,
            )
    return found


def event(name: str, rules: Mapping[str, ExportableRule]) -> EventWish:
    """Return the rule for a named event, a rule's ID, or an operation; raise SetupError for anything else."""
    if name in NAMED_EVENTS:
        return NAMED_EVENTS[name]
    if rule := rules.get(name.upper()):
        return rule_event(rule)
    if not _OPERATION.fullmatch(name):
        raise SetupError(
            f"{visible(name)!r} is no operation, rule or named event: write an operation such as PutSecretValue, "
            f"an ID of `smwatch rules list`, or {' or '.join(NAMED_EVENTS)}."
        )
    return EventWish(
        name=f"{PREFIX}{name}",
        description=f"{name} was called",
        pattern=_pattern({"eventName": [name]}),
        reads=name.startswith(READS),
    )


def alarm(name: str, rules: Mapping[str, ExportableRule]) -> MetricAlarm:
    """Return the metric filter and alarm for a rule's ID; raise SetupError for what is none."""
    if rule := rules.get(name.upper()):
        return rule_alarm(rule)
    raise SetupError(f"There is no rule {visible(name)!r}: see `smwatch rules list`.")


def rule_alarm(rule: ExportableRule) -> MetricAlarm:
    """Return the metric filter and alarm of a rule; raise SetupError if AWS can't run it that way."""
    if not rule.pattern:
        raise SetupError(f"{rule.id} looks at more than one event at a time, which only smwatch itself can.")
    return MetricAlarm(
        filter_name=f"{PREFIX}{rule.id}",
        pattern=rule.pattern,
        namespace="smwatch",
        metric=rule.id,
        alarm=f"{PREFIX}{rule.id}",
        description=f"{rule.title}. Made by smwatch setup.",
        period=rule.period,
        threshold=rule.threshold,
        default=0.0,
    )


def rule_event(rule: ExportableRule) -> EventWish:
    """Return the EventBridge rule of a rule; raise SetupError if EventBridge can't select its events."""
    if rule.event_pattern is None:
        raise SetupError(f"{rule.id} selects by what an EventBridge pattern can't say: use --rule for an alarm.")
    return EventWish(f"{PREFIX}{rule.id}", rule.event_pattern, rule.title, rule.reads)
