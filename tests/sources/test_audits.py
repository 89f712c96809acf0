"""Where audits look."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from smwatch.sources.audits import LONG_ENDS, LONG_REACH, OWED, REACH, SLICE_PAGES, SOON, Audits
from smwatch.sources.coverage import Audited, Coverage, Span, join

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BASE = NOW - 72 * HOUR
PAGE = 50


def new(page: int = PAGE, before: Audited = Audited()) -> Audits:  # noqa: B008 - frozen
    """Audits that have a round each hour."""
    return Audits(page, SECOND, HOUR, before)


def settled(end: datetime, start: datetime = BASE) -> Coverage:
    """What is settled without a hole."""
    return Coverage((Span(start, end),))


def audit(audits: Audits, density: float, *, at: datetime = NOW, last: bool = False) -> list[Span]:
    """What one round reads, in its order; all but the last hour is settled."""
    spans: list[Span] = []
    while not spans or audits.under_way:
        span = audits.next(settled(at - HOUR), at, 0.0, density, last=last)
        assert span is not None
        spans.append(span)
        audits.read(span, at, 0.0)
    return spans


@pytest.mark.parametrize("density", [0.0, 0.1, 3, 2000])
def test_a_round_reads_six_hours_whole_oldest_first_in_slices_of_some_pages(density: float) -> None:
    spans = audit(new(), density)
    assert spans == sorted(spans)
    assert join(spans) == (Span(NOW - REACH, NOW - HOUR),)
    longest = max(span.end - span.start for span in spans)
    assert longest.total_seconds() * density <= SLICE_PAGES * PAGE or longest == SECOND


def test_where_pages_are_large_there_is_one_slice() -> None:
    assert audit(new(0), 1000) == [Span(NOW - REACH, NOW - HOUR)]


@pytest.mark.parametrize("hours", [1, 3, 5.5, 9])
def test_however_long_a_round_takes_every_moment_is_read_once_it_is_six_hours_old(hours: float) -> None:
    audits, apart = new(), hours * HOUR
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
    audits = new()
    old: list[Span] = []
    for n in range(10):
        at = NOW + n * hours * HOUR
        spans = audit(audits, 0.5, at=at, last=True)
        old += [span for span in spans if span.end <= at - 44 * HOUR]
        assert all(span.start >= at - LONG_REACH for span in spans)
    assert join(old) == (Span(NOW - LONG_REACH, at - 44 * HOUR),)
    assert sum((span.end - span.start for span in old), timedelta()) == at - 44 * HOUR - (NOW - LONG_REACH)


def test_after_a_late_record_the_rest_of_the_round_and_the_next_one_are_urgent() -> None:
    audits = new()
    urgent = [audits.urgent]
    audits.found()
    urgent.append(audits.urgent)
    for n in (1, 2):
        audit(audits, 3, at=NOW + n * HOUR)
        urgent.append(audits.urgent)
    assert urgent == [False, True, True, False]


def test_how_much_time_has_grown_too_old_unread_is_told() -> None:
    audits = new()
    assert audits.behind(NOW) == timedelta()
    first, *_ = audit(audits, 3)
    assert audits.behind(NOW) == timedelta()
    assert audits.behind(NOW + REACH + HOUR) == 2 * HOUR
    assert audits.next(settled(NOW), NOW + REACH + HOUR, 0.0, 3, last=False) is not None
    assert audits.behind(NOW + REACH + HOUR) > 2 * HOUR
    assert first.start == NOW - REACH


def test_where_nothing_is_settled_there_is_nothing_to_look_at() -> None:
    audits = new()
    assert audits.next(Coverage(), NOW, 0.0, 1.0, last=True) is None
    assert not audits.under_way


def test_what_failed_twice_is_named_until_it_has_been_read() -> None:
    audits = new()
    first = audits.next(settled(NOW - HOUR), NOW, 0.0, 3, last=False)
    assert first is not None
    audits.failed(first, NOW, 0.0)
    assert audits.unread(NOW) == ()
    assert audits.next(settled(NOW - HOUR), NOW, 0.0, 3, last=False) == first
    audits.failed(first, NOW, 0.0)
    assert audits.unread(NOW) == (first,)
    second = audits.next(settled(NOW - HOUR), NOW, 0.0, 3, last=False)
    assert second is not None
    assert second.start == first.end
    audits.read(second, NOW, 0.0)
    middle = Span(first.start + 60 * SECOND, first.start + 90 * SECOND)
    audits.read(middle, NOW, 0.0)
    assert audits.unread(NOW) == (Span(first.start, middle.start), Span(middle.end, first.end))
    assert audits.unread(NOW + LONG_REACH) == ()
    audits.read(Span(first.start - HOUR, first.end + HOUR), NOW, 0.0)
    assert audits.unread(NOW) == ()


@pytest.mark.parametrize("pages", [1, 7, 20, 33])
def test_another_process_goes_on_with_a_round_where_the_last_one_stopped(pages: int) -> None:
    """Whatever was committed is not read again, and nothing else is left out; newest first, as the service has it."""
    page, noted, at = timedelta(seconds=100), Audited(), NOW
    read: list[Span] = []
    while not read or noted.left:
        audits, left = new(before=noted), pages
        audits.begin(at, 0.0, settled=True)
        while left and (not read or audits.noted.left):
            span = audits.next(settled(NOW - HOUR), at, 0.0, 0.5, last=False)
            assert span is not None
            remains: Span | None = span
            while left and remains:
                start = max(span.start, remains.end - page)
                read.append(Span(start, remains.end))
                remains = Span(span.start, start) if span.start < start else None
                audits.committed(remains, 0.0, 0.0)
                left -= 1
            if not remains:
                audits.read(span, at, 0.0)
        noted = msgspec.json.decode(msgspec.json.encode(audits.noted), type=Audited)
        at += timedelta(minutes=1)
    assert join(read) == (Span(NOW - REACH, NOW - HOUR),)
    assert sum((span.end - span.start for span in read), timedelta()) == REACH - HOUR


def test_the_next_round_is_due_when_it_was_whichever_process_sees_that_day() -> None:
    audits = new()
    audits.begin(NOW, 7.0, settled=True)
    assert audits.begins_at == 7 + SOON.total_seconds()
    for minutes, due_in in ((2, 180.0), (4, 60.0), (9, 0.0)):
        audits = new(before=audits.noted)
        audits.begin(NOW + timedelta(minutes=minutes), 0.0, settled=True)
        assert audits.begins_at == due_in
    audit(audits, 1, at=NOW + timedelta(minutes=9))
    audits = new(before=audits.noted)
    audits.begin(NOW + timedelta(minutes=19), 0.0, settled=True)
    assert audits.begins_at == 50 * 60


def test_a_page_that_is_owed_is_owed_over_restarts_as_well() -> None:
    audits = new()
    audits.begin(NOW, 0.0, settled=True)
    assert audits.next(settled(NOW - HOUR), NOW, 0.0, 1, last=False)
    audits = new(before=audits.noted)
    audits.begin(NOW + timedelta(seconds=OWED - 20), 0.0, settled=True)
    assert not audits.owed(19.0)
    assert audits.owed(20.0)


def test_rounds_that_a_wrong_clock_planned_put_nothing_off() -> None:
    before = new()
    audit(before, 1, at=NOW + 9 * HOUR, last=True)
    audits = new(before=before.noted)
    audits.begin(NOW, 0.0, settled=True)
    assert audits.begins_at == HOUR.total_seconds()
    assert join(audit(audits, 1, last=True)) == (
        Span(NOW - LONG_REACH, NOW - LONG_ENDS),
        Span(NOW - REACH, NOW - HOUR),
    )


def test_only_what_is_settled_is_looked_at_again() -> None:
    spans = (Span(NOW - 9 * HOUR, NOW - 5 * HOUR), Span(NOW - 4 * HOUR, NOW - 2 * HOUR))
    audits = new(0)
    read = [audits.next(Coverage(spans), NOW, 0.0, 1, last=False)]
    while audits.under_way:
        read.append(audits.next(Coverage(spans), NOW, 0.0, 1, last=False))
    assert read == [Span(NOW - REACH, NOW - 5 * HOUR), spans[1]]


def test_what_waited_until_it_was_two_days_old_is_let_go() -> None:
    audits = new()
    first = audits.next(settled(NOW - HOUR), NOW, 0.0, 10, last=False)
    assert first is not None
    audits = new(before=audits.noted)
    later = NOW + LONG_REACH
    span = audits.next(settled(later - HOUR), later, 0.0, 0.1, last=False)
    assert span is None or span.end > later - LONG_REACH
