"""How calls are shared out: what is planned for so many events a second, and for the few calls of a bad day."""

from __future__ import annotations

import pytest

from smwatch.sources.budget import LIVE_SHARE, Budget
from smwatch.sources.cloudtrail import PAGE


def budget(density: float, *, rate: float = 1.0, settled: float | None = None) -> Budget:
    """So many events a second, and so many settled meanwhile: as many, if nothing else is said."""
    made = Budget(PAGE, rate)
    made.density, made.settled_density = density, density if settled is None else settled
    return made


@pytest.mark.parametrize(("density", "planned"), [(1, 0.44), (3, 0.47), (6, 0.50)])
def test_sweeps_what_they_leave_and_the_settle_take_together_what_was_planned(density: float, planned: float) -> None:
    each = budget(density)
    late = each.whole if each.reads_late else 0.0
    assert 0.95 * planned < each.for_sweeps + late + each.whole <= planned


def test_before_anything_is_to_be_settled_sweeps_have_all() -> None:
    early, later = budget(6, settled=0), budget(6)
    assert early.for_sweeps > later.for_sweeps + 0.9 * later.whole


@pytest.mark.parametrize("rate", [1.0, 0.3, 0.1])
@pytest.mark.parametrize("density", [0.5, 3, 10, 40])
def test_what_is_new_leaves_the_settle_what_it_needs_as_far_as_there_is_that(rate: float, density: float) -> None:
    each = budget(density, rate=rate)
    assert 0 < each.for_sweeps <= max(0.1 * rate, rate - each.whole)


def test_each_moment_is_read_twice_late_alone_or_not_by_passes_at_all_as_calls_allow() -> None:
    assert not budget(6).passes(already=False)
    assert budget(8).passes(already=True)
    assert not budget(8).passes(already=False)
    assert budget(10).passes(already=False)
    assert budget(10).early(0.55) >= 1
    assert 0 < budget(12).early(0.55) < 1
    assert budget(15).early(0.55) <= 0
    assert budget(10).early(0.0) == 0  # where no record is there by then
    assert budget(15, settled=0).early(0.55) >= 1
    assert budget(15).passes(already=False)
    assert not budget(15, rate=0.5).passes(already=False)


def test_passes_leave_calls_for_settling_what_happens_now_before_anything_is_settled() -> None:
    assert not budget(21, settled=0, rate=0.9).passes(already=False)
    assert not budget(21, settled=0, rate=0.9).passes(already=True)
    assert budget(19, settled=0, rate=0.9).passes(already=False)
    assert not budget(0.3, settled=0.3, rate=0.014).passes(
        already=False
    )  # an audit's page each five minutes is a quarter


def test_what_is_new_comes_first_where_the_settle_keeps_up_all_the_same() -> None:
    assert all(budget(density).plenty for density in (0, 1, 10, 15))
    assert not budget(8, rate=0.33).plenty
    assert not budget(0.3, rate=0.014).plenty


def test_what_lasts_is_told_from_a_burst() -> None:
    assert budget(6).lasting
    assert budget(6, settled=4.5).lasting
    assert not budget(6, settled=0.3).lasting
    assert not budget(6, settled=0).lasting


def test_what_is_settled_tells_where_sweeps_are_too_short_to() -> None:
    assert budget(0, settled=5).whole == budget(5).whole
    assert not budget(0, settled=5).reads_late


def test_where_pages_are_large_calls_go_to_what_is_new() -> None:
    each = Budget(0, 2.0)
    each.density = each.settled_density = 1000
    assert each.for_sweeps == LIVE_SHARE * 2.0
    assert each.reads_late


def test_audits_take_what_is_idle_and_as_much_as_it_takes_to_read_everything_twice_again() -> None:
    assert budget(1).for_audits == pytest.approx(0.12)
    for density in (0.1, 1, 3, 6, 9):
        each = budget(density)
        assert each.audits_twice
        assert each.for_audits >= 2 * each.whole
        assert each.for_sweeps + each.whole + each.for_audits <= 1
    assert budget(15).for_audits > budget(15).whole
    assert not budget(15).audits_twice
    assert budget(9, rate=0.25).for_audits == 0
    assert Budget(0, 2.0).for_audits > 0


@pytest.mark.parametrize("density", [0.3, 3, 10, 15])
def test_whoever_looks_for_a_late_record_in_haste_leaves_the_rest_its_calls(density: float) -> None:
    each = budget(density)
    assert each.for_audits <= each.idle <= 1 - each.for_sweeps - each.whole
