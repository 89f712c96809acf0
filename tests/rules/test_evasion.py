"""What leaves a trail without reads of secrets, and what it and its alarms rely on."""

from __future__ import annotations

from typing import Any

import pytest

from smwatch.parts import build_rules
from smwatch.record import Record
from smwatch.rules.alarm import Severity
from smwatch.settings import LogsSettings, RulesSettings, Settings
from tests import records
from tests.rules.catalogue.evasion import TOPIC, done
from tests.rules.judging import judged, lines, of, only

GROUP = "aws-cloudtrail-logs"


def advanced(*fields: dict[str, Any]) -> dict[str, Any]:
    return {"advancedEventSelectors": [{"name": "x", "fieldSelectors": list(fields)}]}


def field(name: str, **how: list[str]) -> dict[str, Any]:
    return {"field": name, **how}


MANAGEMENT, DATA = (field("eventCategory", equals=[category]) for category in ("Management", "Data"))


@pytest.mark.parametrize(
    ("selectors", "severity"),
    [
        ({"eventSelectors": [{"readWriteType": "WriteOnly", "includeManagementEvents": True}]}, Severity.CRITICAL),
        ({"eventSelectors": [{"readWriteType": "All", "includeManagementEvents": False}]}, Severity.CRITICAL),
        ({"eventSelectors": [{"readWriteType": "All"}, {"readWriteType": "WriteOnly"}]}, Severity.HIGH),
        (advanced(DATA), Severity.CRITICAL),
        (advanced(MANAGEMENT, field("readOnly", equals=["false"])), Severity.CRITICAL),
        (advanced(MANAGEMENT, field("eventSource", notEquals=["secretsmanager.amazonaws.com"])), Severity.CRITICAL),
        (advanced(MANAGEMENT, field("eventSource", notEquals=["kms.amazonaws.com"])), Severity.HIGH),
        (advanced(MANAGEMENT), Severity.HIGH),
        ({"eventSelectors": "nonsense", "advancedEventSelectors": [5, {"fieldSelectors": 5}]}, Severity.HIGH),
        ({}, Severity.HIGH),
    ],
)
def test_selectors_that_leave_out_reads_are_worse(selectors: dict[str, Any], severity: Severity) -> None:
    put = done("cloudtrail", "PutEventSelectors", {"trailName": "main", **selectors})
    assert only("SMW-EVA-01", [put]).severity is severity


@pytest.mark.parametrize(
    "record",
    [
        done("events", "PutRule", {"name": "secrets", "state": "DISABLED"}),
        done(
            "monitoring",
            "PutMetricAlarm",
            {"alarmName": "DeletedSecretsAlarm", "actionsEnabled": False},
        ),
        done("cloudtrail", "StopEventDataStoreIngestion", {"eventDataStore": "x"}),
    ],
    ids=["rule", "alarm", "store"],
)
def test_what_is_switched_off_by_writing_it_anew_is_switched_off(record: Record) -> None:
    assert only("SMW-EVA-01", [record]).severity is Severity.CRITICAL


@pytest.mark.parametrize(
    ("record", "severity"),
    [
        (done("logs", "DeleteLogStream", {"logGroupName": GROUP, "logStreamName": "x"}), Severity.CRITICAL),
        (done("logs", "PutRetentionPolicy", {"logGroupName": GROUP, "retentionInDays": 1}), Severity.HIGH),
        (done("sns", "DeleteTopic", {"topicArn": TOPIC}), Severity.CRITICAL),
        (done("sns", "Unsubscribe", {"subscriptionArn": f"{TOPIC}:0d2f"}), Severity.HIGH),
        (done("s3", "PutBucketLifecycle", {"bucketName": "trail-1"}), Severity.HIGH),
        (done("iam", "DeleteRolePolicy", {"roleName": "trail-to-logs", "policyName": "x"}), Severity.HIGH),
        (done("s3", "DeleteBucket", {"bucketName": "trail-1"}, error=("AccessDenied", "no")), Severity.MEDIUM),
    ],
)
def test_what_is_named_as_the_audits_own_is_looked_after(record: Record, severity: Severity) -> None:
    settings = Settings(rules=RulesSettings(overrides={"lists": {"audit": [GROUP, "secrets-alarms", "trail-*"]}}))
    assert only("SMW-EVA-01b", [record], build_rules(settings)).severity is severity


ROLE_OF_SCALING = records.role(
    "AWSServiceRoleForApplicationAutoScaling_DynamoDBTable",
    "AutoScaling-UpdateTable",
    path="/aws-service-role/dynamodb.application-autoscaling.amazonaws.com/",
)
SCALING = ROLE_OF_SCALING | {"invokedBy": "dynamodb.application-autoscaling.amazonaws.com"}


def test_alarms_that_scaling_deletes_are_its_own() -> None:
    def deleted(**by: Any) -> list[Record]:
        return [done("monitoring", "DeleteAlarms", {"alarmNames": ["TargetTracking-table/x-AlarmHigh"]}, **by)]

    assert of("SMW-EVA-01", judged(deleted(by=SCALING))) == []
    assert only("SMW-EVA-01", deleted(by=ROLE_OF_SCALING)).severity is Severity.CRITICAL
    assert only("SMW-EVA-01", [done("cloudtrail", "StopLogging", {"name": "main"}, by=SCALING)])
    formation = records.role("deployer") | {"invokedBy": "cloudformation.amazonaws.com"}
    assert only("SMW-EVA-01", deleted(by=formation)).severity is Severity.CRITICAL


@pytest.mark.parametrize("name", ["DeleteLogGroup", "DeleteSubscriptionFilter", "DeleteMetricFilter"])
def test_a_log_group_that_is_not_the_audits_is_less_bad_once_that_is_named(name: str) -> None:
    rules = build_rules(Settings(logs=LogsSettings(group=GROUP)))
    for group, severity in ((GROUP, Severity.CRITICAL), ("/aws/lambda/resize", Severity.MEDIUM)):
        gone = done("logs", name, {"logGroupName": group})
        assert only("SMW-EVA-01", [gone]).severity is Severity.CRITICAL  # any may be it
        assert only("SMW-EVA-01", [gone], rules).severity is severity


@pytest.mark.parametrize(
    ("record", "severity"),
    [
        (done("guardduty", "UpdateDetector", {"detectorId": "d", "enable": False}), Severity.HIGH),
        (done("guardduty", "StopMonitoringMembers", {"detectorId": "d", "accountIds": ["1"]}), Severity.HIGH),
        (done("guardduty", "DisassociateFromAdministratorAccount", {"detectorId": "d"}), Severity.HIGH),
        (done("guardduty", "CreateFilter", {"detectorId": "d", "action": "ARCHIVE"}), Severity.MEDIUM),
        (done("guardduty", "UpdateIPSet", {"detectorId": "d", "activate": True}), Severity.MEDIUM),
        (done("config", "StopConfigurationRecorder", {"configurationRecorderName": "default"}), Severity.HIGH),
        (done("config", "DeleteDeliveryChannel", {"deliveryChannelName": "default"}), Severity.HIGH),
        (done("securityhub", "DisableSecurityHub", None), Severity.HIGH),
        (done("guardduty", "DeleteDetector", None, error=("AccessDenied", "no")), Severity.MEDIUM),
    ],
)
def test_others_that_watch_the_account_are_missed_as_well(record: Record, severity: Severity) -> None:
    assert only("SMW-EVA-01c", [record]).severity is severity


def test_what_was_switched_off_can_be_switched_on_again() -> None:
    off = done("guardduty", "UpdateDetector", {"detectorId": "12abc34d567e8fa901bc2d34e56789f0", "enable": False})
    assert any(
        "--detector-id 12abc34d567e8fa901bc2d34e56789f0 --enable" in line for line in lines(only("SMW-EVA-01c", [off]))
    )
    stopped = done("config", "StopConfigurationRecorder", {"configurationRecorderName": "default"})
    assert any("--configuration-recorder-name default" in line for line in lines(only("SMW-EVA-01c", [stopped])))


@pytest.mark.parametrize("name", [GROUP, f"arn:aws:logs:eu-west-1:111122223333:log-group:{GROUP}:*"])
def test_the_log_group_that_is_watched_is_the_audits_own(name: str) -> None:
    gone = done("logs", "DeleteLogStream", {"logGroupName": GROUP, "logStreamName": "x"})
    assert of("SMW-EVA-01b", judged([gone])) == []
    assert only("SMW-EVA-01b", [gone], build_rules(Settings(logs=LogsSettings(group=name))))
