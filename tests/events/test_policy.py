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
