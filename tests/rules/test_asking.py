"""A log group is asked for everything that rules find or tell of, and for little else."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from smwatch import patterns
from smwatch.record import Record, encode
from smwatch.rules.asking import asked_of_log_group
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin, parse
from tests import records
from tests.rules.catalogue.keys import to_key
from tests.rules.judging import arrivals, catalogue, mine
from tests.rules.test_catalogue import RULES
from tests.rules.test_likely_causes import iam


def asked(*own: str) -> str:
    parts = [parse(text, "mine.toml") for text in own]
    return asked_of_log_group(combine(load_builtin(), parts) if own else catalogue())


def brings(pattern: str, record: Record) -> bool:
    return not pattern or patterns.compile(pattern).matches(encode(record))


def found_by(rule: str) -> Iterator[Record]:
    for record in RULES[rule].finds.records:
        if any(pattern.matches(encode(record)) for pattern in catalogue()[rule].when):
            yield record


@pytest.mark.parametrize("rule", [name for name in RULES if name != "SMW-EVA-02"])
def test_what_a_rule_finds_is_asked_for(rule: str) -> None:
    found = list(found_by(rule))
    assert found
    assert all(brings(asked(), record) for record in found)


def test_what_alarms_tell_of_is_asked_for() -> None:
    for change in (iam("DetachRolePolicy", {"roleName": "a"}), to_key("RevokeGrant"), records.kms()):
        assert brings(asked(), change)


def test_grants_that_services_retire_by_the_thousand_are_no_change_of_a_key() -> None:
    engine = Engine(catalogue())
    retired = to_key("RetireGrant"), to_key("RetireGrant", by=records.role() | {"invokedBy": "ec2.amazonaws.com"})
    assert [engine.selects(one) for one in arrivals(retired)] == [True, False]


def test_what_nobody_wants_is_not_asked_for() -> None:
    stream = records.call("CreateLogStream", {}, eventSource="logs.amazonaws.com", read_only=False)
    decrypted = records.call("Decrypt", {"keyId": "k"}, eventSource="kms.amazonaws.com", read_only=True)
    looked = records.call("DescribeTrails", {}, eventSource="cloudtrail.amazonaws.com", read_only=True)
    launched = records.call("RunInstances", {}, eventSource="ec2.amazonaws.com", read_only=False)
    assert not any(brings(asked(), record) for record in (stream, decrypted, looked, launched))


def test_what_ones_own_rules_find_is_asked_for_too() -> None:
    looked = records.call("GetCallerIdentity", {}, eventSource="sts.amazonaws.com", read_only=True)
    for own in (
        '{ ($.eventSource = "sts.amazonaws.com") && ($.eventName = "GetCallerIdentity") }',
        '{ $.eventSource = "sts.amazonaws.com" }',
        '{ $.eventName = "GetCallerIdentity" }',
    ):
        assert brings(asked(mine(when=own)), looked)
    stream = records.call("CreateLogStream", {}, eventSource="logs.amazonaws.com", read_only=False)
    own = '{ ($.eventSource = "logs.amazonaws.com") && ($.eventName = "CreateLogStream") }'
    assert brings(asked(mine(when=own)), stream)


def test_more_than_a_pattern_may_hold_is_asked_for_by_asking_for_everything() -> None:
    names = " || ".join(f'($.eventName = "Call{n:03}")' for n in range(10))
    assert 0 < len(asked(mine(when=f"{{ {names} }}"))) <= 1024
    more = " || ".join(f'($.eventName = "ACallWithARatherLongName{n:03}")' for n in range(18))
    assert asked(mine(when=f"{{ {more} }}")) == ""
