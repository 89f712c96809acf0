"""A rule as CloudWatch metric filters with an alarm each."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import msgspec

from smwatch.rules.documented import DOCUMENTED_ALARM, DOCUMENTED_METRIC, DOCUMENTED_NAMESPACE
from smwatch.rules.envelope import Rule
from smwatch.rules.export.exactness import Exactness, left_out, patterns_of, unsaid

DOCUMENTED = "SMW-DEL-01"
"""The rule that AWS's documentation sets up as an alarm; exported under the documentation's names."""
NAMESPACE, PREFIX = "smwatch", "smwatch-"
"""Where the metrics of all other rules are, and how the names of their filters and alarms begin."""
ACCOUNT = "ACCOUNT_ID"
"""Stands in a pattern for the number of the account it is put into."""

_PERIOD, _LONGEST = 300, 86_400
"""Seconds: the console's period, and the longest that an alarm looks at."""

MOST, MOST_WITH_REGEX = 100, 5
"""Metric filters of a log group; and of these, together with its subscription filters, those with a regular expression.

Source: the quotas of CloudWatch Logs."""


class MetricFilter(msgspec.Struct, frozen=True):
    """One pattern of a rule as a metric filter with an alarm."""

    rule: str
    title: str
    exactness: Exactness
    caveat: str
    """What AWS leaves out, as a clause; "" for nothing."""
    pattern: str
    name: str
    """Of the filter."""
    namespace: str
    metric: str
    default: float | None
    """The metric's value while nothing matches; None for no value, as documented."""
    alarm: str
    threshold: int
    period: int
    """Seconds."""

    @property
    def description(self) -> str:
        """What the alarm says it is; AWS takes 1,024 characters."""
        return f"{self.title} ({self.rule} of smwatch)"[:1024]


def exactness(rule: Rule) -> tuple[Exactness, str]:
    """How much of a rule a metric filter can say, and what it leaves out."""
    if why := unsaid(rule):
        return Exactness.ONLY_HERE, why
    if rule.count is not None:
        period, clauses = _period(rule), ["AWS counts for the whole account, not for each principal or secret"]
        if rule.count.within != period:
            clauses.append(f"in {period} s instead of {rule.count.within}")
        return Exactness.APPROXIMATE, ", ".join(filter(None, (*clauses, left_out(rule))))
    caveat = left_out(rule)
    return (Exactness.APPROXIMATE if caveat else Exactness.EXACT), caveat


def metric_filters(rule: Rule) -> tuple[MetricFilter, ...]:
    """What to make in CloudWatch for a rule; nothing for one that only smwatch can run."""
    how, caveat = exactness(rule)
    if how is Exactness.ONLY_HERE:
        return ()
    filters = []
    for number, pattern in enumerate(patterns_of(rule), 1):
        name = rule.id if number == 1 else f"{rule.id}-{number}"
        documented = rule.id == DOCUMENTED and number == 1
        filters.append(
            MetricFilter(
                rule=rule.id,
                title=rule.title,
                exactness=how,
                caveat=caveat,
                pattern=pattern.text,
                name=DOCUMENTED_METRIC if documented else PREFIX + name,
                namespace=DOCUMENTED_NAMESPACE if documented else NAMESPACE,
                metric=DOCUMENTED_METRIC if documented else name,
                default=None if documented else 0.0,
                alarm=DOCUMENTED_ALARM if documented else PREFIX + name,
                threshold=rule.count.min if rule.count else 1,
                period=_period(rule),
            )
        )
    return tuple(filters)


def beyond_quota(rules: Iterable[Rule]) -> Iterator[str]:
    """Sentences on why one log group can't take the filters of all these rules."""
    given = [rule for rule in rules if metric_filters(rule)]
    found = [pattern for rule in given for pattern in patterns_of(rule)]
    with_regex = sum(pattern.has_regex for pattern in found)
    if len(found) > MOST:
        yield f"{len(found):,} metric filters, and a log group takes {MOST}: name fewer rules"
    if with_regex > MOST_WITH_REGEX:
        yield f"{with_regex:,} patterns with a regular expression, and a log group takes {MOST_WITH_REGEX}"


def _period(rule: Rule) -> int:
    """The period of the alarm: whole minutes, of which a day has no more than there are."""
    if rule.count is None:
        return _PERIOD
    return min(-(-rule.count.within // 60) * 60, _LONGEST)
