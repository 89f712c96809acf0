"""The IAM policies say what is needed, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Callable

import botocore.session
import pytest

from smwatch.setup.documents import Document, statements
from smwatch.setup.place import ANY, Place
from smwatch.setup.policies import drill_policy, setup_policy, watch_policy

HERE = Place("aws", "111122223333", "eu-west-1")
POLICIES: list[Callable[[Place], Document]] = [watch_policy, setup_policy, drill_policy]
OTHER_NAMES = {
    "s3:GetBucketPublicAccessBlock",
    "s3:GetEncryptionConfiguration",
    "s3:ListBucket",
    "s3:PutBucketPublicAccessBlock",
    "s3:PutEncryptionConfiguration",
    "iam:PassRole",
}
"""Actions that no operation is called after."""


def actions(policy: Document, effect: str = "Allow") -> set[str]:
    return {
        action
        for statement in statements(policy)
        if statement["Effect"] == effect
        for action in statement["Action"]  # type: ignore[attr-defined]
    }


def resources(policy: Document) -> set[str]:
    found: set[str] = set()
    for statement in statements(policy):
        resource = statement["Resource"]
        found |= {resource} if isinstance(resource, str) else set(resource)  # type: ignore[call-overload]
    return found


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_names_only_actions_that_exist(policy: Callable[[Place], Document]) -> None:
    session = botocore.session.get_session()
    for action in actions(policy(HERE)) | actions(policy(HERE), "Deny"):
        service, name = action.split(":")
        assert action in OTHER_NAMES or name in session.get_service_model(service).operation_names, action


@pytest.mark.parametrize("policy", POLICIES)
def test_a_policy_fits_into_a_managed_policy(policy: Callable[[Place], Document]) -> None:
    longest = Place("aws-us-gov", "111122223333", "us-gov-west-1")
    assert len(re.sub(r"\s", "", json.dumps(policy(longest)))) <= 6144


@pytest.mark.parametrize("policy", POLICIES)
@pytest.mark.parametrize(("partition", "region"), [("aws-cn", "cn-north-1"), ("aws-us-gov", "us-gov-west-1")])
def test_a_policy_stays_within_its_partition_and_account(
    policy: Callable[[Place], Document], partition: str, region: str
) -> None:
    for resource in resources(policy(Place(partition, "111122223333", region))) - {"*"}:
        assert resource.startswith(f"arn:{partition}:")
        assert resource.startswith(f"arn:{partition}:s3:::") or ":111122223333:" in resource


@pytest.mark.parametrize("policy", POLICIES)
def test_no_policy_allows_a_wildcard_of_actions(policy: Callable[[Place], Document]) -> None:
    assert not [action for action in actions(policy(HERE)) if "*" in action]


def test_the_watch_policy_never_lets_a_secret_be_read() -> None:
    assert actions(watch_policy(HERE), "Deny") == {
        "secretsmanager:GetSecretValue",
        "secretsmanager:BatchGetSecretValue",
    }
    denial = next(each for each in statements(watch_policy(HERE)) if each["Effect"] == "Deny")
    assert denial["Resource"] == "*"
    assert "Condition" not in denial


def test_the_watch_policy_changes_nothing() -> None:
    reading = ("Describe", "Filter", "Get", "List", "Lookup", "StartLiveTail", "TestMetricFilter")
    assert not [action for action in actions(watch_policy(HERE)) if not action.split(":")[1].startswith(reading)]


def test_asking_secrets_manager_is_left_out_where_it_is_not_wanted() -> None:
    assert not [each for each in actions(watch_policy(HERE, enrichment=False)) if each.startswith("secretsmanager:")]


@pytest.mark.parametrize("partition", ["aws-cn", "aws-us-gov"])
def test_live_tail_is_left_out_where_it_does_not_exist(partition: str) -> None:
    assert "logs:StartLiveTail" in actions(watch_policy(HERE))
    assert "logs:StartLiveTail" not in actions(watch_policy(Place(partition, "111122223333", ANY)))


def test_the_drill_may_read_no_secret_but_its_own() -> None:
    readers = [
        each for each in statements(drill_policy(HERE)) if "secretsmanager:GetSecretValue" in str(each["Action"])
    ]
    assert [each["Resource"] for each in readers] == [
        "arn:aws:secretsmanager:eu-west-1:111122223333:secret:smwatch-drill-*-??????"
    ]


def test_setup_may_not_read_secrets_at_all() -> None:
    assert not [each for each in actions(setup_policy(HERE)) if each.startswith("secretsmanager:")]


def test_setup_passes_its_role_to_cloudtrail_alone() -> None:
    passing = [each for each in statements(setup_policy(HERE)) if "iam:PassRole" in str(each["Action"])]
    assert [(each["Resource"], each["Condition"]) for each in passing] == [
        (
            "arn:aws:iam::111122223333:role/CloudTrail_CloudWatchLogs_Role",
            {"StringEquals": {"iam:PassedToService": "cloudtrail.amazonaws.com"}},
        )
    ]


def test_what_is_not_known_is_a_wildcard() -> None:
    assert "arn:aws:logs:*:*:log-group:prod/trail:*" in resources(watch_policy(Place(), "prod/trail"))


@pytest.mark.parametrize("policy", [watch_policy, setup_policy])
def test_several_regions_are_all_reached(policy: Callable[..., Document]) -> None:
    both = resources(policy(HERE, regions=("eu-west-1", "us-east-1")))
    local = {"sns", "sqs", "events"}
    for arn in [each for each in resources(policy(HERE)) if each.split(":")[2:3] and each.split(":")[2] in local]:
        assert {arn, arn.replace(":eu-west-1:", ":us-east-1:")} <= both


@pytest.mark.parametrize("policy", [watch_policy, drill_policy])
def test_a_log_group_is_where_its_arn_says(policy: Callable[..., Document]) -> None:
    arn = "arn:aws:logs:us-east-1:444455556666:log-group:org/trail"
    for given in (arn, f"{arn}:*"):
        assert {arn, f"{arn}:*"} <= resources(policy(HERE, given))
