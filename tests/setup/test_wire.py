"""What no emulator does, at the wire: AWS's answers as botocore's Stubber gives them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta

import boto3
import pytest
from botocore.client import BaseClient
from botocore.stub import Stubber

from smwatch.setup import look
from smwatch.setup.apply import BrokenOffError, Progress, apply
from smwatch.setup.aws import Aws
from smwatch.setup.call import Call
from smwatch.setup.documented import filter_faults
from smwatch.setup.place import Place
from smwatch.setup.plan import Change, Plan, Step
from smwatch.setup.plan_trail import ROLE_NOT_YET
from smwatch.setup.seeing import REFUSED_READING
from smwatch.setup.wanted import DELETED_SECRETS, Part

HERE = Place("aws", "111122223333", "eu-west-1")
TRAIL = HERE.trail("smwatch-management-events")
NOT_YET = "Access denied. Verify in IAM that the role has adequate permissions."
"""What CreateTrail says of a role that is not known everywhere yet, recorded from the real service."""


@pytest.fixture
def aws(monkeypatch: pytest.MonkeyPatch) -> Aws:
    """The way to an AWS that answers only what it was told to."""
    for name in ("AWS_ENDPOINT_URL", "AWS_PROFILE"):
        monkeypatch.delenv(name, raising=False)
    session = boto3.Session(aws_access_key_id="test", aws_secret_access_key="test", region_name=HERE.region)
    return Aws(session, HERE.region, attempts=1)


@contextmanager
def answering(client: BaseClient) -> Iterator[Stubber]:
    """Have a client get the answers that are added, in order, and every one of them."""
    with Stubber(client) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


CREATE = {
    "Name": "smwatch-management-events",
    "S3BucketName": "smwatch-trail-111122223333-eu-west-1",
    "IsMultiRegionTrail": True,
    "IncludeGlobalServiceEvents": True,
    "EnableLogFileValidation": True,
    "CloudWatchLogsLogGroupArn": HERE.log_group("CloudTrail/MyCloudWatchLogGroup") + ":*",
    "CloudWatchLogsRoleArn": HERE.role("CloudTrail_CloudWatchLogs_Role"),
}


def making_the_trail() -> Plan:
    create = Call("cloudtrail", "CreateTrail", CREATE, HERE.region, too_early=ROLE_NOT_YET)
    start = Call("cloudtrail", "StartLogging", {"Name": CREATE["Name"]}, HERE.region)
    return Plan(HERE, (Step(Part.TRAIL, Change.MAKE, "trail smwatch-management-events", "", (create, start)),))


def test_a_role_that_iam_does_not_know_everywhere_is_waited_for(aws: Aws) -> None:
    waited: list[float] = []
    told: list[Progress] = []
    with answering(aws.cloudtrail(HERE.region)) as cloudtrail:
        for _ in range(2):
            cloudtrail.add_client_error(
                "create_trail", "InvalidCloudWatchLogsLogGroupArnException", NOT_YET, expected_params=CREATE
            )
        cloudtrail.add_response("create_trail", {"TrailARN": TRAIL}, CREATE)
        cloudtrail.add_response("start_logging", {}, {"Name": CREATE["Name"]})
        apply(aws, making_the_trail(), tell=told.append, sleep=waited.append)
    assert waited == [15.0, 15.0]
    assert [each.waiting for each in told] == [
        "",
        f"{NOT_YET} That may be too early: again in 15 s, for 120 s more",
        f"{NOT_YET} That may be too early: again in 15 s, for 105 s more",
    ]


def test_after_two_minutes_it_is_not_for_want_of_patience(aws: Aws) -> None:
    waited: list[float] = []
    with answering(aws.cloudtrail(HERE.region)) as cloudtrail:
        for _ in range(9):
            cloudtrail.add_client_error("create_trail", "InvalidCloudWatchLogsLogGroupArnException", NOT_YET)
        with pytest.raises(BrokenOffError, match="adequate permissions") as broken_off:
            apply(aws, making_the_trail(), tell=lambda _: None, sleep=waited.append)
    assert sum(waited) == 120
    assert "Left: trail smwatch-management-events.\nRun the same command again" in str(broken_off.value)


def test_another_refusal_is_not_waited_for(aws: Aws) -> None:
    with answering(aws.cloudtrail(HERE.region)) as cloudtrail:
        cloudtrail.add_client_error("create_trail", "MaximumNumberOfTrailsExceededException", "5 trails are there.")
        with pytest.raises(BrokenOffError, match="5 trails are there"):
            apply(aws, making_the_trail(), tell=lambda _: None, sleep=lambda _: pytest.fail("waited"))


def test_a_mail_that_waits_for_its_link_is_pending(aws: Aws) -> None:
    topic = HERE.topic("smwatch-alarms")
    subscription = {"TopicArn": topic, "Protocol": "email", "Owner": HERE.account}
    with answering(aws.sns(HERE.region)) as sns:
        sns.add_response("get_topic_attributes", {"Attributes": {"Policy": "{}"}}, {"TopicArn": topic})
        sns.add_response(
            "list_subscriptions_by_topic",
            {
                "Subscriptions": [
                    {**subscription, "Endpoint": "new@example.com", "SubscriptionArn": "PendingConfirmation"},
                    {**subscription, "Endpoint": "ops@example.com", "SubscriptionArn": f"{topic}:1"},
                    {**subscription, "Endpoint": "old@example.com", "SubscriptionArn": "Deleted"},
                ]
            },
            {"TopicArn": topic},
        )
        found = look.topic(aws, topic)
    assert found is not None
    assert [(each.endpoint, each.pending, each.confirmed) for each in found.subscriptions] == [
        ("new@example.com", True, False),
        ("ops@example.com", False, True),
        ("old@example.com", False, False),
    ]


def test_a_trail_tells_how_its_delivery_to_cloudwatch_logs_goes(aws: Aws) -> None:
    at = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
    with answering(aws.cloudtrail(HERE.region)) as cloudtrail:
        cloudtrail.add_response(
            "get_trail_status",
            {
                "IsLogging": True,
                "LatestDeliveryTime": at,
                "LatestCloudWatchLogsDeliveryError": "AccessDenied",
                "LatestCloudWatchLogsDeliveryTime": at - timedelta(hours=1),
                "StartLoggingTime": at - timedelta(days=1),
            },
            {"Name": TRAIL},
        )
        found = look.trail_delivery(aws, HERE.region, TRAIL)
    assert (found.logging, found.logs_delivery_error) == (True, "AccessDenied")
    assert (found.delivered_at, found.logs_delivered_at) == (at, at - timedelta(hours=1))


@pytest.mark.parametrize("matches", [[], [{"eventNumber": 1, "eventMessage": REFUSED_READING}]])
def test_aws_is_asked_whether_the_documented_pattern_finds_a_refused_reading(aws: Aws, matches: list[object]) -> None:
    with answering(aws.logs(HERE.region)) as logs:
        logs.add_response(
            "test_metric_filter",
            {"matches": matches},
            {"filterPattern": DELETED_SECRETS.pattern, "logEventMessages": [REFUSED_READING]},
        )
        assert look.pattern_matches(aws, HERE.region, DELETED_SECRETS.pattern, REFUSED_READING) is bool(matches)


def test_a_metric_filter_tells_everything_that_changes_its_metric(aws: Aws) -> None:
    found = {
        "filterName": "x",
        "filterPattern": DELETED_SECRETS.pattern,
        "logGroupName": "trail",
        "creationTime": 1,
        "metricTransformations": [
            {
                "metricName": DELETED_SECRETS.metric,
                "metricNamespace": DELETED_SECRETS.namespace,
                "metricValue": "1",
                "dimensions": {"who": "$.userIdentity.arn"},
                "unit": "Count",
            }
        ],
        "emitSystemFieldDimensions": ["@aws.account"],
        "fieldSelectionCriteria": '@aws.region = "eu-west-1"',
    }
    with answering(aws.logs(HERE.region)) as logs:
        logs.add_response("describe_metric_filters", {"metricFilters": [found]}, {"logGroupName": "trail"})
        (read,) = look.metric_filters(aws, HERE.region, "trail")
    assert filter_faults(read, DELETED_SECRETS) == (
        ("dimensions", "who, @aws.account", "none"),
        ("unit", "Count", "none"),
        ("selection", '@aws.region = "eu-west-1"', "none"),
    )
    assert read.parameters == {key: value for key, value in found.items() if key != "creationTime"}
