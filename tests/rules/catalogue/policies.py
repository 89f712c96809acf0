"""Resource policies and replicas: who else gets the value."""

import json
from typing import Any

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, story
from tests.rules.judging import after, before

THIEF, PIPELINE = records.role("ci-deployer", "build-7"), records.role("pipeline", "run-4711")
READ = "secretsmanager:GetSecretValue"


def allows(principal: object, action: object = READ, **more: Any) -> str:
    statement = {"Effect": "Allow", "Principal": principal, "Action": action, "Resource": "*"} | more
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]}, indent=2)


PUBLIC, OURS = allows("*"), allows({"AWS": f"arn:aws:iam::{records.ACCOUNT}:role/app"})
ORGANISATION = allows("*", Condition={"StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}})


def put(policy: str, secret: str = "prod/db", **more: Any) -> Record:
    return records.write("PutResourcePolicy", secret, {"resourcePolicy": policy, "blockPublicPolicy": False}, **more)


def refused(code: str, **more: Any) -> Record:
    return records.call(
        "PutResourcePolicy", {"secretId": "prod/db", "resourcePolicy": PUBLIC}, error=(code, "not so"), **more
    )


def replicated(region: str, **more: Any) -> Record:
    return records.write("ReplicateSecretToRegions", "prod/db", {"addReplicaRegions": [{"region": region}]}, **more)


def linked(account: str = records.OTHER_ACCOUNT, **more: Any) -> Record:
    replica = records.arn("prod/db", account=account)
    return records.call(
        "AssociateCrossAccountReplica", {"secretId": "prod/db", "crossAccountReplicaArn": replica}, {}, **more
    )


RULES = {
    "SMW-POL-01": Rule(
        finds=story(put(PUBLIC, by=THIEF)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(refused("PublicPolicyException"), records.call("GetResourcePolicy", {"secretId": "prod/db"})),
        # Infrastructure as code puts the policy there is, laid out otherwise.
        noise=story(
            put(ORGANISATION, by=PIPELINE, at=before(days=3)),
            put(json.dumps(json.loads(ORGANISATION)), by=records.role("iac", "run-2")),
            since=after(),
        ),
        noise_is=Severity.INFO,
    ),
    "SMW-POL-01b": Rule(
        finds=story(refused("PublicPolicyException", by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(put(PUBLIC), refused("MalformedPolicyDocumentException")),
        # The console checks a draft by itself; a slip in a policy that is put is told, but wakes nobody.
        noise=story(
            records.call("ValidateResourcePolicy", {"resourcePolicy": PUBLIC}, error=("PublicPolicyException", "no")),
            refused("PublicPolicyException", by=PIPELINE),
        ),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-POL-01c": Rule(
        finds=story([refused("MalformedPolicyDocumentException", by=THIEF, at=after(n * 60)) for n in range(3)]),
        severity=Severity.MEDIUM,
        count=3,
        leaves=story([refused("MalformedPolicyDocumentException", at=after(minutes=n * 20)) for n in range(3)]),
        # Three people who slip once each.
        noise=story(
            [
                refused("MalformedPolicyDocumentException", by=records.user(who), at=after(n))
                for n, who in enumerate(("ann", "bob", "cid"))
            ]
        ),
    ),
    "SMW-POL-02": Rule(
        finds=story(
            replicated("us-east-1", by=THIEF),
            records.write("StopReplicationToReplica", by=THIEF, at=after(minutes=4)),
            put(PUBLIC, by=THIEF, at=after(minutes=9)),
        ),
        severity=Severity.CRITICAL,
        count=2,
        leaves=story(records.create("prod/new"), put(OURS), records.put()),
        # Disaster recovery: to a Region where the account's secrets have been before.
        noise=story(
            records.write(
                "ReplicateSecretToRegions",
                "prod/a",
                {"addReplicaRegions": [{"region": "us-east-1"}]},
                by=PIPELINE,
                at=before(days=90),
            ),
            replicated("us-east-1", by=PIPELINE),
            since=after(),
        ),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-POL-03": Rule(
        finds=story(linked(by=THIEF)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(replicated("us-east-1"), records.call("DisassociateCrossAccountReplica", {"secretId": "prod/db"})),
        # A planned split of accounts, both one's own.
        noise=story(linked(by=PIPELINE), org_accounts=[records.OTHER_ACCOUNT]),
        noise_is=Severity.HIGH,
    ),
    "SMW-POL-03b": Rule(
        finds=story(
            records.call(
                "CreateSecret",
                {"name": "prod/db", "crossAccountPrimaryARN": records.arn("prod/db", account=records.OTHER_ACCOUNT)},
                {"arn": records.arn("prod/db")},
                by=THIEF,
            )
        ),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(records.create("prod/new"), records.create("prod/b", error=("AccessDenied", "no"))),
        # A replica in another Region of the same account says so in another way; a planned split of accounts is told.
        noise=story(
            records.call("CreateSecret", {"name": "prod/db", "addReplicaRegions": [{"region": "us-east-1"}]}),
            records.call(
                "CreateSecret",
                {"name": "prod/b", "crossAccountPrimaryARN": records.arn("prod/b", account=records.OTHER_ACCOUNT)},
                by=PIPELINE,
            ),
            org_accounts=[records.OTHER_ACCOUNT],
        ),
        noise_is=Severity.MEDIUM,
    ),
}
