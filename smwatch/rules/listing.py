"""The catalogue as a list, rule by rule, and as the commands that put what AWS can run of it there."""

from __future__ import annotations

import shlex
import textwrap
from collections.abc import Iterable, Iterator
from enum import StrEnum

import msgspec

from smwatch.rules.envelope import Rule, RuleSet

DOCUMENTED = "SMW-DEL-01"
"""The rule that AWS's documentation sets up as an alarm; exported under the documentation's names."""
NAMESPACE = "CloudTrailLogMetrics"
LONGEST_PATTERN = 1024
WIDTH = 100


class Exactness(StrEnum):
    """How much of a rule AWS can run."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    ONLY_HERE = "smwatch only"


class MetricFilter(msgspec.Struct, frozen=True):
    """One pattern of a rule as a CloudWatch metric filter with an alarm."""

    rule: str
    exactness: Exactness
    caveat: str
    """What AWS leaves out, as a sentence; "" for nothing."""
    pattern: str
    metric: str
    alarm: str
    threshold: int
    period: int
    """Seconds."""


def exactness(rule: Rule) -> tuple[Exactness, str]:
    """How much of a rule a metric filter can say, and what it leaves out."""
    if not _patterns(rule):
        return Exactness.ONLY_HERE, "it has no filter pattern of its own"
    if rule.kind not in ("match", "count"):
        return Exactness.ONLY_HERE, f"a metric filter can't say {rule.kind.replace('_', ' ')}"
    if rule.kind == "count":
        return Exactness.APPROXIMATE, "AWS counts for the whole account, not for each principal or secret"
    if rule.only or rule.unless or rule.grade:
        return Exactness.APPROXIMATE, "the exceptions and grades of the rule are left out: more events count"
    return Exactness.EXACT, ""


def metric_filters(rule: Rule) -> tuple[MetricFilter, ...]:
    """What to make in CloudWatch for a rule; nothing for one that only smwatch can run."""
    how, caveat = exactness(rule)
    if how is Exactness.ONLY_HERE:
        return ()
    threshold, period = (rule.count.min, int(rule.count.within)) if rule.count is not None else (1, 300)
    filters = []
    for number, pattern in enumerate(_patterns(rule), 1):
        suffix = "" if number == 1 else f"-{number}"
        metric, alarm = f"{rule.id}{suffix}", f"smwatch-{rule.id}{suffix}"
        if rule.id == DOCUMENTED and number == 1:
            metric, alarm = "AttemptsToAccessDeletedSecrets", "AttemptsToAccessDeletedSecretsAlarm"
        filters.append(MetricFilter(rule.id, how, caveat, pattern, metric, alarm, threshold, period))
    return tuple(filters)


def catalogue(rules: RuleSet) -> Iterator[str]:
    """One line a rule: id, severity, kind, how much of it AWS can run, title."""
    width = max((len(rule.id) for rule in rules.rules), default=2)
    for rule in rules.rules:
        how, _ = exactness(rule)
        yield f"{rule.id:<{width}}  {rule.severity:<8}  {rule.kind:<10}  {how:<12}  {rule.title}"


def description(rule: Rule) -> Iterator[str]:
    """Everything about one rule, in lines."""
    how, caveat = exactness(rule)
    yield f"{rule.id}  {rule.severity}  {rule.title}"
    yield ""
    yield from textwrap.wrap(rule.why, WIDTH)
    fields = [
        ("kind", [rule.kind]),
        ("one alarm for", [", ".join(map(str, rule.by))]),
        ("in AWS", [how + (f": {caveat}" if caveat else "")]),
        ("MITRE", [", ".join(rule.mitre)]),
        ("known noise", textwrap.wrap(rule.noise, WIDTH - 16)),
        ("note", textwrap.wrap(rule.note, WIDTH - 16)),
        ("pattern", [pattern.text for pattern in rule.when]),
        ("next", list(rule.next)),
    ]
    for name, lines in fields:
        for number, line in enumerate(filter(None, lines)):
            yield f"{name if number == 0 else '':<14}  {line}"


def as_commands(
    filters: Iterable[MetricFilter], log_group: str = "$LOG_GROUP", topic: str = "$TOPIC_ARN"
) -> Iterator[str]:
    """The aws commands that make the metric filters and their alarms, with what they leave out as comments."""
    for each in filters:
        yield f"# {each.rule}: {each.exactness}" + (f" ({each.caveat})" if each.caveat else "")
        yield (
            f"aws logs put-metric-filter --log-group-name {_word(log_group)} --filter-name {each.metric} "
            f"--filter-pattern {shlex.quote(each.pattern)} --metric-transformations "
            f"metricNamespace={NAMESPACE},metricName={each.metric},metricValue=1"
        )
        yield (
            f"aws cloudwatch put-metric-alarm --alarm-name {each.alarm} --namespace {NAMESPACE} "
            f"--metric-name {each.metric} --statistic Sum --period {each.period} --evaluation-periods 1 "
            f"--threshold {each.threshold} --comparison-operator GreaterThanOrEqualToThreshold "
            f"--treat-missing-data notBreaching --alarm-actions {_word(topic)}"
        )


def _patterns(rule: Rule) -> tuple[str, ...]:
    texts = tuple(pattern.text for pattern in (rule.export or rule.when))
    return texts if all(len(text) <= LONGEST_PATTERN for text in texts) else ()


def _word(text: str) -> str:
    return f'"{text}"' if text.startswith("$") else shlex.quote(text)
