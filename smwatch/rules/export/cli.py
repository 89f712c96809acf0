"""Metric filters and alarms as aws commands for a shell."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from smwatch.rules.command import quote
from smwatch.rules.envelope import Rule
from smwatch.rules.export.metric import ACCOUNT, MetricFilter, exactness, metric_filters
from smwatch.rules.export.requests import alarm, hyphened, transformation
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
    yield (
        f"aws logs put-metric-filter --log-group-name {group} --filter-name {quote(each.name)}"
        f" --filter-pattern {_pattern(each)} --metric-transformations {quote(json.dumps([transformation(each)]))}"
    )
    options = " ".join(f"--{hyphened(name)} {quote(str(value))}" for name, value in alarm(each).items())
    yield f'aws cloudwatch put-metric-alarm {options} --alarm-actions "$TOPIC_ARN"'


def _pattern(each: MetricFilter) -> str:
    """The pattern as one word of a shell, the account's number left to it."""
    parts = each.pattern.split(ACCOUNT)
    return '"$ACCOUNT_ID"'.join(quote(part) for part in parts)
