"""Values, labels, keys and rotation changed by hand."""

from typing import Any

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, known_for, over, story
from tests.rules.judging import after, before

THIEF, ALICE = records.role("ci-deployer", "build-7"), records.user("alice")
ROTATOR, PIPELINE = records.role("rotator", "rotate-db"), records.role("pipeline", "run-4711")
FUNCTION = f"arn:aws:lambda:{records.REGION}:{records.ACCOUNT}:function:rotate-db"
THEIR_FUNCTION = f"arn:aws:lambda:{records.REGION}:{records.OTHER_ACCOUNT}:function:take"
KEY = f"arn:aws:kms:{records.REGION}:{records.ACCOUNT}:key/1234abcd-12ab-34cd-56ef-1234567890ab"
THEIR_KEY = f"arn:aws:kms:{records.REGION}:{records.OTHER_ACCOUNT}:key/ffffabcd-12ab-34cd-56ef-1234567890ab"
TERRAFORM = "APN/1.0 HashiCorp/1.0 Terraform/1.9.8 aws-sdk-go-v2/1.32"


def moved(secret: str = "prod/db", label: str = "AWSCURRENT", **more: Any) -> Record:
    versions = {"versionStage": label, "moveToVersionId": "new-version", "removeFromVersionId": "old-version"}
    return records.write("UpdateSecretVersionStage", secret, versions, **more)


def updated(secret: str, parameters: dict[str, Any], *, version: str = "", **more: Any) -> Record:
    record = records.write("UpdateSecret", secret, parameters, **more)
    if version:
        record["responseElements"]["versionId"] = version
    return record


def created(key: str, **more: Any) -> Record:
    record = records.create("prod/new", **more)
    record["requestParameters"]["kmsKeyId"] = key
    return record


def rotated(secret: str = "prod/db", function: str = FUNCTION, **more: Any) -> Record:
    return records.write("RotateSecret", secret, {"rotationLambdaARN": function}, **more)


def cancelled(secret: str = "prod/db", **more: Any) -> Record:
    return records.write("CancelRotateSecret", secret, **more)


def rotation(start: float, *steps: Record) -> list[Record]:
    ends = records.service_event("RotationSucceeded", at=after(start + 30))
    return [records.service_event("RotationStarted", at=after(start)), *steps, ends]


def rotated_after(days: int, **more: Any) -> Record:
    return records.write("RotateSecret", parameters={"rotationRules": {"automaticallyAfterDays": days}}, **more)


def rotated_by(schedule: str, **more: Any) -> Record:
    rules = {"scheduleExpression": schedule, "duration": "2h"}
    return records.write("RotateSecret", parameters={"rotationRules": rules}, **more)


RULES = {
    "SMW-TAMP-01": Rule(
        finds=story(moved(by=THIEF), moved(by=THIEF, at=after(minutes=9))),
        severity=Severity.CRITICAL,
        count=2,
        leaves=story(moved(label="AWSPENDING"), moved(label="blue"), moved(error=("AccessDenied", "no"))),
        # Each rotation ends with this call: by who wrote the new value, while the rotation runs.
        noise=story(rotation(0, records.put(by=ROTATOR, at=after(5)), moved(by=ROTATOR, at=after(20)))),
    ),
    "SMW-TAMP-01b": Rule(
        finds=story(moved(label="parked", by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(moved(), moved(label="AWSPENDING"), records.put()),
        noise=story(
            rotation(0, records.put(by=ROTATOR, at=after(5)), moved(label="AWSPREVIOUS", by=ROTATOR, at=after(20)))
        ),
    ),
    "SMW-TAMP-02": Rule(
        finds=story(known_for(days=6), over(5, records.put(by=PIPELINE)), records.put(by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(known_for(days=6), over(5, records.put(by=PIPELINE)), records.put(by=PIPELINE)),
        # A new description is no new value; who made the secret fills it; the rotation writes by itself.
        noise=story(
            known_for(days=10),
            updated("prod/a", {"description": "the payments database"}, by=ALICE),
            [records.create("prod/b", by=ALICE), records.put("prod/b", by=ALICE, at=after(60))],
            rotation(0, records.put(by=ROTATOR, at=after(5))),
        ),
    ),
    "SMW-TAMP-02b": Rule(
        finds=story(
            records.put("prod/a", by=THIEF),
            updated("prod/b", {}, version="v2", by=THIEF, at=after(60)),
            records.put("prod/c", by=THIEF, at=after(120)),
        ),
        severity=Severity.CRITICAL,
        count=3,
        leaves=story(
            [records.put(by=PIPELINE, at=after(n)) for n in range(9)],
            [records.put(f"prod/{n}", by=PIPELINE, at=after(hours=n)) for n in range(1, 5)],
        ),
        # The pipeline that seeds its secrets each night.
        noise=story(
            known_for(days=9),
            *(over(5, records.put(f"app/{n}", by=PIPELINE, at=after(n))) for n in range(4)),
            [records.put(f"app/{n}", by=PIPELINE, at=after(n)) for n in range(4)],
            since=after(),
        ),
    ),
    "SMW-TAMP-03": Rule(
        finds=story(updated("prod/db", {"kmsKeyId": THEIR_KEY}, by=THIEF)),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(updated("prod/db", {"description": "x"}), records.put(), records.create("prod/new")),
        # A move to a key of one's own, planned.
        noise=story(updated("prod/db", {"kmsKeyId": KEY}, by=ALICE)),
        noise_is=Severity.HIGH,
    ),
    "SMW-TAMP-03b": Rule(
        finds=story(created(THEIR_KEY, by=THIEF)),
        severity=Severity.HIGH,
        count=1,
        leaves=story(created(KEY), created("alias/secrets"), records.create("prod/new")),
        # A key that an account of one's own shares.
        noise=story(created(THEIR_KEY, by=ALICE), org_accounts=[records.OTHER_ACCOUNT]),
    ),
    "SMW-TAMP-04": Rule(
        finds=story(rotated(at=before(days=40)), rotated(function=THEIR_FUNCTION, by=THIEF), since=after()),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(records.write("RotateSecret"), records.service_event("RotationStarted")),
        # Infrastructure as code names the same function again.
        noise=story(rotated(at=before(days=40)), rotated(at=before(days=9)), rotated(), since=before(days=10)),
    ),
    "SMW-TAMP-05": Rule(
        finds=story(cancelled(by=THIEF)),
        severity=Severity.HIGH,
        count=1,
        leaves=story(rotated(), records.service_event("RotationAbandoned")),
        # The function is replaced: off, and on again a moment later.
        noise=story(cancelled(by=ALICE), rotated(by=ALICE, at=after(minutes=4))),
    ),
    "SMW-TAMP-05b": Rule(
        finds=story([cancelled(f"prod/{n}", by=THIEF, at=after(n * 60)) for n in range(3)]),
        severity=Severity.CRITICAL,
        count=3,
        leaves=story([cancelled(f"prod/{n}", by=THIEF, at=after(hours=n)) for n in range(3)]),
        noise=story([cancelled(by=THIEF, at=after(n * 60)) for n in range(6)]),
    ),
    "SMW-TAMP-05c": Rule(
        finds=story(rotated_after(1000, by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(rotated_after(30), records.write("RotateSecret"), cancelled()),
        # Once a year is what some certificates are given.
        noise=story(rotated_after(365), rotated_by("rate(365 days)"), rotated_by("cron(0 8 1 1 ? *)")),
    ),
    "SMW-TAMP-06": Rule(
        finds=story(records.read(by=THIEF), records.delete(force=True, by=THIEF, at=after(minutes=5))),
        severity=Severity.CRITICAL,
        count=1,
        leaves=story(
            records.read(),
            records.delete(by=THIEF, at=after(minutes=5)),
            records.read("prod/b", by=THIEF),
            records.delete("prod/b", by=records.role("ci-deployer", "build-8"), at=after(minutes=5)),
        ),
        # Somebody looks at the value in the console before deleting it there; Terraform reads before it destroys.
        noise=story(
            records.read(by=records.sso(), userAgent=records.CONSOLE),
            records.delete(by=records.sso(), userAgent=records.CONSOLE, at=after(minutes=2)),
            records.read("prod/b", by=PIPELINE, userAgent=TERRAFORM),
            records.delete("prod/b", by=PIPELINE, userAgent=TERRAFORM, at=after(minutes=2)),
        ),
        noise_is=Severity.HIGH,
    ),
}
