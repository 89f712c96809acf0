"""What was handed over, and how late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given
from hypothesis import strategies as st

from smwatch.sources.sightings import UNDATED, Lag, Sightings

EPOCH = datetime(2026, 11, 23, tzinfo=UTC)


@given(st.lists(st.tuples(st.text(), st.integers(0, 300))), st.tuples(st.text(), st.integers(0, 300)))
def test_it_knows_what_it_was_given(rows: list[tuple[str, int]], other: tuple[str, int]) -> None:
    sightings = Sightings()
    for row_id, second in rows:
        sightings.add(row_id, EPOCH + timedelta(seconds=second))
    assert all(sightings.knows(row_id, EPOCH + timedelta(seconds=second)) for row_id, second in rows)
    minutes = {(row_id, second // 60) for row_id, second in rows}
    assert sightings.knows(other[0], EPOCH + timedelta(seconds=other[1])) == ((other[0], other[1] // 60) in minutes)


def test_it_forgets_what_is_old() -> None:
    sightings = Sightings()
    for minute in range(10):
        sightings.add("x", EPOCH + timedelta(minutes=minute))
    sightings.forget_before(EPOCH + timedelta(minutes=7))
    assert len(sightings) == 3


def test_a_lag_is_the_median_and_the_maximum_of_the_last_hour() -> None:
    lag = Lag()
    assert lag.at(EPOCH) == (None, None)
    for minute, seconds in ((0, 900), (30, 10), (31, 20), (32, 60)):
        lag.add(EPOCH + timedelta(minutes=minute), timedelta(seconds=seconds))
    assert lag.at(EPOCH + timedelta(minutes=40)) == (timedelta(seconds=40), timedelta(seconds=900))
    assert lag.at(EPOCH + timedelta(minutes=61)) == (timedelta(seconds=20), timedelta(seconds=60))
    assert lag.at(EPOCH + timedelta(hours=9)) == (None, None)


def test_rows_that_do_not_say_when_they_happened_are_known_for_as_long_as_there_is_room() -> None:
    sightings = Sightings()
    sightings.add("one", None)
    sightings.forget_before(EPOCH)
    assert sightings.knows("one", None)
    for n in range(UNDATED):
        sightings.add(str(n), None)
    assert not sightings.knows("one", None)
    assert sightings.knows("0", None)
    assert len(sightings) == UNDATED
