"""What can be alarmed on: the documented rule, events with a name, operations, and the rules of the catalogue."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING

import msgspec

from smwatch.setup.documents import Document, listed, parsed, text
from smwatch.setup.policies import PREFIX
from smwatch.setup.trouble import SetupError
from smwatch.setup.wanted import EventWish, MetricAlarm, Wanted
from smwatch.visible import visible

if TYPE_CHECKING:
    from smwatch.rules.export.metric import MetricFilter

SOURCE = "secretsmanager.amazonaws.com"


class ExportableRule(msgspec.Struct, frozen=True):
    """A rule of the catalogue, as far as AWS can run it."""

    id: str
    alarms: tuple[MetricAlarm, ...] = ()
    """A metric filter and an alarm for each of its patterns; none where these can't say it."""
    event: EventWish | None = None
    """The same for EventBridge; None where that can't."""


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
    """Return the built-in rules by ID, as `smwatch rules export` says them."""
    from smwatch.rules.export.event_rule import EVERYTHING, event_rule
    from smwatch.rules.export.metric import metric_filters
    from smwatch.rules.rule import combine, load_builtin

    found = {}
    for rule in combine(load_builtin()).rules:
        event = event_rule(rule)
        found[rule.id.upper()] = ExportableRule(
            rule.id,
            alarms=tuple(_alarm(each) for each in metric_filters(rule)),
            event=EventWish(
                event.name, dict(event.pattern), event.description, reads=event.state == EVERYTHING, caveat=event.caveat
            )
            if event.pattern is not None
            else None,
        )
    return found


def _alarm(filtered: MetricFilter) -> MetricAlarm:
    return MetricAlarm(
        filter_name=filtered.name,
        pattern=filtered.pattern,
        namespace=filtered.namespace,
        metric=filtered.metric,
        alarm=filtered.alarm,
        description=f"{filtered.description}. Made by smwatch setup.",
        period=filtered.period,
        threshold=float(filtered.threshold),
        default=filtered.default,
        caveat=filtered.caveat,
    )


def for_account(wanted: Wanted, account: str) -> Wanted:
    """Return the wishes with the account's number where a rule's pattern has to name it."""
    from smwatch.rules.export.metric import ACCOUNT

    def filled(caveat: str) -> str:
        return ", ".join(clause for clause in caveat.split(", ") if ACCOUNT not in clause)

    replace = msgspec.structs.replace
    return replace(
        wanted,
        alarms=tuple(
            replace(each, pattern=each.pattern.replace(ACCOUNT, account), caveat=filled(each.caveat))
            for each in wanted.alarms
        ),
        events=tuple(
            replace(
                each,
                pattern=parsed(text(each.pattern).replace(ACCOUNT, account)),
                caveat=filled(each.caveat),
            )
            for each in wanted.events
        ),
    )


def event(name: str, rules: Mapping[str, ExportableRule]) -> EventWish:
    """Return the rule for a named event, a rule's ID, or an operation; raise SetupError for anything else."""
    if name in NAMED_EVENTS:
        return NAMED_EVENTS[name]
    if rule := rules.get(name.upper()):
        if rule.event is None:
            raise SetupError(
                f"{rule.id} asks for more than an EventBridge pattern can say: `smwatch rules show {rule.id}`."
            )
        return rule.event
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


def alarms(name: str, rules: Mapping[str, ExportableRule]) -> tuple[MetricAlarm, ...]:
    """Return the metric filters and alarms for a rule's ID; raise SetupError for what is none."""
    rule = rules.get(name.upper())
    if rule is None:
        raise SetupError(f"There is no rule {visible(name)!r}: see `smwatch rules list`.")
    if not rule.alarms:
        raise SetupError(
            f"{rule.id} looks at more than one event at a time, which only smwatch itself can: `smwatch rules list`."
        )
    return rule.alarms
