"""Every Region that a secret is replicated to is compared with those where the account's secrets are known to be."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Severity
from tests import records
from tests.rules.judging import after, before, judged, of

KNOWN = ("us-east-1", "eu-north-1")


def replicated(secret: str, *regions: str, **more: Any) -> Record:
    added = {"addReplicaRegions": [{"region": region} for region in regions]}
    return records.write("ReplicateSecretToRegions", secret, added, **more)


def created(secret: str, *regions: str, **more: Any) -> Record:
    record = records.create(secret, **more)
    record["requestParameters"] |= {"addReplicaRegions": [{"region": region} for region in regions]}
    return record


def severity(last: Record, *earlier: Record) -> Severity:
    """How bad the last call is, whatever comes first."""
    by = records.role("last", "run-2")
    found = set()
    for order in permutations([last | {"userIdentity": by}, *earlier]):
        (alarm,) = [each for each in of("SMW-POL-02", judged(order, batch=1)) if each.principal == "last"]
        found.add(alarm.severity)
    (found_one,) = found
    return found_one


USED = replicated("prod/a", *KNOWN, at=before(days=9))


@pytest.mark.parametrize("make", [replicated, created])
def test_one_region_among_those_added_that_is_new_is_worse(make: Any) -> None:
    assert severity(make("prod/db", *KNOWN, at=after()), USED) is Severity.MEDIUM
    for regions in permutations([*KNOWN, "ap-south-1"]):
        assert severity(make("prod/db", *regions, at=after()), USED) is Severity.HIGH


def test_a_region_is_known_by_what_is_created_or_written_there() -> None:
    there = records.put("prod/b", region="ap-south-1", at=before(days=2))
    assert severity(replicated("prod/db", *KNOWN, "ap-south-1", at=after()), USED, there) is Severity.MEDIUM
    made = created("prod/b", *KNOWN, "ap-south-1", at=before(days=2))
    assert severity(replicated("prod/db", *KNOWN, "ap-south-1", at=after()), made) is Severity.MEDIUM


def test_what_another_account_uses_is_not_known_here() -> None:
    theirs = replicated("prod/a", *KNOWN, at=before(days=9), account=records.OTHER_ACCOUNT)
    assert severity(replicated("prod/db", *KNOWN, at=after()), theirs) is Severity.HIGH


def test_what_is_no_list_of_regions_is_compared_as_if_there_were_none() -> None:
    for odd in (None, "us-east-1", [], [None], [{"region": 5}], {"region": "us-east-1"}):
        record = records.write("ReplicateSecretToRegions", "prod/db", {"addReplicaRegions": odd}, at=after())
        assert severity(record, records.put("prod/b", at=before(days=1))) is Severity.MEDIUM


def test_a_secret_created_without_replicas_is_no_replication() -> None:
    assert of("SMW-POL-02", judged([records.create("prod/db"), created("prod/c")])) == []
