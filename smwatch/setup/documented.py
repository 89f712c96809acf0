"""The metric filter and the alarm as AWS's documentation has them, and how far found ones are from that; pure."""

from __future__ import annotations

from typing import TypeAlias

from smwatch.patterns.sameness import same_pattern
from smwatch.rules.documented import NOTICING, STUCK, TIMES_OUT
from smwatch.rules.export.requests import alarm
from smwatch.setup.seen import Alarm, MetricFilter
from smwatch.setup.wanted import MetricAlarm

Departure: TypeAlias = tuple[str, str, str]
"""(what, how it is, how it should be)."""
_COUNTING = frozenset({"Sum", "SampleCount"})
"""These grow with each event, and so reach any threshold."""


def alarm_parameters(wanted: MetricAlarm, actions: tuple[str, ...]) -> dict[str, object]:
    """Return the parameters of PutMetricAlarm, telling these ARNs."""
    return {**alarm(wanted), "ActionsEnabled": True, "AlarmActions": list(actions)}


def same_filter(found: MetricFilter, wanted: MetricAlarm) -> bool:
    """Whether a filter counts what is wanted, under whatever name."""
    return same_pattern(found.pattern, wanted.pattern) and not filter_faults(found, wanted)


def filter_faults(found: MetricFilter, wanted: MetricAlarm) -> tuple[Departure, ...]:
    """Return what keeps a filter's metric from being the one that the alarm watches, the pattern apart."""
    value = "1" if found.value in ("1", "1.0") else found.value
    return _different(
        ("metric", f"{found.namespace}/{found.metric}", f"{wanted.namespace}/{wanted.metric}"),
        ("value", value, "1"),
        ("dimensions", ", ".join(found.dimensions) or "none", "none"),
        ("unit", _unit(found.unit), "none"),
        ("selection", found.criteria or "none", "none"),
        ("looks at", "transformed events" if found.transformed else "what CloudTrail wrote", "what CloudTrail wrote"),
    )


def alarm_faults(found: Alarm, wanted: MetricAlarm) -> tuple[Departure, ...]:
    """Return everything that keeps an alarm from telling of each single event."""
    metric = "metric math" if found.computed else f"{found.namespace}/{found.metric}"
    faults = [
        ("metric", metric, f"{wanted.namespace}/{wanted.metric}"),
        ("comparison", found.comparison, "GreaterThanOrEqualToThreshold"),
        ("threshold", f"{found.threshold:g}", f"{wanted.threshold:g}"),
        ("datapoints to alarm", str(found.datapoints), "1"),
        ("dimensions", ", ".join("=".join(pair) for pair in found.dimensions) or "none", "none"),
        ("unit", _unit(found.unit), "none"),
        ("telling", "on" if found.actions_enabled else "switched off", "on"),
    ]
    if found.missing in STUCK:
        faults.append(("missing data", found.missing, "notBreaching"))
    if found.statistic not in (NOTICING if wanted.threshold == 1 else _COUNTING):
        faults.append(("statistic", found.statistic or "none", "Sum"))
    if found.period > TIMES_OUT:
        faults.append(("period", f"{found.period} s", f"{wanted.period} s"))
    return _different(*faults)


def alarm_departures(found: Alarm, wanted: MetricAlarm) -> tuple[Departure, ...]:
    """Return where an alarm that goes off when it should is not as documented all the same."""
    return _different(
        ("statistic", found.statistic, "Sum"),
        ("period", f"{found.period} s", f"{wanted.period} s"),
        ("evaluation periods", str(found.evaluation_periods), "1"),
        ("missing data", found.missing, "notBreaching"),
    )


def _unit(unit: str) -> str:
    return "none" if unit in ("", "None") else unit


def _different(*compared: Departure) -> tuple[Departure, ...]:
    return tuple(each for each in compared if each[1] != each[2])
