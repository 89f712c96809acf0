"""Rules about what was never seen before wait until enough is known."""

from tests import records
from tests.rules.judging import after, fired


def test_nothing_is_a_first_time_until_events_are_known_for_the_warmup() -> None:
    known = records.read("prod/a", by=records.user("alice"))
    early = records.read("prod/b", by=records.user("bob"), at=after(days=2, hours=23))
    late = records.read("prod/b", by=records.user("carol"), at=after(days=3, seconds=1))
    assert "SMW-READ-04" not in fired([known, early])
    assert "SMW-READ-04" in fired([known, early, late])
