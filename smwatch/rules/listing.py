"""The catalogue as a list, and rule by rule."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator

from smwatch.rules.command import spelled
from smwatch.rules.envelope import Rule, RuleSet
from smwatch.rules.export.event_rule import event_rule
from smwatch.rules.export.metric import exactness
from smwatch.rules.mitre import technique
from smwatch.rules.wording import conditions

WIDTH = 100


def catalogue(rules: RuleSet, *, headed: bool = False) -> Iterator[str]:
    """One line a rule: id, severity, kind, how much of it AWS can run, title; perhaps under a line that says so."""
    width = max((len(rule.id) for rule in rules.rules), default=2)
    if headed:
        yield _row(width, "RULE", "SEVERITY", "KIND", "IN AWS", "TITLE")
    for rule in rules.rules:
        yield _row(width, rule.id, rule.severity, rule.kind, exactness(rule)[0], rule.title)


def _row(width: int, name: str, severity: str, kind: str, how: str, title: str) -> str:
    return f"{name:<{width}}  {severity:<8}  {kind:<10}  {how:<12}  {title}"


def summary(rule: Rule) -> str:
    """One line about a rule that has just been written: what it is, and what makes one alarm of it."""
    one = ", ".join(map(str, rule.by)) or "everything"
    return (
        f"{rule.id}: {rule.severity}, {rule.kind.replace('_', ' ')}, one alarm for {one}; in AWS: {exactness(rule)[0]}"
    )


def description(rule: Rule) -> Iterator[str]:
    """Everything about one rule, in lines."""
    how, caveat = exactness(rule)
    event = event_rule(rule)
    yield f"{rule.id}  {rule.severity}  {rule.title}"
    yield ""
    yield from textwrap.wrap(rule.why, WIDTH)
    fields = [
        ("kind", [rule.kind]),
        ("one alarm for", [", ".join(map(str, rule.by))]),
        *((name, [part for each in said for part in _hanging(each)]) for name, said in conditions(rule)),
        ("metric filter", textwrap.wrap(how + (f": {caveat}" if caveat else ""), WIDTH - 16)),
        ("EventBridge", textwrap.wrap(event.exactness + (f": {event.caveat}" if event.caveat else ""), WIDTH - 16)),
        ("MITRE", list(map(technique, rule.mitre))),
        ("known noise", textwrap.wrap(rule.noise, WIDTH - 16)),
        ("note", textwrap.wrap(rule.note, WIDTH - 16)),
        ("pattern", [pattern.text for pattern in rule.when]),
        ("next", list(spelled(rule.next))),
    ]
    for name, lines in fields:
        for number, line in enumerate(filter(None, lines)):
            yield f"{name if number == 0 else '':<14}  {line}"


def _hanging(sentence: str) -> list[str]:
    """A sentence in lines of which those after the first stand further in; patterns stay whole."""
    if "{ " in sentence:
        return [sentence]
    return textwrap.wrap(sentence, WIDTH - 16, subsequent_indent="  ")
