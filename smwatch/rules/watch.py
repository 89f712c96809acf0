"""A rule at work: it takes the events its pattern selects, each to the case of its group."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

from smwatch.events.event import Arrival, Event
from smwatch.events.secret import Secret
from smwatch.rules.answer import Pending
from smwatch.rules.awaiting import waits
from smwatch.rules.caseload import Caseload
from smwatch.rules.command import holes, needs_record, record_values
from smwatch.rules.condition import historic
from smwatch.rules.dimension import UNNAMED, Group, deciding, grouping, renames
from smwatch.rules.dozing import dozing
from smwatch.rules.envelope import Rule, own_fact
from smwatch.rules.handful import Glimpse, Handful
from smwatch.rules.mark import Mark, Verdict
from smwatch.rules.newest import Newest
from smwatch.rules.plan import Ask, First, Plan, Take
from smwatch.rules.question import Prepare, prepare
from smwatch.rules.reach import only_of
from smwatch.rules.sighter import Sighter
from smwatch.rules.standing import Standing
from smwatch.rules.subject import Subject
from smwatch.rules.world import World, ordered

_NOTHING: Mapping[str, str] = {}


class Watch:
    """One rule with its cases."""

    def __init__(self, rule: Rule, world: World, standing: Standing) -> None:
        self.rule = rule
        self.world = world
        self.cases = cases = Caseload(rule, world, standing)
        self._keeper, self._has_nothing_of = cases.keeper, cases.has_nothing_of
        self._group = grouping(rule.by)
        self._holes = needs_record(hole for command in rule.next for hole in holes(command))
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
        if distinct is not None:
            self._value = distinct.of.get
            self._else = UNNAMED if distinct.min == 1 and distinct.of.names_secret else None
            if self._else is None:
                self.needs |= deciding((distinct.of,))

    def enlist(self, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        """Put into a plan what is to be done with events like this one."""
        distinct, fresh = self.rule.distinct, self._fresh
        if left:
            pass
        elif distinct is not None and self._foreseen:
            if value := self._value(subject) or self._else:
                keeper = self._keeper(self._group(subject))
                plan.spreads += (Glimpse(keeper, value) if isinstance(keeper, Handful) else Sighter(keeper, value),)
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

    def fold(self, right: Mapping[Secret, Secret]) -> Iterator[int]:
        """Bring together the cases of secrets that have turned out to be one, and what waits or dozes ahead of them.

        Step by step: see `Caseload.fold`.
        """
        yield from self.cases.fold(right)
        for ahead in (self._waits, self._dozing):
            if ahead is not None:
                yield from ahead.fold(renames(right), right)

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
        asked = self._plain_only or self._plain_unless
        for one in subject.each:  # a batch is evidence about each of its secrets that the rule is about
            if not asked or self._is_about(one):
                self._take_each(one)

    def _is_about(self, one: Subject) -> bool:
        return all(ask(one) is True for ask in self._plain_only) and not any(ask(one) for ask in self._plain_unless)

    def _take_or_wait(self, subject: Subject) -> None:
        assert self._waits is not None
        if not self._has_nothing_of(group := self._group(subject)):
            self._take_one(subject)
        elif (waiter := self._waits.waiter(group, subject)) is not None:
            waiter.add(subject.event, subject.second)

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
        case = self.cases.sightings[group]
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
