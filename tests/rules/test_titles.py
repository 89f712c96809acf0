"""What an alarm is called says what was done, not all that might have been."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from smwatch.running.in_force import build_rules
from smwatch.settings import RulesSettings, Settings
from tests import records
from tests.rules.catalogue.evasion import TOPIC, done
from tests.rules.catalogue.keys import to_key
from tests.rules.judging import after, before, only

AUDIT = Settings(rules=RulesSettings(overrides={"lists": {"audit": ["trail-*", "secrets-alarms"]}}))
THIEF = records.role("ci-deployer", "build-7")
PROTECTS = records.kms(at=before(days=1))
READ = records.read(by=THIEF, at=before(minutes=5))
OWN = {"Effect": "Allow", "Principal": {"AWS": records.ACCOUNT}, "Action": "secretsmanager:GetSecretValue"}


def put(policy: Any) -> Record:
    return records.write("PutResourcePolicy", parameters={"resourcePolicy": json.dumps(policy)}, by=THIEF)


def then(name: str, **parameters: Any) -> list[Record]:
    return [READ, records.write(name, parameters=parameters, by=THIEF, at=after())]


def unlabelled(record: Record) -> Record:
    """The record as of a service that does not say whether the call only reads."""
    return {name: value for name, value in record.items() if name != "readOnly"}


@pytest.mark.parametrize(
    ("rule", "happened", "title", "severity"),
    [
        ("SMW-KMS-02", [to_key("DisableKey")], "KMS key disabled", "medium"),
        ("SMW-KMS-02", [to_key("ScheduleKeyDeletion")], "KMS key scheduled for deletion", "medium"),
        ("SMW-KMS-02", [PROTECTS, to_key("DisableKey")], "KMS key of secrets disabled", "critical"),
        (
            "SMW-KMS-02",
            [PROTECTS, to_key("ScheduleKeyDeletion")],
            "KMS key of secrets scheduled for deletion",
            "critical",
        ),
        (
            "SMW-KMS-02",
            [PROTECTS, to_key("DeleteImportedKeyMaterial")],
            "KMS key of secrets has lost its material",
            "critical",
        ),
        (
            "SMW-EVA-01",
            [done("cloudtrail", "StopLogging", {"name": "t"})],
            "Trail stopped: it records nothing any more",
            "critical",
        ),
        ("SMW-EVA-01", [done("cloudtrail", "DeleteTrail", {"name": "t"})], "Trail deleted", "critical"),
        (
            "SMW-EVA-01",
            [done("organizations", "LeaveOrganization", None)],
            "Account out of its organization, and of its trail",
            "critical",
        ),
        ("SMW-EVA-01", [done("cloudtrail", "UpdateTrail", {"name": "t"})], "Trail changed", "high"),
        (
            "SMW-EVA-01",
            [done("cloudtrail", "DeleteEventDataStore", {"eventDataStore": "x"})],
            "Event data store deleted or stopped",
            "critical",
        ),
        (
            "SMW-EVA-01",
            [done("logs", "DeleteLogGroup", {"logGroupName": "trail-1"})],
            "Log group, or what reads it, deleted",
            "critical",
        ),
        (
            "SMW-EVA-01",
            [done("monitoring", "DeleteAlarms", {"alarmNames": ["x"]})],
            "Alarm deleted or silenced",
            "critical",
        ),
        (
            "SMW-EVA-01",
            [done("events", "RemoveTargets", {"rule": "x"})],
            "EventBridge rule deleted, disabled or without its targets",
            "critical",
        ),
        (
            "SMW-EVA-01b",
            [done("logs", "PutRetentionPolicy", {"logGroupName": "trail-1"})],
            "Retention of the audit trail's log group changed",
            "high",
        ),
        (
            "SMW-EVA-01b",
            [done("sns", "DeleteTopic", {"topicArn": TOPIC})],
            "Topic that tells of alarms deleted",
            "critical",
        ),
        (
            "SMW-EVA-01b",
            [done("s3", "DeleteBucket", {"bucketName": "trail-1"})],
            "Bucket of the audit trail deleted",
            "critical",
        ),
        (
            "SMW-EVA-01b",
            [done("iam", "DeleteRole", {"roleName": "trail-1"})],
            "Role that the audit trail writes with changed or deleted",
            "high",
        ),
        ("SMW-EVA-01c", [done("config", "StopConfigurationRecorder", {})], "AWS Config switched off", "high"),
        ("SMW-TAMP-06", then("DeleteSecret"), "Secret read, then deleted", "critical"),
        ("SMW-TAMP-06", then("CancelRotateSecret"), "Secret read, then its rotation cancelled", "critical"),
        ("SMW-TAMP-06", then("PutResourcePolicy"), "Secret read, then its policy replaced", "critical"),
        (
            "SMW-TAMP-06",
            then("UpdateSecretVersionStage", versionStage="AWSCURRENT"),
            "Secret read, then AWSCURRENT moved",
            "critical",
        ),
        ("SMW-POL-01", [put({"Statement": [OWN]})], "Resource policy attached or replaced", "medium"),
        ("SMW-POL-01", [put(5)], "Resource policy attached or replaced that can't be read", "high"),
        (
            "SMW-POL-02",
            [records.write("RemoveRegionsFromReplication", parameters={"removeReplicaRegions": ["us-east-1"]})],
            "Replica dropped",
            "medium",
        ),
        ("SMW-READ-05", [records.read(by=records.root())], "Root user read or changed a secret", "critical"),
        (
            "SMW-READ-05",
            [records.denied(by=records.root())],
            "Root user tried to read or change a secret",
            "critical",
        ),
        (
            "SMW-READ-05",
            [records.write("StopReplicationToReplica", by=records.root())],
            "Root user read or changed a secret",
            "critical",
        ),
        (
            "SMW-READ-05",
            [unlabelled(records.denied("prod/db", "PutSecretValue", by=records.root()))],
            "Root user tried to read or change a secret",
            "critical",
        ),
        ("SMW-READ-05", [records.listing(by=records.root())], "Root user touched Secrets Manager", "high"),
    ],
)
def test_an_alarm_is_called_what_was_done(rule: str, happened: list[Record], title: str, severity: str) -> None:
    alarm = only(rule, happened, build_rules(AUDIT))
    assert (alarm.title, alarm.severity) == (title, Severity(severity))
