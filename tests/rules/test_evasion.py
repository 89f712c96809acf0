"""What leaves a trail without reads of secrets, and what it and its alarms rely on."""

from __future__ import annotations

from typing import Any

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from smwatch.rules.documented import DOCUMENTED_ALARM, DOCUMENTED_METRIC, DOCUMENTED_NAMESPACE, DOCUMENTED_PATTERN
from smwatch.rules.export.metric import metric_filters
from smwatch.rules.export.requests import alarm, transformation
from smwatch.running.in_force import build_rules
from smwatch.settings import LogsSettings, RulesSettings, Settings
from smwatch.setup.documented import alarm_parameters
from smwatch.setup.wanted import DELETED_SECRETS
from tests import records
from tests.rules.catalogue.evasion import TOPIC, alarmed, done, filtered
from tests.rules.judging import after, catalogue, judged, lines, of, only

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


COUNTED = {"metricNamespace": DOCUMENTED_NAMESPACE, "metricName": DOCUMENTED_METRIC, "metricValue": "1"}


def counting(*transformations: Any, **more: Any) -> Record:
    parameters = {
        "logGroupName": GROUP,
        "filterName": DOCUMENTED_METRIC,
        "filterPattern": DOCUMENTED_PATTERN,
        "metricTransformations": list(transformations),
        **more,
    }
    return done("logs", "PutMetricFilter", parameters)


@pytest.mark.parametrize(
    ("record", "severity"),
    [
        (filtered('{ $.eventName = "GetSecretValue" && $.errorMessage = "*was deleted*" }'), Severity.CRITICAL),
        (filtered("[broken"), Severity.CRITICAL),
        (filtered(""), Severity.HIGH),
        (
            filtered(DOCUMENTED_PATTERN.replace("}", '&& $.userIdentity.arn != "*role/thief/*" }')),
            Severity.HIGH,
        ),
        (counting(COUNTED | {"metricValue": "0"}), Severity.CRITICAL),
        (counting(COUNTED | {"metricName": "Other"}), Severity.CRITICAL),
        (counting(COUNTED | {"dimensions": {"who": "$.userIdentity.arn"}}), Severity.CRITICAL),
        (counting(), Severity.CRITICAL),
        (counting(7, None), Severity.CRITICAL),
        (counting(COUNTED | {"metricName": [], "metricValue": {}}), Severity.CRITICAL),
        (counting(COUNTED, fieldSelectionCriteria='@aws.account = "999999999999"'), Severity.CRITICAL),
        (counting(COUNTED, emitSystemFieldDimensions=["@aws.account"]), Severity.CRITICAL),
        (alarmed(threshold=1000.0), Severity.CRITICAL),
        (alarmed(threshold=None), Severity.CRITICAL),
        (alarmed(threshold=1.0, comparisonOperator="GreaterThanThreshold"), Severity.CRITICAL),
        (alarmed(comparisonOperator="LessThanThreshold"), Severity.CRITICAL),
        (alarmed(metricName="Other"), Severity.CRITICAL),
        (alarmed(namespace="Other"), Severity.CRITICAL),
        (alarmed(statistic="Minimum"), Severity.CRITICAL),
        (alarmed(statistic=None, extendedStatistic="p99"), Severity.CRITICAL),
        (alarmed(evaluationPeriods=5, datapointsToAlarm=5), Severity.CRITICAL),
        (alarmed(evaluationPeriods=5, datapointsToAlarm=None), Severity.CRITICAL),
        (alarmed(dimensions=[{"name": "a", "value": "b"}]), Severity.CRITICAL),
        (alarmed(alarmActions=[]), Severity.CRITICAL),
        (alarmed(period=86400), Severity.CRITICAL),
        (alarmed(unit="Seconds"), Severity.CRITICAL),
        (alarmed(treatMissingData="ignore"), Severity.CRITICAL),
        (alarmed(statistic=["Sum"], comparisonOperator={}, treatMissingData=[], unit={}), Severity.CRITICAL),
        (alarmed(metricName=[], namespace={}, threshold=[1], period="300"), Severity.CRITICAL),
        (alarmed(alarmActions=None), Severity.CRITICAL),
        (
            done("monitoring", "PutAlarmMuteRule", {"name": "m", "muteTargets": {"alarmNames": [DOCUMENTED_ALARM]}}),
            Severity.HIGH,
        ),
        (
            done("monitoring", "SetAlarmState", {"alarmName": DOCUMENTED_ALARM, "stateValue": "OK"}),
            Severity.MEDIUM,
        ),
        (
            done("monitoring", "PutMetricAlarm", {"alarmName": DOCUMENTED_ALARM}, error=("AccessDenied", "no")),
            Severity.MEDIUM,
        ),
    ],
)
def test_an_alarm_that_is_put_so_that_it_stays_silent_is_missed(record: Record, severity: Severity) -> None:
    assert only("SMW-EVA-01d", [record]).severity is severity


@pytest.mark.parametrize(
    "record",
    [
        filtered('{ ($.errorMessage="*secret because it was marked for deletion*")&&($.eventName="GetSecretValue") }'),
        counting({"metricName": "AnotherToo"}, COUNTED),
        alarmed(period=60, statistic="SampleCount"),
        alarmed(threshold=0.5, comparisonOperator="GreaterThanThreshold"),
        alarmed(evaluationPeriods=3),
        alarmed(unit="None", treatMissingData="missing"),
        counting(COUNTED, applyOnTransformedLogs=False),
        done("monitoring", "PutAlarmMuteRule", {"muteTargets": {"alarmNames": [[], {}, None]}}),
        done("monitoring", "SetAlarmState", {"alarmName": [DOCUMENTED_ALARM], "stateValue": {}}),
        alarmed(datapointsToAlarm=None),
        done("monitoring", "SetAlarmState", {"alarmName": DOCUMENTED_ALARM, "stateValue": "ALARM"}),
        done("monitoring", "PutAlarmMuteRule", {"name": "m", "muteTargets": "all"}),
        done("logs", "PutMetricFilter", None),
        done("monitoring", "PutMetricAlarm", {"alarmName": DOCUMENTED_ALARM}, eventSource="other.amazonaws.com"),
    ],
)
def test_an_alarm_that_goes_off_as_documented_is_left_alone(record: Record) -> None:
    assert of("SMW-EVA-01d", judged([record])) == []


def test_what_setup_puts_is_as_documented() -> None:
    asked = alarm_parameters(DELETED_SECRETS, (TOPIC,))
    put = done("monitoring", "PutMetricAlarm", {key[0].lower() + key[1:]: value for key, value in asked.items()})
    assert of("SMW-EVA-01d", judged([put, counting(transformation(DELETED_SECRETS))])) == []


def test_what_is_exported_is_as_documented() -> None:
    (documented,) = metric_filters(catalogue()["SMW-DEL-01"])
    assert (documented.name, documented.pattern) == (DOCUMENTED_METRIC, DOCUMENTED_PATTERN)
    asked = {key[0].lower() + key[1:]: value for key, value in alarm(documented).items()}
    put = done("monitoring", "PutMetricAlarm", {**asked, "alarmActions": [TOPIC]})
    assert of("SMW-EVA-01d", judged([put, counting(transformation(documented))])) == []


def test_a_filter_is_overwritten_only_where_it_was_seen_with_another_pattern() -> None:
    first, second = '{ $.eventName = "DeleteSecret" }', "ERROR"
    put = [filtered(one, name="x", at=after(n)) for n, one in enumerate((first, second, first, second))]
    assert only("SMW-EVA-01e", put).count == 1
    assert only("SMW-EVA-01e", reversed(put)).count == 1
    assert of("SMW-EVA-01e", judged(put[:1])) == []


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
