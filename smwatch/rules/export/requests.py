"""What PutMetricFilter and PutMetricAlarm are asked for a rule: the one place that says it, whoever spells it how."""

from __future__ import annotations

import re
from typing import Protocol

_WORD = re.compile("(?<!^)(?=[A-Z])")


class Metric(Protocol):
    """A metric that counts a rule's events, and its alarm."""

    @property
    def namespace(self) -> str:
        """Of the metric."""
        ...

    @property
    def metric(self) -> str:
        """Its name."""
        ...

    @property
    def default(self) -> float | None:
        """Its value while nothing matches; None for no value."""
        ...

    @property
    def alarm(self) -> str:
        """The alarm's name."""
        ...

    @property
    def description(self) -> str:
        """What the alarm says it is."""
        ...

    @property
    def threshold(self) -> float:
        """From how many events on it goes off."""
        ...

    @property
    def period(self) -> int:
        """Seconds in which they are counted."""
        ...


def transformation(counted: Metric) -> dict[str, object]:
    """The metric transformation of PutMetricFilter."""
    asked: dict[str, object] = {
        "metricNamespace": counted.namespace,
        "metricName": counted.metric,
        "metricValue": "1",
    }
    return asked if counted.default is None else {**asked, "defaultValue": counted.default}


def alarm(counted: Metric) -> dict[str, object]:
    """The parameters of PutMetricAlarm, but for whom it tells.

    The documentation gives ">= 1"; Sum over five minutes is what the console offers. There is no value at all while
    nothing matches, so missing data is not breaching.
    """
    return {
        "AlarmName": counted.alarm,
        "AlarmDescription": counted.description,
        "Namespace": counted.namespace,
        "MetricName": counted.metric,
        "Statistic": "Sum",
        "Period": counted.period,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": counted.threshold,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
    }


def hyphened(name: str) -> str:
    """A parameter as an option of the aws command: alarm-name."""
    return "-".join(_WORD.split(name)).lower()
