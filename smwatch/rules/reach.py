"""What rules ask beside their patterns, and how far from their events facts can change the answers."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta

from smwatch.rules.condition import Condition, Look, Lookup, lookups
from smwatch.rules.envelope import FirstSeen, Rule, own_fact
from smwatch.rules.period import DAY, Period
from smwatch.rules.telling import reach
from smwatch.rules.times import EVER


def only_of(rule: Rule) -> tuple[Condition, ...]:
    """The conditions of a rule, its first_seen spelled out as one, which is asked first: most is not new."""
    first = rule.first_seen
    return rule.only if first is None else (_new(rule, first), *rule.only)


def _new(rule: Rule, first: FirstSeen) -> Lookup:
    return Lookup(Look.NEW, own_fact(rule), first.of, first.within, warmup=first.warmup)


def reach_of(rule: Rule) -> tuple[int, int]:
    """How many seconds before the first and after the last event of a case facts can change its alarm."""
    back, ahead = reach(rule)
    for lookup in lookups(*rule.conditions, *only_of(rule)):
        within = lookup.seconds if lookup.look is not Look.STEADY else EVER
        back = max(back, within if lookup.look is not Look.FOLLOWS else 0)
        ahead = max(ahead, within if lookup.look in (Look.FOLLOWS, Look.NEAR) else 0)
    if rule.sequence is not None:
        back = max(back, rule.sequence.within if rule.sequence.after else 0, *(step.within for step in rule.escalate))
        ahead = max(ahead, rule.sequence.within if rule.sequence.then else 0)
    if rule.absence is not None:
        ahead = max(ahead, rule.absence.within)
    if rule.timer is not None:
        back, ahead = EVER, EVER
    return back, ahead


def memory_of(rules: Iterable[Rule]) -> timedelta:
    """The longest that one of the rules looks back."""
    longest = 0
    for rule in rules:
        lengths = [lookup.within for lookup in lookups(*rule.conditions) if lookup.within is not None]
        if rule.first_seen is not None:
            lengths += [rule.first_seen.within, rule.first_seen.warmup]
        if rule.timer is not None:
            lengths.append(Period(rule.timer.default_days * DAY))
        stateful = (rule.count, rule.distinct, rule.sequence, rule.absence)
        lengths += [part.within for part in (*stateful, *rule.escalate) if part is not None]
        if rule.distinct is not None and rule.distinct.habit is not None:
            lengths.append(rule.distinct.habit.within)
        if rule.distinct is not None and rule.distinct.share is not None:
            lengths.append(rule.distinct.share.warmup)
        longest = max(longest, *lengths, 0)
    return timedelta(seconds=longest)
