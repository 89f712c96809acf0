"""Where audits look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from smwatch.sources.audits import LONG_REACH, REACH, SLICE_PAGES, Audits
from smwatch.sources.coverage import Span, join

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BASE = NOW - 72 * HOUR
PAGE = 50


def audit(audits: Audits, density: float, *, at: datetime = NOW, last: bool = False) -> list[Span]:
    """What one round reads, in its order; all but the last hour is settled."""
    spans: list[Span] = []
    while not spans or audits.under_way:
        span = audits.next(BASE, at - HOUR, at, density, last=last)
        assert span is not None
        spans.append(span)
    return spans


@pytest.mark.parametrize("density", [0.0, 0.1, 3, 2000])
def test_a_round_reads_six_hours_whole_oldest_first_in_slices_of_some_pages(density: float) -> None:
    spans = audit(Audits(PAGE, SECOND), density)
    assert spans == sorted(spans)
    assert join(spans) == (Span(NOW - REACH, NOW - HOUR),)
    longest = max(span.end - span.start for span in spans)
    assert longest.total_seconds() * density <= SLICE_PAGES * PAGE or longest == SECOND


def test_where_pages_are_large_there_is_one_slice() -> None:
    assert audit(Audits(0, SECOND), 1000) == [Span(NOW - REACH, NOW - HOUR)]


@pytest.mark.parametrize("hours", [1, 3, 5.5, 9])
def test_however_long_a_round_takes_every_moment_is_read_once_it_is_six_hours_old(hours: float) -> None:
    audits, apart = Audits(PAGE, SECOND), hours * HOUR
    at = NOW
    read: list[tuple[Span, datetime]] = []
    for n in range(20):
        at = NOW + n * apart
        read += [(span, at) for span in audit(audits, 0.5, at=at)]
    assert at - REACH - apart > NOW
    for n in range(100):
        moment = NOW + n / 100 * (at - REACH - apart - NOW)
        assert any(span.start <= moment < span.end and at >= moment + REACH for span, at in read)


@pytest.mark.parametrize("hours", [1, 2, 4])
def test_with_the_last_look_every_moment_is_read_once_it_is_nearly_two_days_old(hours: int) -> None:
    audits = Audits(PAGE, SECOND)
    old: list[Span] = []
    for n in range(10):
        at = NOW + n * hours * HOUR
        spans = audit(audits, 0.5, at=at, last=True)
        old += [span for span in spans if span.end <= at - 44 * HOUR]
        assert all(span.start >= at - LONG_REACH for span in spans)
    assert join(old) == (Span(NOW - LONG_REACH, at - 44 * HOUR),)
    assert sum((span.end - span.start for span in old), timedelta()) == at - 44 * HOUR - (NOW - LONG_REACH)


def test_after_a_late_record_the_rest_of_the_round_and_the_next_one_are_urgent() -> None:
    audits = Audits(PAGE, SECOND)
    urgent = [audits.urgent]
    audits.found()
    urgent.append(audits.urgent)
    for n in (1, 2):
        audit(audits, 3, at=NOW + n * HOUR)
        urgent.append(audits.urgent)
    assert urgent == [False, True, True, False]


def test_how_much_time_has_grown_too_old_unread_is_told() -> None:
    audits = Audits(PAGE, SECOND)
    assert audits.behind(NOW) == timedelta()
    first, *_ = audit(audits, 3)
    assert audits.behind(NOW) == timedelta()
    assert audits.behind(NOW + REACH + HOUR) == 2 * HOUR
    assert audits.next(BASE, NOW, NOW + REACH + HOUR, 3, last=False) is not None
    assert audits.behind(NOW + REACH + HOUR) > 2 * HOUR
    assert first.start == NOW - REACH


def test_where_nothing_is_settled_there_is_nothing_to_look_at() -> None:
    audits = Audits(PAGE, SECOND)
    assert audits.next(NOW, NOW, NOW, 1.0, last=True) is None
    assert not audits.under_way


def test_what_failed_twice_is_named_until_it_has_been_read() -> None:
    audits = Audits(PAGE, SECOND)
    first = audits.next(BASE, NOW - HOUR, NOW, 3, last=False)
    assert first is not None
    audits.put_back(first, failed=True)
    assert audits.unread(NOW) == ()
    assert audits.next(BASE, NOW - HOUR, NOW, 3, last=False) == first
    audits.put_back(first, failed=True)
    assert audits.unread(NOW) == (first,)
    second = audits.next(BASE, NOW - HOUR, NOW, 3, last=False)
    assert second is not None
    assert second.start == first.end
    audits.read(second)
    middle = Span(first.start + 60 * SECOND, first.start + 90 * SECOND)
    audits.read(middle)
    assert audits.unread(NOW) == (Span(first.start, middle.start), Span(middle.end, first.end))
    assert audits.unread(NOW + LONG_REACH) == ()
    audits.read(Span(first.start - HOUR, first.end + HOUR))
    assert audits.unread(NOW) == ()
