"""An alarm about a consumer that fails names what was changed before: of the secret, of its key, of its permissions."""

from __future__ import annotations

from itertools import permutations
from random import Random
from typing import Any

import pytest

from smwatch.record import Record
from smwatch.rules.engine import Engine
from smwatch.rules.times import NOTES
from tests import records
from tests.rules.catalogue.keys import KEY, OTHER_KEY, REFUSED, to_key, unnamed
from tests.rules.judging import after, arrivals, before, catalogue, judged, of

MALLORY = records.user("mallory")
WORKED = records.read(at=before(hours=2))
FAILS = [records.denied(at=after(minutes=n)) for n in range(3)]
KNOWN_KEY = records.kms(at=before(days=3))


def iam(name: str, parameters: dict[str, Any], **more: Any) -> Record:
    fields = {"eventSource": "iam.amazonaws.com", "awsRegion": "us-east-1", "by": MALLORY}
    return records.call(name, parameters, None, read_only=False, **(fields | more))


def told(rule: str, *happened: Record) -> list[str]:
    """What the alarm tells, the same in any order."""
    orders = list(permutations(happened[-4:])) if len(happened) > 4 else list(permutations(happened))
    found = set()
    for order in orders:
        (alarm,) = of(rule, judged([*order, *happened[:-4]] if len(happened) > 4 else order, batch=1))
        found.add(alarm.facts)
    (facts,) = found
    return list(facts)


def test_what_was_done_to_the_secrets_key_is_named() -> None:
    disabled = to_key("DisableKey", by=MALLORY, at=before(minutes=5))
    elsewhere = to_key("DisableKey", OTHER_KEY, by=MALLORY, at=before(minutes=4))
    broken = records.read(error=REFUSED, at=after())
    key = KEY.rpartition("/")[2]
    expected = [f"shortly before on its key {key}: DisableKey by mallory at 2026-11-23 13:55:00Z"]
    assert told("SMW-KMS-01", broken, WORKED, KNOWN_KEY, disabled, elsewhere) == expected
    assert told("SMW-HLTH-01", *FAILS, WORKED, KNOWN_KEY, disabled, elsewhere) == expected


@pytest.mark.parametrize("name", ["PutKeyPolicy", "ScheduleKeyDeletion", "RevokeGrant", "RetireGrant"])
def test_what_takes_a_key_away_is_a_change_of_it(name: str) -> None:
    (fact,) = told("SMW-HLTH-01", *FAILS, WORKED, KNOWN_KEY, to_key(name, by=MALLORY, at=before(minutes=5)))
    assert f": {name} by mallory at " in fact


def test_a_grant_retired_by_its_token_is_of_the_key_among_the_resources() -> None:
    resources = [{"accountId": records.ACCOUNT, "type": "AWS::KMS::Key", "ARN": KEY}]
    fields: dict[str, Any] = {"eventSource": "kms.amazonaws.com", "resources": resources}
    retired = records.call("RetireGrant", {"grantToken": "AQpA"}, None, by=MALLORY, at=before(minutes=5), **fields)
    assert len(told("SMW-HLTH-01", *FAILS, WORKED, KNOWN_KEY, retired)) == 1


@pytest.mark.parametrize(
    "name",
    [
        "PutRolePolicy",
        "DetachRolePolicy",
        "DeleteRolePolicy",
        "PutRolePermissionsBoundary",
        "DeleteRolePermissionsBoundary",
        "AttachRolePolicy",
        "UntagRole",
    ],
)
def test_what_was_done_to_the_role_is_named(name: str) -> None:
    theirs = iam(name, {"roleName": "payments-api", "policyName": "read"}, at=before(minutes=9))
    others = iam(name, {"roleName": "other", "policyName": "read"}, at=before(minutes=3))
    foreign = iam(name, {"roleName": "payments-api"}, at=before(minutes=2), account=records.OTHER_ACCOUNT)
    expected = [f"shortly before on role payments-api: {name} by mallory at 2026-11-23 13:51:00Z"]
    assert told("SMW-HLTH-01", *FAILS, WORKED, theirs, others, foreign) == expected


def test_what_was_done_to_a_user_is_named() -> None:
    alice = records.user("alice")
    fails = [records.denied(by=alice, at=after(minutes=n)) for n in range(3)]
    for name in ("PutUserPolicy", "DetachUserPolicy", "DeleteUserPolicy", "PutUserPermissionsBoundary"):
        change = iam(name, {"userName": "alice"}, at=before(minutes=9))
        facts = told("SMW-HLTH-01", *fails, records.read(by=alice, at=before(hours=1)), change)
        assert facts == [f"shortly before on user alice: {name} by mallory at 2026-11-23 13:51:00Z"]


def test_who_fails_on_kms_without_a_name_is_told_of_changes_of_the_role() -> None:
    change = iam("DetachRolePolicy", {"roleName": "payments-api"}, at=before(minutes=9))
    (fact,) = told("SMW-KMS-01c", unnamed(at=after()), WORKED, change)
    assert fact.startswith("shortly before on role payments-api: DetachRolePolicy")


def test_changes_of_the_secret_come_first_and_old_or_refused_ones_not_at_all() -> None:
    cancelled = records.write("CancelRotateSecret", by=MALLORY, at=before(hours=1))
    change = iam("DetachRolePolicy", {"roleName": "payments-api"}, at=before(minutes=9))
    old = to_key("DisableKey", at=before(days=2))
    refused = to_key("PutKeyPolicy", at=before(minutes=1), error=("AccessDenied", "no"))
    facts = told("SMW-HLTH-01", *FAILS, KNOWN_KEY, WORKED, cancelled, change, old, refused)
    assert [fact.partition(" by ")[0] for fact in facts] == [
        "shortly before: CancelRotateSecret",
        "shortly before on role payments-api: DetachRolePolicy",
    ]


@pytest.mark.parametrize(("later", "tells"), [(NOTES - 1, True), (NOTES, False), (NOTES + 20, False)])
def test_the_last_changes_of_a_secret_are_told_of_whatever_the_order_and_the_pages(later: int, tells: bool) -> None:
    changed = [records.put(by=MALLORY, at=after(minutes=n), id=f"put-{n}") for n in (-5, *range(1, later + 1))]
    happened = sorted([WORKED, *FAILS, *changed], key=lambda record: str(record["eventTime"]))
    orders = [happened, happened[::-1], *(Random(seed).sample(happened, len(happened)) for seed in range(3))]
    (facts,) = {of("SMW-HLTH-01", judged(order, batch=size))[0].facts for order in orders for size in (1, 7, 1_000)}
    assert any("13:55:00Z" in fact for fact in facts) is tells


def test_a_restart_in_between_makes_no_difference_to_what_is_told() -> None:
    changed = [records.put(by=MALLORY, at=after(minutes=n), id=f"put-{n}") for n in (-5, *range(1, NOTES + 9))]
    happened = arrivals(sorted([WORKED, *FAILS, *changed], key=lambda record: str(record["eventTime"])))
    first, later = Engine(catalogue()), Engine(catalogue())
    first.judge(happened[:9])
    assert of("SMW-HLTH-01", first.alarms)[0].facts
    later.restore(first.alarms.values(), known_since=first.known_since)
    for engine in (first, later):
        engine.judge(happened)
    assert first.alarms == later.alarms


def test_what_was_told_of_a_deletion_outlasts_a_restart_that_reads_less_again() -> None:
    deleted, worked = records.delete(at=before(days=25)), records.read(at=before(days=10), by=MALLORY)
    asked = records.read_deleted(at=after())
    first, later = Engine(catalogue()), Engine(catalogue())
    first.judge(arrivals([deleted, worked, asked]))
    later.restore(first.alarms.values(), known_since=first.known_since)
    later.judge(arrivals([worked, asked]))
    (told,), (kept,) = (of("SMW-DEL-01", engine.alarms) for engine in (first, later))
    assert told.facts
    assert kept.facts == told.facts


def test_an_alarm_about_a_key_names_the_secrets_that_hang_on_it() -> None:
    disabled = to_key("DisableKey", by=MALLORY, at=after())
    hanging = [records.kms(name, at=before(days=n)) for n, name in enumerate(("prod/b", "prod/a"), 1)]
    other = records.kms("prod/c", resources=[{"ARN": KEY.replace("1234abcd-12", "ffffabcd-12")}], at=before(days=1))
    later = records.kms("prod/d", at=after(days=1))
    assert told("SMW-KMS-02", disabled, *hanging, other) == ["known to hang on it: prod/a, prod/b"]
    assert told("SMW-KMS-02", disabled, *hanging, later) == ["known to hang on it: prod/a, prod/b, prod/d"]
    assert told("SMW-KMS-02", disabled) == []


POLICY = f"arn:aws:iam::{records.ACCOUNT}:policy/team/payments-read"


@pytest.mark.parametrize(
    ("name", "parameters"),
    [
        ("SetDefaultPolicyVersion", {"policyArn": POLICY, "versionId": "v1"}),
        ("CreatePolicyVersion", {"policyArn": POLICY, "policyDocument": "{}", "setAsDefault": True}),
    ],
)
def test_another_version_of_a_managed_policy_may_be_the_cause(name: str, parameters: dict[str, Any]) -> None:
    change = iam(name, parameters, at=before(minutes=9))
    elsewhere = iam(name, parameters, at=before(minutes=1), account=records.OTHER_ACCOUNT)
    unused = iam("CreatePolicyVersion", {"policyArn": POLICY, "setAsDefault": False}, at=before(minutes=2))
    facts = told("SMW-HLTH-01", *FAILS, WORKED, change, elsewhere, unused)
    expected = "shortly before on policy payments-read (if role payments-api has it): "
    assert facts == [f"{expected}{name} by mallory at 2026-11-23 13:51:00Z"]


@pytest.mark.parametrize("name", ["PutGroupPolicy", "DeleteGroupPolicy", "AttachGroupPolicy", "DetachGroupPolicy"])
def test_a_groups_policy_may_be_the_cause_for_a_user_and_not_for_a_role(name: str) -> None:
    change = iam(name, {"groupName": "devs", "policyName": "read"}, at=before(minutes=9))
    assert told("SMW-HLTH-01", *FAILS, WORKED, change) == []
    alice = records.user("alice")
    fails = [records.denied(by=alice, at=after(minutes=n)) for n in range(3)]
    facts = told("SMW-HLTH-01", *fails, records.read(by=alice, at=before(hours=1)), change)
    expected = "shortly before on group devs (if user alice is in it): "
    assert facts == [f"{expected}{name} by mallory at 2026-11-23 13:51:00Z"]


@pytest.mark.parametrize(
    ("name", "parameters", "what"),
    [
        (
            "AttachPolicy",
            {"policyId": "p-8v2k1xq3", "targetId": "ou-x1y2-abcdefgh"},
            "organization's policy p-8v2k1xq3",
        ),
        ("DetachPolicy", {"policyId": "p-8v2k1xq3", "targetId": records.ACCOUNT}, "organization's policy p-8v2k1xq3"),
        ("UpdatePolicy", {"policyId": "p-8v2k1xq3", "content": "{}"}, "organization's policy p-8v2k1xq3"),
        (
            "EnablePolicyType",
            {"rootId": "r-x1y2", "policyType": "RESOURCE_CONTROL_POLICY"},
            "organization's root r-x1y2",
        ),
        ("MoveAccount", {"accountId": records.ACCOUNT, "sourceParentId": "r-x1y2"}, "organization's account"),
    ],
)
def test_what_the_organization_allows_may_be_the_cause(name: str, parameters: dict[str, Any], what: str) -> None:
    """Service control policies and resource control policies, as the management account's trail has them."""
    fields: dict[str, Any] = {"eventSource": "organizations.amazonaws.com", "account": "444455556666"}
    change = iam(name, parameters, at=before(minutes=9), **fields)
    theirs = iam("DetachPolicy", {"policyId": "p-2", "targetId": records.OTHER_ACCOUNT}, at=before(minutes=1), **fields)
    facts = told("SMW-HLTH-01", *FAILS, WORKED, change, theirs)
    expected = f"shortly before on the {what} (if it applies here): "
    assert facts == [f"{expected}{name} by mallory at 2026-11-23 13:51:00Z"]


def test_the_newest_of_each_kind_is_named() -> None:
    older, newer = (
        iam("SetDefaultPolicyVersion", {"policyArn": POLICY + name}, at=before(minutes=n))
        for n, name in ((9, ""), (5, "-2"))
    )
    later = iam("SetDefaultPolicyVersion", {"policyArn": POLICY + "-3"}, at=after(minutes=1))
    facts = told("SMW-HLTH-01", *FAILS, WORKED, older, newer, later)
    assert [fact.partition(" (")[0] for fact in facts] == ["shortly before on policy payments-read-2"]


def test_a_name_as_long_as_a_record_is_cut() -> None:
    change = iam(
        "SetDefaultPolicyVersion", {"policyArn": f"arn:aws:iam::1:policy/{'x' * 100_000}"}, at=before(minutes=9)
    )
    (fact,) = told("SMW-HLTH-01", *FAILS, WORKED, change)
    assert len(fact) < 400


def test_where_no_such_change_is_seen_nothing_is_said() -> None:
    assert told("SMW-HLTH-01", *FAILS, WORKED, KNOWN_KEY) == []
