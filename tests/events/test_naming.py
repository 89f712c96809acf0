"""Whatever a record calls a secret, it is the one secret."""

from __future__ import annotations

from typing import Any

import pytest

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.record import Record
from tests import records
from tests.records import ABSENT, ACCOUNT, OTHER_ACCOUNT, REGION

DB = Secret(ACCOUNT, REGION, "prod/db")
ARN = records.arn("prod/db", "Ab12Cd")
PARTIAL = ARN[:-7]


def said(record: Record) -> tuple[Secret | None, str]:
    event = records.event(record)
    return event.secret, event.secret_arn


API_CALLS = (
    "CancelRotateSecret DeleteResourcePolicy DeleteSecret DescribeSecret GetResourcePolicy GetSecretValue"
    " ListSecretVersionIds PutResourcePolicy PutSecretValue RemoveRegionsFromReplication ReplicateSecretToRegions"
    " RestoreSecret RotateSecret StopReplicationToReplica TagResource UntagResource UpdateSecret"
    " UpdateSecretVersionStage ValidateResourcePolicy AssociateCrossAccountReplica SomethingOfTheFuture"
)


@pytest.mark.parametrize("name", API_CALLS.split())
@pytest.mark.parametrize("typed", ["prod/db", ARN, PARTIAL])
def test_every_call_names_its_secret_by_name_arn_or_partial_arn(name: str, typed: str) -> None:
    assert said(records.call(name, {"secretId": typed})) == (DB, typed if typed.startswith("arn:") else "")


@pytest.mark.parametrize("spelling", ["arn", "aRN", "ARN"])
@pytest.mark.parametrize("typed", ["prod/db", ARN, PARTIAL])
def test_the_answer_tells_the_complete_arn_in_any_spelling(spelling: str, typed: str) -> None:
    record = records.call("DeleteSecret", {"secretId": typed}, {spelling: ARN, "name": "prod/db"})
    assert said(record) == (DB, ARN)


def test_create_secret_names_it_by_name_alone_or_with_the_arn() -> None:
    assert said(records.create("prod/db", "Ab12Cd")) == (DB, ARN)
    assert said(records.create("prod/db", responseElements=None)) == (DB, "")
    assert said(records.create("prod/db", error=("InvalidRequestException", records.IN_USE))) == (DB, "")


SERVICE_EVENTS = (
    "RotationStarted RotationSucceeded RotationFailed RotationAbandoned TestRotationStarted TestRotationSucceeded"
    " TestRotationFailed StartSecretVersionDelete CancelSecretVersionDelete EndSecretVersionDelete SomethingNew"
)


@pytest.mark.parametrize("name", SERVICE_EVENTS.split())
def test_service_events_name_it_in_additional_event_data(name: str) -> None:
    assert said(records.service_event(name, ARN)) == (DB, ARN)
    assert said(records.service_event(name, ARN, message="It failed.")) == (DB, ARN)


@pytest.mark.parametrize("field", ["additionalEventData", "serviceEventDetails"])
@pytest.mark.parametrize("key", ["SecretId", "secretId", "ARN", "arn"])
def test_service_events_may_name_it_elsewhere(field: str, key: str) -> None:
    bare: dict[str, Any] = {"additionalEventData": None}
    assert said(records.service_event("RotationStarted", **(bare | {field: {key: ARN}}))) == (DB, ARN)
    assert said(records.service_event("RotationStarted", **(bare | {field: {key: "prod/db"}}))) == (DB, "")
    failed = records.service_event("RotationFailed", message="It failed.", **(bare | {field: {key: ARN}}))
    assert said(failed) == (DB, ARN)


def test_resources_tell_the_arn_of_a_secret_that_is_read_by_name() -> None:
    key = {"accountId": ACCOUNT, "type": "AWS::KMS::Key", "ARN": f"arn:aws:kms:{REGION}:{ACCOUNT}:key/1"}
    secret = {"accountId": ACCOUNT, "type": "AWS::SecretsManager::Secret", "ARN": ARN}
    assert said(records.read("prod/db", resources=[key, secret])) == (DB, ARN)
    assert said(records.read("prod/db", resources=[{"arn": ARN}])) == (DB, ARN)
    assert said(records.read("prod/db", resources=[key])) == (DB, "")
    assert said(records.listing(resources=[key])) == (None, "")
    assert said(records.denied("", resources=[key])) == (None, "")
    assert said(records.call("PutParameter", eventSource="ssm.amazonaws.com", resources=[secret])) == (DB, ARN)


def test_a_batch_names_each_secret_once_or_none_at_all() -> None:
    event = records.event(records.batch(["prod/db", ARN, "prod/api", "null", PARTIAL]))
    assert (event.secret, event.others) == (DB, (Secret(ACCOUNT, REGION, "prod/api"),))
    assert "prod/api" in event.call.text
    by_filter = records.event(records.batch())
    assert (by_filter.secret, by_filter.others, by_filter.secret_arn) == (None, (), "")


DENIED = (
    "User: arn:aws:iam::111122223333:user/a is not authorized to perform: secretsmanager:GetSecretValue on resource:"
)
BECAUSE = "because no identity-based policy allows the secretsmanager:GetSecretValue action"


@pytest.mark.parametrize("message", [f"{DENIED} {{}} {BECAUSE}", DENIED + " {} with an explicit deny", DENIED + " {}"])
def test_a_denial_names_it_as_the_caller_typed_it(message: str) -> None:
    def denied(typed: str) -> tuple[Secret | None, str]:
        return said(records.read(requestParameters=None, error=("AccessDenied", message.format(typed))))

    assert denied("prod/db") == (DB, "")
    assert denied(ARN) == (DB, ARN)
    assert denied("null") == (None, "")
    assert denied("*") == (None, "")
    assert denied("arn:aws:lambda:eu-west-1:111122223333:function:rotate") == (None, "")


def test_a_denied_list_names_none() -> None:
    assert said(records.denied("", "ListSecrets")) == (None, "")


def test_kms_calls_name_it_in_the_encryption_context() -> None:
    for name in ("Decrypt", "GenerateDataKey", "Encrypt"):
        assert said(records.kms(ARN, name)) == (DB, ARN)
    moved = {"sourceEncryptionContext": {"SecretARN": ARN}, "destinationEncryptionContext": {"SecretARN": ARN}}
    assert said(records.kms(ARN, "ReEncrypt", requestParameters=moved)) == (DB, ARN)
    by_hand = records.kms(ARN, userIdentity=records.user(), sourceIPAddress="203.0.113.9")
    assert said(by_hand) == (DB, ARN)
    assert said(records.kms(requestParameters={"encryptionContext": {"aws:s3:arn": "arn:aws:s3:::b"}})) == (None, "")


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_an_arn_brings_its_own_account_and_region_in_any_partition(partition: str) -> None:
    arn = records.arn("shared/key", account=OTHER_ACCOUNT, region="cn-north-1", partition=partition)
    assert said(records.read(arn)) == (Secret(OTHER_ACCOUNT, "cn-north-1", "shared/key"), arn)


@pytest.mark.parametrize(
    "name",
    ["a/b", "rds!cluster-1234-ab", "a@b", "a+b=c", "a.b_c-d", "prod/db-AbCdEf", "x-123456", "db-secret", "-", "ü"],
)
def test_a_name_of_any_form_is_the_same_alone_and_in_the_complete_arn(name: str) -> None:
    secret = Secret(ACCOUNT, REGION, name)
    assert records.event(records.read(name)).secret == secret
    assert records.event(records.create(name)).secret == secret
    assert records.event(records.kms(records.arn(name, "Zz9Zz9"))).secret == secret
    assert records.event(records.read(records.arn(name, "Zz9Zz9"))).secret == secret


SILLY: list[Any] = ["", " ", "\n", "null", "*", None, 5, 1.5, True, [], ["x"], {}, {"a": "b"}]


@pytest.mark.parametrize("value", SILLY)
def test_what_is_no_name_names_no_secret(value: Any) -> None:
    shapes = [
        records.call("GetSecretValue", {"secretId": value}),
        records.call("CreateSecret", {"name": value}),
        records.call("DeleteSecret", None, {"arn": value, "name": value}),
        records.batch([value, value]),
        records.call("BatchGetSecretValue", {"secretIdList": value}),
        records.service_event("RotationStarted", additionalEventData={"SecretId": value}),
        records.service_event("RotationStarted", additionalEventData=value),
        records.listing(resources=[{"ARN": value}, value]),
        records.kms(requestParameters={"encryptionContext": {"SecretARN": value}}),
        records.kms(requestParameters={"encryptionContext": value}),
    ]
    for record in shapes:
        event = records.event(record)
        if value == ["x"] and event.name == "BatchGetSecretValue":
            continue
        assert (event.secret, event.others) == (None, ()), record


@pytest.mark.parametrize("value", SILLY)
def test_a_silly_value_does_not_hide_a_good_one(value: Any) -> None:
    assert said(records.call("DeleteSecret", {"secretId": "prod/db"}, {"aRN": ARN, "name": value}))[1] == ARN
    assert said(records.call("UpdateSecret", {"secretId": value}, {"arn": ARN})) == (DB, ARN)
    if not isinstance(value, str) or not value.strip():
        assert said(records.call("PutSecretValue", {"secretId": ARN}, {"arn": value}))[0] == DB


def test_a_json_key_behind_an_arn_is_not_part_of_the_name() -> None:
    assert said(records.read(f"{ARN}:password::"))[0] == DB


def test_parts_that_are_json_in_a_string_or_have_a_capital_are_read() -> None:
    assert said(records.read(requestParameters='{"secretId": "prod/db"}')) == (DB, "")
    assert said(records.read(requestParameters=ABSENT, RequestParameters={"secretId": "prod/db"})) == (DB, "")
    assert said(records.call("GetSecretValue", {"SecretId": "prod/db"})) == (DB, "")
    assert said(records.call("CreateSecret", {"Name": "prod/db"}, {"ARN": ARN, "Name": "prod/db"})) == (DB, ARN)


def test_a_denial_by_another_service_names_no_secret() -> None:
    assert said(records.denied("prod/db", eventSource="rds.amazonaws.com")) == (None, "")


def test_a_context_that_holds_no_arn_names_no_secret() -> None:
    assert said(records.kms(requestParameters={"encryptionContext": {"SecretARN": "prod/db"}})) == (None, "")


def test_other_services_name_no_secret_by_their_own_parameters() -> None:
    record = records.call("PutParameter", {"name": "prod/db"}, {"arn": "x"}, eventSource="ssm.amazonaws.com")
    assert said(record) == (None, "")


def test_the_owner_of_a_name_is_the_caller_where_no_recipient_is_told() -> None:
    assert said(records.read("prod/db", recipientAccountId=ABSENT))[0] == DB
    assert said(records.read("prod/db", recipientAccountId=None))[0] == DB


def test_a_secret_is_found_by_all_its_names() -> None:
    def words(record: Record) -> Event:
        return records.event(record)

    assert "prod/db" in words(records.read("PROD/DB")).call.text
    assert "ab12cd" in words(records.read(ARN)).call.text
    assert "on resource: prod/db" in words(records.denied("prod/db")).call.text
