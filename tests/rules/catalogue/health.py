"""Programs that depend on a secret."""

from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.catalogue.keys import REFUSED
from tests.rules.catalogue.story import Rule, story
from tests.rules.judging import after, before

TOO_FAST = ("ThrottlingException", "Rate exceeded")

RULES = {
    "SMW-HLTH-01": Rule(
        finds=story(
            records.read(at=before(hours=2)),
            records.write("DeleteResourcePolicy", by=records.user("alice"), at=before(minutes=3)),
            [records.denied(at=after(minutes=n)) for n in range(3)],
        ),
        severity=Severity.HIGH,
        count=3,
        # It never worked; two failures are no outage; and what is deleted, gone or refused by KMS is another rule's.
        leaves=story(
            [records.denied("prod/new", at=after(n)) for n in range(9)],
            records.read("prod/b", at=before(hours=1)),
            [records.denied("prod/b", at=after(n)) for n in range(2)],
            records.read("prod/c", at=before(hours=1)),
            [records.read_deleted("prod/c", at=after(n)) for n in range(9)],
            records.read("prod/d", at=before(hours=1)),
            [records.read_missing("prod/d", at=after(n)) for n in range(9)],
            records.read("prod/e", at=before(hours=1)),
            [records.read("prod/e", error=REFUSED, at=after(n)) for n in range(9)],
        ),
        # A deployment flaps: refused for a minute, then well again.
        noise=story(
            records.read(at=before(hours=2)),
            [records.denied(at=after(n * 15)) for n in range(4)],
            records.read(at=after(minutes=2)),
        ),
    ),
    "SMW-HLTH-01b": Rule(
        finds=story([records.read(error=TOO_FAST, at=after(n)) for n in range(30)]),
        severity=Severity.MEDIUM,
        count=30,
        leaves=story([records.read(at=after(n)) for n in range(60)]),
        # Twenty programs start at once, and each is told once to wait.
        noise=story([records.read(error=TOO_FAST, by=records.role(f"app-{n}", "i-1"), at=after(n)) for n in range(20)]),
    ),
}
