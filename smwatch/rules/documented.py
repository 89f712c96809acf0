"""The alarm on access to deleted secrets that AWS's documentation describes, and what makes it deaf or mute.

Source: "Monitor secrets scheduled for deletion" of the Secrets Manager User Guide. The metric filter has the metric's
name, as `smwatch setup` and the documentation have it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smwatch import patterns
from smwatch.events.naming import part
from smwatch.patterns.sameness import same_pattern
from smwatch.record import Record, encode

DOCUMENTED_PATTERN = (
    '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
)
DOCUMENTED_NAMESPACE, DOCUMENTED_METRIC = "CloudTrailLogMetrics", "AttemptsToAccessDeletedSecrets"
DOCUMENTED_ALARM = "AttemptsToAccessDeletedSecretsAlarm"

_ACCESS = encode(
    {
        "eventVersion": "1.11",
        "userIdentity": {
            "type": "AssumedRole",
            "arn": "arn:aws:sts::111122223333:assumed-role/app/i-0abc12345678def90",
        },
        "eventSource": "secretsmanager.amazonaws.com",
        "eventName": "GetSecretValue",
        "awsRegion": "eu-west-1",
        "errorCode": "InvalidRequestException",
        "errorMessage": "You can't perform this operation on the secret because it was marked for deletion.",
        "readOnly": True,
        "eventType": "AwsApiCall",
    }
)
"""An access to a deleted secret, which the filter has to find."""
NOTICING = frozenset({"Sum", "SampleCount", "Maximum", "Average"})
"""Each value of the metric is 1, and there is none without an event: with these, one event reaches a threshold of 1."""
STUCK = frozenset({"breaching", "ignore"})
"""What missing data may be taken for so that an alarm goes off without an event; or once, and never again."""
TIMES_OUT = 3600
"""Seconds; a metric alarm with a longer period tells too late to be of use."""
_NARROWING = ("fieldSelectionCriteria", "applyOnTransformedLogs", "emitSystemFieldDimensions")
"""What of PutMetricFilter leaves out events, or counts them in a metric with dimensions, which is another one."""


def weakens(record: Record) -> bool:
    """Whether the call leaves the alarm, or the filter it counts on, other than documented, or keeps it quiet."""
    parameters = part(record, "requestParameters")
    match record.get("eventName"):
        case "PutMetricFilter":
            return parameters.get("filterName") == DOCUMENTED_METRIC and not (
                same_pattern(_text(parameters.get("filterPattern")), DOCUMENTED_PATTERN) and _counts(parameters)
            )
        case "PutMetricAlarm":
            return parameters.get("alarmName") == DOCUMENTED_ALARM and not _goes_off(parameters)
        case "SetAlarmState":
            return parameters.get("alarmName") == DOCUMENTED_ALARM and parameters.get("stateValue") != "ALARM"
        case "PutAlarmMuteRule":
            targets = parameters.get("muteTargets")
            names = targets.get("alarmNames") if isinstance(targets, dict) else None
            return isinstance(names, list) and DOCUMENTED_ALARM in names
        case _:
            return False


def deafens(record: Record) -> bool:
    """Whether the filter that is put no longer counts an access to a deleted secret."""
    parameters = part(record, "requestParameters")
    try:
        finds = patterns.compile(_text(parameters.get("filterPattern"))).matches(_ACCESS)
    except patterns.PatternError:
        finds = False
    return not (finds and _counts(parameters))


def _counts(parameters: Mapping[str, Any]) -> bool:
    """Whether a filter adds to the metric that the alarm looks at, for each event that its pattern finds."""
    transformations = parameters.get("metricTransformations")
    narrowed = any(parameters.get(key) for key in _NARROWING)
    return (
        not narrowed
        and isinstance(transformations, list)
        and any(
            isinstance(one, dict)
            and one.get("metricNamespace") == DOCUMENTED_NAMESPACE
            and one.get("metricName") == DOCUMENTED_METRIC
            and _text(one.get("metricValue")) in ("1", "1.0")
            and not one.get("dimensions")
            for one in transformations
        )
    )


def _goes_off(parameters: Mapping[str, Any]) -> bool:
    """Whether an alarm goes off with the first event, and tells somebody."""
    threshold, period = parameters.get("threshold"), parameters.get("period")
    if not isinstance(threshold, int | float) or not isinstance(period, int | float) or period > TIMES_OUT:
        return False
    least = {"GreaterThanOrEqualToThreshold": threshold <= 1, "GreaterThanThreshold": threshold < 1}
    return (
        parameters.get("namespace") == DOCUMENTED_NAMESPACE
        and parameters.get("metricName") == DOCUMENTED_METRIC
        and _text(parameters.get("statistic")) in NOTICING
        and least.get(_text(parameters.get("comparisonOperator")), False)
        and parameters.get("datapointsToAlarm", parameters.get("evaluationPeriods", 1)) == 1
        and not parameters.get("dimensions")
        and parameters.get("unit") in (None, "None")
        and _text(parameters.get("treatMissingData")) not in STUCK
        and bool(parameters.get("alarmActions"))
    )


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""
