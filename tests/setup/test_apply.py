"""Setting up and removing: as often as one likes, and broken off wherever one likes."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime

import boto3
import msgspec
import pytest

from smwatch.setup import look
from smwatch.setup.apply import BrokenOffError
from smwatch.setup.catalogue import exportable_rules, for_account
from smwatch.setup.chain import choose
from smwatch.setup.check_events import EventChecks
from smwatch.setup.documents import statements
from smwatch.setup.finding import State
from smwatch.setup.observe import Observation
from smwatch.setup.planner import plan
from smwatch.setup.seeing import see_region
from smwatch.setup.wanted import Part, Wanted
from smwatch.setup.wishes import Options, wanted
from tests.emulators.process import Emulator, post
from tests.setup.account import EVERYTHING, Account, broken_off, changing, contents
from tests.setup.conftest import OpenAccount

HERE = "us-east-1"
EMULATORS = ("ministack", "moto", pytest.param("localemu", marks=pytest.mark.slow))


@pytest.fixture(params=EMULATORS)
def anywhere(request: pytest.FixtureRequest, open_account: OpenAccount) -> Account:
    """An empty account, in each of the emulators."""
    emulator: Emulator = request.getfixturevalue(request.param)
    return open_account(emulator)


def test_setup_leaves_nothing_to_be_done(anywhere: Account) -> None:
    assert not anywhere.set_up(EVERYTHING).changes


def test_setup_twice_changes_nothing(anywhere: Account) -> None:
    anywhere.set_up(EVERYTHING)
    first = len(anywhere.wire.made)
    anywhere.set_up(EVERYTHING)
    second = [operation for _, operation, _ in anywhere.wire.made[first:]]
    assert "DescribeTrails" in second
    assert not [operation for operation in second if changing(operation)]


@pytest.mark.parametrize("emulator", ["moto", pytest.param("localemu", marks=pytest.mark.slow)])
def test_removing_leaves_nothing_behind(
    emulator: str, request: pytest.FixtureRequest, open_account: OpenAccount
) -> None:
    # ministack forgets the tags of CreateTrail, so there the trail would rightly be taken for somebody else's
    account = open_account(request.getfixturevalue(emulator))
    account.set_up(EVERYTHING)
    bucket = f"smwatch-trail-{account.place.account}-us-east-1"
    account.aws.s3(HERE).put_object(Bucket=bucket, Key="AWSLogs/some.json.gz", Body=b"")
    assert not account.remove(EVERYTHING).changes
    assert contents(account) == {}


def test_removing_spares_the_recorded_events_where_asked(account: Account) -> None:
    account.set_up(EVERYTHING)
    account.remove(EVERYTHING, keep_logs=True)
    assert set(contents(account)) == {"groups", "buckets"}


@pytest.mark.slow
def test_setup_interrupted_before_any_call_and_run_again_ends_complete(account: Account, moto: Emulator) -> None:
    # plans don't look at answers, so being interrupted after a call is being interrupted before the next one
    calls = sum(len(step.calls) for step in account.plan(EVERYTHING).changes)
    account.set_up(EVERYTHING)
    complete = contents(account)
    assert calls > 15
    for at in range(1, calls + 1):
        post(f"{moto.url}/moto-api/reset")
        with broken_off(account, at), pytest.raises(BrokenOffError, match="Run the same command again"):
            account.set_up(EVERYTHING)
        assert not account.set_up(EVERYTHING).changes
        assert contents(account) == complete, f"interrupted at call {at}"


@pytest.mark.slow
def test_what_an_interrupted_setup_left_is_removed_too(account: Account, moto: Emulator) -> None:
    calls = sum(len(step.calls) for step in account.plan(EVERYTHING).changes)
    for at in range(1, calls + 1):
        post(f"{moto.url}/moto-api/reset")
        with broken_off(account, at), pytest.raises(BrokenOffError):
            account.set_up(EVERYTHING)
        account.remove(EVERYTHING)
        assert contents(account) == {}, f"interrupted at call {at}"


@pytest.mark.slow
def test_removal_interrupted_before_any_call_and_run_again_leaves_nothing(account: Account) -> None:
    account.set_up(EVERYTHING)
    calls = sum(len(step.calls) for step in account.plan_removal(EVERYTHING).changes)
    for at in range(1, calls + 1):
        account.set_up(EVERYTHING)
        with broken_off(account, at), pytest.raises(BrokenOffError):
            account.remove(EVERYTHING)
        account.remove(EVERYTHING)
        assert contents(account) == {}, f"interrupted at call {at}"


def test_a_bucket_of_setups_own_trail_is_mended(account: Account) -> None:
    account.set_up(EVERYTHING)
    complete = contents(account)
    s3, bucket = account.aws.s3(HERE), f"smwatch-trail-{account.place.account}-us-east-1"
    s3.delete_bucket_policy(Bucket=bucket)
    s3.delete_public_access_block(Bucket=bucket)
    assert [step.what for step in account.plan(EVERYTHING).changes] == [f"bucket {bucket}"]
    assert not account.set_up(EVERYTHING).changes
    assert contents(account) == complete


def test_a_trail_of_another_region_is_not_doubled(account: Account) -> None:
    # moto lists the trails of one Region only, so what there is elsewhere is a value here
    found = Observation(choose((), account.place, Wanted()), elsewhere=(("old", "us-west-2"),))
    (problem,) = plan(found, Wanted()).blockers
    assert "`smwatch setup --region us-west-2 --region us-east-1` has it log us-east-1 too" in problem
    assert not plan(found, Wanted(new_trail=True)).blockers
    account.aws.s3(HERE).create_bucket(Bucket="old-trail")
    account.aws.cloudtrail("us-west-2").create_trail(Name="old", S3BucketName="old-trail")
    home = replace(account, place=account.place.at("us-west-2"))
    both = Wanted(parts=frozenset({Part.TRAIL}), regions=("us-west-2", "us-east-1"))
    assert not home.set_up(both).changes
    (trail,) = account.aws.cloudtrail(HERE).describe_trails()["trailList"]
    assert (trail["Name"], trail["IsMultiRegionTrail"], trail["HomeRegion"]) == ("old", True, "us-west-2")
    assert not account.plan(Wanted(parts=both.parts)).changes


def test_an_organisations_trail_is_used_with_the_organisations_own_streams(account: Account) -> None:
    organizations = boto3.client("organizations")
    identity = organizations.create_organization(FeatureSet="ALL")["Organization"]["Id"]
    account.aws.s3(HERE).create_bucket(Bucket="all-trail")
    account.aws.cloudtrail(HERE).create_trail(
        Name="all", S3BucketName="all-trail", IsMultiRegionTrail=True, IsOrganizationTrail=True
    )
    assert not account.set_up(Wanted(parts=frozenset({Part.TRAIL}))).changes
    (trail,) = account.aws.cloudtrail(HERE).describe_trails()["trailList"]
    assert trail["CloudWatchLogsLogGroupArn"] == account.arn("logs", "log-group:CloudTrail/MyCloudWatchLogGroup:*")
    role = look.role(account.aws, "CloudTrail_CloudWatchLogs_Role", "smwatch-delivery")
    assert role is not None
    assert role.policy is not None
    streams = account.arn("logs", "log-group:CloudTrail/MyCloudWatchLogGroup:log-stream:")
    for statement in statements(role.policy):
        assert statement["Resource"] == [
            f"{streams}{account.place.account}_CloudTrail_us-east-1*",
            f"{streams}{identity}_*",
        ]


def test_rules_of_the_catalogue_are_made_kept_and_removed(account: Account) -> None:
    rules = exportable_rules()
    asked = wanted(Options(rules=("SMW-READ-05",), events=("SMW-DEL-01", "SMW-READ-09")), rules)
    wishes = for_account(msgspec.structs.replace(asked, parts=frozenset(Part)), account.place.account)
    assert not account.set_up(wishes).changes
    assert not account.plan(wishes).changes
    found = contents(account)
    assert [name for name, *_ in found["alarms"]] == [  # type: ignore[attr-defined]
        "AttemptsToAccessDeletedSecretsAlarm",
        "smwatch-SMW-READ-05",
        "smwatch-SMW-READ-05-2",
    ]
    states = {name: (state, account.place.account in pattern) for name, state, pattern, _ in found["rules"]}  # type: ignore[attr-defined]
    everything = "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS"
    assert states == {"smwatch-SMW-DEL-01": (everything, False), "smwatch-SMW-READ-09": (everything, True)}
    seen = see_region(account.aws, account.place, Wanted(), datetime.now(UTC))
    assert {each.state for each in EventChecks(seen, "").findings()} == {State.OK}
    account.remove(wishes)
    assert contents(account) == {}
