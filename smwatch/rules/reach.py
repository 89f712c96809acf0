"""What rules ask beside their patterns, and how far from their events facts can change the answers."""

from __future__ import annotations

from smwatch.rules.condition import Condition, Look, Lookup, lookups
from smwatch.rules.envelope import FirstSeen, Rule, own_fact
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
