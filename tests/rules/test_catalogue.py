"""Every built-in rule: it finds what it is for, leaves ordinary work alone, and is not fooled by its known noise."""

from __future__ import annotations

import pytest

from smwatch.record import encode
from tests.rules.catalogue import deletion, discovery, evasion, health, keys, policies, reads, rotation, tampering
from tests.rules.catalogue.story import Rule
from tests.rules.judging import catalogue

FAMILIES = (deletion, reads, discovery, tampering, policies, keys, rotation, health, evasion)
RULES: dict[str, Rule] = {name: rule for family in FAMILIES for name, rule in family.RULES.items()}
EACH = pytest.mark.parametrize("name", RULES)


def test_every_rule_has_its_three_stories() -> None:
    assert list(RULES) == [rule.id for rule in catalogue().rules]


@EACH
def test_what_a_rule_leaves_alone_comes_near_to_it(name: str) -> None:
    """Something of it is what the rule's pattern selects: else nothing would be said about the rule."""
    stories, when = (RULES[name].leaves, RULES[name].noise), catalogue()[name].when
    assert all(story.records or story.feed for story in stories)
    near = [record for story in stories for record in story.records]
    assert not when or any(pattern.matches(encode(record)) for record in near for pattern in when)


@EACH
def test_a_rule_finds_what_it_is_for(name: str) -> None:
    expected = RULES[name]
    (alarm,) = expected.finds.alarms(name)
    assert (alarm.severity, alarm.count) == (expected.severity, expected.count)
    assert alarm.open is not expected.closed
    assert alarm.next


@EACH
def test_a_rule_leaves_ordinary_work_alone(name: str) -> None:
    assert RULES[name].leaves.alarms(name) == []


@EACH
def test_a_rule_is_not_fooled_by_the_noise_it_is_known_for(name: str) -> None:
    expected = RULES[name]
    still_open = [alarm for alarm in expected.noise.alarms(name) if alarm.open]
    if expected.noise_is is None:
        assert still_open == []
    else:
        assert {alarm.severity for alarm in still_open} == {expected.noise_is}
