"""What a rule does beside its pattern, in words: for whoever asks why there is an alarm, or why there is none."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import assert_never

from smwatch.rules.condition import All, Any, Condition, Look, Lookup, Matches, Trait
from smwatch.rules.dimension import Dimension
from smwatch.rules.envelope import Grade, Habit, Rule, Sequence, Share, Step, Telling
from smwatch.rules.trait import TRAITS


def conditions(rule: Rule) -> Iterator[tuple[str, list[str]]]:
    """What is asked, in which order of severity, and what ends it: pairs of a heading and its lines."""
    yield "counts", list(_wrapper(rule))
    yield "only if", [worded(each) for each in rule.only]
    yield "not if", [worded(each) for each in rule.unless]
    yield "graded", [f"{_called(grade)} if {worded(grade.condition)}" for grade in rule.grade]
    yield "worse", [_step(rule, step) for step in rule.escalate if step.severity >= rule.severity]
    yield "also", [_step(rule, step) for step in rule.escalate if step.severity < rule.severity]
    if rule.closed_by is not None:
        yield "ended by", [f"{_fact(rule.closed_by.when)} of the same {_dimensions(rule.closed_by.same)}"]
    yield "tells", [_telling(telling, rule) for telling in rule.tell]


def worded(condition: Condition) -> str:
    """A condition as a clause."""
    match condition:
        case Trait(name, negated):
            return f"it is not so that {TRAITS[name].says}" if negated else TRAITS[name].says
        case Matches(pattern):
            return f"the record matches {pattern.text}"
        case Lookup():
            return _lookup(condition)
        case All(parts):
            return ", and ".join(map(worded, parts))
        case Any(parts):
            return ", or ".join(map(worded, parts))
        case _:
            raise TypeError(condition)


def _telling(telling: Telling, rule: Rule) -> str:
    match telling:
        case Telling.READERS:
            return "who reads the secret"
        case Telling.CHANGES:
            return "what was done before to the secret, to its key, to the role or user, and to policies over it"
        case Telling.DELETION:
            return "who deleted the secret, and until when it can be had back"
        case Telling.PROTECTED:
            return "which secrets are known to hang on the key"
        case Telling.VALUES:
            counted = rule.distinct.of.plural if rule.distinct is not None else "values"
            return f"each of the {counted}, with the first time and the last"
        case _:
            assert_never(telling)


def _watched(lookup: Lookup) -> str:
    return f", {lookup.warmup} of which were watched" if lookup.warmup else ""


def _lookup(lookup: Lookup) -> str:
    what = f"{_fact(lookup.fact)} of the same {_dimensions(lookup.same)}"
    within = str(lookup.within) if lookup.within is not None else ""
    match lookup.look:
        case Look.SEEN:
            when = "at any time before"
            if lookup.within is not None:
                when = f"in the {within} before" if lookup.within else "in the same second"
            return f"there were {what} {when}" + (f", {lookup.ago} before or earlier" if lookup.ago else "")
        case Look.NEW:
            return (
                f"there were no {what} in the {within} before{_watched(lookup)}"
                if within
                else f"there never were {what}{_watched(lookup)}"
            )
        case Look.FOLLOWS:
            return f"{what} follow within {within}"
        case Look.NEAR:
            return f"there are {what} within {within} before or after"
        case Look.STEADY:
            others = lookup.of.plural if lookup.of is not None else "others"
            return f"there were {what} in the {within} before, and none by {others} new to it{_watched(lookup)}"


def _wrapper(rule: Rule) -> Iterator[str]:
    if rule.count is not None:
        yield f"from {rule.count.min} events within {rule.count.within} on"
    if rule.distinct is not None:
        distinct = rule.distinct
        many = f"from {distinct.min} different {distinct.of.plural} within {distinct.within} on"
        yield many if distinct.min > 1 else f"different {distinct.of.plural}"
        if distinct.share is not None:
            yield _share(distinct.share, distinct.of)
        if distinct.habit is not None:
            yield _habit(distinct.habit)
    if rule.first_seen is not None:
        first = rule.first_seen
        yield f"{_dimensions(first.of)} together for the first time in {first.within}"
        if first.fact:
            yield f"what counts as before: {_fact(first.fact)}"
        if first.warmup:
            yield f"silent until {first.warmup} of that were watched, in that account and Region"
    if rule.sequence is not None:
        yield _sequence(rule.sequence)
    if rule.absence is not None:
        yield f"where no {_fact(rule.absence.until)} follows within {rule.absence.within}"
    if rule.timer is not None:
        yield f"from {rule.timer.lead} before the deadline on, if it happened in the {rule.timer.recent} before"
    if rule.silence is not None:
        silence = rule.silence
        yield f"nothing new for {silence.after}, and for {silence.factor:g} times the usual pause"


def _share(share: Share, of: Dimension) -> str:
    known = " or ".join(map(_fact, share.known))
    since = f", once {share.warmup} were watched there" if share.warmup else ""
    return f"and {share.least:.0%} of the {of.plural} known by then from {known}{since}"


def _habit(habit: Habit) -> str:
    return f"not for who came to nearly as many (1/{habit.factor:g}) on {habit.days} days of the {habit.within} before"


def _sequence(sequence: Sequence) -> str:
    what = f"{_fact(sequence.fact)} of the same {_dimensions(sequence.same)}"
    if sequence.then:
        number = f"{sequence.min} different {sequence.of.plural} of " if sequence.of is not None else ""
        return f"where {number}{what} follow within {sequence.within}"
    number = f"from {sequence.min} on within {sequence.burst}, " if sequence.min > 1 else ""
    return f"{number}within {sequence.within} after {what}"


def _step(rule: Rule, step: Step) -> str:
    if rule.timer is not None:
        when = f"less than {step.lead} left"
    else:
        counted = rule.distinct.of.plural if rule.distinct is not None else "events"
        when = f"from {step.min} {counted} within {step.within} on"
    return f"{_called(step)} {when}" if step.title else f"{step.severity}: {when}"


def _called(part: Grade | Step) -> str:
    """How bad it is, and what the alarm is called then, where that is not the rule's own title."""
    return f'{part.severity}, "{part.title}",' if part.title else part.severity


def _fact(name: str) -> str:
    return f"events matching {name}" if name.lstrip().startswith("{") else name.replace("_", " ")


def _dimensions(dimensions: Iterable[Dimension]) -> str:
    return " and ".join(dimension.name.replace("_", " ") for dimension in dimensions)
