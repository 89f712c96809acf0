"""Metric filters and alarms as a CloudFormation template."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from smwatch import patterns
from smwatch.patterns.sameness import shortened
from smwatch.rules.envelope import Rule
from smwatch.rules.export.exactness import Exactness
from smwatch.rules.export.metric import ACCOUNT, DOCUMENTED, MetricFilter, exactness, metric_filters
from smwatch.rules.export.requests import alarm, transformation

INLINE = 51_200
"""Bytes of a template that CloudFormation takes with the request; a larger one has to be in S3."""

_ANY_ACCOUNT = "0" * 12
"""Stands for the account's number while a pattern is shortened: what is left out depends on what a value looks like."""


def template(rules: Iterable[Rule], log_group: str = "") -> str:
    """A template, in JSON, a resource a line; its Metadata says of each rule how much of it AWS can run."""
    resources: dict[str, Any] = {}
    exactly: dict[str, list[str]] = {how.value: [] for how in Exactness}
    left_out: dict[str, list[str]] = {}
    for rule in rules:
        how, caveat = exactness(rule)
        exactly[how].append(rule.id)
        if caveat:
            left_out.setdefault(caveat, []).append(rule.id)
        for each in metric_filters(rule):
            name = _logical_id(each.name, resources)
            resources[f"{name}Filter"] = _filter(each)
            resources[f"{name}Alarm"] = _alarm(each)
    group: dict[str, Any] = {"Type": "String", "Description": "The trail's CloudWatch Logs group"}
    written = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Metric filters and alarms of smwatch's rules on CloudTrail records of Secrets Manager",
        "Metadata": {"InAws": exactly, "LeftOut": left_out},
        "Parameters": {
            "LogGroupName": group | ({"Default": log_group} if log_group else {}),
            "TopicArn": {"Type": "String", "Description": "The ARN of the SNS topic that is told"},
        },
        "Resources": resources,
    }
    return _object((name, _object_or_text(part)) for name, part in written.items())


def _object_or_text(part: object) -> str:
    if isinstance(part, dict):
        return _object((name, json.dumps(value, separators=(",", ":"))) for name, value in part.items())
    return json.dumps(part)


def _object(members: Iterable[tuple[str, str]]) -> str:
    """An object of what is JSON already, a member a line: no wider than it has to be, for CloudFormation counts."""
    return "{\n" + ",\n".join(f"{json.dumps(name)}: {value}" for name, value in members) + "\n}"


def _filter(each: MetricFilter) -> dict[str, Any]:
    counted = {f"{name[0].upper()}{name[1:]}": value for name, value in transformation(each).items()}
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "LogGroupName": {"Ref": "LogGroupName"},
            "FilterName": each.name,
            "FilterPattern": _pattern(each),
            "MetricTransformations": [counted],
        },
    }


def _alarm(each: MetricFilter) -> dict[str, Any]:
    # Without DatapointsToAlarm there are as many as EvaluationPeriods: left out, for each byte of a template counts.
    asked = {name: value for name, value in alarm(each).items() if name != "DatapointsToAlarm"}
    return {"Type": "AWS::CloudWatch::Alarm", "Properties": {**asked, "AlarmActions": [{"Ref": "TopicArn"}]}}


def _pattern(each: MetricFilter) -> str | dict[str, object]:
    """The pattern, short, but for the documented one; the account's number is left to CloudFormation."""
    numbered = each.pattern.replace(ACCOUNT, _ANY_ACCOUNT)
    pattern = numbered if each.rule == DOCUMENTED else shortened(patterns.compile(numbered))
    parts = pattern.split(_ANY_ACCOUNT)
    if len(parts) == 1:
        return pattern
    joined: list[object] = [parts[0]]
    for part in parts[1:]:
        joined += [{"Ref": "AWS::AccountId"}, part]
    return {"Fn::Join": ["", joined]}


def _logical_id(name: str, taken: Iterable[str]) -> str:
    """A name of letters and digits, which is all that logical IDs have."""
    plain = "".join(character for character in name if character.isascii() and character.isalnum()) or "Rule"
    plain = plain[0].upper() + plain[1:]
    number, found = 1, plain
    while f"{found}Filter" in taken:
        number += 1
        found = f"{plain}x{number}"
    return found
