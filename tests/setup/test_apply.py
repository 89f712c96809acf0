"""What setup makes in an account, read back with plain boto3 and compared with AWS's documentation."""

from __future__ import annotations

import json
from collections.abc import Sequence

import pytest

from smwatch.setup import look
from smwatch.setup.apply import BrokenOffError
from smwatch.setup.catalogue import NAMED_EVENTS
from smwatch.setup.wanted import Part, Wanted
from tests.emulators.process import Emulator, post
from tests.setup.account import Account, broken_off, changing
from tests.setup.conftest import OpenAccount

HERE = "us-east-1"
GROUP = "CloudTrail/MyCloudWatchLogGroup"
EVERYTHING = Wanted(
    parts=frozenset(Part), emails=("ops@example.com",), events=tuple(NAMED_EVENTS.values()), to_queue=True
)
ME = ("ministack", "moto", pytest.param("localemu", marks=pytest.mark.slow))


@pytest.fixture(params=ME)
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


def test_the_trail_is_the_documented_one(account: Account) -> None:
    account.set_up(EVERYTHING)
    trail = account.aws.cloudtrail(HERE).describe_trails()["trailList"][0]
    bucket = f"smwatch-trail-{account.place.account}-us-east-1"
    assert {key: trail.get(key) for key in trail if key != "HasInsightSelectors"} == {
        "Name": "smwatch-management-events",
        "S3BucketName": bucket,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": "us-east-1",
        "TrailARN": account.arn("cloudtrail", "trail/smwatch-management-events"),
        "LogFileValidationEnabled": True,
        "CloudWatchLogsLogGroupArn": account.arn("logs", f"log-group:{GROUP}:*"),
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{account.place.account}:role/CloudTrail_CloudWatchLogs_Role",
        "HasCustomEventSelectors": False,
        "IsOrganizationTrail": False,
    }
    assert account.aws.cloudtrail(HERE).get_trail_status(Name=trail["Name"])["IsLogging"]


def test_the_role_trusts_cloudtrail_and_may_write_its_streams_only(account: Account) -> None:
    account.set_up(EVERYTHING)
    iam = account.aws.iam()
    role = iam.get_role(RoleName="CloudTrail_CloudWatchLogs_Role")["Role"]
    assert role["AssumeRolePolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceArn": account.arn("cloudtrail", "trail/smwatch-management-events")}
                },
            }
        ],
    }
    streams = account.arn("logs", f"log-group:{GROUP}:log-stream:{account.place.account}_CloudTrail_us-east-1*")
    policy = iam.get_role_policy(RoleName="CloudTrail_CloudWatchLogs_Role", PolicyName="smwatch-delivery")
    assert policy["PolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Sid": "AWSCloudTrailCreateLogStream2014110",
                "Effect": "Allow",
                "Action": ["logs:CreateLogStream"],
                "Resource": [streams],
            },
            {
                "Sid": "AWSCloudTrailPutLogEvents20141101",
                "Effect": "Allow",
                "Action": ["logs:PutLogEvents"],
                "Resource": [streams],
            },
        ],
    }


def test_the_bucket_is_closed_encrypted_and_cloudtrails(account: Account) -> None:
    account.set_up(EVERYTHING)
    s3 = account.aws.s3(HERE)
    bucket = f"smwatch-trail-{account.place.account}-us-east-1"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    trail = account.arn("cloudtrail", "trail/smwatch-management-events")
    check, write = json.loads(s3.get_bucket_policy(Bucket=bucket)["Policy"])["Statement"]
    assert check == {
        "Sid": "AWSCloudTrailAclCheck20150319",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:GetBucketAcl",
        "Resource": f"arn:aws:s3:::{bucket}",
        "Condition": {"StringEquals": {"aws:SourceArn": trail}},
    }
    assert write == {
        "Sid": "AWSCloudTrailWrite20150319",
        "Effect": "Allow",
        "Principal": {"Service": "cloudtrail.amazonaws.com"},
        "Action": "s3:PutObject",
        "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{account.place.account}/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail}},
    }


def test_the_metric_filter_and_the_alarm_are_the_documented_ones(anywhere: Account) -> None:
    anywhere.set_up(EVERYTHING)
    found = anywhere.aws.logs(HERE).describe_metric_filters(logGroupName=GROUP)["metricFilters"]
    assert [
        (each["filterName"], each["filterPattern"], each["metricTransformations"][0]["metricValue"]) for each in found
    ] == [
        (
            "AttemptsToAccessDeletedSecrets",
            '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }',
            "1",
        )
    ]
    assert found[0]["metricTransformations"][0]["metricName"] == "AttemptsToAccessDeletedSecrets"
    assert found[0]["metricTransformations"][0]["metricNamespace"] == "CloudTrailLogMetrics"
    (alarm,) = anywhere.aws.cloudwatch(HERE).describe_alarms()["MetricAlarms"]
    wanted = {
        "AlarmName": "AttemptsToAccessDeletedSecretsAlarm",
        "Namespace": "CloudTrailLogMetrics",
        "MetricName": "AttemptsToAccessDeletedSecrets",
        "Statistic": "Sum",
        "Period": 300,
        "EvaluationPeriods": 1,
        "DatapointsToAlarm": 1,
        "Threshold": 1.0,
        "ComparisonOperator": "GreaterThanOrEqualToThreshold",
        "TreatMissingData": "notBreaching",
        "ActionsEnabled": True,
        "AlarmActions": [anywhere.arn("sns", "smwatch-alarms")],
        "Dimensions": [],
    }
    assert {key: alarm.get(key) for key in wanted} == wanted


def test_the_topic_takes_alarms_of_this_account_and_tells_by_mail(anywhere: Account) -> None:
    anywhere.set_up(EVERYTHING)
    sns = anywhere.aws.sns(HERE)
    topic = anywhere.arn("sns", "smwatch-alarms")
    assert json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"] == [
        {
            "Sid": "SmwatchAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "SNS:Publish",
            "Resource": topic,
            "Condition": {
                "ArnLike": {"aws:SourceArn": anywhere.arn("cloudwatch", "alarm:*")},
                "StringEquals": {"aws:SourceAccount": anywhere.place.account},
            },
        }
    ]
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [(each["Protocol"], each["Endpoint"]) for each in subscriptions] == [("email", "ops@example.com")]


def test_the_eventbridge_rules_see_reads_where_asked_and_reach_the_queue(anywhere: Account) -> None:
    anywhere.set_up(EVERYTHING)
    events, sqs = anywhere.aws.events(HERE), anywhere.aws.sqs(HERE)
    queue = anywhere.arn("sqs", "smwatch-events")
    found = {rule["Name"]: rule for rule in events.list_rules()["Rules"]}
    assert {name: rule["State"] for name, rule in found.items()} == {
        "smwatch-deleted-secrets": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
        "smwatch-rotation": "ENABLED",
    }
    assert json.loads(found["smwatch-deleted-secrets"]["EventPattern"]) == {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
        "detail": {
            "eventSource": ["secretsmanager.amazonaws.com"],
            "eventName": ["GetSecretValue"],
            "errorMessage": [{"wildcard": "*secret because it was marked for deletion*"}],
        },
    }
    for name in found:
        assert [target["Arn"] for target in events.list_targets_by_rule(Rule=name)["Targets"]] == [queue]
    url = sqs.get_queue_url(QueueName="smwatch-events")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert attributes["MessageRetentionPeriod"] == "1209600"
    assert json.loads(attributes["Policy"])["Statement"] == [
        {
            "Sid": "SmwatchEvents",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue,
            "Condition": {"ArnEquals": {"aws:SourceArn": sorted(found[name]["Arn"] for name in found)}},
        }
    ]


def _contents(account: Account) -> dict[str, object]:
    """Return everything in the account that setup could have touched."""
    aws, region = account.aws, account.place.region
    found: dict[str, Sequence[object]] = {}
    trails = aws.cloudtrail(region).describe_trails()["trailList"]
    found["trails"] = [
        (each, aws.cloudtrail(region).get_trail_status(Name=each["Name"])["IsLogging"]) for each in trails
    ]
    groups = aws.logs(region).describe_log_groups()["logGroups"]
    found["groups"] = [(each["logGroupName"], each.get("retentionInDays")) for each in groups]
    found["filters"] = [
        (each["filterName"], each["filterPattern"], each["metricTransformations"])
        for group in groups
        for each in aws.logs(region).describe_metric_filters(logGroupName=group["logGroupName"])["metricFilters"]
    ]
    roles = aws.iam().list_roles()["Roles"]
    found["roles"] = [
        (each["RoleName"], each["AssumeRolePolicyDocument"], _inline(account, each["RoleName"])) for each in roles
    ]
    found["buckets"] = [_bucket(account, each["Name"]) for each in aws.s3(region).list_buckets()["Buckets"]]
    alarms = aws.cloudwatch(region).describe_alarms()["MetricAlarms"]
    found["alarms"] = [(each["AlarmName"], each["AlarmActions"], each["MetricName"]) for each in alarms]
    sns = aws.sns(region)
    found["topics"] = [
        (
            each["TopicArn"],
            sns.get_topic_attributes(TopicArn=each["TopicArn"])["Attributes"]["Policy"],
            [one["Endpoint"] for one in sns.list_subscriptions_by_topic(TopicArn=each["TopicArn"])["Subscriptions"]],
        )
        for each in sns.list_topics()["Topics"]
    ]
    events = aws.events(region)
    found["rules"] = [
        (each["Name"], each["State"], each["EventPattern"], events.list_targets_by_rule(Rule=each["Name"])["Targets"])
        for each in events.list_rules()["Rules"]
    ]
    sqs = aws.sqs(region)
    found["queues"] = [
        (url, sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["Policy"]).get("Attributes"))
        for url in sqs.list_queues().get("QueueUrls", [])
    ]
    return {kind: things for kind, things in found.items() if things}


def _inline(account: Account, role: str) -> list[object]:
    iam = account.aws.iam()
    names = iam.list_role_policies(RoleName=role)["PolicyNames"]
    return [(name, iam.get_role_policy(RoleName=role, PolicyName=name)["PolicyDocument"]) for name in names]


def _bucket(account: Account, name: str) -> object:
    found = look.bucket(account.aws, HERE, name, account.place.account)
    assert found is not None
    return found


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
    assert _contents(account) == {}


def test_removing_spares_the_recorded_events_where_asked(account: Account) -> None:
    account.set_up(EVERYTHING)
    account.remove(EVERYTHING, keep_logs=True)
    assert set(_contents(account)) == {"groups", "buckets"}


@pytest.mark.slow
def test_setup_interrupted_before_any_call_and_run_again_ends_complete(account: Account, moto: Emulator) -> None:
    # plans don't look at answers, so being interrupted after a call is being interrupted before the next one
    calls = sum(len(step.calls) for step in account.plan(EVERYTHING).changes)
    account.set_up(EVERYTHING)
    complete = _contents(account)
    assert calls > 15
    for at in range(1, calls + 1):
        post(f"{moto.url}/moto-api/reset")
        with broken_off(account, at), pytest.raises(BrokenOffError, match="Run the same command again"):
            account.set_up(EVERYTHING)
        assert not account.set_up(EVERYTHING).changes
        assert _contents(account) == complete, f"interrupted at call {at}"


@pytest.mark.slow
def test_what_an_interrupted_setup_left_is_removed_too(account: Account, moto: Emulator) -> None:
    calls = sum(len(step.calls) for step in account.plan(EVERYTHING).changes)
    for at in range(1, calls + 1):
        post(f"{moto.url}/moto-api/reset")
        with broken_off(account, at), pytest.raises(BrokenOffError):
            account.set_up(EVERYTHING)
        account.remove(EVERYTHING)
        assert _contents(account) == {}, f"interrupted at call {at}"


@pytest.mark.slow
def test_removal_interrupted_before_any_call_and_run_again_leaves_nothing(account: Account) -> None:
    account.set_up(EVERYTHING)
    calls = sum(len(step.calls) for step in account.plan_removal(EVERYTHING).changes)
    for at in range(1, calls + 1):
        account.set_up(EVERYTHING)
        with broken_off(account, at), pytest.raises(BrokenOffError):
            account.remove(EVERYTHING)
        account.remove(EVERYTHING)
        assert _contents(account) == {}, f"interrupted at call {at}"
