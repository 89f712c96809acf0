"""The cases behind alarms, those that were kept among them."""

from __future__ import annotations

from collections.abc import Container, Iterable, Mapping
from types import MappingProxyType

from smwatch.events.event import Event
from smwatch.rules.alarm import Alarm
from smwatch.rules.alarm_group import group_of
from smwatch.rules.case import Case
from smwatch.rules.dimension import Dimension, Renames, Value
from smwatch.rules.envelope import Rule
from smwatch.rules.feed import Feeds
from smwatch.rules.standing import Standing
from smwatch.rules.watch import Watch
from smwatch.rules.world import World


class Cases:
    """Every rule with its cases, found by the alarms they are behind."""

    def __init__(self, rules: Iterable[Rule], world: World, standing: Standing) -> None:
        self.watches = {rule.id: Watch(rule, world, standing) for rule in rules if rule.silence is None}
        self._silent = {rule.id: rule for rule in rules if rule.silence is not None}
        self.feeds = Feeds(tuple(self._silent.values()), world)
        self._standing = standing
        self._recalled: dict[int, dict[str, None]] = {}
        """The groups of alarms that were kept, by the keys of their events."""

    def of(self, alarm: Alarm, right: Renames = MappingProxyType({})) -> Case | None:
        """The case behind an alarm, or that which its group is folded into; None where its rule is no longer in force.

        `right`: the right names of what has been folded since the alarm was worked out.
        """
        watch = self.watches.get(alarm.rule)
        rule = watch.rule if watch is not None else self._silent.get(alarm.rule)
        if rule is None:
            return None
        values = _values_of(rule, alarm)
        if group_of(rule, values) != alarm.group:
            return None  # the rule groups differently by now
        values = {each: right.get(value, value) if each.names_secret else value for each, value in values.items()}
        return watch.cases.of(values) if watch is not None else self.feeds.case(rule, values)

    # -- of alarms that were kept

    @property
    def recalled(self) -> Container[int]:
        """The keys of the events that alarms which were kept are made of."""
        return self._recalled

    def recall(self, alarm: Alarm) -> None:
        """Have an alarm that was kept be `recognised` by its events."""
        for key in alarm.event_keys if alarm.secret is not None else ():
            self._recalled.setdefault(key, {})[alarm.group] = None

    def recognise(self, event: Event) -> None:
        """Regroup the alarms of this event, which is recalled, if it names another secret than when they were kept."""
        for group in self._recalled.pop(event.key):
            alarm = self._standing.alarms.get(group)
            if alarm is None or alarm.secret is None or event.secret is None:
                continue
            if alarm.secret != event.secret and alarm.secret not in event.others:
                case, watch = self.of(alarm), self.watches.get(alarm.rule)
                if case is not None and watch is not None:
                    known = tuple(case.values.get(dimension) for dimension in watch.rule.by)
                    watch.cases.regroup(known, {alarm.secret: event.secret})


def _values_of(rule: Rule, alarm: Alarm) -> Mapping[Dimension, Value]:
    """The values that a rule groups by, of an alarm of its."""
    about = dict(alarm.about)
    values: dict[Dimension, Value] = {}
    for dimension in rule.by:
        value: Value | None = about.get(dimension.name)
        if dimension.name == "secret":
            value = alarm.secret
        elif dimension.name == "identity":
            value = alarm.identity or None
        elif dimension.name in ("session", "access_key"):
            value = alarm.session or alarm.identity or None
        if value is not None:
            values[dimension] = value
    return values
