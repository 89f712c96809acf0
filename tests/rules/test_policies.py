"""A resource policy is compared with the one before."""

from __future__ import annotations

import json
from datetime import datetime

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.keys import granted, to_key
from tests.rules.judging import after, before, judged, of, only

PIPELINE = records.role("pipeline", "run-1")


def policy(sid: str) -> str:
    allowed = {"AWS": f"arn:aws:iam::{records.ACCOUNT}:role/app"}
    statement = {"Sid": sid, "Effect": "Allow", "Principal": allowed, "Action": "secretsmanager:DescribeSecret"}
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})


def put(sid: str, at: datetime, *, layout: int | None = None) -> Record:
    text = json.dumps(json.loads(policy(sid)), indent=layout)
    return records.write("PutResourcePolicy", parameters={"resourcePolicy": text}, at=at, by=PIPELINE)


def last_severity(happened: list[Record]) -> Severity:
    """How bad the last of them is, put by somebody of its own so that it is an alarm of its own."""
    last = happened[-1] | {"userIdentity": records.role("last", "run-2")}
    (alarm,) = [each for each in of("SMW-POL-01", judged([last, *happened[:-1]])) if each.principal == "last"]
    return alarm.severity


def test_the_same_policy_again_is_info_however_it_is_laid_out() -> None:
    assert last_severity([put("a", before(days=3)), put("a", after(), layout=4)]) is Severity.INFO


@pytest.mark.parametrize(
    "between",
    [
        put("b", before(days=1)),
        put("b", before(days=3)),
        records.write("DeleteResourcePolicy", at=before(days=1)),
    ],
    ids=["another", "another in the same second", "none"],
)
def test_a_policy_that_comes_back_after_another_or_none_is_a_change(between: Record) -> None:
    assert last_severity([put("a", before(days=3)), between, put("a", after())]) is Severity.MEDIUM


def test_a_policy_that_cannot_be_read_is_high() -> None:
    odd = records.write("PutResourcePolicy", parameters={"resourcePolicy": "{"}, at=after())
    assert last_severity([odd]) is Severity.HIGH


def test_a_service_on_anybodys_behalf_is_high_and_on_ones_own_medium() -> None:
    def severity(condition: dict[str, object]) -> Severity:
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "backup.amazonaws.com"},
            "Action": "secretsmanager:GetSecretValue",
            "Condition": condition,
        }
        text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        return last_severity([records.write("PutResourcePolicy", parameters={"resourcePolicy": text}, at=after())])

    assert severity({}) is Severity.HIGH
    assert severity({"StringEquals": {"aws:SourceAccount": records.ACCOUNT}}) is Severity.MEDIUM
    assert severity({"StringEquals": {"aws:SourceAccount": records.OTHER_ACCOUNT}}) is Severity.CRITICAL


KEY_POLICIES = {
    "everybody": ({"AWS": "*"}, {}, Severity.CRITICAL, Severity.HIGH),
    "everybody through a service": (
        {"AWS": "*"},
        {"StringEquals": {"kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com"}},
        Severity.CRITICAL,
        Severity.HIGH,
    ),
    "everybody of this account through a service": (
        {"AWS": "*"},
        {
            "StringEquals": {
                "kms:ViaService": "secretsmanager.eu-west-1.amazonaws.com",
                "kms:CallerAccount": records.ACCOUNT,
            }
        },
        Severity.HIGH,
        Severity.MEDIUM,
    ),
    "everybody of another account": (
        {"AWS": "*"},
        {"StringEquals": {"kms:CallerAccount": records.OTHER_ACCOUNT}},
        Severity.CRITICAL,
        Severity.HIGH,
    ),
    "another account": (
        {"AWS": [f"arn:aws:iam::{records.OTHER_ACCOUNT}:root"]},
        {},
        Severity.CRITICAL,
        Severity.HIGH,
    ),
    "this account": ({"AWS": f"arn:aws:iam::{records.ACCOUNT}:root"}, {}, Severity.HIGH, Severity.MEDIUM),
}


@pytest.mark.parametrize("name", KEY_POLICIES)
def test_a_keys_policy_is_graded_by_whom_it_lets_in(name: str) -> None:
    principal, condition, of_secrets, of_others = KEY_POLICIES[name]
    statement = {"Effect": "Allow", "Principal": principal, "Action": "kms:*", "Resource": "*", "Condition": condition}
    changed = to_key("PutKeyPolicy", at=after())
    changed["requestParameters"] |= {"policyName": "default", "policy": json.dumps({"Statement": [statement]})}
    assert only("SMW-KMS-02b", [records.kms(at=before(days=1)), changed]).severity is of_secrets
    assert only("SMW-KMS-02b", [changed]).severity is of_others


def test_a_grant_to_another_account_can_be_taken_back() -> None:
    alarm = only("SMW-KMS-03", [granted(f"arn:aws:iam::{records.OTHER_ACCOUNT}:role/x", at=after())])
    assert alarm.severity is Severity.MEDIUM  # no secret is known to hang on the key
    assert any("--grant-id 0ab0ac0d0b000f00ea00cc0a0e00fc00" in line for line in alarm.next)
