"""An account whose own records are among what is watched is no stranger, whenever that turns out."""

from __future__ import annotations

from collections.abc import Callable
from itertools import permutations
from typing import Any

import pytest

from smwatch.record import Record
from smwatch.rules import accounts
from smwatch.rules.alarm import Severity
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from tests import records
from tests.rules.judging import after, arrivals, catalogue, judged, mine, of, ruled

THEIRS = records.OTHER_ACCOUNT
KEY = f"arn:aws:kms:eu-west-1:{THEIRS}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
FUNCTION = f"arn:aws:lambda:eu-west-1:{THEIRS}:function:rotate"
POLICY = (
    f'{{"Statement":[{{"Effect":"Allow","Principal":{{"AWS":"{THEIRS}"}},"Action":"secretsmanager:GetSecretValue"}}]}}'
)


def abroad(seconds: float = 0, **more: Any) -> Record:
    """Somebody of another account reads a secret, as its owner's trail has it."""
    return records.read(by=records.other_account(), at=after(seconds), **more)


def own(seconds: float = 0, account: str = THEIRS) -> Record:
    """A record of that account's own."""
    return records.read("theirs", by=records.role(account=account), account=account, at=after(seconds))


def alarm_of(rule: str, *seen: Record) -> tuple[Severity, str] | None:
    """How bad the alarm of a rule is after these records, and what it is called; None if there is none."""
    alarms = of(rule, judged(seen))
    return (alarms[0].severity, alarms[0].title) if alarms else None


NOT_YOURS: dict[str, tuple[str, Callable[[], Record], Severity | None]] = {
    "a read": ("SMW-READ-09", abroad, Severity.HIGH),
    "a policy": (
        "SMW-POL-01",
        lambda: records.write("PutResourcePolicy", "prod/db", {"resourcePolicy": POLICY}),
        Severity.MEDIUM,
    ),
    "a replica": (
        "SMW-POL-03",
        lambda: records.call("AssociateCrossAccountReplica", {"replicaARN": records.arn("prod/db", account=THEIRS)}),
        Severity.HIGH,
    ),
    "a key": (
        "SMW-TAMP-03",
        lambda: records.write("UpdateSecret", "prod/db", {"kmsKeyId": KEY}),
        Severity.HIGH,
    ),
    "a key from the start": (
        "SMW-TAMP-03b",
        lambda: records.call("CreateSecret", {"name": "prod/new", "kmsKeyId": KEY}),
        None,
    ),
    "a replica's key": (
        "SMW-POL-02",
        lambda: records.write(
            "ReplicateSecretToRegions", "prod/db", {"addReplicaRegions": [{"region": "us-east-1", "kmsKeyId": KEY}]}
        ),
        Severity.HIGH,
    ),
    "a function": (
        "SMW-TAMP-04",
        lambda: records.write("RotateSecret", "prod/db", {"rotationLambdaARN": FUNCTION}),
        Severity.HIGH,
    ),
    "a policy of a key": (
        "SMW-KMS-02b",
        lambda: records.call(
            "PutKeyPolicy",
            {"keyId": "k", "policy": POLICY.replace("secretsmanager:GetSecretValue", "kms:Decrypt")},
            eventSource="kms.amazonaws.com",
        ),
        Severity.MEDIUM,
    ),
    "a grant": (
        "SMW-KMS-03",
        lambda: records.call(
            "CreateGrant",
            {"keyId": "k", "granteePrincipal": f"arn:aws:iam::{THEIRS}:role/copier"},
            eventSource="kms.amazonaws.com",
        ),
        None,
    ),
}
"""What is worse where it is a stranger's: the rule, the record, and how bad it is if the account is watched."""


@pytest.mark.parametrize(("rule", "made", "watched"), NOT_YOURS.values(), ids=NOT_YOURS)
def test_what_is_an_account_s_that_is_watched_is_no_stranger_s(
    rule: str, made: Callable[[], Record], watched: Severity | None
) -> None:
    strange, known = alarm_of(rule, made()), alarm_of(rule, made(), own(5))
    assert strange is not None
    assert (known and known[0]) == watched
    assert known is None or (known[0] < strange[0] and "not yours" not in known[1])
    assert alarm_of(rule, made(), own(5, account="999988887777")) == strange


def test_alarms_are_the_same_in_whatever_order_it_turns_out_and_bit_by_bit() -> None:
    told = [abroad(0), abroad(4000), own(7), NOT_YOURS["a key from the start"][1]()]
    expected = judged(told)
    assert {alarm.severity for alarm in of("SMW-READ-09", expected)} == {Severity.HIGH}
    for order in permutations(told):
        engine = Engine(catalogue())
        engine.at_once = 1
        for arrival in arrivals(order):
            engine.judge([arrival])
        while engine.unsettled:
            engine.settle()
        assert engine.alarms == expected


def test_an_alarm_of_an_account_that_turns_out_to_be_watched_is_taken_back_or_told_anew() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([abroad(), NOT_YOURS["a key from the start"][1]()]))
    changed = {alarm.rule: alarm for alarm in engine.judge(arrivals([own(60)]))}
    assert changed["SMW-READ-09"].severity is Severity.HIGH
    assert changed["SMW-TAMP-03b"].count == 0


def test_the_account_of_a_source_is_watched_though_nothing_has_happened_there() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([abroad()]))
    (alarm,) = engine.watched((THEIRS, "eu-west-1"), [])
    assert alarm.severity is Severity.HIGH


def test_a_source_of_any_account_says_nothing_of_one() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([abroad()]))
    assert engine.watched(("", ""), [(0, 1)]) == ()
    assert alarm_of("SMW-READ-09", abroad(), own(5) | {"recipientAccountId": ""}) == alarm_of("SMW-READ-09", abroad())


def test_after_a_restart_it_is_known_by_the_events_that_were_kept() -> None:
    told = [abroad(), own(7)]
    known = Engine(catalogue())
    known.judge(arrivals(told))
    again = Engine(catalogue())
    again.restore(known.alarms.values(), known_since=known.known_since)
    for arrival in arrivals(reversed(told)):
        again.judge([arrival])
    assert of("SMW-READ-09", again.alarms) == of("SMW-READ-09", known.alarms)


def test_what_was_kept_as_a_stranger_s_is_judged_again_once_the_account_is_watched() -> None:
    known, again = Engine(catalogue()), Engine(catalogue())
    known.judge(arrivals([abroad()]))
    again.restore(known.alarms.values(), known_since=known.known_since)
    again.judge(arrivals([own(7)]))
    again.judge(arrivals([abroad()]))
    (alarm,) = of("SMW-READ-09", again.alarms)
    assert alarm.severity is Severity.HIGH


def test_of_more_accounts_than_are_kept_each_stays_a_stranger_s(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(accounts, "MOST", 3)
    made_up = [own(n, account=f"{n:012}") for n in range(3)]
    alarm = alarm_of("SMW-READ-09", *made_up, abroad(), own(9))
    assert alarm is not None
    assert alarm[0] is Severity.CRITICAL


def test_where_a_rule_counts_values_the_lists_alone_say_who_is_a_stranger() -> None:
    text = mine('distinct = { of = "secret", min = 2, within = "1h" }', 'only = ["stranger"]')
    story = [abroad(), abroad(1, secret="prod/b"), own(2)]
    assert of("MINE", judged(story, ruled(text)))
    assert not of("MINE", judged(story, ruled(text, {"lists": {"org_accounts": [THEIRS]}})))


def test_a_rule_can_want_what_is_no_stranger_s() -> None:
    negated = ruled(mine('only = ["other_account", "!stranger"]'))
    assert not of("MINE", judged([abroad()], negated))
    assert of("MINE", judged([abroad(), own(2)], negated))
    assert not of("MINE", judged([abroad(), own(2)], ruled(mine('only = ["other_account"]', 'unless = ["!stranger"]'))))


def test_the_alarm_says_what_to_do_about_an_account_of_one_s_own() -> None:
    (alarm,) = of("SMW-READ-09", judged([abroad()]))
    assert alarm.severity is Severity.CRITICAL
    assert any(THEIRS in line and "org_accounts" in line for line in alarm.next)
    listed = combine(load_builtin(), overrides={"lists": {"org_accounts": [THEIRS]}})
    (alarm,) = of("SMW-READ-09", judged([abroad()], listed))
    assert alarm.severity is Severity.HIGH
