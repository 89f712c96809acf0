"""What a distinct rule says of the values that it counts: how many there must be, and what else is asked of each."""

from __future__ import annotations

from smwatch.rules.condition import Condition, Lookup, historic, timeless
from smwatch.rules.envelope import Rule
from smwatch.rules.measure import Need, Needs, Questions
from smwatch.rules.question import lookout
from smwatch.rules.reach import reach_of
from smwatch.rules.world import World


def needs_of(rule: Rule) -> Needs:
    """How many values there must be within which time, for the rule itself and for each of its escalations."""
    distinct = rule.distinct
    assert distinct is not None
    needs = [Need(distinct.min, distinct.within, rule.severity.rank, 0, "", alone=True)]
    for number, step in enumerate(rule.escalate, 1):
        alone = step.severity < rule.severity
        needs.append(Need(step.min, step.within, step.severity.rank, number, step.title, alone=alone))
    return Needs(needs, 1.0 if distinct.habit is None else distinct.habit.factor)


def questions_of(rule: Rule, world: World) -> Questions:
    """What is asked about each value, beyond what its event alone tells."""
    only = [each for each in rule.only if historic(each, distinct=True)]
    # One fact is soon asked for, and may decide: serves the row "rules-trouble".
    unless = sorted([each for each in rule.unless if historic(each, distinct=True)], key=_hangs_on_several)
    return Questions(
        tuple(lookout(world, each) for each in only),
        tuple(lookout(world, each) for each in unless),
        tuple((lookout(world, grade.condition), grade.severity.rank, grade.title) for grade in rule.grade),
        all(map(timeless, (*only, *unless))),
        reach_of(rule)[1],
    )


def _hangs_on_several(condition: Condition) -> bool:
    return not isinstance(condition, Lookup)
