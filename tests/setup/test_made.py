"""What setup makes, read back field by field and compared with AWS's documentation."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from tests.emulators.process import Emulator, post
from tests.setup.account import EVERYTHING, Account, open_account

HERE = "us-east-1"
GROUP = "CloudTrail/MyCloudWatchLogGroup"
RESETS = {"ministack": "/_ministack/reset", "moto": "/moto-api/reset"}
EMULATORS = ("ministack", "moto", pytest.param("localemu", marks=pytest.mark.slow))


@pytest.fixture(scope="module", params=EMULATORS)
def made(request: pytest.FixtureRequest) -> Iterator[Account]:
    """An account that was set up once, for tests that only look; in each of the emulators."""
    emulator: Emulator = request.getfixturevalue(f"{request.param}_server")
    if reset := RESETS.get(request.param):
        post(emulator.url + reset)
    with pytest.MonkeyPatch.context() as environment:
        account = open_account(emulator, environment)
        assert not account.set_up(EVERYTHING).changes
        yield account


def test_the_trail_is_the_documented_one(made: Account) -> None:
    trail = made.aws.cloudtrail(HERE).describe_trails()["trailList"][0]
    bucket = f"smwatch-trail-{made.place.account}-us-east-1"
    wanted = {
        "Name": "smwatch-management-events",
        "S3BucketName": bucket,
        "IncludeGlobalServiceEvents": True,
        "IsMultiRegionTrail": True,
        "HomeRegion": "us-east-1",
        "TrailARN": made.arn("cloudtrail", "trail/smwatch-management-events"),
        "LogFileValidationEnabled": True,
        "CloudWatchLogsLogGroupArn": made.arn("logs", f"log-group:{GROUP}:*"),
        "CloudWatchLogsRoleArn": f"arn:aws:iam::{made.place.account}:role/CloudTrail_CloudWatchLogs_Role",
        "HasCustomEventSelectors": False,
        "IsOrganizationTrail": False,
    }
    assert {key: trail.get(key) for key in wanted} == wanted
    assert made.aws.cloudtrail(HERE).get_trail_status(Name=trail["Name"])["IsLogging"]


def test_the_role_trusts_cloudtrail_and_may_write_its_streams_only(made: Account) -> None:
    iam = made.aws.iam()
    role = iam.get_role(RoleName="CloudTrail_CloudWatchLogs_Role")["Role"]
    assert role["AssumeRolePolicyDocument"] == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "cloudtrail.amazonaws.com"},
                "Action": "sts:AssumeRole",
                "Condition": {
                    "StringEquals": {"aws:SourceArn": made.arn("cloudtrail", "trail/smwatch-management-events")}
                },
            }
        ],
    }
    streams = made.arn("logs", f"log-group:{GROUP}:log-stream:{made.place.account}_CloudTrail_us-east-1*")
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


def test_the_bucket_is_closed_encrypted_and_cloudtrails(made: Account) -> None:
    s3 = made.aws.s3(HERE)
    bucket = f"smwatch-trail-{made.place.account}-us-east-1"
    assert s3.get_public_access_block(Bucket=bucket)["PublicAccessBlockConfiguration"] == {
        "BlockPublicAcls": True,
        "IgnorePublicAcls": True,
        "BlockPublicPolicy": True,
        "RestrictPublicBuckets": True,
    }
    rules = s3.get_bucket_encryption(Bucket=bucket)["ServerSideEncryptionConfiguration"]["Rules"]
    assert rules[0]["ApplyServerSideEncryptionByDefault"] == {"SSEAlgorithm": "AES256"}
    trail = made.arn("cloudtrail", "trail/smwatch-management-events")
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
        "Resource": f"arn:aws:s3:::{bucket}/AWSLogs/{made.place.account}/*",
        "Condition": {"StringEquals": {"s3:x-amz-acl": "bucket-owner-full-control", "aws:SourceArn": trail}},
    }


def test_the_metric_filter_and_the_alarm_are_the_documented_ones(made: Account) -> None:
    found = made.aws.logs(HERE).describe_metric_filters(logGroupName=GROUP)["metricFilters"]
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
    (alarm,) = made.aws.cloudwatch(HERE).describe_alarms()["MetricAlarms"]
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
        "AlarmActions": [made.arn("sns", "smwatch-alarms")],
        "Dimensions": [],
    }
    assert {key: alarm.get(key) for key in wanted} == wanted


def test_the_topic_takes_alarms_of_this_account_and_tells_by_mail(made: Account) -> None:
    sns = made.aws.sns(HERE)
    topic = made.arn("sns", "smwatch-alarms")
    assert json.loads(sns.get_topic_attributes(TopicArn=topic)["Attributes"]["Policy"])["Statement"] == [
        {
            "Sid": "SmwatchAlarms",
            "Effect": "Allow",
            "Principal": {"Service": "cloudwatch.amazonaws.com"},
            "Action": "SNS:Publish",
            "Resource": topic,
            "Condition": {
                "ArnLike": {"aws:SourceArn": made.arn("cloudwatch", "alarm:*")},
                "StringEquals": {"aws:SourceAccount": made.place.account},
            },
        }
    ]
    subscriptions = sns.list_subscriptions_by_topic(TopicArn=topic)["Subscriptions"]
    assert [(each["Protocol"], each["Endpoint"]) for each in subscriptions] == [("email", "ops@example.com")]


def test_the_eventbridge_rules_see_reads_where_asked_and_reach_the_queue(made: Account) -> None:
    events, sqs = made.aws.events(HERE), made.aws.sqs(HERE)
    queue = made.arn("sqs", "smwatch-events")
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
    dead_letters = made.arn("sqs", "smwatch-undelivered")
    for name in found:
        assert events.list_targets_by_rule(Rule=name)["Targets"] == [
            {
                "Id": "smwatch",
                "Arn": queue,
                "DeadLetterConfig": {"Arn": dead_letters},
                "RetryPolicy": {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400},
            }
        ]
    url = sqs.get_queue_url(QueueName="smwatch-events")["QueueUrl"]
    attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
    assert json.loads(attributes["RedrivePolicy"]) == {"deadLetterTargetArn": dead_letters, "maxReceiveCount": 5}
    rules = sorted(found[name]["Arn"] for name in found)
    for arn in (queue, dead_letters):
        url = sqs.get_queue_url(QueueName=arn.rpartition(":")[2])["QueueUrl"]
        attributes = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])["Attributes"]
        assert attributes["MessageRetentionPeriod"] == "1209600"
        assert json.loads(attributes["Policy"])["Statement"] == [
            {
                "Sid": "SmwatchEvents",
                "Effect": "Allow",
                "Principal": {"Service": "events.amazonaws.com"},
                "Action": "sqs:SendMessage",
                "Resource": arn,
                "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
            }
        ]
