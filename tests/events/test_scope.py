"""What is shown whatever the rules say, asked of an event or of its record."""

from __future__ import annotations

import pytest

from smwatch.events.scope import READS, in_scope, reads_only
from smwatch.record import Record
from tests import records
from tests.records import ABSENT

IN = [
    records.read(),
    records.call("SomethingNew"),
    records.service_event("RotationStarted"),
    records.denied(),
    records.kms(),
    records.kms(userIdentity=records.user(), sourceIPAddress="203.0.113.9"),
    records.kms(requestParameters=None),
    records.kms(requestParameters=None, userIdentity=records.user()),
    records.kms(requestParameters=None, error=("AccessDenied", "no")),
]
OUT = [
    records.call("AssumeRole", eventSource="sts.amazonaws.com"),
    records.call("Decrypt", {"encryptionContext": {"PARAMETER_ARN": "x"}}, eventSource="kms.amazonaws.com"),
    records.read(eventSource="ssm.amazonaws.com"),
    records.read(eventSource=ABSENT),
    records.read(eventSource=5),
    {"message": "no record"},
]


@pytest.mark.parametrize("record", IN)
def test_secrets_manager_and_kms_on_its_behalf_are_in_scope(record: Record) -> None:
    assert in_scope(record)
    assert in_scope(records.event(record))


@pytest.mark.parametrize("record", OUT)
def test_all_else_is_for_the_rules_to_select(record: Record) -> None:
    assert not in_scope(record)
    assert not in_scope(records.event(record))


def test_calls_that_change_nothing_are_told_by_name() -> None:
    assert all(reads_only("secretsmanager.amazonaws.com", name) for name in READS)
    for name in ("PutSecretValue", "DeleteSecret", "RotationStarted", "EndSecretVersionDelete", "GetWell", ""):
        assert not reads_only("secretsmanager.amazonaws.com", name)
    assert reads_only("kms.amazonaws.com", "Decrypt")
    assert not reads_only("kms.amazonaws.com", "ScheduleKeyDeletion")
    assert reads_only("cloudtrail.amazonaws.com", "DescribeTrails")
    assert not reads_only("cloudtrail.amazonaws.com", "StopLogging")
