"""KMS keys that secrets hang on."""

from typing import Any

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, story
from tests.rules.judging import after, before

ALICE, THIEF = records.user("alice"), records.role("ci-deployer", "build-7")
SERVICE = records.role() | {"invokedBy": "ec2.amazonaws.com"}
REFUSED = ("AccessDeniedException", "Access to KMS is not allowed")
BROKEN = ("DecryptionFailure", "Secrets Manager can't decrypt the protected secret text using the provided KMS key.")
KEY = f"arn:aws:kms:{records.REGION}:{records.ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
OTHER_KEY = "aaaaabcd-12ab-34cd-56ef-1234567890ab"


def to_key(name: str, key: str = KEY, **more: Any) -> Record:
    return records.call(name, {"keyId": key}, None, eventSource="kms.amazonaws.com", read_only=False, **more)


def granted(principal: str, key: str = KEY, **more: Any) -> Record:
    operations = ["Decrypt", "GenerateDataKey"]
    record = to_key("CreateGrant", key, **more)
    record["requestParameters"] |= {"granteePrincipal": principal, "operations": operations}
    record["responseElements"] = (
        None if "error" in more else {"grantId": "0ab0ac0d0b000f00ea00cc0a0e00fc00", "keyId": KEY}
    )
    return record


def unnamed(**more: Any) -> Record:
    """A read that KMS refused, of which the record says no more than that."""
    return records.call("GetSecretValue", None, None, error=REFUSED, **more)


RULES = {
    "SMW-KMS-01": Rule(
        finds=story(records.read(at=before(hours=2)), [records.read(error=REFUSED, at=after(n)) for n in (0, 30)]),
        severity=Severity.HIGH,
        count=2,
        leaves=story(records.read(), records.denied("prod/b"), records.read_deleted("prod/c")),
        # A new consumer in another account, before it was granted the key: it never could.
        noise=story(records.read(error=REFUSED, by=records.other_account())),
    ),
    "SMW-KMS-01b": Rule(
        finds=story([records.read(f"prod/{n}", error=BROKEN, by=THIEF, at=after(n * 60)) for n in range(3)]),
        severity=Severity.HIGH,
        count=3,
        leaves=story([records.denied(f"prod/{n}", by=THIEF, at=after(n)) for n in range(5)]),
        noise=story([records.read(error=BROKEN, at=after(n)) for n in range(20)]),
    ),
    "SMW-KMS-01c": Rule(
        finds=story(records.read(at=before(hours=2)), [unnamed(at=after(n)) for n in (0, 30)]),
        severity=Severity.HIGH,
        count=2,
        leaves=story(records.read(), records.read(error=REFUSED, at=after(1)), records.denied("prod/b")),
        # A new consumer in another account, before it was granted the key: it never could.
        noise=story(unnamed(by=records.other_account())),
    ),
    "SMW-KMS-02": Rule(
        finds=story(records.kms(at=before(days=3)), to_key("DisableKey", by=THIEF)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(records.kms(), to_key("EnableKey"), to_key("DisableKey", error=("AccessDenied", "no"))),
        # A key that no secret is known to hang on.
        noise=story(records.kms(at=before(days=3)), to_key("ScheduleKeyDeletion", OTHER_KEY, by=ALICE)),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-KMS-02b": Rule(
        finds=story(records.kms(at=before(days=3)), to_key("PutKeyPolicy", by=THIEF), to_key("EnableKey", at=after(9))),
        severity=Severity.HIGH,
        count=1,
        leaves=story(records.kms(), to_key("DisableKey"), to_key("PutKeyPolicy", error=("AccessDenied", "no"))),
        # A new key's program is let in: no secret is known to hang on it.
        noise=story(records.kms(at=before(days=3)), to_key("PutKeyPolicy", OTHER_KEY, by=ALICE)),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-KMS-03": Rule(
        finds=story(records.kms(at=before(days=3)), granted(f"arn:aws:iam::{records.OTHER_ACCOUNT}:root", by=THIEF)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(
            granted(f"arn:aws:iam::{records.ACCOUNT}:role/app"),
            granted("dynamodb.eu-west-1.amazonaws.com"),
            granted("AWS Internal"),
            granted(f"arn:aws:iam::{records.OTHER_ACCOUNT}:root", error=("AccessDenied", "no")),
        ),
        # A service asks for its grants by itself; an image is shared with another account of one's own.
        noise=story(
            granted(f"{records.OTHER_ACCOUNT}:aws:ec2-infrastructure:i-81e2f56c", by=SERVICE),
            granted("arn:aws:iam::999988887777:role/aws-service-role/autoscaling.amazonaws.com/AWSServiceRole"),
            org_accounts=["999988887777"],
        ),
    ),
}
