"""Looking around: denials, lists, metadata."""

from typing import Any

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.story import Rule, story
from tests.rules.judging import after, before

THIEF, AUDITOR = records.role("ci-deployer", "build-7"), records.role("auditor", "nightly")
SCANNER = "Boto3/1.35 md/Botocore#1.35 ua/2.1 APN_1826889 Prowler/4.3"
OWN = "Boto3/1.43 smwatch/1.0"


def probes(count: int, **more: Any) -> list[Record]:
    return [records.denied(f"prod/{n}", by=THIEF, at=after(n * 20), **more) for n in range(count)]


def described(count: int, by: records.Identity = AUDITOR, **more: Any) -> list[Record]:
    return [records.describe(f"prod/{n}", by=by, at=after(n * 5), **more) for n in range(count)]


RULES = {
    "SMW-DISC-01": Rule(
        finds=story(probes(6), records.read("prod/open", by=THIEF, at=after(minutes=3))),
        severity=Severity.CRITICAL,
        count=6,
        # Four secrets that are there, and five reads of one that was there until yesterday.
        leaves=story(
            [records.denied(at=after(n)) for n in range(30)],
            probes(4),
            records.read("prod/gone", at=before(days=1)),
            [records.read_missing("prod/gone", by=THIEF, at=after(n)) for n in range(5)],
        ),
        # The same secret, called by name, by ARN and by ARN without suffix: one secret, a broken program.
        noise=story(
            [
                records.denied(name, by=THIEF, at=after(n * 9))
                for n, name in enumerate(("prod/db", records.arn("prod/db"), records.arn("prod/db")[:-7]) * 3)
            ]
        ),
    ),
    "SMW-DISC-01b": Rule(
        finds=story([records.denied(at=after(n * 30)) for n in range(12)]),
        severity=Severity.MEDIUM,
        count=12,
        leaves=story([records.denied(at=after(n * 120)) for n in range(12)], probes(9)),
        # The permission came a moment later.
        noise=story([records.denied(at=after(n * 30)) for n in range(12)], records.read(at=after(minutes=8))),
    ),
    "SMW-DISC-01c": Rule(
        finds=story(records.denied("", "ListSecrets", by=THIEF)),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(records.listing(), records.denied()),
        noise=story(
            records.denied("", "ListSecrets", userAgent=SCANNER), records.denied("", "ListSecrets", userAgent=OWN)
        ),
    ),
    "SMW-DISC-02": Rule(
        finds=story(described(12)),
        severity=Severity.MEDIUM,
        count=12,
        leaves=story(described(9), [records.describe(at=after(n)) for n in range(60)]),
        # A posture scanner, smwatch's own looks, and Config on the account's behalf.
        noise=story(
            described(40, userAgent=SCANNER),
            described(40, records.role("smwatch", "me"), userAgent=OWN),
            described(40, records.role("config", "x", invokedBy="config.amazonaws.com")),
        ),
    ),
    "SMW-DISC-02b": Rule(
        finds=story(
            records.listing(by=THIEF), [records.read(f"prod/{n}", by=THIEF, at=after(minutes=n + 1)) for n in range(3)]
        ),
        severity=Severity.MEDIUM,
        count=1,
        leaves=story(
            records.listing(by=AUDITOR),
            [records.read(f"prod/{n}", by=THIEF, at=after(minutes=n + 1)) for n in range(3)],
        ),
        # Two secrets are a look at what one needs; and what was read before the list did not come of it.
        noise=story(
            [records.read(f"prod/{n}", by=THIEF, at=before(minutes=n + 1)) for n in range(5)],
            records.listing(by=THIEF),
            [records.read(f"prod/{n}", by=THIEF, at=after(minutes=n + 1)) for n in range(2)],
        ),
    ),
}
