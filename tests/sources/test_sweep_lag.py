"""How far back sweeps look: farther once records were late, for some hours, and then as was planned again."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from smwatch.sources.coverage import Lags
from smwatch.sources.settle_lag import LONGEST
from smwatch.sources.sweep_lag import WIDE_FOR, SweepLag

PLANNED, LIMIT = timedelta(minutes=10), timedelta(hours=1)
AT = datetime(2026, 11, 23, 12, tzinfo=UTC)


def test_it_is_as_planned_while_records_are_no_later_than_that() -> None:
    lag = SweepLag(PLANNED, Lags())
    lag.saw(0.7 * PLANNED, AT, LIMIT)
    assert (lag.now, lag.until, lag.wide) == (PLANNED, None, False)


def test_a_record_that_is_too_late_for_it_widens_it_and_one_that_is_far_too_late_does_not() -> None:
    lag = SweepLag(PLANNED, Lags())
    lag.saw(6 * PLANNED, AT, LIMIT)
    assert not lag.wide
    lag.saw(2 * PLANNED, AT, LIMIT)
    assert (lag.now, lag.until) == (3 * PLANNED, AT + WIDE_FOR)
    lag.saw(4.9 * PLANNED, AT, LIMIT)
    assert lag.now == LIMIT


def test_it_stays_wide_as_long_as_records_are_later_than_planned_and_some_hours_after_that() -> None:
    lag = SweepLag(PLANNED, Lags())
    lag.widen(AT, 2, LIMIT)
    later = AT + WIDE_FOR / 2
    lag.saw(PLANNED, later, LIMIT)
    lag.narrow(later + WIDE_FOR)
    assert lag.now == 2 * PLANNED
    lag.narrow(later + WIDE_FOR + timedelta(seconds=1))
    assert (lag.now, lag.until) == (PLANNED, None)


def test_what_an_earlier_run_widened_stays_wide_but_no_longer_than_a_right_clock_would_have_it() -> None:
    lag = SweepLag(PLANNED, Lags(sweep=timedelta(days=1), sweep_until=AT + timedelta(days=100)))
    assert lag.now == LONGEST
    lag.narrow(AT)
    assert lag.until == AT + WIDE_FOR
