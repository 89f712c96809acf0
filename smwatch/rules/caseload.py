"""The cases of one rule: which it has, which are forgotten, and under which groups they go."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from itertools import islice
from typing import TypeVar

from smwatch.events.secret import Secret
from smwatch.rules import judges
from smwatch.rules.alarm_group import group_of
from smwatch.rules.case import Case
from smwatch.rules.dimension import Dimension, Group, Value, renamed, renames
from smwatch.rules.distinct import needs_of, questions_of
from smwatch.rules.envelope import Rule
from smwatch.rules.habit import Habits
from smwatch.rules.handful import Handful
from smwatch.rules.measure import Bar, Measure
from smwatch.rules.memory import Memory, Outlasting
from smwatch.rules.reach import reach_of
from smwatch.rules.sighting import SightingCase
from smwatch.rules.spread import SpreadCase
from smwatch.rules.standing import Standing
from smwatch.rules.subject import SECOND_BITS
from smwatch.rules.world import World

CASES = 2_048
"""Cases without an alarm kept of each rule; twice as many before those unheard of for longest are forgotten. What was
too little for an alarm, and is gone on with after so many others have come, begins anew."""
CONCERNED = 20
"""While names are brought together, so many cases take as long as one that is about a wrong one: up to 0.5 ms."""
LOOKED_AT = 100
"""Cases that are looked at in one go when what they no longer need is forgotten: a millisecond or two."""
RESTED = 500
"""Values of cases that hold no more than they must from then on, in one go: a millisecond or two."""

C = TypeVar("C", bound=Case)


class Caseload:
    """A rule's cases by group: of different values, or of events; and what does until there need be one."""

    def __init__(self, rule: Rule, world: World, standing: Standing) -> None:
        self._rule = rule
        self._world = world
        self._alarms, self._alarmed, self._outdated = standing.alarms, standing.alarmed, standing.outdated
        """Those that cases go on from, the rules that have any, as cases of most have none, and those of no case."""
        self.spreads: Memory[Group, SpreadCase] = Outlasting(
            self._open_spread, CASES, world.turns, self._needs_to_stay, self._part_from
        )
        self._open_case = self.spreads.__getitem__
        self.handfuls: Memory[Group, Handful] = Memory(self._open_handful, CASES, world.turns)
        """Of groups that have no case yet, and may never need one."""
        self.sightings: Memory[Group, SightingCase] = Outlasting(
            self._open_sighting, CASES, world.turns, self._needs_to_stay, self._part_from
        )
        self._by_secret = any(dimension.names_secret for dimension in rule.by)
        distinct = rule.distinct
        self._of_secrets = distinct is not None and distinct.of.names_secret
        self._habits = Habits(distinct.habit) if distinct is not None and distinct.habit is not None else None
        if distinct is not None:
            self._needs, self._questions = needs_of(rule), questions_of(rule, world)
        self._reach = reach_of(rule)
        self._horizon, self._fewest = judges.horizon(rule), judges.fewest(rule)

    def of(self, values: Mapping[Dimension, Value]) -> Case:
        """The case of a group."""
        group = tuple(values.get(dimension) or None for dimension in self._rule.by)
        return self.spreads[group] if self._rule.distinct is not None else self.sightings[group]

    def keeper(self, group: Group) -> SpreadCase | Handful:
        """What keeps the values of a group: its case, or what does until there need be one."""
        if (keeper := self.handfuls.get(group) or self.spreads.get(group)) is not None:
            return keeper  # never both, and heard of lately: mostly it is so, and is found without a call
        if self._needs.least < 2 or self.spreads.find(group) is not None:
            return self.spreads[group]
        # Of a group that has a handful there is no alarm: an alarm that is kept opens its case, which takes that over.
        if self.handfuls.find(group) is None and self._rule.id in self._alarmed and self._has_alarm(group):
            return self.spreads[group]
        return self.handfuls[group]

    def has_nothing_of(self, group: Group) -> bool:
        """Whether nothing is told of a group yet: to what is, each of its events may make a difference."""
        # Of most rules there is no alarm at all, and mostly no case: seen without a call, for the row "rules-varied".
        sightings = self.sightings
        if group in sightings or group in sightings.older:
            return False
        return self._rule.id not in self._alarmed or not self._has_alarm(group)

    # -- under other names

    def fold(self, right: Mapping[Secret, Secret]) -> Iterator[int]:
        """Bring together the cases, and the values in them, of secrets that have turned out to be one; step by step.

        Each step says about how many it takes as long as that have nothing to do with them.
        """
        every = renames(right)

        def concerned(group: Group) -> bool:
            return not every.keys().isdisjoint(group)

        for group in self.handfuls.remembered():
            if (handful := self.handfuls.find(group)) is None:
                continue
            if concerned(group) or handful.names_any(every):
                self.spreads[group]  # which takes it over
                yield CONCERNED
            else:
                handful.rename(right)
                yield 1
        for group in (*self.spreads.remembered(), *self.sightings.remembered()):
            weight = 1
            # Most groups are of other secrets, and that is seen at once: serves "longest stall of the event loop".
            if self._by_secret and concerned(group) and renamed(self._rule.by, group, every) != group:
                self.regroup(group, right)
                weight = CONCERNED
            elif (spread := self.spreads.find(group)) is not None:
                spread.rename(right)
                if self._of_secrets and spread.fold(every):
                    weight = CONCERNED
            elif not self._by_secret and (sightings := self.sightings.find(group)) is not None:
                sightings.rename(right)
            yield weight

    def regroup(self, group: Group, right: Mapping[Secret, Secret]) -> None:
        """Put what is known of one group where it belongs now."""
        now = renamed(self._rule.by, group, renames(right))
        if self.handfuls.find(group) is not None:
            self.spreads[group]  # which takes it over
        if self._rule.id in self._alarmed and self._has_alarm(group):
            self._outdated.add(group_of(self._rule, self._values(group)))
        if (spread := self.spreads.take(group)) is not None:
            spread.rename(right)
            self.spreads[now].absorb(spread)
        if (sightings := self.sightings.take(group)) is not None:
            sightings.rename(right)
            self.sightings[now].absorb(sightings)

    # -- what is no longer needed

    def forget_before(self, second: int) -> Iterator[bool]:
        """Let go of what was seen before this second and is no evidence, some cases at a time.

        After each time it says whether some are gone: plans must be made anew then.
        """
        remembered, gone = iter((*self.handfuls.remembered(), *self.spreads.remembered())), False
        while some := tuple(islice(remembered, LOOKED_AT)):
            for group in some:
                if self._forget_of(group, second):
                    gone = True
            yield gone
            gone = False

    def _forget_of(self, group: Group, second: int) -> bool:
        """The same of one group; whether all of it is gone."""
        if (handful := self.handfuls.find(group)) is not None and handful.forget_before(second):
            self.handfuls.take(group)
            return True
        if (spread := self.spreads.find(group)) is not None:
            spread.forget_before(second)
            if spread.empty and not self._needs_to_stay(spread):
                self.spreads.take(group)
                self._part_from(spread)
                return True
        return False

    def rest(self, second: int) -> Iterator[None]:
        """Have cases hold no more than they must in which nothing was seen since this second, some at a time."""
        weight, before = 0, second << SECOND_BITS
        for case in self.spreads.every():
            if case.newest_key < before and not case.slots.packed:
                weight += 1 + case.rest()
                if weight >= RESTED:
                    weight = 0
                    yield

    def _needs_to_stay(self, case: Case) -> bool:
        """Whether a case is kept although nobody has asked for it in a long while."""
        return case in self._world.dirty or (case.alarmed and case.group in self._alarms)

    def _part_from(self, case: Case) -> None:
        """Have a case be gone: facts that it hangs on still wake it, when its group may have another, and an alarm."""
        case.gone = True
        if self._habits is not None and isinstance(case, SpreadCase):
            self._habits.leave(case.identity, case)

    # -- opened

    def _open_spread(self, group: Group) -> SpreadCase:
        values = self._values(group)
        census = self._world.censuses.get(self._rule.id)
        bar = Bar(census.share, census.population(values)) if census is not None else None
        measure = Measure(self._needs, self._questions, self._habits, bar)
        case = self._resumed(SpreadCase(self._rule, self._world, values, measure))
        if (handful := self.handfuls.take(group)) is not None:
            handful.hand_over(case)
        return case

    def _open_handful(self, group: Group) -> Handful:
        return Handful(self._needs.least, self._needs.width, group, self._open_case)

    def _open_sighting(self, group: Group) -> SightingCase:
        case = SightingCase(self._rule, self._world, self._values(group), self._reach)
        case.judge, case.horizon, case.fewest = judges.judge_of(self._rule, case), self._horizon, self._fewest
        return self._resumed(case)

    def _values(self, group: Group) -> Mapping[Dimension, Value]:
        return {dimension: value for dimension, value in zip(self._rule.by, group, strict=True) if value is not None}

    def _resumed(self, case: C) -> C:
        if self._rule.id in self._alarmed:
            kept = self._alarms.get(case.group)
            if kept is not None and case.group not in self._outdated:
                case.resume(kept)
        return case

    def _has_alarm(self, group: Group) -> bool:
        """Whether there is an alarm of a group, as there is of some of the rule."""
        name = group_of(self._rule, self._values(group))
        return name in self._alarms and name not in self._outdated
