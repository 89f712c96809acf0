"""What happened, as a sentence on the page of an event."""

from __future__ import annotations

import pytest

from smwatch.record import Record
from smwatch.tui.pages.event import told
from tests import records


@pytest.mark.parametrize(
    ("record", "said"),
    [
        (records.read(), "payments-api got the value of prod/db"),
        (records.batch(["prod/a"]), "payments-api got the value of prod/a"),
        (records.batch(["prod/a", "prod/b", "prod/c"]), "payments-api got the value of prod/a and of 2 more"),
        (
            records.batch(),
            "payments-api got the values of what a filter selects, 20 secrets at most; the record names none",
        ),
        (records.denied(), "payments-api: GetSecretValue on prod/db was refused with AccessDenied"),
        (records.read(by=records.sso("alice@example.com")), "alice@example.com got the value of prod/db"),
        (records.restore(), "payments-api: RestoreSecret on prod/db succeeded"),
    ],
)
def test_an_event_is_told_in_a_sentence(record: Record, said: str) -> None:
    assert told(records.event(record)) == said
