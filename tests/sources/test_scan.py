"""What the pages of a scan prove."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smwatch.sources.coverage import Span, join
from smwatch.sources.scan import BARREN_PAGES, Kind, Scan, Took

EPOCH = datetime(2026, 11, 23, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def at(second: int) -> datetime:
    return EPOCH + timedelta(seconds=second)


def span(start: int, end: int) -> Span:
    return Span(at(start), at(end))


def scan(start: int = 0, end: int | None = 100, *, newest_first: bool = True) -> Scan:
    return Scan(
        Kind.SETTLE,
        at(start),
        None if end is None else at(end),
        asked_at=at(1000),
        began=0.0,
        newest_first=newest_first,
        resolution=SECOND,
    )


def test_the_border_second_is_read_twice_and_the_end_is_inclusive() -> None:
    one = scan(10, 100)
    assert (one.start, one.until) == (at(9), at(99))


def test_newest_first_a_page_finishes_what_is_strictly_newer_than_its_oldest_second() -> None:
    one = scan()
    assert one.take([at(90), at(80), at(80)], "t1").settled == span(81, 100)
    assert one.take([at(80), at(80)], "t2").settled is None
    assert one.take([at(80), at(70)], "t3").settled == span(71, 81)
    last = one.take([at(70)], None)
    assert (last.settled, last.done) == (span(0, 71), True)


def test_oldest_first_a_page_finishes_what_is_strictly_older_than_its_newest_moment() -> None:
    one = scan(newest_first=False)
    assert one.take([at(5), at(9)], "t1").settled == span(0, 9)
    assert one.take([], "t2").settled is None
    assert one.take([at(9)], None).settled == span(9, 100)


def test_what_remains_is_asked_for_anew_with_the_half_read_second() -> None:
    one = scan()
    one.take([at(90), at(80)], "t1")
    assert one.resume()
    assert (one.start, one.until, one.token) == (at(-1), at(80), None)
    assert not one.resume()
    up = scan(newest_first=False)
    up.take([at(20)], "t1")
    up.resume()
    assert (up.start, up.until) == (at(19), at(99))


def test_pages_out_of_order_prove_nothing_before_the_end() -> None:
    one = scan()
    assert one.take([at(80), at(90)], "t1").settled is None
    assert one.take([at(10)], "t2").settled is None
    assert one.take([], None).settled == span(0, 100)


def test_a_row_without_a_time_proves_nothing_before_the_end() -> None:
    one = scan()
    assert one.take([at(90), None], "t1").settled is None
    assert one.take([at(10)], None).settled == span(0, 100)


def test_a_token_that_came_before_leads_in_a_circle() -> None:
    one = scan()
    assert not one.take([at(90)], "t1").astray
    assert not one.take([at(80)], "t2").astray
    assert one.take([at(70)], "t1").astray


def test_tokens_without_end_lead_nowhere() -> None:
    one = scan()
    assert not any(one.take([], f"t{n}").astray for n in range(BARREN_PAGES))
    assert one.take([], "more").astray


def test_an_open_end_upwards_is_reached_at_the_scans_own_beginning() -> None:
    one = scan(0, None, newest_first=False)
    assert not one.take([at(999)], "t1").done
    assert one.take([at(1001)], "t2").done


def test_rows_outside_the_period_settle_nothing_outside() -> None:
    assert scan().take([at(500), at(-500)], "t").settled == span(0, 100)
    assert scan(newest_first=False).take([at(-5), at(500)], "t").settled == span(0, 100)


@given(
    seconds=st.lists(st.integers(0, 99), max_size=60),
    size=st.integers(1, 9),
    newest_first=st.booleans(),
    stop=st.integers(0, 60),
)
def test_what_is_settled_was_on_a_page_wherever_it_breaks_off(
    seconds: list[int], size: int, newest_first: bool, stop: int
) -> None:
    rows = sorted(seconds, reverse=newest_first)
    pages = [rows[n : n + size] for n in range(0, len(rows), size)] or [[]]
    one = scan(newest_first=newest_first)
    settled, given = [], 0
    for number, page in enumerate(pages[: stop + 1]):
        took = one.take([at(second) for second in page], None if number == len(pages) - 1 else f"t{number}")
        given += len(page)
        settled += [took.settled] if took.settled else []
    covered = join(settled)
    for second in rows[given:]:
        assert not any(part.start <= at(second) < part.end for part in covered)
    if given == len(rows) and stop + 1 >= len(pages):
        assert covered == (span(0, 100),)
    else:
        assert one.remains is not None
        assert join([*covered, one.remains]) == (span(0, 100),)


def test_a_page_finishes_nothing_from_before_what_the_service_keeps() -> None:
    took = Took(span(10, 20), done=True)
    assert took.kept_from(None) == took.kept_from(at(10)) == took
    assert took.kept_from(at(15)) == Took(span(15, 20), done=True)
    assert took.kept_from(at(20)) == took.kept_from(at(30)) == Took(None, done=True)
