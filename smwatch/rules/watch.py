"""A rule at work: it takes the events its pattern selects and keeps a case for each group."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from smwatch.events.event import Event
from smwatch.events.recent import Recent
from smwatch.record import Record
from smwatch.rules import sighting
from smwatch.rules.alarm import Alarm
from smwatch.rules.case import Case, Newest
from smwatch.rules.command import holes, needs_record, record_values
from smwatch.rules.condition import Condition, Look, Lookup, lookups
from smwatch.rules.dimension import Dimension, Value
from smwatch.rules.envelope import FirstSeen, Rule, own_fact
from smwatch.rules.fact import EVER
from smwatch.rules.habit import Habits
from smwatch.rules.sighting import Mark, SightingCase, Verdict
from smwatch.rules.spread import Need, Questions, SpreadCase
from smwatch.rules.telling import reach
from smwatch.rules.world import Pending, Prepare, World, historic, ordered

CASES = 4_096
"""Cases kept of each rule; twice as many before those unheard of for longest are forgotten. Their alarms are not."""
_NOTHING: Mapping[str, str] = {}

Group = tuple[Value | None, ...]


class Watch:
    """One rule with its cases."""

    def __init__(self, rule: Rule, world: World, kept: Callable[[str], Alarm | None]) -> None:
        self.rule = rule
        self.world = world
        self._kept = kept
        self._gets = tuple(dimension.get for dimension in rule.by)
        self._holes = needs_record(hole for command in rule.next for hole in holes(command))
        self._cases: Recent[Group, Case] = Recent(self._open, CASES)
        distinct = rule.distinct
        self._of = distinct.of if distinct is not None else None
        self._only = [world.prepare(each) for each in _only(rule) if historic(each)]
        self._unless = [world.prepare(each) for each in rule.unless if historic(each)]
        self._grades = [(world.prepare(grade.condition), grade.severity.rank, grade.title) for grade in rule.grade]
        first = rule.first_seen
        self._fresh = world.track(own_fact(rule), ordered(first.of)) if first is not None else None
        self._fresh_gap = int(first.within) if first is not None else 0
        self._plain = (Verdict(None, rule.severity.rank, ""),)
        self._reach = _reach(rule)
        self._habits = Habits(distinct.habit) if distinct is not None and distinct.habit is not None else None
        if distinct is not None:
            self._needs = (
                Need(distinct.min, distinct.within, rule.severity.rank, 0, ""),
                *(
                    Need(step.min, step.within, step.severity.rank, number, step.title)
                    for number, step in enumerate(rule.escalate, 1)
                ),
            )
            self._questions = Questions(
                tuple(world.lookout(each) for each in rule.only if historic(each)),
                tuple(world.lookout(each) for each in rule.unless if historic(each)),
                tuple((world.lookout(grade.condition), grade.severity.rank, grade.title) for grade in rule.grade),
            )

    def take(self, event: Event, record: Record, second: int) -> None:
        """Take an event that the rule's pattern, and what it says of the event alone, has selected."""
        if self._of is not None:
            self._take_value(self._of, event, record, second)
        else:
            self._take_event(event, record, second)

    def case(self, values: Mapping[Dimension, Value]) -> Case:
        """The case of a group."""
        return self._cases[tuple(values.get(dimension) for dimension in self.rule.by)]

    def _take_value(self, of: Dimension, event: Event, record: Record, second: int) -> None:
        value = of.get(event, record)
        if value is None:
            return
        case = self._cases[tuple([get(event, record) for get in self._gets])]
        assert isinstance(case, SpreadCase)
        if case.newest is None or event.key > case.newest.event.key:
            case.heard(Newest(event, _NOTHING))
        case.add(value, event.key, second)
        if event.others and value is event.secret:
            for secret in event.others:
                case.add(secret, event.key, second)

    def _take_event(self, event: Event, record: Record, second: int) -> None:
        # The fact takes an event before the rule does. What it has known for long is known at once to be nothing new.
        if self._fresh is not None and 0 < self._fresh.gap <= self._fresh_gap:
            return
        only = _pending(self._only, event, record, second)
        if only is None:
            return
        unless: list[Pending] = []
        for ask in self._unless:
            answer = ask(event, record, second)
            if answer is True:
                return
            if answer is not False:
                unless.append(answer)
        case = self._cases[tuple([get(event, record) for get in self._gets])]
        assert isinstance(case, SightingCase)
        newest = Newest(event, record_values(self._holes, event, record) if self._holes else _NOTHING)
        mark = Mark(event.key, newest, self._graded(event, record, second, case))
        mark.only, mark.unless = tuple(only), tuple(unless)
        for pending in (*only, *unless):
            pending.watch(case)
        case.add(mark)

    def _graded(self, event: Event, record: Record, second: int, case: SightingCase) -> tuple[Verdict, ...]:
        if not self._grades:
            return self._plain
        verdicts: list[Verdict] = []
        for ask, rank, title in self._grades:
            answer = ask(event, record, second)
            if answer is True:
                return (*verdicts, Verdict(None, rank, title))
            if answer is not False:
                answer.watch(case)
                verdicts.append(Verdict(answer, rank, title))
        return (*verdicts, *self._plain)

    def _open(self, group: Group) -> Case:
        rule, world = self.rule, self.world
        values = {dimension: value for dimension, value in zip(rule.by, group, strict=True) if value is not None}
        case: Case
        if rule.distinct is not None:
            case = SpreadCase(rule, world, values, self._needs, self._questions, self._habits)
        else:
            case = SightingCase(rule, world, values, self._reach)
            case.judge = _judge(rule, case)
        if kept := self._kept(case.group):
            case.resume(kept)
        return case


def _pending(asks: Sequence[Prepare], event: Event, record: Record, second: int) -> list[Pending] | None:
    """The questions that are still open; None if one of them is answered no."""
    pending: list[Pending] = []
    for ask in asks:
        answer = ask(event, record, second)
        if answer is False:
            return None
        if answer is not True:
            pending.append(answer)
    return pending


def _judge(rule: Rule, case: SightingCase) -> sighting.Judge:
    if rule.sequence is not None:
        return sighting.following(rule, case)
    if rule.absence is not None:
        return sighting.missing(rule, case)
    if rule.timer is not None:
        return sighting.ticking(rule, case)
    if rule.count is not None:
        return sighting.counting(rule, rule.count.min, rule.count.within)
    return sighting.counting(rule, 1, 0) if rule.escalate else sighting.settle_each


def _only(rule: Rule) -> tuple[Condition, ...]:
    """The conditions of a rule, its first_seen spelled out as one."""
    first = rule.first_seen
    return rule.only if first is None else (*rule.only, _new(rule, first))


def _new(rule: Rule, first: FirstSeen) -> Lookup:
    return Lookup(Look.NEW, own_fact(rule), first.of, first.within, warmup=first.warmup)


def _reach(rule: Rule) -> tuple[int, int]:
    """How many seconds before the first and after the last event of a case facts can change its alarm."""
    back, ahead = reach(rule)
    for lookup in lookups(*rule.conditions, *_only(rule)):
        within = int(lookup.within) if lookup.within is not None else EVER
        back = max(back, within if lookup.look is not Look.FOLLOWS else 0)
        ahead = max(ahead, within if lookup.look in (Look.FOLLOWS, Look.NEAR) else 0)
    if rule.sequence is not None:
        back = max(back, rule.sequence.within if rule.sequence.after else 0)
        ahead = max(ahead, rule.sequence.within if rule.sequence.then else 0)
    if rule.absence is not None:
        ahead = max(ahead, rule.absence.within)
    if rule.timer is not None:
        back, ahead = EVER, EVER
    return back, ahead
