"""What is read next of a time line that is followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smwatch.sources.cloudtrail import SCHEDULE, LookupEvents
from smwatch.sources.coverage import Coverage
from smwatch.sources.following import Following
from smwatch.sources.scan import Kind

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


def test_however_often_slices_are_halved_they_end_with_whole_seconds() -> None:
    """The service cuts fractions off: what lies in the second that was cut through would be called read."""
    agenda = Following(SCHEDULE, LookupEvents.nature, NOW - timedelta(days=2, milliseconds=300), Coverage(), 1.0)
    lengths = []
    for n in range(8):
        agenda.plan(NOW + timedelta(seconds=n), n, None)
        scan = agenda.scans[Kind.SETTLE]
        assert scan.period is not None
        assert scan.period.end.microsecond == 0
        lengths.append(scan.period.end - scan.period.start)
        agenda.dropped(scan)
    assert lengths[-1] < lengths[0] / 32
