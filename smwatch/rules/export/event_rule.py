"""A rule as an EventBridge rule."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, cast

import msgspec

from smwatch.events.naming import SECRETS_MANAGER
from smwatch.events.scope import reads_only
from smwatch.patterns import Kind
from smwatch.patterns.eventbridge import event_pattern, required
from smwatch.patterns.matchers import InexpressibleError
from smwatch.patterns.nodes import Condition
from smwatch.rules.envelope import Rule
from smwatch.rules.export.exactness import Exactness, left_out, patterns_of, unsaid
from smwatch.rules.export.metric import ACCOUNT, PREFIX

WRITES, EVERYTHING = "ENABLED", "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
"""The states of a rule: EventBridge leaves read-only calls out unless asked for them."""
MAX_LENGTH = 4096
"""Characters of an event pattern that PutRule takes."""

_DETAIL_TYPES = ("AWS API Call via CloudTrail", "AWS Service Event via CloudTrail")
_SOURCES = {f"{name}.amazonaws.com": f"aws.{name}" for name in ("cloudtrail", "kms", "logs", "secretsmanager")}
"""The `source` of events about calls to these services."""


class EventRule(msgspec.Struct, frozen=True):
    """An EventBridge rule that tells of the events of a rule."""

    rule: str
    title: str
    exactness: Exactness
    caveat: str
    """What EventBridge leaves out or adds, as a clause; "" for nothing."""
    pattern: Mapping[str, Any] | None = None
    """None where EventBridge can't say it."""
    state: str = EVERYTHING

    @property
    def name(self) -> str:
        """Of the EventBridge rule; unique in an account and Region."""
        return (PREFIX + self.rule)[:64]

    @property
    def description(self) -> str:
        """What the EventBridge rule says it is; AWS takes 512 characters."""
        return f"{self.title} ({self.rule} of smwatch)"[:512]

    @property
    def text(self) -> str:
        """The pattern as PutRule takes it."""
        return json.dumps(self.pattern, separators=(",", ":"))


def event_rule(rule: Rule) -> EventRule:
    """A rule as an EventBridge rule, with what that leaves out."""
    if why := unsaid(rule):
        return EventRule(rule.id, rule.title, Exactness.ONLY_HERE, why)
    given = patterns_of(rule)
    if any(pattern.kind is not Kind.JSON for pattern in given):
        return EventRule(rule.id, rule.title, Exactness.ONLY_HERE, "EventBridge has JSON patterns alone")
    try:
        said = event_pattern(*(cast("Condition", pattern.syntax) for pattern in given))
    except InexpressibleError as error:
        return EventRule(rule.id, rule.title, Exactness.ONLY_HERE, f"EventBridge can't say it: {error}")
    counting = "it tells of each event; the count is left out" if rule.count is not None else ""
    template = f"put the account's number for {ACCOUNT}" if any(ACCOUNT in each.text for each in given) else ""
    caveat = ", ".join(filter(None, (template, counting, left_out(rule), *said.differences)))
    how = Exactness.APPROXIMATE if caveat else Exactness.EXACT
    found = EventRule(rule.id, rule.title, how, caveat, _envelope(said.detail), _state(said.detail))
    if len(found.text) > MAX_LENGTH:
        return EventRule(rule.id, rule.title, Exactness.ONLY_HERE, f"its event pattern is longer than {MAX_LENGTH:,}")
    return found


def _envelope(detail: Mapping[str, Any]) -> dict[str, Any]:
    """The pattern of the whole event: the record is its detail."""
    names = required(detail, "eventSource")
    calls = required(detail, "eventName") or ("",)
    if names is None and all("Secret" in call and reads_only(SECRETS_MANAGER, call) for call in calls):
        names = (SECRETS_MANAGER,)  # GetSecretValue and its like are calls of no other service
    sources = [_SOURCES.get(name) for name in dict.fromkeys(names or ("",))]
    source = {} if None in sources else {"source": sources}
    return {**source, "detail-type": list(_DETAIL_TYPES), "detail": dict(detail)}


def _state(detail: Mapping[str, Any]) -> str:
    """Whether read-only calls are needed: unless every event the rule can be about changes something."""
    names, sources = required(detail, "eventName"), required(detail, "eventSource")
    reads = any(reads_only(source, name) for source in sources or (SECRETS_MANAGER, "") for name in names or ())
    return EVERYTHING if names is None or reads else WRITES
