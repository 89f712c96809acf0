"""A rule at work: it takes the events its pattern selects and keeps a case for each group."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from itertools import islice
from typing import TypeAlias, TypeVar

from smwatch.events.event import Arrival, Event
from smwatch.events.secret import Secret
from smwatch.rules import judges
from smwatch.rules.alarm import Alarm
from smwatch.rules.alarm_group import group_of
from smwatch.rules.answer import Pending
from smwatch.rules.awaiting import waits
from smwatch.rules.case import Case
from smwatch.rules.command import holes, needs_record, record_values
from smwatch.rules.condition import historic
from smwatch.rules.dimension import UNNAMED, Dimension, Group, Value, deciding, grouping, renamed, renames
from smwatch.rules.distinct import needs_of, questions_of
from smwatch.rules.dozing import dozing
from smwatch.rules.envelope import Rule, own_fact
from smwatch.rules.habit import Habits
from smwatch.rules.handful import Glimpse, Handful
from smwatch.rules.mark import Mark, Verdict
from smwatch.rules.measure import Bar, Measure
from smwatch.rules.memory import Memory, Outlasting
from smwatch.rules.newest import Newest
from smwatch.rules.plan import Ask, First, Plan, Spreading, Take
from smwatch.rules.question import Prepare, prepare
from smwatch.rules.reach import only_of, reach_of
from smwatch.rules.sighter import Sighter
from smwatch.rules.sighting import SightingCase
from smwatch.rules.spread import SpreadCase
from smwatch.rules.subject import SECOND_BITS, Subject
from smwatch.rules.world import World, ordered

CASES = 2_048
"""Cases without an alarm kept of each rule; twice as many before those unheard of for longest are forgotten. What was
too little for an alarm, and is gone on with after so many others have come, begins anew."""
CONCERNED = 20
"""While names are brought together, so many cases take as long as one that is about a wrong one: up to 0.5 ms."""
LOOKED_AT = 100
"""Cases that are looked at in one go when what they no longer need is forgotten: a millisecond or two."""
RESTED = 500
"""Values of cases that hold no more than they must from then on, in one go: a millisecond or two."""
_NOTHING: Mapping[str, str] = {}

Kept: TypeAlias = Callable[[Rule, Callable[[], str]], Alarm | None]
"""The alarm that a case of this rule goes on from; most have none, and need not tell their group then."""
C = TypeVar("C", bound=Case)


class Watch:
    """One rule with its cases."""

    def __init__(self, rule: Rule, world: World, kept: Kept) -> None:
        self.rule = rule
        self.world = world
        self._kept = kept
        self._group = grouping(rule.by)
        self._holes = needs_record(hole for command in rule.next for hole in holes(command))
        self._spreads: Memory[Group, SpreadCase] = Outlasting(
            self._open_spread, CASES, world.turns, self._needs_to_stay, self._part_from
        )
        self._open_case = self._spreads.__getitem__
        self._handfuls: Memory[Group, Handful] = Memory(self._open_handful, CASES, world.turns)
        """Of groups that have no case yet, and may never need one."""
        self._sightings: Memory[Group, SightingCase] = Outlasting(
            self._open_sighting, CASES, world.turns, self._needs_to_stay, self._part_from
        )
        distinct, first = rule.distinct, rule.first_seen
        self._waits = waits(rule, world, self._take_again)
        waited = self._waits.dimensions if self._waits is not None else ()
        self.dimensions = (*rule.by, *([distinct.of] if distinct else ()), *(first.of if first else ()), *waited)
        """What its cases, and what they count, call new or wait for, are told apart by."""
        self._foreseen = all(each.foreseen for each in self.dimensions)
        self.needs = deciding(first.of if first else ())
        self.take: Take = self._take_value if distinct else self._take_first if rule.first_seen else self._take_event
        """Takes an event that the rule's pattern, and what it says of the event alone, has selected."""
        self._take_each: Take = self._take_one if self._waits is None else self._take_or_wait
        self._take_new: Take = self._take_event  # one for all plans: serves "memory-flat"
        self._only = [prepare(world, each) for each in only_of(rule) if historic(each)]
        self._unless = [prepare(world, each) for each in rule.unless if historic(each)]
        self._by_secret = any(dimension.names_secret for dimension in rule.by)
        self._plain_only = [prepare(world, each) for each in rule.only if not historic(each)]
        self._plain_unless = [prepare(world, each) for each in rule.unless if not historic(each)]
        self._grades = [(prepare(world, grade.condition), grade.severity.rank, grade.title) for grade in rule.grade]
        self._fresh = world.track(own_fact(rule), ordered(first.of)) if first is not None else None
        self._fresh_gap = int(first.within) if first is not None else 0
        self._dozing = dozing(rule, world, self._add)
        self._plain = (Verdict(None, rule.severity.rank, ""),)
        self._reach = reach_of(rule)
        self._horizon, self._fewest = judges.horizon(rule), judges.fewest(rule)
        self._habits = Habits(distinct.habit) if distinct is not None and distinct.habit is not None else None
        if distinct is not None:
            self._value = distinct.of.get
            self._else = UNNAMED if distinct.min == 1 and distinct.of.names_secret else None
            if self._else is None:
                self.needs |= deciding((distinct.of,))
            self._needs, self._questions = needs_of(rule), questions_of(rule, world)

    def enlist(self, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one."""
        distinct, fresh = self.rule.distinct, self._fresh
        if left:
            pass
        elif distinct is not None and self._foreseen:
            if value := self._value(subject) or self._else:
                plan.spreads += (self._sighter(self._group(subject), value),)
            return
        elif fresh is not None and fresh.foreseen and not fresh.notes:
            if (times := fresh.of_event(subject)) is None:
                return
            if times in plan.times:
                plan.firsts += (First(times, self._fresh_gap, self._take_new),)
                return
            # The event is none of those that count as having been seen: each of its kind is as new as the one before.
        elif self._waits is not None and self._has_nothing_of(group := self._group(subject)):
            if (waiter := self._waits.waiter(group, subject)) is not None:
                plan.waits += (waiter,)
            return
        plan.takes += ((self.take, left),)

    def _sighter(self, group: Group, value: Value) -> Spreading:
        keeper = self._keeper(group)
        return Glimpse(keeper, value) if isinstance(keeper, Handful) else Sighter(keeper, value)

    def _keeper(self, group: Group) -> SpreadCase | Handful:
        """What keeps the values of a group: its case, or what does until there need be one."""
        if (keeper := self._handfuls.get(group) or self._spreads.get(group)) is not None:
            return keeper  # never both, and heard of lately: mostly it is so, and is found without a call
        if self._needs.least < 2 or self._spreads.find(group) is not None:
            return self._spreads[group]
        # Of a group that has a handful there is no alarm: an alarm that is kept opens its case, which takes that over.
        if self._handfuls.find(group) is None and self._has_alarm(group):
            return self._spreads[group]
        return self._handfuls[group]

    def case(self, values: Mapping[Dimension, Value]) -> Case:
        """The case of a group."""
        group = tuple(values.get(dimension) or None for dimension in self.rule.by)
        return self._spreads[group] if self.rule.distinct is not None else self._sightings[group]

    def fold(self, right: Mapping[Secret, Secret]) -> Iterator[int]:
        """Bring together the cases, and the values in them, of secrets that have turned out to be one; step by step.

        Each step says about how many it takes as long as that have nothing to do with them.
        """
        every = renames(right)

        def concerned(group: Group) -> bool:
            return not every.keys().isdisjoint(group)

        for group in self._handfuls.remembered():
            if (handful := self._handfuls.find(group)) is None:
                continue
            if concerned(group) or handful.names_any(every):
                self._spreads[group]  # which takes it over
                yield CONCERNED
            else:
                handful.rename(right)
                yield 1
        for group in (*self._spreads.remembered(), *self._sightings.remembered()):
            weight = 1
            # Most groups are of other secrets, and that is seen at once: serves "longest stall of the event loop".
            if self._by_secret and concerned(group) and renamed(self.rule.by, group, every) != group:
                self.regroup(group, right)
                weight = CONCERNED
            elif (spread := self._spreads.find(group)) is not None:
                spread.rename(right)
                if self.rule.distinct is not None and self.rule.distinct.of.names_secret and spread.fold(every):
                    weight = CONCERNED
            elif not self._by_secret and (sightings := self._sightings.find(group)) is not None:
                sightings.rename(right)
            yield weight
        if self._waits is not None:
            yield from self._waits.fold(every, right)
        if self._dozing is not None:
            yield from self._dozing.fold(every, right)

    def forget_before(self, second: int) -> Iterator[bool]:
        """Let go of what was seen before this second and is no evidence, some cases at a time.

        After each time it says whether some are gone: plans must be made anew then.
        """
        remembered, gone = iter((*self._handfuls.remembered(), *self._spreads.remembered())), False
        while some := tuple(islice(remembered, LOOKED_AT)):
            for group in some:
                if self._forget_of(group, second):
                    gone = True
            yield gone
            gone = False

    def rest(self, second: int) -> Iterator[None]:
        """Have cases hold no more than they must in which nothing was seen since this second, some at a time."""
        weight, before = 0, second << SECOND_BITS
        for case in self._spreads.every():
            if case.newest_key < before and not case.slots.packed:
                weight += 1 + case.rest()
                if weight >= RESTED:
                    weight = 0
                    yield

    def _forget_of(self, group: Group, second: int) -> bool:
        """The same of one group; whether all of it is gone."""
        if (handful := self._handfuls.find(group)) is not None and handful.forget_before(second):
            self._handfuls.take(group)
            return True
        if (spread := self._spreads.find(group)) is not None:
            spread.forget_before(second)
            if spread.empty and not self._needs_to_stay(spread):
                self._spreads.take(group)
                self._part_from(spread)
                return True
        return False

    def _needs_to_stay(self, case: Case) -> bool:
        """Whether a case is kept although nobody has asked for it in a long while."""
        return case in self.world.dirty or (case.alarmed and self._kept(self.rule, lambda: case.group) is not None)

    def _part_from(self, case: Case) -> None:
        """Have a case be gone: facts that it hangs on still wake it, when its group may have another, and an alarm."""
        case.gone = True
        if self._habits is not None and isinstance(case, SpreadCase):
            self._habits.leave(case.identity, case)

    def regroup(self, group: Group, right: Mapping[Secret, Secret]) -> None:
        """Put what is known of one group where it belongs now."""
        now = renamed(self.rule.by, group, renames(right))
        if self._handfuls.find(group) is not None:
            self._spreads[group]  # which takes it over
        if (spread := self._spreads.take(group)) is not None:
            spread.rename(right)
            self._spreads[now].absorb(spread)
        if (sightings := self._sightings.take(group)) is not None:
            sightings.rename(right)
            self._sightings[now].absorb(sightings)

    def _take_value(self, subject: Subject) -> None:
        value = self._value(subject) or self._else
        if not value:
            return
        keeper = self._keeper(self._group(subject))
        key, second = subject.key, subject.second
        if key > keeper.newest_key:
            keeper.heard(subject.event)
        keeper.add(value, key, second)
        if subject.event.call.others and value is subject.secret:
            for secret in subject.event.call.others:
                keeper.add(secret, key, second)

    def _take_first(self, subject: Subject) -> None:
        # The fact takes an event before the rule does. What it has known for long is known at once to be nothing new.
        fresh = self._fresh
        if fresh is None or fresh.taken != subject.key or not 0 <= fresh.gap <= self._fresh_gap:
            self._take_event(subject)

    def _take_event(self, subject: Subject) -> None:
        if not subject.event.call.others or not self._by_secret:
            self._take_each(subject)
            return
        for one in subject.each:  # a batch is evidence about each of its secrets that the rule is about
            if all(ask(one) is True for ask in self._plain_only) and not any(ask(one) for ask in self._plain_unless):
                self._take_each(one)

    def _take_or_wait(self, subject: Subject) -> None:
        assert self._waits is not None
        if not self._has_nothing_of(group := self._group(subject)):
            self._take_one(subject)
        elif (waiter := self._waits.waiter(group, subject)) is not None:
            waiter.add(subject.event, subject.second)

    def _has_nothing_of(self, group: Group) -> bool:
        """Whether nothing is told of a group yet: to what is, each of its events may make a difference."""
        return self._sightings.find(group) is None and not self._has_alarm(group)

    def _take_one(self, subject: Subject) -> None:
        only = _pending(self._only, subject)
        if only is None:
            return
        unless: list[Pending] = []
        for ask in self._unless:
            answer = ask(subject)
            if answer is True:
                return
            if answer is not False:
                unless.append(answer)
        told = record_values(self._holes, subject.event, subject.record) if self._holes else _NOTHING
        mark = Mark(subject.key, Newest(subject.event, told), self._graded(subject))
        mark.only, mark.unless = tuple(only), tuple(unless)
        group, dozing = self._group(subject), self._dozing
        if dozing is None or not self._has_nothing_of(group) or not dozing.takes(mark, group, subject):
            self._add(group, mark)

    def _add(self, group: Group, mark: Mark) -> None:
        """Have the case of a group judge an event."""
        case = self._sightings[group]
        mark.watch(case)
        case.add(mark)

    def _take_again(self, event: Event) -> None:
        """Take one of the events of which nothing is asked that only their records say."""
        self._take_one(Subject(Arrival(event, "")))

    def _graded(self, subject: Subject) -> tuple[Verdict, ...]:
        if not self._grades:
            return self._plain
        verdicts: list[Verdict] = []
        for ask, rank, title in self._grades:
            answer = ask(subject)
            if answer is True:
                return (*verdicts, Verdict(None, rank, title))
            if answer is not False:
                verdicts.append(Verdict(answer, rank, title))
        return (*verdicts, *self._plain)

    def _open_spread(self, group: Group) -> SpreadCase:
        values = self._values(group)
        census = self.world.censuses.get(self.rule.id)
        bar = Bar(census.share, census.population(values)) if census is not None else None
        measure = Measure(self._needs, self._questions, self._habits, bar)
        case = self._resumed(SpreadCase(self.rule, self.world, values, measure))
        if (handful := self._handfuls.take(group)) is not None:
            handful.hand_over(case)
        return case

    def _open_handful(self, group: Group) -> Handful:
        return Handful(self._needs.least, self._needs.width, group, self._open_case)

    def _open_sighting(self, group: Group) -> SightingCase:
        case = SightingCase(self.rule, self.world, self._values(group), self._reach)
        case.judge, case.horizon, case.fewest = judges.judge_of(self.rule, case), self._horizon, self._fewest
        return self._resumed(case)

    def _values(self, group: Group) -> Mapping[Dimension, Value]:
        return {dimension: value for dimension, value in zip(self.rule.by, group, strict=True) if value is not None}

    def _resumed(self, case: C) -> C:
        if kept := self._kept(self.rule, lambda: case.group):
            case.resume(kept)
        return case

    def _has_alarm(self, group: Group) -> bool:
        return self._kept(self.rule, lambda: group_of(self.rule, self._values(group))) is not None


def _pending(asks: Sequence[Prepare], subject: Subject) -> list[Pending] | None:
    """The questions that are still open; None if one of them is answered no."""
    pending: list[Pending] = []
    for ask in asks:
        answer = ask(subject)
        if answer is False:
            return None
        if answer is not True:
            pending.append(answer)
    return pending
