"""A trail that delivered elsewhere is made to deliver here, and removal gives it back as it was."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from smwatch.setup.apply import BrokenOffError
from smwatch.setup.documents import text
from smwatch.setup.place import Names
from smwatch.setup.plan import Change, Step
from smwatch.setup.wanted import Part, Wanted
from tests.emulators.aws_cli import pasted
from tests.setup.account import Account, broken_off, contents

HERE = "us-east-1"
ONLY_TRAIL = Wanted(
    parts=frozenset({Part.TRAIL}), names=Names(log_group="ours"), group_named=True, replace_delivery=True
)


def corporate(account: Account, group: str = "corp/trail") -> None:
    """Make the trail of somebody else, which delivers to a log group of theirs."""
    account.aws.logs(HERE).create_log_group(logGroupName=group)
    trust = {
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "sts:AssumeRole",
    }
    role = account.aws.iam().create_role(
        RoleName="corp", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [trust]})
    )["Role"]["Arn"]
    account.aws.s3(HERE).create_bucket(Bucket="corp-trail")
    account.aws.cloudtrail(HERE).create_trail(
        Name="corp",
        S3BucketName="corp-trail",
        IsMultiRegionTrail=True,
        CloudWatchLogsLogGroupArn=account.arn("logs", f"log-group:{group}:*"),
        CloudWatchLogsRoleArn=role,
    )
    account.aws.cloudtrail(HERE).start_logging(Name="corp")


def delivers_to(account: Account) -> tuple[str | None, str | None]:
    (trail,) = account.aws.cloudtrail(HERE).describe_trails()["trailList"]
    return trail.get("CloudWatchLogsLogGroupArn"), trail.get("CloudWatchLogsRoleArn")


def tags(account: Account) -> dict[str, str]:
    arn = account.arn("cloudtrail", "trail/corp")
    (found,) = account.aws.cloudtrail(HERE).list_tags(ResourceIdList=[arn])["ResourceTagList"]
    return {tag["Key"]: tag.get("Value", "") for tag in found["TagsList"]}


def trail_step(steps: tuple[Step, ...]) -> Step:
    (step,) = [each for each in steps if each.what == "trail corp"]
    return step


def test_without_consent_a_delivery_is_not_taken_over(account: Account) -> None:
    corporate(account)
    plan = account.plan(Wanted(parts=frozenset({Part.TRAIL}), names=Names(log_group="ours"), group_named=True))
    assert [each for each in plan.blockers if "--replace-delivery" in each]


def test_removal_has_the_trail_deliver_where_it_did_before(account: Account) -> None:
    corporate(account)
    before = contents(account)
    assert trail_step(account.plan(ONLY_TRAIL).steps).detail == "delivers to ours, until now to corp/trail"
    assert not account.set_up(ONLY_TRAIL).changes
    assert delivers_to(account)[0] == account.arn("logs", "log-group:ours:*")
    assert not account.set_up(ONLY_TRAIL).changes
    removing = account.plan_removal(ONLY_TRAIL)
    assert trail_step(removing.steps).detail == "delivers to corp/trail again"
    assert removing.notes == (
        f"That corp delivers to corp/trail again takes iam:PassRole on {account.place.role('corp')} too.",
    )
    assert not account.remove(ONLY_TRAIL).changes
    assert contents(account) == before
    assert tags(account) == {}


def test_replaced_twice_it_is_still_the_first_that_is_restored(account: Account) -> None:
    corporate(account)
    first = delivers_to(account)
    account.set_up(ONLY_TRAIL)
    account.set_up(
        Wanted(parts=ONLY_TRAIL.parts, names=Names(log_group="other"), group_named=True, replace_delivery=True)
    )
    assert delivers_to(account)[0] == account.arn("logs", "log-group:other:*")
    account.remove(ONLY_TRAIL)
    assert delivers_to(account) == first


def test_what_no_longer_exists_is_not_restored(account: Account) -> None:
    corporate(account)
    account.set_up(ONLY_TRAIL)
    account.aws.logs(HERE).delete_log_group(logGroupName="corp/trail")
    account.remove(ONLY_TRAIL)
    assert not any(delivers_to(account))
    assert tags(account) == {}


def test_what_somebody_changed_since_is_left_alone(account: Account) -> None:
    corporate(account)
    account.set_up(ONLY_TRAIL)
    account.aws.logs(HERE).create_log_group(logGroupName="new")
    new = account.arn("logs", "log-group:new:*")
    account.aws.cloudtrail(HERE).update_trail(
        Name="corp", CloudWatchLogsLogGroupArn=new, CloudWatchLogsRoleArn=delivers_to(account)[1] or ""
    )
    assert trail_step(account.plan_removal(ONLY_TRAIL).steps).detail == (
        "only its tags: it was made to deliver to new since"
    )
    account.remove(ONLY_TRAIL)
    assert delivers_to(account)[0] == new
    assert tags(account) == {}


def test_a_name_that_no_tag_can_hold_is_restored_by_the_printed_command(account: Account, aws_cli: Path) -> None:
    corporate(account, "corp#trail")
    before = delivers_to(account)
    step = trail_step(account.plan(ONLY_TRAIL).steps)
    account.set_up(ONLY_TRAIL)
    assert delivers_to(account) != before
    pasted(aws_cli, step.undo)
    assert delivers_to(account) == before


@pytest.mark.parametrize("at", range(1, 7))
def test_replacing_broken_off_anywhere_is_taken_back_too(account: Account, at: int) -> None:
    corporate(account)
    before = contents(account)
    calls = [call for step in account.plan(ONLY_TRAIL).changes for call in step.calls]
    assert len(calls) == 6, text([call.operation for call in calls])
    with broken_off(account, at), pytest.raises(BrokenOffError):
        account.set_up(ONLY_TRAIL)
    account.remove(ONLY_TRAIL)
    assert contents(account) == before
    assert tags(account) == {}
    assert all(step.change is not Change.KEEP for step in account.plan(ONLY_TRAIL).changes)
