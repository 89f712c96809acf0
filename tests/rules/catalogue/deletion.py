"""Secrets that are deleted, still asked for, restored."""

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, known_for, story
from tests.rules.judging import after, before

APP, CI, ALICE = records.role(), records.role("ci-deployer", "build-7"), records.user("alice")
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 aws-sdk-go-v2/1.32"
OTHER_WORDS = "You tried to perform the operation on a secret that's currently marked deleted."


def torn_down(prefix: str, count: int, minutes: float = 1) -> list[Record]:
    return [records.delete(f"{prefix}/{n}", by=CI, at=after(minutes=n * minutes)) for n in range(count)]


RULES = {
    "SMW-DEL-01": Rule(
        finds=story(records.delete(by=ALICE), [records.read_deleted(at=after(minutes=n)) for n in (1, 2, 3)]),
        severity=Severity.CRITICAL,
        count=3,
        # The secret is gone, but nobody asks for it; and a rotation runs into it, which is another rule's.
        leaves=story(
            records.read(), records.delete(at=after(1)), records.put(error=("InvalidRequestException", records.MARKED))
        ),
        noise=story(records.read_deleted("old/db"), decommissioned=["old/*"]),
        noise_is=Severity.HIGH,
    ),
    "SMW-DEL-01b": Rule(
        finds=story(records.read_deleted(message=OTHER_WORDS)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(records.read_deleted(), records.read_missing()),
        noise=story(records.read_deleted("old/db", OTHER_WORDS), decommissioned=["old/*"]),
        noise_is=Severity.HIGH,
    ),
    "SMW-DEL-01c": Rule(
        finds=story(
            records.delete(by=ALICE),
            [records.batch(["prod/a", "prod/db"], at=after(minutes=n)) for n in (1, 2)],
        ),
        severity=Severity.CRITICAL,
        count=2,
        # It was there still; it was there again; and others are asked for together.
        leaves=story(
            records.batch(["prod/db"], at=before(minutes=1)),
            records.delete(by=ALICE),
            records.batch(["prod/a", "prod/b"], at=after(minutes=1)),
            records.restore(by=ALICE, at=after(minutes=5)),
            records.batch(["prod/a", "prod/db"], at=after(minutes=6)),
        ),
        # AWS logs the read of each secret of the batch, with its error.
        noise=story(
            records.delete(by=ALICE),
            records.batch(["prod/a", "prod/db"], at=after(minutes=1)),
            records.read_deleted(at=after(minutes=1, seconds=1)),
        ),
    ),
    "SMW-DEL-02": Rule(
        finds=story(
            records.write("RotateSecret", error=("InvalidRequestException", records.MARKED), by=CI),
            records.describe(error=("InvalidRequestException", OTHER_WORDS), by=CI, at=after(60)),
            records.create(error=("InvalidRequestException", records.IN_USE), by=CI, at=after(90)),
        ),
        severity=Severity.MEDIUM,
        count=3,
        leaves=story(records.describe(), records.put(), records.read_deleted()),
        # smwatch itself asks about secrets on demand.
        noise=story(
            records.call(
                "GetResourcePolicy",
                {"secretId": "prod/db"},
                error=("InvalidRequestException", records.MARKED),
                userAgent="Boto3/1.43 smwatch/1.0",
            )
        ),
    ),
    "SMW-DEL-03": Rule(
        finds=story(
            records.read(at=before(days=9)),
            records.delete(force=True, by=CI, at=before(hours=1)),
            [records.read_missing(at=after(minutes=n)) for n in (0, 1)],
        ),
        severity=Severity.HIGH,
        count=2,
        leaves=story(records.read("prod/here"), records.read_missing("prod/never-was")),
        # A rotation asks for the pending version before there is one; and a label that nobody set is no lost secret.
        noise=story(
            records.read(at=before(hours=1)),
            records.read_missing(stage="AWSPENDING"),
            records.read_missing(
                stage="blue", message="Secrets Manager can't find the specified secret value for staging label: blue"
            ),
        ),
    ),
    "SMW-DEL-04": Rule(
        finds=story(records.read(at=before(days=1)), records.delete(force=True, by=CI)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(
            records.delete(days=7),
            records.delete("prod/b", force=True, error=("AccessDenied", "User: x is not authorized to perform: …")),
        ),
        noise=story(records.delete("sandbox/1f2e", force=True, by=CI), decommissioned=["sandbox/*"]),
    ),
    "SMW-DEL-05": Rule(
        finds=story(known_for(days=20), records.read(at=before(hours=3)), records.delete(by=ALICE)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(records.read(), records.delete("prod/b", force=True), records.denied(name="DeleteSecret")),
        # Decommissioned as planned: a week is known in which nobody read it.
        noise=story(known_for(days=20), records.read(at=before(days=8)), records.delete(by=ALICE)),
        noise_is=Severity.MEDIUM,
    ),
    "SMW-DEL-06": Rule(
        finds=story(torn_down("prod", 3)),
        severity=Severity.CRITICAL,
        count=3,
        leaves=story(torn_down("prod", 3, minutes=40)),
        noise=story(torn_down("review-17", 12), decommissioned=["review-*"]),
    ),
    "SMW-DEL-07": Rule(
        finds=story(
            records.delete(days=7, at=before(days=5, hours=3), by=ALICE),
            records.read_deleted(at=after()),
            tick=after(hours=1),
        ),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(
            records.delete(days=30, at=before(days=1)), records.read_deleted(at=before(hours=20)), tick=after(hours=1)
        ),
        # It was restored in time, and deleted anew with a window that has hardly begun.
        noise=story(
            records.delete(days=7, at=before(days=6)),
            records.read_deleted(at=before(hours=3)),
            records.restore(at=before(hours=2)),
            records.delete(days=30, at=before(hours=1)),
            tick=after(),
        ),
    ),
    "SMW-DEL-08": Rule(
        finds=story(records.restore(by=CI), records.read(by=CI, at=after(minutes=3))),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(records.restore(by=CI), records.read(by=CI, at=after(minutes=20))),
        # The on-call engineer brings it back, and the application that was down reads it.
        noise=story(records.restore(by=records.sso()), [records.read(at=after(seconds=n)) for n in (5, 6, 7)]),
    ),
    "SMW-DEL-08b": Rule(
        finds=story(records.delete(by=CI, at=before(hours=1)), records.restore(by=ALICE)),
        severity=Severity.INFO,
        count=1,
        closed=True,
        leaves=story(records.denied(name="RestoreSecret"), records.delete(), records.create("prod/new")),
        # It is a line to look up, never something to act on: whoever restores, it is closed from the start.
        noise=story([records.restore(f"prod/{n}", by=records.sso(), at=after(n)) for n in range(20)]),
    ),
    "SMW-DEL-09": Rule(
        finds=story(
            records.read("prod/other", by=CI, at=before(minutes=20)), records.denied(name="DeleteSecret", by=CI)
        ),
        severity=Severity.HIGH,
        count=1,
        leaves=story(records.denied(), records.denied(name="DescribeSecret"), records.delete()),
        # A pipeline that was deployed before its permissions writes one secret again and again, and reads none.
        noise=story([records.denied(name="PutSecretValue", by=CI, at=after(minutes=n)) for n in range(5)]),
        noise_is=Severity.MEDIUM,
    ),
}
