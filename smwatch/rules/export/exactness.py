"""How much of a rule AWS can run, said honestly."""

from __future__ import annotations

from enum import StrEnum

from smwatch.patterns import Pattern
from smwatch.rules.envelope import Rule


class Exactness(StrEnum):
    """How much of a rule AWS can run."""

    EXACT = "exact"
    APPROXIMATE = "approximate"
    ONLY_HERE = "smwatch only"


def patterns_of(rule: Rule) -> tuple[Pattern, ...]:
    """The filter patterns that go to AWS."""
    return tuple(rule.export or rule.when)


def unsaid(rule: Rule) -> str:
    """Why nothing of a rule can go to AWS, as a clause; "" if something can."""
    if not patterns_of(rule):
        return "it has no filter pattern of its own"
    if rule.kind not in ("match", "count") and not (rule.distinct is not None and rule.distinct.min == 1):
        return f"AWS looks at single events and their number alone ({rule.kind.replace('_', ' ')})"
    return ""


def left_out(rule: Rule) -> str:
    """What of a rule does not go with its pattern, as a clause; "" for nothing that decides which events count."""
    if rule.only or rule.unless:
        return "the exceptions of the rule are left out: more events count"
    return ""
