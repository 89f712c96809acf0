"""What is said of a source that is well, and whose records come late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.following import Following
from smwatch.sources.health import widened
from smwatch.sources.logs import SCHEDULE, FilterLogEvents

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def test_a_mark_that_waits_for_two_reasons_tells_both() -> None:
    settled = Span(NOW - timedelta(hours=9), NOW)
    agenda = Following(SCHEDULE, FilterLogEvents.nature, settled.start, Coverage((settled,)), 1.0)
    assert widened(agenda) == ""
    agenda.delivered(timedelta(minutes=30), NOW)
    delivered = "records were delivered late: complete up to 45 min before what was delivered instead of 10 min"
    assert widened(agenda).startswith(delivered)
    agenda.settling.widen(timedelta(minutes=20), NOW)
    came, *_ = told = widened(agenda).partition(f"; {delivered}")
    assert came.startswith("records came late: settled after 30 min instead of 15 min")
    assert all(told)
