"""How far back sweeps look where what they leave is too much to be read by itself."""

from __future__ import annotations

from datetime import timedelta

from smwatch.sources.cloudtrail import PAGE, SCHEDULE
from smwatch.sources.coverage import Lags
from smwatch.sources.nature import Nature
from smwatch.sources.sweeping import LEARNT, LEAVE_LATER, Sweeps


def sweeps_of_a_busy_account() -> Sweeps:
    """Six events a second, a sweep every two minutes, and hours of records that told how late they are."""
    sweeps = Sweeps(SCHEDULE, Nature(newest_first=True, resolution=timedelta(seconds=1), page=PAGE), 1.0, Lags())
    sweeps.budget.density = sweeps.budget.settled_density = 6.0
    sweeps.pause = 112.0
    for n in range(LEARNT):
        sweeps._lateness.add(timedelta(seconds=600 * n / LEARNT))
    return sweeps


def test_sweeps_that_left_more_to_the_settle_than_they_may_look_further_back() -> None:
    sweeps = sweeps_of_a_busy_account()
    assert not sweeps.budget.reads_late
    reach = sweeps.reach
    for _ in range(10):
        sweeps.left_to_settle(1000, round(0.8 * LEAVE_LATER * 1000))
    assert sweeps.reach == reach
    for _ in range(30):
        sweeps.left_to_settle(1000, round(1.5 * LEAVE_LATER * 1000))
    assert sweeps.reach > reach


def test_few_records_that_were_settled_change_nothing() -> None:
    sweeps = sweeps_of_a_busy_account()
    reach = sweeps.reach
    sweeps.left_to_settle(100, 15)
    assert sweeps.reach == reach
