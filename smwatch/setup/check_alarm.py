"""Checks of the metric filter and the alarm, and whether AWS takes the documented pattern as smwatch does."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.patterns.sameness import same_pattern
from smwatch.setup import documents
from smwatch.setup.check_topic import TopicJudge
from smwatch.setup.documented import (
    alarm_departures,
    alarm_faults,
    alarm_parameters,
    filter_faults,
    same_filter,
)
from smwatch.setup.finding import Finding, age, broken, ok, shell, unknown, warn
from smwatch.setup.place import arn_part
from smwatch.setup.seeing import Unread
from smwatch.setup.seen import Alarm, LogGroup, MetricFilter, Topic
from smwatch.setup.wanted import MetricAlarm

OLD_WORDING = "because it was deleted"
"""What the documented pattern said until 2020, and AWS's message no longer says."""


class AlarmChecks(TopicJudge):
    """Checks of every rule that has an alarm."""

    def findings(self) -> Iterator[Finding]:
        """Yield whether every rule is counted, would go off, and would tell somebody."""
        filters = self.seen.filters
        if isinstance(filters, Unread):
            yield unknown("metric filter", filters.why)
        elif isinstance(self.seen.group, LogGroup):
            for wanted in self.seen.wanted.alarms:
                yield self.metric_filter(filters, wanted)
        yield self.pattern()
        if isinstance(self.seen.alarms, Unread):
            yield unknown("alarm", self.seen.alarms.why)
            return
        for wanted in self.seen.wanted.alarms:
            found = next((alarm for alarm in self.seen.alarms if alarm.name == wanted.alarm), None)
            if found is None:
                yield broken("alarm", f"There is no alarm {wanted.alarm} in {self.home}.", self.mend)
                continue
            yield self.alarm(found, wanted)
            yield from self.told(found)

    @property
    def mend(self) -> str:
        """The command that puts filter, alarm and topic right."""
        return self.setup("--part", "alarm")

    def metric_filter(self, filters: tuple[MetricFilter, ...], wanted: MetricAlarm) -> Finding:
        """Say whether a metric filter counts what it should."""
        check, mend = "metric filter", self.mend
        if found := next((each for each in filters if same_filter(each, wanted)), None):
            return ok(check, f"{found.name} counts {wanted.namespace}/{wanted.metric}.")
        near = next((each for each in filters if each.name == wanted.filter_name), None)
        near = near or next((each for each in filters if each.metric == wanted.metric), None)
        if near is None:
            return broken(check, f"{self.group} has no metric filter {wanted.filter_name}.", mend)
        if OLD_WORDING in near.pattern:
            return broken(check, f"{near.name} looks for AWS's wording of before 2020: it never matches.", mend)
        if not same_pattern(near.pattern, wanted.pattern):
            return broken(check, f"{near.name} has another pattern than the documented one: {near.pattern}", mend)
        wrong = "; ".join(f"{field} is {is_}, should be {should}" for field, is_, should in filter_faults(near, wanted))
        return broken(check, f"{near.name}: {wrong}.", mend)

    def pattern(self) -> Finding:
        """Say whether AWS itself finds the refused reading with the documented pattern."""
        if isinstance(self.seen.matches, Unread):
            return unknown("pattern", f"AWS did not try the documented pattern: {self.seen.matches.why}")
        if self.seen.matches:
            return ok("pattern", "AWS finds that the documented pattern matches a refused reading.")
        return broken("pattern", "AWS finds that the documented pattern does not match a refused reading.")

    def alarm(self, found: Alarm, wanted: MetricAlarm) -> Finding:
        """Say whether an alarm goes off at the first event, and is on."""
        if faults := alarm_faults(found, wanted):
            wrong = "; ".join(f"{field} is {is_}, should be {should}" for field, is_, should in faults)
            return broken("alarm", f"{found.name}: {wrong}.", self.mend)
        if not found.actions:
            return broken("alarm", f"{found.name} tells nobody: it has no actions.", self.mend)
        named = self.seen.chain.place.topic(self.seen.wanted.names.topic) if self.seen.chain else ""
        if self.seen.wanted.topic_named and named not in found.actions:
            return broken("alarm", f"{found.name} does not tell {arn_part(named, 5)}.", self.mend)
        if found.state == "ALARM":
            since = f" for {age(self.seen.now - found.state_at)}" if found.state_at else ""
            look = shell("smwatch", "--profile", self.profile, "--region", self.seen.place.region)
            return warn("alarm", f"{found.name} is in ALARM{since}: somebody tried to read a deleted secret.", look)
        if departures := alarm_departures(found, wanted):
            other = "; ".join(f"{field} is {is_}, documented is {should}" for field, is_, should in departures)
            again = documents.text(alarm_parameters(wanted, found.actions))
            put = self.aws("cloudwatch", "put-metric-alarm", "--cli-input-json", again)
            return warn("alarm", f"{found.name} goes off, but is not as documented: {other}.", put)
        return ok("alarm", f"{found.name} is as documented ({found.state or 'no state yet'}).")

    def told(self, alarm: Alarm) -> Iterator[Finding]:
        """Yield whether what an alarm tells passes it on to people."""
        for arn in alarm.actions:
            if arn_part(arn, 2) == "sns":
                statement = documents.alarms_may_publish(self.seen.place.at(self.home), arn)
                yield self.topic("topic", arn, statement, self.setup("--part", "alarm", "--topic", arn))
                if isinstance(topic := self.seen.topics.get(arn), Topic):
                    yield self.subscribers(topic)
