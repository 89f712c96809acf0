"""Which events of a case are evidence: how match, count, sequence, absence and timer rules judge them."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import compress
from operator import attrgetter, sub

from smwatch.rules import envelope
from smwatch.rules.condition import historic
from smwatch.rules.envelope import Rule
from smwatch.rules.evidence import BEGINNING
from smwatch.rules.group import Group, Known
from smwatch.rules.mark import Judge, Mark, caused_in, settle_each
from smwatch.rules.sighting import SightingCase

_EVIDENCE, _SECOND = attrgetter("evidence"), attrgetter("second")


def settle_none(marks: Sequence[Mark], some: slice) -> None:
    """No event is evidence, as long as nothing says so by itself."""
    for mark in marks[some]:
        if mark.evidence:
            mark.settle(False)


def in_windows(marks: Sequence[Mark], least: int, within: int) -> list[bool]:
    """Of each mark, ascending, whether it is one of at least so many within so many seconds."""
    inside = [False] * len(marks)
    seconds = [*map(_SECOND, marks)]
    # Who reads all day has hundreds of them, and they are gone through for each page: serves the row "rules".
    close = map(int(within).__ge__, map(sub, seconds[least - 1 :], seconds))
    for start in compress(range(len(marks)), close):
        inside[start : start + least] = [True] * least
    return inside


def counting(rule: Rule, case: SightingCase, least: int, within: int) -> Judge:
    """Events count where there are enough of them; more of them, or faster, escalate. A batch and its reads are one.

    How far apart they may be for that says `horizon`.
    """

    def judge(marks: Sequence[Mark], some: slice) -> None:
        if least == 1 and not case.batches:  # each counts, whatever else there is
            settle_each(marks, some)
            escalate(rule, [mark for mark in marks if mark.evidence and not mark.caused])
            return
        eligible = [mark for mark in marks if mark.eligible or mark.fixed]
        caused = caused_in(eligible) if case.batches else {}
        counted = [mark for mark in eligible if mark.key not in caused and not mark.caused]
        enough = {mark.key for mark, yes in zip(counted, in_windows(counted, least, within), strict=True) if yes}
        for mark in marks[some]:
            mark.settle((mark.caused and mark.eligible) or caused.get(mark.key, mark.key) in enough)
        escalate(rule, [mark for mark in counted if mark.evidence])

    return judge


def judge_of(rule: Rule, case: SightingCase) -> Judge:
    """What judges the events of a case of this rule."""
    if rule.sequence is not None:
        return following(rule, case)
    if rule.absence is not None:
        return missing(rule, case)
    if rule.timer is not None:
        return ticking(rule, case)
    if rule.count is not None:
        return counting(rule, case, rule.count.min, rule.count.within)
    return counting(rule, case, 1, 0) if rule.escalate else settle_each


def horizon(rule: Rule) -> int | None:
    """How many seconds away from an event others can make it evidence; None if that can't be said."""
    if stands(rule):
        return 0
    if rule.sequence is not None or rule.absence is not None or rule.timer is not None:
        return None
    periods = [step.within for step in rule.escalate]
    return max([*periods, rule.count.within] if rule.count is not None else periods, default=0)


def fewest(rule: Rule) -> int:
    """How many events there must be for any of them to be evidence."""
    if rule.sequence is not None and not rule.sequence.then:
        return min([rule.sequence.min, *(step.min for step in rule.escalate)])
    return rule.count.min if rule.count is not None else 1


def stands(rule: Rule) -> bool:
    """Whether what a rule has found to be evidence is so for good: it hangs on facts after it alone.

    Facts are only ever added to, and such an event need not hear of one more.
    """
    then = rule.sequence is not None and bool(rule.sequence.then)
    return then and not rule.tell and not any(map(historic, rule.conditions))


def escalate(rule: Rule, evidence: Sequence[Mark]) -> None:
    """Let the evidence take part in the rule's escalations."""
    for number, step in enumerate(rule.escalate, 1):
        for mark in compress(evidence, in_windows(evidence, step.min, step.within)):
            mark.escalate(number, step.severity.rank, step.title)


def following(rule: Rule, case: SightingCase) -> Judge:
    """Events count where the fact lies before or after them; with `min`, so many since the last such fact."""
    sequence = rule.sequence
    assert sequence is not None
    known = case.world.known(sequence.fact, sequence.same, case.values, sequence.of)
    if known is None:
        return settle_none
    if isinstance(known, Group) and sequence.of is not None and sequence.then:
        known.watch_from(sequence.min, case)
    else:
        known.watch(case)
    if for_good := stands(rule):
        case.hears_back = int(sequence.within)
    if sequence.then:
        return _before(sequence, case, known, for_good=for_good)
    return _after(rule, sequence, case, known)


def _before(sequence: envelope.Sequence, case: SightingCase, known: Known, *, for_good: bool) -> Judge:
    """Events count where the fact comes after them, with `of` and `min` of so many; `for_good`: see `stands`."""
    within, least, of = int(sequence.within), sequence.min, sequence.of

    def judge(marks: Sequence[Mark], some: slice) -> None:
        if isinstance(known, Group) and of is not None and len(known.members) < least:
            settle_none(marks, some)  # most sessions read one or two secrets
            return
        for mark in marks[some]:
            if mark.evidence and for_good and not case.stale:
                continue
            low, high = mark.second, mark.second + within
            there = known.any(low, high) if of is None else len(known.among(low, high, least)) == least
            mark.settle(there and mark.eligible)
        if for_good:
            waiting = (mark.second for mark in reversed(case.marks) if not mark.evidence)
            case.own_high = next(waiting, BEGINNING - within) + within

    return judge


def _after(rule: Rule, sequence: envelope.Sequence, case: SightingCase, known: Known) -> Judge:
    """Events count where the fact lies before them; with `min`, so many since the last such fact.

    Steps ask for so many of them over longer periods, in which the fact may lie as far back.
    """
    within, burst, least = int(sequence.within), int(sequence.burst), sequence.min
    furthest = max(within, *(int(step.within) for step in rule.escalate)) if rule.escalate else within
    few = fewest(rule)

    def hopeless(marks: Sequence[Mark]) -> bool:
        """Whether none is evidence, nor can be before there is one more: the fact lies between any that were enough."""
        if few < 2 or not all(
            known.any(first.second, last.second - 1) for first, last in zip(marks, marks[few - 1 :], strict=False)
        ):
            return False
        return not any(map(_EVIDENCE, marks))

    def judge(marks: Sequence[Mark], _some: slice) -> None:
        if not marks:
            return  # all there were will never be evidence
        if hopeless(marks):
            case.own_high = BEGINNING  # who works is refused now and then, and more of the fact changes nothing
            return
        if known.before(marks[-1].second + 1) is None and not known.forgotten(marks[0].second):
            settle_none(marks, slice(None))  # who fails again and again has mostly never worked
            return
        runs: dict[int, list[Mark]] = {}
        for mark in marks:
            if known.forgotten(mark.second):
                continue  # it is what it was found to be when that was still known
            mark.settle(False)
            # A fact in the event's own second comes after it, if it starts the count anew, and else before.
            fact = known.before(mark.second if least > 1 else mark.second + 1)
            if fact is not None and mark.second - fact <= furthest and mark.eligible:
                runs.setdefault(fact if least > 1 else 0, []).append(mark)
        for fact, run in runs.items():
            close = [mark for mark in run if mark.second - fact <= within] if least > 1 else run
            for mark, yes in zip(close, in_windows(close, least, burst), strict=True):
                if yes:
                    mark.settle(True)
            for number, step in enumerate(rule.escalate, 1):
                for mark, yes in zip(run, in_windows(run, step.min, step.within), strict=True):
                    if yes and mark.second - fact <= max(within, step.within):
                        mark.join(number, step.severity.rank, step.title)

    return judge


def missing(rule: Rule, case: SightingCase) -> Judge:
    """Events count where the fact does not come in time, once it is certain that it did not."""
    absence = rule.absence
    assert absence is not None
    known = case.world.known(absence.until, absence.same, case.values)
    within = int(absence.within)
    if known is not None:
        known.watch(case)

    def judge(marks: Sequence[Mark], some: slice) -> None:
        for mark in marks[some]:
            mark.at = mark.second + within
            waiting = known is not None and not known.any(mark.second, mark.at)
            certain = case.world.read_to >= mark.at
            if waiting and not certain:
                case.world.wait(mark.at, case, read=True)
            mark.settle(waiting and certain and mark.eligible)

    return judge


def ticking(rule: Rule, case: SightingCase) -> Judge:
    """Events count where the deadline that was set before them is near."""
    timer = rule.timer
    assert timer is not None
    deadlines = case.world.timers[rule.id].deadlines(case.values)
    recent = int(timer.recent)
    if deadlines is not None:
        deadlines.watch(case)

    def judge(marks: Sequence[Mark], some: slice) -> None:
        clock = case.world.clock
        for mark in marks[some]:
            deadline = deadlines.of(mark.second, case.ending.known) if deadlines is not None else None
            if deadline is None or not mark.eligible:
                mark.settle(False)
                continue
            due = max(mark.second, deadline - timer.lead)
            counts = due - mark.second <= recent and mark.second <= deadline
            if counts and due > clock:
                case.world.wait(due, case)
            mark.at = due
            mark.settle(counts and due <= clock)
            if not mark.evidence:
                continue
            for number, step in enumerate(rule.escalate, 1):
                later = max(mark.second, deadline - step.lead)
                if later > clock:
                    case.world.wait(later, case)
                elif later - mark.second <= recent:
                    mark.escalate(number, step.severity.rank, step.title)

    return judge
