"""What can be wrong with a rule although each of its keys by itself is well."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smwatch.patterns import PatternError
from smwatch.patterns.conditions import parse_selector
from smwatch.rules.command import holes
from smwatch.rules.condition import historic, of_values
from smwatch.rules.envelope import WRAPPERS, Rule, Telling, Timer
from smwatch.rules.holes import EACH

MOST = 1_000_000
"""Of events or values that a rule may wait for; more than are remembered."""
_MOST_DAYS = 3650
_TECHNIQUE = re.compile(r"T[0-9]{4}(\.[0-9]{3})?")


def faults(rule: Rule) -> Iterable[tuple[str, str]]:
    """Yield a key and a sentence for everything that is wrong."""
    for key, text in (("title", rule.title), ("why", rule.why)):
        if not text.strip():
            yield key, "is empty"
    if not rule.title.isprintable():
        yield "title", "is one line of text, without control characters"
    wrappers = [name for name in WRAPPERS if getattr(rule, name) is not None]
    if len(wrappers) > 1:
        yield wrappers[1], f"a rule has one stateful wrapper, and this one has {wrappers[0]} already"
    if not rule.when and rule.silence is None:
        yield "when", "a rule needs a filter pattern"
    if rule.when and rule.silence is not None:
        yield "when", "silence is about a source, not about records"
    yield from _number_faults(rule)
    yield from _dimension_faults(rule)
    if rule.sequence and bool(rule.sequence.after) == bool(rule.sequence.then):
        yield "sequence", "needs either after or then"
    if rule.sequence and rule.sequence.of and not rule.sequence.then:
        yield "sequence.of", "goes with then"
    yield from _timer_faults(rule.timer)
    if rule.silence is not None and not 1 <= rule.silence.factor <= MOST:
        yield "silence.factor", f"is from 1 to {MOST:,}"
    habit = rule.distinct.habit if rule.distinct else None
    if habit is not None and (habit.days < 1 or habit.within <= 0 or not 0 < habit.factor <= MOST):
        yield "distinct.habit", "needs a day or more, a period, and a factor above 0"
    share = rule.distinct.share if rule.distinct else None
    if share is not None and (not 0 < share.least <= 1 or not share.known):
        yield "distinct.share", "needs least, above 0 and up to 1, and the facts that show what is known"
    if Telling.VALUES in rule.tell and rule.distinct is None:
        yield "tell", "values are told by rules with distinct"
    if rule.distinct is not None:
        yield from _value_faults(rule)
    if share is not None and rule.escalate:
        yield "escalate", "a rule that counts a share has no steps: write a rule for each"
    yield from _escalation_faults(rule)
    for number, command in enumerate(rule.next):
        try:
            found = EACH.intersection(holes(command))
        except ValueError as error:
            yield f"next[{number}]", str(error)
        else:
            if found and (rule.distinct is None or not rule.distinct.of.names_secret):
                yield f"next[{number}]", f"{{{min(found)}}} goes with distinct secrets"
    for number, identifier in enumerate(rule.mitre):
        if not _TECHNIQUE.fullmatch(identifier):
            yield f"mitre[{number}]", f"{identifier[:48]!r} is no ATT&CK technique: write an id like T1555 or T1555.006"


def _value_faults(rule: Rule) -> Iterable[tuple[str, str]]:
    """What a rule that counts values asks of events: they are not there any more when it is graded."""
    for number, grade in enumerate(rule.grade):
        if not of_values(grade.condition):
            yield f"grade[{number}].if", "goes with distinct if it asks what else is known: not of an event alone"
    for key, conditions in (("only", rule.only), ("unless", rule.unless)):
        for number, each in enumerate(conditions):
            if historic(each, distinct=True) and not of_values(each):
                yield f"{key}[{number}]", "asks of an event and what else is known: with distinct, write two conditions"


def _number_faults(rule: Rule) -> Iterable[tuple[str, str]]:
    for key, part, least in (("count", rule.count, 2), ("distinct", rule.distinct, 1), ("sequence", rule.sequence, 1)):
        if part is not None and part.min < least:
            yield f"{key}.min", f"must be {least} or more"
        elif part is not None and part.min > MOST:
            yield f"{key}.min", f"must be {MOST:,} or less"
    periods = {
        "count.within": rule.count.within if rule.count else None,
        "distinct.within": rule.distinct.within if rule.distinct else None,
        "first_seen.within": rule.first_seen.within if rule.first_seen else None,
        "sequence.within": rule.sequence.within if rule.sequence else None,
        "absence.within": rule.absence.within if rule.absence else None,
        "timer.lead": rule.timer.lead if rule.timer else None,
        "silence.after": rule.silence.after if rule.silence else None,
    }
    for key, length in periods.items():
        if length is not None and length <= 0:
            yield key, "must be longer than nothing"
    if rule.first_seen and rule.first_seen.warmup > rule.first_seen.within > 0:
        yield "first_seen.warmup", "must not be longer than within: nothing would ever be new"


def _dimension_faults(rule: Rule) -> Iterable[tuple[str, str]]:
    lists = {
        "first_seen.of": rule.first_seen.of if rule.first_seen else None,
        "sequence.same": rule.sequence.same if rule.sequence else None,
        "absence.same": rule.absence.same if rule.absence else None,
        "timer.same": rule.timer.same if rule.timer else None,
        "closed_by.same": rule.closed_by.same if rule.closed_by else None,
    }
    for key, dimensions in lists.items():
        if dimensions is not None and not dimensions:
            yield key, "needs at least one dimension"


def _timer_faults(timer: Timer | None) -> Iterable[tuple[str, str]]:
    if timer is None:
        return
    for key, selector in (("at", timer.at), ("days", timer.days)):
        try:
            parse_selector(selector)
        except PatternError as error:
            yield f"timer.{key}", f"{error} (character {error.position + 1} of the selector)"
    if not 0 < timer.default_days <= _MOST_DAYS:
        yield "timer.default_days", f"is from 1 to {_MOST_DAYS:,}"


def _escalation_faults(rule: Rule) -> Iterable[tuple[str, str]]:
    follows = rule.sequence is not None and rule.sequence.after and rule.sequence.min > 1
    if rule.escalate and not follows and rule.kind not in ("match", "count", "distinct", "timer"):
        kind = "sequence without after and min" if rule.sequence is not None else rule.kind
        yield "escalate", f"goes with count, distinct, timer, a sequence with min or a plain match, not with {kind}"
    for number, step in enumerate(rule.escalate):
        if rule.timer is not None:
            if not 0 < step.lead < rule.timer.lead:
                yield f"escalate[{number}].lead", "must be shorter than the timer's lead"
        elif step.min < 1 or not step.within:
            yield f"escalate[{number}]", "needs min and within"
