"""The facts that a rule refers to, each with the key that names it."""

from __future__ import annotations

from collections.abc import Iterator

from smwatch.rules.condition import All, Any, Condition, Lookup
from smwatch.rules.envelope import Rule
from smwatch.rules.wrong import Place, told


def references(rule: Rule) -> Iterator[tuple[str, str]]:
    """(key, fact) for every fact that a rule itself names, or holds as a filter pattern."""
    for place, fact in _references(rule):
        if fact:
            yield told(place), fact


def named_outright(rule: Rule) -> Iterator[tuple[Place, str]]:
    """The same for those that stand in no condition; "" where there is none."""
    if rule.first_seen is not None:
        yield ("first_seen", "fact"), rule.first_seen.fact
    if rule.sequence is not None:
        yield ("sequence", "after"), rule.sequence.after
        yield ("sequence", "then"), rule.sequence.then
    if rule.absence is not None:
        yield ("absence", "until"), rule.absence.until
    if rule.closed_by is not None:
        yield ("closed_by", "when"), rule.closed_by.when
    if rule.distinct is not None and rule.distinct.share is not None:
        for number, fact in enumerate(rule.distinct.share.known):
            yield ("distinct", "share", "known", number), fact


def _references(rule: Rule) -> Iterator[tuple[Place, str]]:
    for key, conditions in (("only", rule.only), ("unless", rule.unless)):
        for number, each in enumerate(conditions):
            yield from _looked_up(each, (key, number))
    for number, grade in enumerate(rule.grade):
        yield from _looked_up(grade.condition, ("grade", number, "if"))
    yield from named_outright(rule)


def _looked_up(condition: Condition, place: Place) -> Iterator[tuple[Place, str]]:
    match condition:
        case Lookup(look=look, fact=fact):
            yield (*place, look.value), fact
        case Any(lookups):
            for number, each in enumerate(lookups):
                yield (*place, each.look.value, number), each.fact
        case All(parts):
            for number, part in enumerate(parts):
                yield from _looked_up(part, (*place, number))
        case _:
            pass
