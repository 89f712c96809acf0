"""The trail, its log group, the alarms: whoever cuts them is not seen any more."""

from datetime import datetime, timedelta
from typing import Any

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from smwatch.rules.documented import DOCUMENTED_ALARM, DOCUMENTED_METRIC, DOCUMENTED_NAMESPACE, DOCUMENTED_PATTERN
from tests import records
from tests.rules.catalogue.story import Rule, Story, story
from tests.rules.judging import after, before

THIEF = records.role("ci-deployer", "build-7")


def done(source: str, name: str, parameters: dict[str, Any] | None, **more: Any) -> Record:
    return records.call(name, parameters, None, **{"eventSource": f"{source}.amazonaws.com", "by": THIEF} | more)


def selected(read_write: str, **more: Any) -> Record:
    selectors = [{"readWriteType": read_write, "includeManagementEvents": True, "dataResources": []}]
    return done("cloudtrail", "PutEventSelectors", {"trailName": "main", "eventSelectors": selectors}, **more)


TOPIC = "arn:aws:sns:eu-west-1:111122223333:secrets-alarms"


def filtered(pattern: str, *, name: str = DOCUMENTED_METRIC, group: str = "aws-cloudtrail-logs", **more: Any) -> Record:
    """A metric filter that is put; whatever its name, it counts for the documented alarm."""
    metric = {"metricNamespace": DOCUMENTED_NAMESPACE, "metricName": DOCUMENTED_METRIC, "metricValue": "1"}
    parameters = {
        "logGroupName": group,
        "filterName": name,
        "filterPattern": pattern,
        "metricTransformations": [metric],
    }
    return done("logs", "PutMetricFilter", parameters, **more)


def alarmed(**otherwise: Any) -> Record:
    """The documented alarm as it is put, but for what is said."""
    parameters = {
        "alarmName": DOCUMENTED_ALARM,
        "namespace": DOCUMENTED_NAMESPACE,
        "metricName": DOCUMENTED_METRIC,
        "statistic": "Sum",
        "period": 300,
        "evaluationPeriods": 1,
        "datapointsToAlarm": 1,
        "threshold": 1.0,
        "comparisonOperator": "GreaterThanOrEqualToThreshold",
        "treatMissingData": "notBreaching",
        "actionsEnabled": True,
        "alarmActions": [TOPIC],
    }
    given = {key: value for key, value in {**parameters, **otherwise}.items() if value is not None}
    return done("monitoring", "PutMetricAlarm", given)


def heard(*, every: timedelta, times: int, then: timedelta) -> list[tuple[datetime, datetime]]:
    """A source that brings something new each time, and then nothing until it is read for the last time."""
    readings = [(after() + every * n, after() + every * n) for n in range(times)]
    return [*readings, (readings[-1][0], readings[-1][0] + then)]


RULES = {
    "SMW-EVA-01": Rule(
        finds=story(
            done("cloudtrail", "StopLogging", {"name": "main"}),
            done("cloudtrail", "StopLogging", {"name": "second"}, at=after(5)),
        ),
        severity=Severity.CRITICAL,
        count=2,
        leaves=story(
            done("cloudtrail", "StartLogging", {"name": "main"}),
            done("logs", "PutMetricFilter", {"logGroupName": "trail"}),
            done("monitoring", "DescribeAlarms", {}),
        ),
        # Infrastructure as code widens what the trail records, and somebody without the right to it tries to stop it.
        noise=story(
            selected("All"), done("cloudtrail", "DeleteTrail", {"name": "main"}, error=("AccessDenied", "not you"))
        ),
        noise_is=Severity.HIGH,
    ),
    "SMW-EVA-01b": Rule(
        finds=story(
            done("logs", "PutRetentionPolicy", {"logGroupName": "aws-cloudtrail-logs", "retentionInDays": 1}),
            done("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC}:0d2f"}, at=after(5)),
            audit=["aws-cloudtrail-logs"],
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(
            done("logs", "PutRetentionPolicy", {"logGroupName": "/aws/lambda/resize", "retentionInDays": 7}),
            done("sns", "DeleteTopic", {"topicArn": f"{TOPIC}-of-somebody"}),
            done("s3", "PutBucketPolicy", {"bucketName": "web", "bucketPolicy": {}}),
            audit=["aws-cloudtrail-logs", "secrets-alarms", "trail-*"],
        ),
        # Nobody said what the trail relies on: every account deletes topics and sets retentions.
        noise=story(
            done("logs", "DeleteLogStream", {"logGroupName": "aws-cloudtrail-logs", "logStreamName": "x"}),
            done("sns", "DeleteTopic", {"topicArn": TOPIC}),
            done("s3", "DeleteBucket", {"bucketName": "trail-111122223333"}),
        ),
    ),
    "SMW-EVA-01c": Rule(
        finds=story(
            done("guardduty", "DeleteDetector", {"detectorId": "d1"}),
            done("guardduty", "DeleteDetector", {"detectorId": "d2"}, at=after(5)),
        ),
        severity=Severity.HIGH,
        count=2,
        leaves=story(
            done("guardduty", "UpdateDetector", {"detectorId": "d1", "enable": True}),
            done("guardduty", "UpdateDetector", {"detectorId": "d1", "findingPublishingFrequency": "ONE_HOUR"}),
            done("guardduty", "CreateFilter", {"detectorId": "d1", "action": "NOOP"}),
            done("config", "PutDeliveryChannel", {}),
            done("config", "StartConfigurationRecorder", {"configurationRecorderName": "default"}),
            done("securityhub", "EnableSecurityHub", {}),
        ),
        # The security team trusts its own scanner, and somebody without the right to it tries to stop the recorder.
        noise=story(
            done("guardduty", "CreateIPSet", {"detectorId": "d1", "name": "office", "activate": True}),
            done("config", "StopConfigurationRecorder", {}, error=("AccessDenied", "not you")),
        ),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-EVA-01d": Rule(
        finds=story(filtered("{ $.eventName = GetSecretValueX }"), filtered("ERROR", at=after(5))),
        severity=Severity.CRITICAL,
        count=2,
        leaves=story(
            filtered(DOCUMENTED_PATTERN),
            filtered("ERROR", name="errors"),
            alarmed(),
            alarmed(alarmName="cpu", threshold=90.0),
            done("monitoring", "SetAlarmState", {"alarmName": "cpu", "stateValue": "OK"}),
            done("monitoring", "PutAlarmMuteRule", {"name": "nights", "muteTargets": {"alarmNames": ["cpu"]}}),
        ),
        # Another wording is found too: it is looked at, but nothing is missed.
        noise=story(filtered(DOCUMENTED_PATTERN[:-1] + '|| $.errorMessage = "*because it was deleted*" }')),
        noise_is=Severity.HIGH,
    ),
    "SMW-EVA-01e": Rule(
        finds=story(
            filtered('{ $.eventName = "DeleteSecret" }', name="deletions", at=before(days=40)),
            filtered('{ $.eventName = "DeleteSecretX" }', name="deletions"),
            audit=["aws-cloudtrail-logs"],
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(
            filtered("ERROR", name="errors", at=before(days=40)),
            filtered("ERROR", name="errors"),
            filtered("WARN", name="warnings"),
            filtered("WARN", name="errors", group="/aws/lambda/resize"),
        ),
        # A program's own metric, in a log group that nobody's alarms rely on.
        noise=story(
            filtered("ERROR", name="errors", group="/aws/lambda/resize", at=before(days=4)),
            filtered("?ERROR ?WARN", name="errors", group="/aws/lambda/resize"),
            audit=["aws-cloudtrail-logs"],
        ),
    ),
    "SMW-EVA-02": Rule(
        finds=Story(feed=heard(every=timedelta(minutes=4), times=100, then=timedelta(minutes=21))),
        severity=Severity.HIGH,
        count=1,
        leaves=Story(feed=heard(every=timedelta(minutes=4), times=100, then=timedelta(minutes=15))),
        # An account in which something happens every two hours: silence is usual.
        noise=Story(feed=heard(every=timedelta(hours=2), times=100, then=timedelta(hours=7))),
    ),
}
