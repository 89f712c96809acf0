"""Everything setup sends for an empty account, call by call and field by field, in each partition."""

from __future__ import annotations

import json
from typing import Any

import boto3
import pytest

from smwatch.setup.aws import Aws
from smwatch.setup.chain import choose
from smwatch.setup.observe import Local, Observation
from smwatch.setup.place import Place
from smwatch.setup.planner import plan
from smwatch.setup.policies import drill_policy, setup_policy, watch_policy
from smwatch.setup.wanted import Part, Wanted
from tests.setup.account import EVERYTHING

ACCOUNT = "111122223333"
PLACES = [
    Place("aws", ACCOUNT, "eu-west-1"),
    Place("aws-us-gov", ACCOUNT, "us-gov-west-1"),
    Place("aws-cn", ACCOUNT, "cn-north-1"),
]
GROUP = "CloudTrail/MyCloudWatchLogGroup"
ROLE = "CloudTrail_CloudWatchLogs_Role"
TRAIL = "smwatch-management-events"
PATTERN = '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }'
MADE = {"Key": "smwatch", "Value": "made by smwatch setup"}

in_each_partition = pytest.mark.parametrize("place", PLACES, ids=lambda place: place.partition)


def parsed(value: Any) -> Any:
    """Return parameters with the documents in them parsed."""
    if isinstance(value, dict):
        return {key: parsed(inner) for key, inner in value.items()}
    if isinstance(value, list | tuple):
        return [parsed(each) for each in value]
    if isinstance(value, str) and value.startswith("{") and value != PATTERN:
        return json.loads(value)
    return value


def sent(place: Place, wanted: Wanted) -> list[tuple[str, dict[str, Any]]]:
    """Return what is sent for these wishes to an empty account, in order."""
    local = Local(place, place.queue("smwatch-events") if wanted.to_queue else place.topic("smwatch-alarms"))
    observation = Observation(
        choose((), place, wanted), topic_arn=place.topic("smwatch-alarms"), locals=(local,) if wanted.events else ()
    )
    made = plan(observation, wanted)
    assert not made.blockers
    calls = [call for step in made.changes for call in step.calls]
    assert {call.region for call in calls} == {place.region}
    return [(f"{call.service}.{call.operation}", parsed(dict(call.parameters))) for call in calls]


@in_each_partition
def test_the_trail_and_all_it_needs(place: Place) -> None:
    aws, region = place.partition, place.region
    bucket = f"smwatch-trail-{ACCOUNT}-{region}"
    owned = {"Bucket": bucket, "ExpectedBucketOwner": ACCOUNT}
    trail = f"arn:{aws}:cloudtrail:{region}:{ACCOUNT}:trail/{TRAIL}"
    stream = f"arn:{aws}:logs:{region}:{ACCOUNT}:log-group:{GROUP}:log-stream:{ACCOUNT}_CloudTrail_{region}*"
    assert sent(place, Wanted(parts=frozenset({Part.TRAIL}))) == [
        ("logs.CreateLogGroup", {"logGroupName": GROUP, "tags": {"smwatch": "made by smwatch setup"}}),
        ("logs.PutRetentionPolicy", {"logGroupName": GROUP, "retentionInDays": 90}),
        (
            "iam.CreateRole",
            {
                "RoleName": ROLE,
                "Description": "CloudTrail delivers to CloudWatch Logs with it",
                "AssumeRolePolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": "sts:AssumeRole",
                            "Condition": {"StringEquals": {"aws:SourceArn": trail}},
                        }
                    ],
                },
                "Tags": [MADE],
            },
        ),
        (
            "iam.PutRolePolicy",
            {
                "RoleName": ROLE,
                "PolicyName": "smwatch-delivery",
                "PolicyDocument": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "AWSCloudTrailCreateLogStream2014110",
                            "Effect": "Allow",
                            "Action": ["logs:CreateLogStream"],
                            "Resource": [stream],
                        },
                        {
                            "Sid": "AWSCloudTrailPutLogEvents20141101",
                            "Effect": "Allow",
                            "Action": ["logs:PutLogEvents"],
                            "Resource": [stream],
                        },
                    ],
                },
            },
        ),
        ("s3.CreateBucket", {"Bucket": bucket, "CreateBucketConfiguration": {"LocationConstraint": region}}),
        ("s3.PutBucketTagging", {**owned, "Tagging": {"TagSet": [MADE]}}),
        (
            "s3.PutPublicAccessBlock",
            {
                **owned,
                "PublicAccessBlockConfiguration": {
                    "BlockPublicAcls": True,
                    "IgnorePublicAcls": True,
                    "BlockPublicPolicy": True,
                    "RestrictPublicBuckets": True,
                },
            },
        ),
        (
            "s3.PutBucketEncryption",
            {
                **owned,
                "ServerSideEncryptionConfiguration": {
                    "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "AES256"}}]
                },
            },
        ),
        (
            "s3.PutBucketPolicy",
            {
                **owned,
                "Policy": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "AWSCloudTrailAclCheck20150319",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": "s3:GetBucketAcl",
                            "Resource": f"arn:{aws}:s3:::{bucket}",
                            "Condition": {"StringEquals": {"aws:SourceArn": trail}},
                        },
                        {
                            "Sid": "AWSCloudTrailWrite20150319",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudtrail.amazonaws.com"},
                            "Action": "s3:PutObject",
                            "Resource": f"arn:{aws}:s3:::{bucket}/AWSLogs/{ACCOUNT}/*",
                            "Condition": {
                                "StringEquals": {
                                    "s3:x-amz-acl": "bucket-owner-full-control",
                                    "aws:SourceArn": trail,
                                }
                            },
                        },
                    ],
                },
            },
        ),
        (
            "cloudtrail.CreateTrail",
            {
                "Name": TRAIL,
                "S3BucketName": bucket,
                "IsMultiRegionTrail": True,
                "IncludeGlobalServiceEvents": True,
                "EnableLogFileValidation": True,
                "CloudWatchLogsLogGroupArn": f"arn:{aws}:logs:{region}:{ACCOUNT}:log-group:{GROUP}:*",
                "CloudWatchLogsRoleArn": f"arn:{aws}:iam::{ACCOUNT}:role/{ROLE}",
                "TagsList": [MADE],
            },
        ),
        ("cloudtrail.StartLogging", {"Name": TRAIL}),
    ]


@in_each_partition
def test_the_metric_filter_the_alarm_and_the_topic(place: Place) -> None:
    aws, region = place.partition, place.region
    topic = f"arn:{aws}:sns:{region}:{ACCOUNT}:smwatch-alarms"
    group = f"arn:{aws}:logs:{region}:{ACCOUNT}:log-group:{GROUP}"
    wanted = Wanted(emails=("ops@example.com", "sec@example.com"))
    calls = sent(place, wanted)
    after_the_trail = calls.index(("cloudtrail.StartLogging", {"Name": TRAIL})) + 1
    assert calls[after_the_trail:] == [
        ("sns.CreateTopic", {"Name": "smwatch-alarms", "Tags": [MADE]}),
        (
            "sns.SetTopicAttributes",
            {
                "TopicArn": topic,
                "AttributeName": "Policy",
                "AttributeValue": {
                    "Version": "2012-10-17",
                    "Statement": [
                        {
                            "Sid": "SmwatchAlarms",
                            "Effect": "Allow",
                            "Principal": {"Service": "cloudwatch.amazonaws.com"},
                            "Action": "SNS:Publish",
                            "Resource": topic,
                            "Condition": {
                                "ArnLike": {"aws:SourceArn": f"arn:{aws}:cloudwatch:{region}:{ACCOUNT}:alarm:*"},
                                "StringEquals": {"aws:SourceAccount": ACCOUNT},
                            },
                        }
                    ],
                },
            },
        ),
        *(
            (
                "sns.Subscribe",
                {"TopicArn": topic, "Protocol": "email", "Endpoint": email, "ReturnSubscriptionArn": True},
            )
            for email in wanted.emails
        ),
        (
            "logs.TagResource",
            {
                "resourceArn": group,
                "tags": {"smwatch:filter:AttemptsToAccessDeletedSecrets": "made by smwatch setup"},
            },
        ),
        (
            "logs.PutMetricFilter",
            {
                "logGroupName": GROUP,
                "filterName": "AttemptsToAccessDeletedSecrets",
                "filterPattern": PATTERN,
                "metricTransformations": [
                    {
                        "metricNamespace": "CloudTrailLogMetrics",
                        "metricName": "AttemptsToAccessDeletedSecrets",
                        "metricValue": "1",
                    }
                ],
            },
        ),
        (
            "cloudwatch.PutMetricAlarm",
            {
                "AlarmName": "AttemptsToAccessDeletedSecretsAlarm",
                "AlarmDescription": "Somebody tried to read a secret that is scheduled for deletion. "
                "Made by smwatch setup.",
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
                "AlarmActions": [topic],
                "Tags": [MADE],
            },
        ),
    ]


@in_each_partition
def test_the_eventbridge_rules_and_their_queues(place: Place) -> None:
    aws, region = place.partition, place.region
    queue = f"arn:{aws}:sqs:{region}:{ACCOUNT}:smwatch-events"
    undelivered = f"arn:{aws}:sqs:{region}:{ACCOUNT}:smwatch-undelivered"
    names = ["smwatch-deleted-secrets", "smwatch-rotation"]
    rules = [f"arn:{aws}:events:{region}:{ACCOUNT}:rule/{name}" for name in names]

    def policy(arn: str) -> dict[str, Any]:
        statement = {
            "Sid": "SmwatchEvents",
            "Effect": "Allow",
            "Principal": {"Service": "events.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": rules}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}

    def target(name: str) -> tuple[str, dict[str, Any]]:
        retry = {"MaximumRetryAttempts": 185, "MaximumEventAgeInSeconds": 86400}
        aimed = {"Id": "smwatch", "Arn": queue, "RetryPolicy": retry, "DeadLetterConfig": {"Arn": undelivered}}
        return ("events.PutTargets", {"Rule": name, "Targets": [aimed]})

    selecting = {
        "source": ["aws.secretsmanager"],
        "detail-type": ["AWS API Call via CloudTrail", "AWS Service Event via CloudTrail"],
    }
    source = {"eventSource": ["secretsmanager.amazonaws.com"]}
    rotation = ["Started", "Succeeded", "Failed", "Abandoned"]
    assert sent(place, Wanted(parts=frozenset({Part.EVENTS}), events=EVERYTHING.events, to_queue=True)) == [
        (
            "sqs.CreateQueue",
            {
                "QueueName": "smwatch-undelivered",
                "Attributes": {
                    "MessageRetentionPeriod": "1209600",
                    "SqsManagedSseEnabled": "true",
                    "Policy": policy(undelivered),
                },
                "tags": {"smwatch": "made by smwatch setup"},
            },
        ),
        (
            "sqs.CreateQueue",
            {
                "QueueName": "smwatch-events",
                "Attributes": {
                    "MessageRetentionPeriod": "1209600",
                    "SqsManagedSseEnabled": "true",
                    "ReceiveMessageWaitTimeSeconds": "20",
                    "RedrivePolicy": {"deadLetterTargetArn": undelivered, "maxReceiveCount": 5},
                    "Policy": policy(queue),
                },
                "tags": {"smwatch": "made by smwatch setup"},
            },
        ),
        (
            "events.PutRule",
            {
                "Name": "smwatch-deleted-secrets",
                "Description": "Somebody tried to read a secret that is scheduled for deletion",
                "EventPattern": {
                    **selecting,
                    "detail": {
                        **source,
                        "eventName": ["GetSecretValue"],
                        "errorMessage": [{"wildcard": "*secret because it was marked for deletion*"}],
                    },
                },
                "State": "ENABLED_WITH_ALL_CLOUDTRAIL_MANAGEMENT_EVENTS",
                "Tags": [MADE],
            },
        ),
        target("smwatch-deleted-secrets"),
        (
            "events.PutRule",
            {
                "Name": "smwatch-rotation",
                "Description": "A rotation started, succeeded, failed or was abandoned",
                "EventPattern": {
                    **selecting,
                    "detail": {
                        **source,
                        "eventName": ["RotateSecret", "CancelRotateSecret", *(f"Rotation{how}" for how in rotation)],
                    },
                },
                "State": "ENABLED",
                "Tags": [MADE],
            },
        ),
        target("smwatch-rotation"),
    ]


HOSTS = {
    "aws": "https://{service}.{region}.amazonaws.com",
    "aws-us-gov": "https://{service}.{region}.amazonaws.com",
    "aws-cn": "https://{service}.{region}.amazonaws.com.cn",
}


@in_each_partition
@pytest.mark.parametrize("service", ["cloudtrail", "logs", "events", "sns", "sqs"])
def test_calls_go_to_the_partitions_own_hosts(place: Place, service: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=place.region)
    client = getattr(Aws(session, place.region), service)(place.region)
    assert client.meta.endpoint_url == HOSTS[place.partition].format(service=service, region=place.region)
    assert client.meta.partition == place.partition


@in_each_partition
def test_policies_name_only_the_partitions_own_arns(place: Place) -> None:
    for policy in (watch_policy(place), setup_policy(place), drill_policy(place)):
        words = json.dumps(policy)
        assert words.count('"arn:') == words.count(f'"arn:{place.partition}:')
        assert ".amazonaws.com.cn" not in words  # CloudTrail's principal is the same in China
