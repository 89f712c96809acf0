"""What is read next of a time line that is followed."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smwatch.sources.cloudtrail import SCHEDULE, LookupEvents
from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.following import Following
from smwatch.sources.scan import Kind, Scan

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


@pytest.mark.parametrize(("settled", "minutes"), [((), 60), ((Span(NOW - timedelta(hours=9), NOW),), 5)])
def test_who_is_started_often_looks_again_at_what_was_settled_before(settled: tuple[Span, ...], minutes: int) -> None:
    since = NOW - timedelta(hours=9)
    agenda = Following(SCHEDULE, LookupEvents.nature, since, Coverage(settled), 1.0)
    agenda.plan(NOW, 0.0, None)
    if not settled:
        agenda.committed(agenda.scans[Kind.SETTLE], Span(since, NOW - timedelta(hours=1)))
    for second in range(0, 3700, 10):
        agenda.plan(NOW + timedelta(seconds=second), second, None)
        if Kind.AUDIT in agenda.scans:
            break
    assert second == minutes * 60


def sweep(agenda: Following, rows: int) -> float:
    """Wait for a sweep, and read so many rows in full pages; how many seconds it is from it to the next.

    What else there is to read stays undone.
    """
    while Kind.SWEEP not in agenda.scans:
        plan(agenda, agenda.clock + 1)
    scan, page = agenda.scans[Kind.SWEEP], LookupEvents.nature.page
    for left in reversed(range(rows // page)):
        took = agenda.take(scan, [scan.asked_at] * page, str(left) if left else None)
        plan(agenda, agenda.clock + 1)
        agenda.committed(scan, took.settled)
    agenda.ended(scan)
    return agenda.sweeps.pause


def plan(agenda: Following, clock: float) -> None:
    agenda.plan(NOW + timedelta(seconds=clock), clock, None)


def test_a_long_sweep_is_waited_for_once() -> None:
    agenda = Following(SCHEDULE, LookupEvents.nature, NOW - timedelta(minutes=10), Coverage(), 1.0)
    usual = [sweep(agenda, 2_000) for _ in range(3)][-1]
    assert sweep(agenda, 2_800) > 1.2 * usual
    assert sweep(agenda, 2_000) == pytest.approx(usual, rel=0.02)


@pytest.mark.parametrize(("behind", "whole"), [(5, True), (15, False)])
def test_who_reaches_back_waits_for_what_is_old_and_not_for_the_next_settle(behind: int, whole: bool) -> None:
    settled = Span(NOW - timedelta(hours=9), NOW - timedelta(hours=1, minutes=behind))
    agenda = Following(SCHEDULE, LookupEvents.nature, NOW - timedelta(hours=2), Coverage((settled,)), 1.0)
    plan(agenda, 0)
    assert (not agenda.unread(settled.start, NOW)) is whole
    assert agenda.unread(settled.start - timedelta(seconds=1), NOW)


def test_an_audit_asks_for_a_page_now_and_then_and_never_keeps_anything_waiting() -> None:
    settled = Span(NOW - timedelta(hours=9), NOW - timedelta(hours=1, seconds=10))
    agenda = Following(SCHEDULE, LookupEvents.nature, settled.start, Coverage((settled,)), 1.0)

    def at(seconds: float) -> Scan | None:
        """What is picked, once all but the audit has been read."""
        agenda.plan(NOW + timedelta(seconds=seconds), seconds, None)
        for scan in [scan for kind, scan in agenda.scans.items() if kind is not Kind.AUDIT]:
            assert agenda.pick() is not agenda.scans.get(Kind.AUDIT)
            agenda.committed(scan, scan.period)
            agenda.ended(scan)
        agenda.plan(NOW + timedelta(seconds=seconds), seconds, None)
        return agenda.pick()

    assert at(0) is None
    audit = at(300)
    assert audit is agenda.scans[Kind.AUDIT]
    took = agenda.take(audit, [NOW - timedelta(hours=2)], "more")
    agenda.committed(audit, took.settled)
    assert at(300) is None
    assert 0 < agenda.due_in() <= 1 / 0.12
    assert at(308) is None
    assert at(309) is audit


def test_an_audit_is_not_kept_waiting_for_ever_by_what_never_ends() -> None:
    """A back-fill of days has always something to read."""
    settled = Span(NOW - timedelta(hours=9), NOW - timedelta(hours=5))
    agenda = Following(SCHEDULE, LookupEvents.nature, settled.start, Coverage((settled,)), 1.0)
    turns = []
    for second in range(1800):
        agenda.plan(NOW + timedelta(seconds=second), second, None)
        scan = agenda.pick()
        assert scan is not None
        assert agenda.scans.keys() > {Kind.AUDIT} or scan.kind is not Kind.AUDIT
        if scan.kind is Kind.AUDIT:
            turns.append(second)
    assert turns == [600, 900, 1200, 1500]


def auditing(agenda: Following, seconds: float) -> Scan | None:
    """The audit that goes on, once all else has been read."""
    agenda.plan(NOW + timedelta(seconds=seconds), seconds, None)
    for scan in [scan for kind, scan in agenda.scans.items() if kind is not Kind.AUDIT]:
        agenda.committed(scan, scan.period)
        agenda.ended(scan)
    return agenda.scans.get(Kind.AUDIT)


def test_what_is_left_of_an_audit_that_came_to_nothing_is_read_in_its_round() -> None:
    settled = Span(NOW - timedelta(hours=9), NOW - timedelta(hours=1, seconds=10))
    agenda = Following(SCHEDULE, LookupEvents.nature, settled.start, Coverage((settled,)), 1.0)
    auditing(agenda, 0)
    audit = auditing(agenda, 300)
    assert audit is not None
    assert audit.period is not None
    agenda.committed(audit, agenda.take(audit, [NOW - timedelta(hours=2)], "more").settled)
    agenda.dropped(audit)
    again = auditing(agenda, 305)
    assert again is not None
    assert again.period == Span(audit.period.start, NOW - timedelta(hours=2) + timedelta(seconds=1))
    agenda.restart()
    assert again.period in [scan.period for n in range(306, 330) if (scan := auditing(agenda, n))]


def test_an_audit_that_never_gets_on_is_let_be_until_the_next_round() -> None:
    settled = Span(NOW - timedelta(hours=9), NOW - timedelta(hours=1, seconds=10))
    agenda = Following(SCHEDULE, LookupEvents.nature, settled.start, Coverage((settled,)), 1.0)
    begun = []
    for second in range(0, 3600 + 300, 5):
        if audit := auditing(agenda, second):
            begun.append(second)
            agenda.dropped(audit)
    assert begun == [300, 305]


def catch_up(agenda: Following) -> timedelta:
    """Read all that is to be caught up with; how long it was."""
    whole = timedelta()
    while scan := agenda.scans.get(Kind.CATCH_UP):
        assert scan.period is not None
        whole += scan.period.end - scan.period.start
        agenda.committed(scan, agenda.take(scan, [], None).settled)
        agenda.ended(scan)
        plan(agenda, agenda.clock + 1)
    return whole


def test_what_an_outage_left_is_caught_up_with_once_however_often_what_is_new_was_asked_for_in_vain() -> None:
    agenda = Following(SCHEDULE, LookupEvents.nature, NOW - timedelta(minutes=10), Coverage(), 1.0)
    sweep(agenda, 2_000)
    catch_up(agenda)
    back = 3600.0
    for clock in range(400, 3600, 60):
        plan(agenda, clock)
        agenda.cut_off()
    plan(agenda, back)
    newest = agenda.scans[Kind.SWEEP]
    assert newest.asked_at == NOW + timedelta(seconds=back)
    assert abs(catch_up(agenda) - (newest.origin - (NOW - SCHEDULE.sweep_lag))) < timedelta(minutes=1)
