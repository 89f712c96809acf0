"""What a resource policy opens and closes, whatever its text."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smwatch.events.policy import Grade, grade
from tests import records

OWN, OTHER = f"arn:aws:iam::{records.ACCOUNT}:role/app", f"arn:aws:iam::{records.OTHER_ACCOUNT}:root"
FROM_OUTSIDE = {"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}


def graded(effect: str, **statement: Any) -> Grade:
    text = json.dumps({"Statement": [{"Effect": effect, "Principal": "*", **statement}]})
    return grade(text, records.ACCOUNT)


@pytest.mark.parametrize(
    "action",
    [
        "secretsmanager:*",
        "*",
        "secretsmanager:Delete*",
        ["secretsmanager:GetSecretValue", "secretsmanager:RestoreSecret"],
    ],
)
def test_who_may_not_undo_things_is_locked_out(action: object) -> None:
    assert graded("Deny", Action=action, Principal={"AWS": OWN}).locks_out
    assert graded("Deny", Action=action, Condition=FROM_OUTSIDE).locks_out


def test_denying_everybody_the_value_locks_them_out() -> None:
    assert graded("Deny", Action="secretsmanager:GetSecretValue").locks_out


def test_an_ordinary_guard_is_a_denial_that_locks_nobody_out() -> None:
    for guard in (
        graded("Deny", Action="secretsmanager:GetSecretValue", Condition=FROM_OUTSIDE),
        graded("Deny", Action="secretsmanager:GetSecretValue", Principal={"AWS": OTHER}),
        graded("Deny", NotAction=["secretsmanager:*"]),
        graded("Deny", Action="kms:*"),
    ):
        assert (guard.denies, guard.locks_out) == (True, False)


@pytest.mark.parametrize(
    ("action", "perpetual"),
    [
        ("secretsmanager:PutResourcePolicy", True),
        ("secretsmanager:putresource*", True),
        ("secretsmanager:*ResourcePolicy", True),
        ("secretsmanager:P?tResourcePolicy", True),
        ("*:*", True),
        ("secretsmanager:[p]utresourcepolicy", False),
        ("secretsmanager:GetSecretValue", False),
        ("s3:PutResourcePolicy", False),
        ("secretsmanager", False),
    ],
)
def test_a_policy_that_may_be_changed_by_whom_it_lets_in_perpetuates_itself(action: str, perpetual: bool) -> None:
    assert graded("Allow", Action=action, Principal={"AWS": OTHER}).self_perpetuating is perpetual


def test_everybody_but_some_and_everything_but_some_are_read_as_they_are_meant() -> None:
    assert graded("Allow", NotAction="secretsmanager:GetSecretValue").self_perpetuating
    text = json.dumps({"Statement": {"Effect": "Allow", "NotPrincipal": {"AWS": OWN}, "Action": "secretsmanager:*"}})
    assert grade(text, records.ACCOUNT).public


@pytest.mark.parametrize(
    "text", ["", "{", "[]", "null", '{"Statement": 5}', '{"Statement": [5, null, {"Effect": []}]}']
)
def test_nonsense_is_no_trouble(text: str) -> None:
    found = grade(text, records.ACCOUNT)
    assert (found.public, found.foreign, found.locks_out) == (False, (), False)


SERVICE = {"Service": "backup.amazonaws.com"}


def allowed(principal: object, **condition: object) -> Grade:
    return graded("Allow", Action="secretsmanager:GetSecretValue", Principal=principal, Condition=condition)


def test_a_service_that_may_come_on_anybodys_behalf_is_bound_to_nobody() -> None:
    assert allowed(SERVICE).unbound
    assert allowed({"Service": ["backup.amazonaws.com"], "AWS": OWN}).unbound
    assert allowed(SERVICE, StringEqualsIfExists={"aws:SourceAccount": records.ACCOUNT}).unbound
    assert allowed(SERVICE, StringEquals={"aws:SourceVpc": "vpc-1"}).unbound
    assert allowed(SERVICE, StringLike={"aws:SourceArn": "*"}).unbound


@pytest.mark.parametrize(
    "test",
    [
        {"aws:SourceAccount": records.ACCOUNT},
        {"AWS:sourcearn": [f"arn:aws:backup:eu-west-1:{records.ACCOUNT}:backup-vault:v"]},
        {"aws:SourceOrgID": "o-a1b2c3d4e5"},
        {"aws:SourceOrgPaths": "o-a1b2c3d4e5/r-ab12/*"},
    ],
)
def test_a_service_that_comes_for_ones_own_is_bound(test: dict[str, object]) -> None:
    found = allowed(SERVICE, StringLike=test)
    assert (found.unbound, found.public, found.foreign) == (False, False, ())


def test_a_service_that_comes_for_another_account_lets_that_account_in() -> None:
    assert allowed(SERVICE, StringEquals={"aws:SourceAccount": records.OTHER_ACCOUNT}).foreign == (
        records.OTHER_ACCOUNT,
    )
    source = f"arn:aws:backup:eu-west-1:{records.OTHER_ACCOUNT}:backup-vault:v"
    assert allowed(SERVICE, ArnLike={"aws:SourceArn": source}).foreign == (records.OTHER_ACCOUNT,)
    assert allowed("*", StringEquals={"aws:PrincipalAccount": records.OTHER_ACCOUNT}).foreign == (
        records.OTHER_ACCOUNT,
    )


@pytest.mark.parametrize("provider", ["cognito-identity.amazonaws.com", "accounts.google.com", "www.amazon.com"])
def test_a_provider_that_gives_everybody_an_identity_lets_everybody_in(provider: str) -> None:
    assert allowed({"Federated": provider}).public
    bound = allowed({"Federated": provider}, StringEquals={f"{provider}:aud": "eu-west-1:0a1b"})
    assert (bound.public, bound.unbound) == (False, False)


def test_a_provider_of_ones_own_lets_in_whom_it_knows() -> None:
    own, other = (f"arn:aws:iam::{account}:oidc-provider/idp" for account in (records.ACCOUNT, records.OTHER_ACCOUNT))
    assert (allowed({"Federated": own}).public, allowed({"Federated": own}).unbound) == (False, True)
    assert not allowed({"Federated": own}, StringEquals={"idp:sub": "repo:org/app"}).unbound
    assert allowed({"Federated": other}).foreign == (records.OTHER_ACCOUNT,)
