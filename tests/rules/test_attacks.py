"""What intruders do to secrets, in the calls of public attack tools and write-ups: each is found, and how bad it is."""

from __future__ import annotations

import json
from typing import Any

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from smwatch.rules.documented import DOCUMENTED_ALARM, DOCUMENTED_METRIC
from tests import records
from tests.records import ACCOUNT, OTHER_ACCOUNT
from tests.rules.catalogue.story import known_for
from tests.rules.judging import after, before, judged

THIEF = records.role("ci-deployer", "botocore-session-1700000000")
USER = records.user("bert-jan")
CLOUDSHELL = "aws-cli/2.15.0 Python/3.11.6 Linux/6.1 exec-env/CloudShell exe/x86_64.amzn.2 command/secretsmanager"
STRATUS = "stratus-red-team_83c9a458-ffab-4d43-8b02-9691311e8c0a HashiCorp-terraform-exec/0.17.3"
KALI = "aws-cli/1.22.34 Python/3.10.5 Linux/5.18.0-kali5-amd64 botocore/1.23.34"
FUNCTION = records.role("resize-role", "resize-images")
SCOPED = FUNCTION | {"inScopeOf": {"issuerType": "AWS::Lambda::Function"}}
TASK = records.role("shop-task", "0b2f6cfe1a2b4d3c9e8f7a6b5c4d3e2f")
REGIONS = ("us-east-1", "us-west-2", "eu-west-1", "eu-north-1", "ap-south-1", "sa-east-1")
FOREIGN_KEY = f"arn:aws:kms:us-east-1:{OTHER_ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
SECRETS_KEY = f"arn:aws:kms:eu-west-1:{ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
KEY_POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"},
                "Action": "kms:*",
                "Resource": "*",
            },
            {"Effect": "Allow", "Principal": {"AWS": OTHER_ACCOUNT}, "Action": "kms:Decrypt", "Resource": "*"},
        ],
    }
)

Story = tuple[list[Record], dict[str, str]]


def swept(count: int, agent: str = records.BOTO) -> list[Record]:
    """Listed, then read one by one."""
    reads = [records.read(f"s/{n}", by=THIEF, at=after(n), userAgent=agent) for n in range(1, count + 1)]
    return [records.listing(by=THIEF, userAgent=agent), *reads]


def filtered(key: str, value: str, calls: int = 1, *, start: int = 0) -> list[Record]:
    parameters = {"filters": [{"key": key, "values": [value]}], "maxResults": 20}
    return [records.call("BatchGetSecretValue", parameters, by=THIEF, at=after(start + n)) for n in range(calls)]


def put(principal: object, action: str = "secretsmanager:GetSecretValue", effect: str = "Allow") -> list[Record]:
    statement = {"Effect": effect, "Principal": principal, "Action": action, "Resource": "*"}
    text = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    return [records.write("PutResourcePolicy", parameters={"resourcePolicy": text}, by=THIEF)]


def changed(name: str, **parameters: Any) -> list[Record]:
    return [records.write(name, parameters=parameters, by=THIEF)]


def of_each(name: str, count: int) -> list[Record]:
    return [records.write(name, f"p/{n}", by=THIEF, at=after(n)) for n in range(count)]


def refused(name: str, count: int = 1, *, same: bool = False) -> list[Record]:
    return [records.denied("p/1" if same else f"p/{n}", name, by=THIEF, at=after(n)) for n in range(count)]


def elsewhere(service: str, called: str, /, **parameters: Any) -> list[Record]:
    source = f"{service}.amazonaws.com"
    return [records.call(called, parameters, None, by=USER, eventSource=source, read_only=False)]


def by(identity: dict[str, Any], *names: str) -> list[Record]:
    return [records.call(name, {"secretId": "prod/db"}, by=identity, at=after(n)) for n, name in enumerate(names)]


def region_of(number: int) -> str:
    return REGIONS[number]


STORIES: dict[str, Story] = {
    # -- taking values
    "a red team's tool lists and reads": (swept(42, STRATUS), {"SMW-READ-01": "critical", "SMW-READ-07": "high"}),
    "the same under an ordinary name": (swept(20), {"SMW-READ-01": "critical", "SMW-DISC-02b": "medium"}),
    "batches of all that lack a tag": (filtered("tag-key", "!never", 5), {"SMW-READ-02": "critical"}),
    "batches of all without a value": (filtered("tag-value", "!x"), {"SMW-READ-02": "critical"}),
    "batches of all names, letter by letter": (
        [one for n, letter in enumerate("abcdef") for one in filtered("name", letter, start=n)],
        {"SMW-READ-02c": "medium"},
    ),
    "a batch of twenty names": ([records.batch([f"p/{n}" for n in range(20)], by=THIEF)], {"SMW-READ-01": "critical"}),
    "a first batch by somebody": ([known_for(days=9), *filtered("name", "p")], {"SMW-READ-02b": "medium"}),
    "a user's first read": ([known_for(days=10), records.read(by=USER)], {"SMW-READ-04": "high"}),
    "a read in the console": (
        [records.read(by=records.sso(), userAgent=records.CONSOLE)],
        {"SMW-READ-06": "medium"},
    ),
    "a read in CloudShell": ([records.read(by=records.sso(), userAgent=CLOUDSHELL)], {"SMW-READ-06": "high"}),
    "a batch in CloudShell": (
        [records.batch(["prod/a"], by=records.sso(), userAgent=CLOUDSHELL)],
        {"SMW-READ-06": "high"},
    ),
    "a long-term key's read": ([records.read(by=USER)], {"SMW-READ-13": "medium"}),
    "a long-term key's batch": ([records.batch(["prod/a"], by=USER)], {"SMW-READ-13": "medium"}),
    "a read from another account": (
        [records.read(by=records.user("x", account=OTHER_ACCOUNT))],
        {"SMW-READ-09": "critical"},
    ),
    "the value from before a rotation": ([records.read(stage="AWSPREVIOUS", by=THIEF)], {"SMW-READ-11": "low"}),
    "an instance's credentials elsewhere": (
        [
            known_for(days=5),
            *(records.read(by=records.role(), at=before(days=day), sourceIPAddress="3.3.3.3") for day in (4, 3, 2)),
            records.read(by=records.role(), at=after(), sourceIPAddress="185.220.101.1"),
        ],
        {"SMW-READ-08": "high"},
    ),
    "a function's credentials elsewhere": (
        [
            records.read(
                by=FUNCTION, sourceIPAddress="3.88.176.191", userAgent=f"{records.BOTO} exec-env/AWS_Lambda_x"
            ),
            records.read(by=FUNCTION, sourceIPAddress="185.220.101.1", userAgent="aws-cli/2.15", at=after(600)),
        ],
        {"SMW-READ-08d": "high"},
    ),
    "a container's credentials elsewhere, after they were renewed": (
        [
            records.read(by=TASK, vpcEndpointId="vpce-1", userAgent=f"{records.BOTO} exec-env/AWS_ECS_FARGATE m/E,z"),
            records.read(
                by=TASK | {"accessKeyId": "ASIAANOTHERONE"},
                sourceIPAddress="185.220.101.1",
                userAgent="Boto3/1.9",
                at=after(hours=3),
            ),
        ],
        {"SMW-READ-08d": "medium"},
    ),
    "a function's credentials elsewhere, by somebody who says to be inside": (
        [
            records.read(by=SCOPED, vpcEndpointId="vpce-1", sourceIPAddress="10.0.3.7", userAgent="rust-runtime"),
            records.read(
                by=SCOPED,
                sourceIPAddress="185.220.101.1",
                userAgent=f"{records.BOTO} exec-env/AWS_Lambda_provided.al2023",
                at=after(600),
            ),
        ],
        {"SMW-READ-08e": "high"},
    ),
    "one key in three places": (
        [
            records.read(by=THIEF, at=after(n * 60), sourceIPAddress=address)
            for n, address in enumerate(("185.220.101.1", "45.33.1.2", "104.244.1.1"))
        ],
        {"SMW-READ-08b": "medium"},
    ),
    "a deleted secret brought back and read": (
        [records.delete(by=USER), records.restore(by=THIEF, at=after(60)), records.read(by=THIEF, at=after(90))],
        {"SMW-DEL-08": "medium"},
    ),
    # -- who it is
    "root reads": (by(records.root(), "GetSecretValue"), {"SMW-READ-05": "critical"}),
    "root reads in a batch": ([records.batch(["prod/a"], by=records.root())], {"SMW-READ-05": "critical"}),
    "root lists": (by(records.root(), "ListSecrets"), {"SMW-READ-05": "high"}),
    "a session of a member's root": (
        by(records.root() | {"arn": f"arn:aws:sts::{ACCOUNT}:assumed-root/x"}, "GetSecretValue"),
        {"SMW-READ-05": "critical"},
    ),
    "a machine for attacks": ([records.listing(by=USER, userAgent=KALI)], {"SMW-READ-07": "high"}),
    "another such machine": (
        [records.read(by=USER, userAgent="Boto3/1.9 Python/3.6 Linux/5.4.0-pentoo")],
        {"SMW-READ-07": "high"},
    ),
    "a scanner for credentials": ([records.read(by=USER, userAgent="TruffleHog")], {"SMW-READ-07": "high"}),
    "a framework for exploits": ([records.listing(by=USER, userAgent="Pacu/1.5")], {"SMW-READ-07": "high"}),
    "a tool that tries all permissions": (
        [records.listing(by=USER, userAgent="enumerate-iam")],
        {"SMW-READ-07": "high"},
    ),
    # -- looking around
    "twenty secrets denied": (refused("GetSecretValue", 20), {"SMW-DISC-01": "high"}),
    "one secret denied again and again": (refused("GetSecretValue", 20, same=True), {"SMW-DISC-01b": "medium"}),
    "a list denied": (refused("ListSecrets"), {"SMW-DISC-01c": "medium"}),
    "a batch denied": (
        [records.call("BatchGetSecretValue", None, by=THIEF, error=("AccessDenied", "User: x is not authorized"))],
        {"SMW-DISC-01c": "medium"},
    ),
    "lists in six Regions": (
        [records.listing(by=THIEF, region=region_of(n), at=after(n)) for n in range(6)],
        {"SMW-READ-03": "high"},
    ),
    "the policies of a dozen": (
        [records.call("GetResourcePolicy", {"secretId": f"p/{n}"}, by=THIEF, at=after(n)) for n in range(12)],
        {"SMW-DISC-02": "medium"},
    ),
    # -- destroying
    "deleted by force": ([records.delete(force=True, by=THIEF)], {"SMW-DEL-04": "critical"}),
    "deleted by force, as a text": (
        changed("DeleteSecret", forceDeleteWithoutRecovery="true"),
        {"SMW-DEL-04": "critical"},
    ),
    "deleted with the shortest window": ([records.delete(days=7, by=THIEF)], {"SMW-DEL-05": "high"}),
    "three deleted": (of_each("DeleteSecret", 3), {"SMW-DEL-06": "critical"}),
    "read, then deleted": (
        [records.read(by=THIEF), records.delete(by=THIEF, at=after(60))],
        {"SMW-TAMP-06": "critical", "SMW-DEL-05": "critical"},
    ),
    "a deletion refused": (refused("DeleteSecret"), {"SMW-DEL-09": "medium"}),
    "a restoration refused": (refused("RestoreSecret"), {"SMW-DEL-09": "medium"}),
    "a tag refused": (refused("TagResource"), {"SMW-DEL-09": "medium"}),
    "a replica dropped": (
        changed("RemoveRegionsFromReplication", removeReplicaRegions=["us-east-1"]),
        {"SMW-POL-02": "medium"},
    ),
    "three overwritten": (of_each("PutSecretValue", 3), {"SMW-TAMP-02b": "critical"}),
    # -- staying
    "opened to everybody": (put("*"), {"SMW-POL-01": "critical"}),
    "opened to everybody, in a list": (put({"AWS": ["*"]}), {"SMW-POL-01": "critical"}),
    "opened to another account": (put({"AWS": f"arn:aws:iam::{OTHER_ACCOUNT}:root"}), {"SMW-POL-01": "critical"}),
    "opened to another account's number": (put({"AWS": OTHER_ACCOUNT}), {"SMW-POL-01": "critical"}),
    "opened for good": (
        put({"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}, "secretsmanager:*"),
        {"SMW-POL-01": "critical"},
    ),
    "everybody locked out": (put("*", "secretsmanager:*", "Deny"), {"SMW-POL-01": "high"}),
    "a guard removed": (changed("DeleteResourcePolicy"), {"SMW-POL-01": "medium"}),
    "a public policy refused": (
        [records.call("PutResourcePolicy", {"secretId": "a"}, by=THIEF, error=("PublicPolicyException", "no"))],
        {"SMW-POL-01b": "medium"},
    ),
    "encrypted with a stranger's key": (changed("UpdateSecret", kmsKeyId=FOREIGN_KEY), {"SMW-TAMP-03": "critical"}),
    "created under a stranger's key": (
        [records.call("CreateSecret", {"name": "a", "kmsKeyId": FOREIGN_KEY}, {"arn": records.arn("a")}, by=THIEF)],
        {"SMW-TAMP-03b": "high"},
    ),
    "replicated under a stranger's key": (
        changed("ReplicateSecretToRegions", addReplicaRegions=[{"region": "us-east-1", "kmsKeyId": FOREIGN_KEY}]),
        {"SMW-POL-02": "critical"},
    ),
    "a replica promoted": (changed("StopReplicationToReplica"), {"SMW-POL-02": "high"}),
    "linked to another account": (
        changed("AssociateCrossAccountReplica", crossAccountReplicaArn=records.arn("x", account=OTHER_ACCOUNT)),
        {"SMW-POL-03": "critical"},
    ),
    "rotation handed to a stranger": (
        changed("RotateSecret", rotationLambdaARN=f"arn:aws:lambda:us-east-1:{OTHER_ACCOUNT}:function:x"),
        {"SMW-TAMP-04": "critical"},
    ),
    "rotation put off": (
        changed("RotateSecret", rotationRules={"automaticallyAfterDays": 1000}),
        {"SMW-TAMP-05c": "medium"},
    ),
    "rotation put off by a rate": (
        changed("RotateSecret", rotationRules={"scheduleExpression": "rate(999 days)"}),
        {"SMW-TAMP-05c": "medium"},
    ),
    "rotation put off by a rate in hours": (
        changed("RotateSecret", rotationRules={"scheduleExpression": "rate( 9000 hours )"}),
        {"SMW-TAMP-05c": "medium"},
    ),
    "rotation cancelled": (changed("CancelRotateSecret"), {"SMW-TAMP-05": "high"}),
    "rotations cancelled": (of_each("CancelRotateSecret", 3), {"SMW-TAMP-05b": "critical"}),
    "the label moved": (
        changed("UpdateSecretVersionStage", versionStage="AWSCURRENT", moveToVersionId="a"),
        {"SMW-TAMP-01": "high"},
    ),
    "a version parked": (
        changed("UpdateSecretVersionStage", versionStage="backup", moveToVersionId="a"),
        {"SMW-TAMP-01b": "medium"},
    ),
    # -- hiding
    "the trail deleted": (elsewhere("cloudtrail", "DeleteTrail", name="t"), {"SMW-EVA-01": "critical"}),
    "the trail written elsewhere": (
        elsewhere("cloudtrail", "UpdateTrail", name="t", s3BucketName="mine", isMultiRegionTrail=False),
        {"SMW-EVA-01": "high"},
    ),
    "an event data store deleted": (
        elsewhere("cloudtrail", "DeleteEventDataStore", eventDataStore="x"),
        {"SMW-EVA-01": "critical"},
    ),
    "what a subscription was sent": (
        elsewhere("logs", "DeleteSubscriptionFilter", logGroupName="g", filterName="x"),
        {"SMW-EVA-01": "critical"},
    ),
    "a rule that watched deleted": (elsewhere("events", "DeleteRule", name="x"), {"SMW-EVA-01": "critical"}),
    "logging stopped": (elsewhere("cloudtrail", "StopLogging", name="t"), {"SMW-EVA-01": "critical"}),
    "the trail made blind": (
        elsewhere(
            "cloudtrail",
            "PutEventSelectors",
            eventSelectors=[{"readWriteType": "WriteOnly", "includeManagementEvents": True}],
        ),
        {"SMW-EVA-01": "critical"},
    ),
    "the log group deleted": (elsewhere("logs", "DeleteLogGroup", logGroupName="g"), {"SMW-EVA-01": "critical"}),
    "an alarm deleted": (elsewhere("monitoring", "DeleteAlarms", alarmNames=["x"]), {"SMW-EVA-01": "critical"}),
    "a threat detector deleted": (elsewhere("guardduty", "DeleteDetector", detectorId="d"), {"SMW-EVA-01c": "high"}),
    "a threat detector suspended": (
        elsewhere("guardduty", "UpdateDetector", detectorId="d", enable=False),
        {"SMW-EVA-01c": "high"},
    ),
    "a list of threats deleted": (
        elsewhere("guardduty", "DeleteThreatIntelSet", detectorId="d", threatIntelSetId="t"),
        {"SMW-EVA-01c": "high"},
    ),
    "members cut off from their administrator": (
        elsewhere("guardduty", "DeleteMembers", detectorId="d", accountIds=["1"]),
        {"SMW-EVA-01c": "high"},
    ),
    "findings told nobody any more": (
        elsewhere("guardduty", "DeletePublishingDestination", detectorId="d", destinationId="x"),
        {"SMW-EVA-01c": "high"},
    ),
    "findings archived as they come": (
        elsewhere("guardduty", "CreateFilter", detectorId="d", action="ARCHIVE", name="x"),
        {"SMW-EVA-01c": "medium"},
    ),
    "one's own addresses trusted": (
        elsewhere("guardduty", "CreateIPSet", detectorId="d", activate=True, format="TXT", name="x"),
        {"SMW-EVA-01c": "medium"},
    ),
    "the administrator of findings left": (
        elsewhere("guardduty", "DisassociateFromMasterAccount", detectorId="d"),
        {"SMW-EVA-01c": "high"},
    ),
    "the configuration recorder stopped": (
        elsewhere("config", "StopConfigurationRecorder", configurationRecorderName="default"),
        {"SMW-EVA-01c": "high"},
    ),
    "the configuration's delivery channel deleted": (
        elsewhere("config", "DeleteDeliveryChannel", deliveryChannelName="default"),
        {"SMW-EVA-01c": "high"},
    ),
    "findings switched off": (elsewhere("securityhub", "DisableSecurityHub"), {"SMW-EVA-01c": "high"}),
    "the trail without management events": (
        elsewhere(
            "cloudtrail",
            "PutEventSelectors",
            trailName="t",
            eventSelectors=[{"readWriteType": "ReadOnly", "includeManagementEvents": False, "dataResources": []}],
        ),
        {"SMW-EVA-01": "critical"},
    ),
    "the organization left": (elsewhere("organizations", "LeaveOrganization"), {"SMW-EVA-01": "critical"}),
    "leaving the organization refused": (
        [
            records.call(
                "LeaveOrganization",
                None,
                by=USER,
                eventSource="organizations.amazonaws.com",
                read_only=False,
                error=("AccessDenied", "You don't have permissions to access this resource."),
            )
        ],
        {"SMW-EVA-01": "high"},
    ),
    "a rule that watched disabled": (elsewhere("events", "DisableRule", name="x"), {"SMW-EVA-01": "critical"}),
    "its targets removed": (
        elsewhere("events", "RemoveTargets", rule="x", ids=["1"]),
        {"SMW-EVA-01": "critical"},
    ),
    "the alarm's metric filter overwritten": (
        elsewhere("logs", "PutMetricFilter", filterName=DOCUMENTED_METRIC, filterPattern="x", logGroupName="g"),
        {"SMW-EVA-01d": "critical"},
    ),
    "the alarm's threshold raised": (
        elsewhere("monitoring", "PutMetricAlarm", alarmName=DOCUMENTED_ALARM, threshold=100.0),
        {"SMW-EVA-01d": "critical"},
    ),
    "the alarm's actions switched off": (
        elsewhere("monitoring", "DisableAlarmActions", alarmNames=[DOCUMENTED_ALARM]),
        {"SMW-EVA-01": "critical"},
    ),
    "the alarm muted": (
        elsewhere("monitoring", "PutAlarmMuteRule", name="x", muteTargets={"alarmNames": ["cpu", DOCUMENTED_ALARM]}),
        {"SMW-EVA-01d": "high"},
    ),
    "a metric filter deleted": (
        elsewhere("logs", "DeleteMetricFilter", logGroupName="g", filterName="x"),
        {"SMW-EVA-01": "critical"},
    ),
    "a key granted to another account": (
        elsewhere("kms", "CreateGrant", keyId="k", granteePrincipal=f"arn:aws:iam::{OTHER_ACCOUNT}:root"),
        {"SMW-KMS-03": "medium"},
    ),
    "a key opened to another account": (
        elsewhere("kms", "PutKeyPolicy", keyId="k", policyName="default", policy=KEY_POLICY),
        {"SMW-KMS-02b": "high"},
    ),
    "a key's deletion scheduled": (
        elsewhere("kms", "ScheduleKeyDeletion", keyId="1", pendingWindowInDays=7),
        {"SMW-KMS-02": "medium"},
    ),
    "a secret's key disabled": (
        [records.kms(at=before(days=1)), *elsewhere("kms", "DisableKey", keyId=SECRETS_KEY)],
        {"SMW-KMS-02": "critical"},
    ),
    "a key disabled": (elsewhere("kms", "DisableKey", keyId="k"), {"SMW-KMS-02": "medium"}),
}


@pytest.mark.parametrize("name", STORIES)
def test_it_is_found(name: str) -> None:
    happened, expected = STORIES[name]
    found: dict[str, Severity] = {}
    for alarm in judged(happened).values():
        found[alarm.rule] = max(alarm.severity, found.get(alarm.rule, alarm.severity))
    assert {rule: found.get(rule) for rule in expected} == {rule: Severity(how) for rule, how in expected.items()}


ORDINARY: dict[str, list[Record]] = {
    "a program reads its secret": [records.read(at=after(minutes=n)) for n in range(5)],
    "a program is denied once": refused("GetSecretValue"),
    "a person looks at the list": by(records.sso(), "ListSecrets", "DescribeSecret"),
    "a secret is created and filled": [records.create(), records.put(at=after(5))],
    "a description is changed": changed("UpdateSecret", description="x"),
    "a policy of one's own role": put({"AWS": f"arn:aws:iam::{ACCOUNT}:role/app"}),
    "a password is made": [records.call("GetRandomPassword", {}, by=THIEF)],
    "a policy is checked": [records.call("ValidateResourcePolicy", {"resourcePolicy": "{}"}, by=THIEF)],
    "a tag is added": changed("TagResource", tags=[{"key": "team", "value": "x"}]),
    "an agent reads in batches by tag": filtered("tag-key", "team", 3),
    "rotation is set up monthly": changed("RotateSecret", rotationRules={"automaticallyAfterDays": 30}),
    "a secret is created under a key of one's own": [
        records.call("CreateSecret", {"name": "a", "kmsKeyId": SECRETS_KEY}, {"arn": records.arn("a")}, by=THIEF)
    ],
    "a disk is attached": elsewhere(
        "kms", "CreateGrant", keyId=SECRETS_KEY, granteePrincipal=f"{ACCOUNT}:aws:ec2-infrastructure:i-81e2f56c"
    ),
    "a service asks for its grant": elsewhere(
        "kms",
        "CreateGrant",
        keyId=SECRETS_KEY,
        granteePrincipal="mq.amazonaws.com",
        retiringPrincipal="mq.amazonaws.com",
    ),
    "something else is decrypted": [
        records.call(
            "Decrypt",
            {"encryptionContext": {"aws:lambda:FunctionArn": f"arn:aws:lambda:us-west-2:{ACCOUNT}:function:f"}},
            eventSource="kms.amazonaws.com",
        )
    ],
    "a detector publishes more often": elsewhere(
        "guardduty", "UpdateDetector", detectorId="d", findingPublishingFrequency="FIFTEEN_MINUTES"
    ),
    "the configuration is delivered elsewhere": elsewhere("config", "PutDeliveryChannel", deliveryChannel={}),
    "selectors are looked at": [
        records.call("GetEventSelectors", {"trailName": "t"}, eventSource="cloudtrail.amazonaws.com")
    ],
    "a function reads in another sandbox": [
        records.read(by=FUNCTION, sourceIPAddress=ip, userAgent=f"{records.BOTO} exec-env/AWS_Lambda_python3.13")
        for ip in ("3.88.176.191", "54.79.161.228", "52.94.133.17")
    ],
    "a metric filter of a program's own": elsewhere(
        "logs", "PutMetricFilter", filterName="errors", filterPattern="ERROR", logGroupName="/aws/lambda/x"
    ),
    "an alarm of a program's own": elsewhere("monitoring", "PutMetricAlarm", alarmName="cpu", threshold=90.0),
    "a trail is created and started": [
        *elsewhere("cloudtrail", "CreateTrail", name="t"),
        *elsewhere("cloudtrail", "StartLogging", name="t"),
    ],
    "a configuration rule is deleted": elsewhere("config", "DeleteConfigRule", configRuleName="x"),
    "a key is made, enabled, and rotated": [
        *elsewhere("kms", "CreateKey", policy="{}"),
        *elsewhere("kms", "EnableKey", keyId=SECRETS_KEY),
        *elsewhere("kms", "EnableKeyRotation", keyId=SECRETS_KEY),
    ],
    "a service's own role": [records.read(by=records.role() | {"invokedBy": "rds.amazonaws.com"})],
}


@pytest.mark.parametrize("name", ORDINARY)
def test_ordinary_work_wakes_nobody(name: str) -> None:
    assert [alarm.rule for alarm in judged(ORDINARY[name]).values() if alarm.severity >= Severity.HIGH] == []
