"""Records that belong together are recognised, others are left apart."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from smwatch.events.links import batch_caller, caused_by_batch, shared_id
from tests import records


def test_the_shared_id_is_the_same_for_both_accounts() -> None:
    assert shared_id(records.read(sharedEventID="s")) == "s"
    for other in (records.read(), records.read(sharedEventID=None), records.read(sharedEventID=5)):
        assert shared_id(other) is None


def test_reads_that_a_batch_makes_are_one_action_with_it() -> None:
    batch = records.event(records.batch(["prod/db", "prod/api"]))
    for name in ("prod/db", "prod/api"):
        read = records.event(records.read(name, at=records.AT + timedelta(seconds=1)))
        assert caused_by_batch(read, batch)
        assert batch_caller(read) == batch_caller(batch)
    assert caused_by_batch(records.event(records.read("any")), records.event(records.batch()))


@pytest.mark.parametrize(
    "read",
    [
        records.read("prod/other"),
        records.read("prod/db", at=records.AT + timedelta(seconds=3)),
        records.read("prod/db", by=records.role("another")),
        records.read("prod/db", by=records.role(session="another")),
        records.read("prod/db", userAgent="another"),
        records.read("prod/db", account=records.OTHER_ACCOUNT),
        records.describe("prod/db"),
    ],
)
def test_other_reads_are_their_own(read: dict[str, Any]) -> None:
    assert not caused_by_batch(records.event(read), records.event(records.batch(["prod/db"])))
