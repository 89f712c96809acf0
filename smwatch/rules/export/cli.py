"""Metric filters and alarms as aws commands for a shell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from smwatch.rules.command import quote
from smwatch.rules.envelope import Rule
from smwatch.rules.export.metric import ACCOUNT, MetricFilter, exactness, metric_filters
from smwatch.visible import visible

_HEAD = (
    "# Metric filters and alarms of smwatch's rules. Set first:",
    "#   LOG_GROUP   the trail's CloudWatch Logs group",
    "#   TOPIC_ARN   the SNS topic that is told",
    "#   ACCOUNT_ID  the account's number, where a pattern needs it",
    "# AWS knows no severity, and no end of an alarm but silence.",
)


def commands(rules: Iterable[Rule], log_group: str = "") -> Iterator[str]:
    """Yield the lines of a script: for each rule how much of it AWS can run, and the commands that make it so."""
    group = quote(log_group) if log_group else '"$LOG_GROUP"'
    yield from _HEAD
    for rule in rules:
        how, caveat = exactness(rule)
        yield ""
        yield visible(f"# {rule.id}  {how}" + (f": {caveat}" if caveat else "") + f"  {rule.title}")
        for each in metric_filters(rule):
            yield from _commands(each, group)


def _commands(each: MetricFilter, group: str) -> Iterator[str]:
    transformation: dict[str, object] = {
        "metricNamespace": each.namespace,
        "metricName": each.metric,
        "metricValue": "1",
    }
    if each.default is not None:
        transformation["defaultValue"] = each.default
    yield (
        f"aws logs put-metric-filter --log-group-name {group} --filter-name {quote(each.name)}"
        f" --filter-pattern {_pattern(each)} --metric-transformations {quote(json.dumps([transformation]))}"
    )
    yield (
        f"aws cloudwatch put-metric-alarm --alarm-name {quote(each.alarm)}"
        f" --alarm-description {quote(each.description)}"
        f" --namespace {quote(each.namespace)} --metric-name {quote(each.metric)} --statistic Sum"
        f" --period {each.period} --evaluation-periods 1 --datapoints-to-alarm 1 --threshold {each.threshold}"
        f" --comparison-operator GreaterThanOrEqualToThreshold --treat-missing-data notBreaching"
        f' --alarm-actions "$TOPIC_ARN"'
    )


def _pattern(each: MetricFilter) -> str:
    """The pattern as one word of a shell, the account's number left to it."""
    parts = each.pattern.split(ACCOUNT)
    return '"$ACCOUNT_ID"'.join(quote(part) for part in parts)
