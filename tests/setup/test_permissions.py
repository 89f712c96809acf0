"""The policies hold the permissions of the calls that are really made: none is missing, none is spare."""

from __future__ import annotations

import ast
import json
from collections.abc import Iterable
from contextlib import nullcontext
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

import boto3
import msgspec
import pytest

from smwatch.setup import documents
from smwatch.setup.aws import Aws
from smwatch.setup.call import actions as actions_of
from smwatch.setup.documents import Document, statements
from smwatch.setup.drill import Clock, drill, survey
from smwatch.setup.place import Names, Place, is_arn
from smwatch.setup.policies import drill_policy, setup_policy, watch_policy
from smwatch.setup.run import carry_out, removal_plan, setup_plan
from smwatch.setup.seeing import see_region
from smwatch.setup.trouble import SetupError
from smwatch.setup.wanted import Part, Wanted
from tests.emulators.process import Emulator
from tests.setup.account import EVERYTHING, Account, Made, ignore
from tests.setup.conftest import OpenAccount
from tests.setup.operations import ROOT, called
from tests.setup.test_replaced import corporate

GROUP = "CloudTrail/MyCloudWatchLogGroup"
NEEDS_NONE = {"sts:GetCallerIdentity"}
TO_TOPICS = Wanted(parts=frozenset({Part.EVENTS}), events=EVERYTHING.events)


def needed(calls: Iterable[Made]) -> set[str]:
    return {action for call in calls for action in actions_of(*call)} - NEEDS_NONE


def written(*files: str) -> set[str]:
    """Return the actions that the calls in these source files take."""
    return {
        action
        for file in files
        for path in (ROOT / "smwatch").glob(file)
        for service, operation in called(path)
        for action in actions_of(service, operation)
    } - NEEDS_NONE


def granted(policy: Document, effect: str = "Allow") -> set[str]:
    return {
        action for each in statements(policy) if each["Effect"] == effect for action in documents.listed(each["Action"])
    }


def do_everything(account: Account) -> None:
    account.set_up(EVERYTHING)
    account.set_up(TO_TOPICS)
    account.aws.cloudtrail("us-east-1").delete_trail(
        Name="smwatch-management-events"
    )  # so that the bucket is looked at
    account.set_up(EVERYTHING)
    account.remove(EVERYTHING)
    in_an_organisation(account)
    account.plan(EVERYTHING)


def in_an_organisation(account: Account) -> None:
    """Make an organisation's trail, as somebody else would: not through what the wire sees."""
    boto3.client("organizations").create_organization(FeatureSet="ALL")
    boto3.client("s3").create_bucket(Bucket="all-trail")
    boto3.client("cloudtrail").create_trail(
        Name="all", S3BucketName="all-trail", IsMultiRegionTrail=True, IsOrganizationTrail=True
    )


def test_the_setup_policy_holds_what_setup_and_removal_call(account: Account) -> None:
    do_everything(account)
    policy = granted(setup_policy(account.place))
    assert needed(account.wire.made) - policy == set()
    in_the_sources = written("setup/plan_*.py", "setup/removal.py", "setup/apply.py")
    assert policy - needed(account.wire.made) - in_the_sources == set()
    assert in_the_sources - policy == set()


def test_the_watch_policy_holds_what_watching_and_doctor_call(account: Account) -> None:
    account.set_up(EVERYTHING)
    before = len(account.wire.made)
    see_region(account.aws, account.place, Wanted(), datetime.now(UTC), try_all=True)
    looked = needed(account.wire.made[before:])
    account.remove(EVERYTHING)
    before = len(account.wire.made)
    see_region(account.aws, account.place, Wanted(), datetime.now(UTC), try_all=True)
    looked |= needed(account.wire.made[before:])
    assert looked | written("sources/**/*.py") == granted(watch_policy(account.place))


def test_the_drill_policy_holds_what_the_drill_calls(account: Account) -> None:
    account.set_up(EVERYTHING)
    before = len(account.wire.made)
    run_drill(account)
    assert needed(account.wire.made[before:]) == granted(drill_policy(account.place))


def run_drill(account: Account) -> None:
    now = datetime.now(UTC)
    moments = iter(now + timedelta(seconds=10 * each) for each in range(1000))
    drill(
        account.aws,
        survey(account.aws, account.place, ""),
        "smwatch-drill-test",
        patience=timedelta(seconds=15),
        clock=Clock(lambda: next(moments), ignore),
        tell=lambda _: None,
        shield=nullcontext,
    )


# -- resources -------------------------------------------------------------------------------------------------------


def resource(place: Place, call: Made) -> str:
    """Return the ARN that AWS checks a call against, as its Service Authorization Reference says."""
    service, operation, parameters = call

    def given(*names: str) -> str:
        return next(str(parameters[name]) for name in names if parameters.get(name))

    match service, operation:
        case "organizations", "DescribeOrganization":
            return "*"
        case ("cloudtrail", "DescribeTrails" | "ListTrails" | "LookupEvents") | ("events", "ListRules"):
            return "*"
        case ("cloudwatch", "DescribeAlarms") | ("logs", "DescribeLogGroups" | "TestMetricFilter"):
            return "*"
        case "cloudtrail", "ListTags":
            return str(parameters["ResourceIdList"][0])  # type: ignore[index]
        case "cloudtrail", _:
            return place.trail(given("ResourceId", "Name", "TrailName"))
        case "logs", "TagResource" | "UntagResource" | "ListTagsForResource":
            return given("resourceArn")
        case "logs", _:
            return place.log_group(given("logGroupName")) + ":*"
        case "cloudwatch", "DeleteAlarms":
            return place.alarm(parameters["AlarmNames"][0])  # type: ignore[index]
        case "cloudwatch", _:
            return given("ResourceARN") if parameters.get("ResourceARN") else place.alarm(given("AlarmName"))
        case "events", _:
            return given("ResourceARN") if parameters.get("ResourceARN") else place.event_rule(given("Rule", "Name"))
        case "iam", _:
            return place.role(given("RoleName"))
        case "s3", "DeleteObjects":
            return place.bucket(given("Bucket")) + "/any"
        case "s3", _:
            return place.bucket(given("Bucket"))
        case "sns", "CreateTopic":
            return place.topic(given("Name"))
        case "sns", _:
            return given("TopicArn", "ResourceArn")
        case "sqs", _:
            return place.queue(given("QueueName", "QueueUrl").rpartition("/")[2])
        case _:
            name = given("Name", "SecretId")
            return name if is_arn(name) else place.secret(name)


def refused(policy: Document, place: Place, calls: Iterable[Made]) -> list[str]:
    """Return what the policy does not allow of these calls."""
    found = []
    for call in calls:
        for action in actions_of(*call)[:1]:
            arn = resource(place, call) if action not in NEEDS_NONE else ""
            allowed = any(
                action in documents.listed(each["Action"])
                and any(documents.like(pattern, arn) for pattern in documents.listed(each["Resource"]))
                for each in statements(policy)
                if each["Effect"] == "Allow"
            )
            if arn and not allowed:
                found.append(f"{action} on {arn}")
    return found


def test_the_setup_policy_reaches_the_resources_that_setup_touches(account: Account) -> None:
    do_everything(account)
    assert refused(setup_policy(account.place), account.place, account.wire.made) == []


def test_the_setup_policy_reaches_what_is_looked_at_in_an_account_that_is_not_empty(account: Account) -> None:
    corporate(account)
    boto3.client("cloudtrail", "eu-west-1").create_trail(Name="local", S3BucketName="corp-trail")
    names = Names(trail="smwatch-management-events", log_group="ours")
    wanted = Wanted(names=names, group_named=True, trail_named=True, new_trail=True)
    before = len(account.wire.made)
    account.set_up(wanted)
    account.remove(msgspec.structs.replace(wanted, regions=("us-east-1", "eu-west-1")))
    calls = account.wire.made[before:]
    assert "corp" in {parameters.get("RoleName") for _, operation, parameters in calls if operation == "GetRole"}
    assert refused(setup_policy(account.place, names, trail=names.trail), account.place, calls) == []


def test_the_watch_policy_reaches_the_resources_that_doctor_looks_at(account: Account) -> None:
    account.set_up(EVERYTHING)
    before = len(account.wire.made)
    see_region(account.aws, account.place, Wanted(), datetime.now(UTC))
    assert refused(watch_policy(account.place, GROUP), account.place, account.wire.made[before:]) == []


def test_the_drill_policy_reaches_the_drills_own_secret(account: Account) -> None:
    account.set_up(EVERYTHING)
    before = len(account.wire.made)
    run_drill(account)
    assert refused(drill_policy(account.place, GROUP), account.place, account.wire.made[before:]) == []


# -- the read-only promise -------------------------------------------------------------------------------------------

READERS = {"get_secret_value", "batch_get_secret_value"}
"""The client's methods that return secrets."""
OPERATIONS = {"GetSecretValue", "BatchGetSecretValue"}


def names_a_reader(path: Path) -> bool:
    """Whether a file can call what returns secrets: by method, by the method's name as text, or by a value."""
    for node in ast.walk(ast.parse(path.read_text())):
        match node:
            case ast.Attribute(attr=name) | ast.Name(id=name) | ast.alias(name=name) if name in READERS:
                return True
            case ast.Constant(value=str(text)) if text in READERS or text.startswith("secretsmanager.Get"):
                return True
            case ast.Call(args=arguments) if _as_value(arguments):
                return True
    return False


def _as_value(arguments: list[ast.expr]) -> bool:
    texts = {each.value for each in arguments if isinstance(each, ast.Constant) and isinstance(each.value, str)}
    return "secretsmanager" in texts and bool(texts & OPERATIONS)


def test_only_the_drill_can_read_a_secret() -> None:
    sources = sorted((ROOT / "smwatch").rglob("*.py"))
    assert len(sources) > 40
    readers = [str(path.relative_to(ROOT)) for path in sources if names_a_reader(path)]
    assert readers == ["smwatch/setup/drill.py"]


@pytest.mark.parametrize(
    "source",
    [
        "client.get_secret_value(SecretId=name)",
        "getattr(client, 'batch_get_secret_value')()",
        "Call('secretsmanager', 'GetSecretValue', {}, region)",
        "headers = {'X-Amz-Target': 'secretsmanager.GetSecretValue'}",
    ],
)
def test_the_guard_of_the_read_only_promise_sees_every_way_to_read(source: str, tmp_path: Path) -> None:
    path = tmp_path / "some.py"
    path.write_text(source)
    assert names_a_reader(path)


def test_setup_and_doctor_read_no_secret_on_the_wire(account: Account) -> None:
    do_everything(account)
    see_region(account.aws, account.place, Wanted(), datetime.now(UTC), try_all=True)
    assert not OPERATIONS & {operation for _, operation, _ in account.wire.made}


# -- enforced --------------------------------------------------------------------------------------------------------


def as_localemu_checks(policy: Document) -> Document:
    """Widen the resources of five services: localemu checks calls to them against ARNs that AWS never makes."""
    wrong = ("cloudtrail:", "cloudwatch:", "events:", "logs:", "sns:")
    return {
        **policy,
        "Statement": [
            {**each, "Resource": "*"} if documents.listed(each["Action"])[0].startswith(wrong) else each
            for each in statements(policy)
        ],
    }


def as_user(account: Account, policy: Document) -> Aws:
    """Return the way to AWS of a new user who may do what the policy says, and nothing else."""
    iam = account.aws.iam()
    iam.create_user(UserName="somebody")
    iam.put_user_policy(UserName="somebody", PolicyName="all", PolicyDocument=json.dumps(as_localemu_checks(policy)))
    key = iam.create_access_key(UserName="somebody")["AccessKey"]
    session = boto3.Session(aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"])
    return Aws(session, account.place.region)


@pytest.fixture
def enforcing(localemu_enforcing: Emulator, open_account: OpenAccount) -> Account:
    """An account whose IAM policies bite."""
    return open_account(localemu_enforcing)


@pytest.mark.slow
def test_somebody_with_the_setup_policy_can_set_up_and_remove(enforcing: Account) -> None:
    place = enforcing.place
    aws = as_user(enforcing, setup_policy(place))
    for look in (
        partial(setup_plan, aws, place, EVERYTHING),
        partial(removal_plan, aws, place, EVERYTHING, keep_logs=False),
    ):
        assert not carry_out(aws, look(), look, tell=ignore, sleep=ignore).changes


@pytest.mark.slow
def test_somebody_with_the_watch_policy_can_run_doctor_and_read_no_secret(enforcing: Account) -> None:
    enforcing.set_up(EVERYTHING)
    enforcing.aws.secretsmanager("us-east-1").create_secret(Name="prod/db", SecretString="hunter2")
    aws = as_user(enforcing, watch_policy(enforcing.place, GROUP))
    assert see_region(aws, enforcing.place, Wanted(), datetime.now(UTC)).unread_actions == ()
    with pytest.raises(Exception, match="not authorized to perform: secretsmanager:GetSecretValue"):
        aws.secretsmanager("us-east-1").get_secret_value(SecretId="prod/db")


@pytest.mark.slow
def test_without_a_permission_setup_says_which_and_goes_on_once_it_is_there(enforcing: Account) -> None:
    place = enforcing.place
    full = setup_policy(place)
    less = documents.parsed(documents.text(full).replace('"cloudwatch:PutMetricAlarm",', ""))
    aws = as_user(enforcing, less)
    look = partial(setup_plan, aws, place, EVERYTHING)
    with pytest.raises(SetupError, match="cloudwatch:PutMetricAlarm is missing"):
        carry_out(aws, look(), look, tell=ignore, sleep=ignore)
    enforcing.aws.iam().put_user_policy(
        UserName="somebody", PolicyName="all", PolicyDocument=json.dumps(as_localemu_checks(full))
    )
    assert not carry_out(aws, look(), look, tell=ignore, sleep=ignore).changes
