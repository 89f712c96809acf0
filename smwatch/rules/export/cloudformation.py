"""Metric filters and alarms as a CloudFormation template."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from smwatch.rules.envelope import Rule
from smwatch.rules.export.metric import ACCOUNT, MetricFilter, exactness, metric_filters


def template(rules: Iterable[Rule], log_group: str = "") -> str:
    """A template, in JSON; its Metadata says of each rule how much of it AWS can run."""
    resources: dict[str, Any] = {}
    said: dict[str, Any] = {}
    for rule in rules:
        how, caveat = exactness(rule)
        said[rule.id] = {"Title": rule.title, "InAws": how, **({"LeftOut": caveat} if caveat else {})}
        for each in metric_filters(rule):
            name = _logical_id(each.name, resources)
            resources[f"{name}Filter"] = _filter(each)
            resources[f"{name}Alarm"] = _alarm(each, f"{name}Filter")
    group: dict[str, Any] = {"Type": "String", "Description": "The trail's CloudWatch Logs group"}
    written = {
        "AWSTemplateFormatVersion": "2010-09-09",
        "Description": "Metric filters and alarms of smwatch's rules on CloudTrail records of Secrets Manager",
        "Metadata": {"Rules": said},
        "Parameters": {
            "LogGroupName": group | ({"Default": log_group} if log_group else {}),
            "TopicArn": {"Type": "String", "Description": "The ARN of the SNS topic that is told"},
        },
        "Resources": resources,
    }
    return json.dumps(written, indent=2)


def _filter(each: MetricFilter) -> dict[str, Any]:
    transformation: dict[str, Any] = {
        "MetricNamespace": each.namespace,
        "MetricName": each.metric,
        "MetricValue": "1",
    }
    if each.default is not None:
        transformation["DefaultValue"] = each.default
    return {
        "Type": "AWS::Logs::MetricFilter",
        "Properties": {
            "LogGroupName": {"Ref": "LogGroupName"},
            "FilterName": each.name,
            "FilterPattern": _pattern(each.pattern),
            "MetricTransformations": [transformation],
        },
    }


def _alarm(each: MetricFilter, after: str) -> dict[str, Any]:
    return {
        "Type": "AWS::CloudWatch::Alarm",
        "DependsOn": after,
        "Properties": {
            "AlarmName": each.alarm,
            "AlarmDescription": each.description,
            "Namespace": each.namespace,
            "MetricName": each.metric,
            "Statistic": "Sum",
            "Period": each.period,
            "EvaluationPeriods": 1,
            "DatapointsToAlarm": 1,
            "Threshold": each.threshold,
            "ComparisonOperator": "GreaterThanOrEqualToThreshold",
            "TreatMissingData": "notBreaching",
            "AlarmActions": [{"Ref": "TopicArn"}],
        },
    }


def _pattern(pattern: str) -> str | dict[str, object]:
    parts = pattern.split(ACCOUNT)
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
