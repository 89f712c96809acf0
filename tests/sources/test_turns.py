"""Whose page is next: in turn, what is new first, and nothing waits for ever."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection
from datetime import UTC, datetime, timedelta

import pytest

from smwatch.sources.scan import Kind, Scan
from smwatch.sources.turns import IN_A_ROW, Turns

NOW = datetime(2026, 11, 29, 12, tzinfo=UTC)
OLD = (Kind.CATCH_UP, Kind.SETTLE)


def under_way(*kinds: Kind) -> dict[Kind, Scan]:
    return {
        kind: Scan(
            kind,
            NOW - timedelta(hours=1),
            None,
            asked_at=NOW,
            began=0.0,
            newest_first=True,
            resolution=timedelta(seconds=1),
        )
        for kind in kinds
    }


def picked(
    scans: dict[Kind, Scan], pages: int, standing_back: Collection[Kind] = (), failing: Collection[Kind] = ()
) -> list[Kind]:
    """What is picked so many times, where each page comes but for those of scans that are `failing`."""
    turns, kinds = Turns(), []
    for _ in range(pages):
        scan = turns.next(scans, standing_back)
        assert scan is not None
        kinds.append(scan.kind)
        scan.pages += scan.kind not in failing
    return kinds


def test_pages_go_in_turn_where_nothing_stands_back() -> None:
    scans = under_way(Kind.SETTLE, Kind.SWEEP, Kind.CATCH_UP, Kind.AUDIT)
    assert picked(scans, 6) == 2 * [Kind.SWEEP, Kind.CATCH_UP, Kind.SETTLE]


@pytest.mark.parametrize("new", [Kind.VIEW, Kind.SWEEP, Kind.PASS, Kind.GLANCE])
def test_what_is_new_comes_first_and_what_stands_back_for_it_gets_a_page_now_and_then(new: Kind) -> None:
    kinds = picked(under_way(new, *OLD), 4 * (IN_A_ROW + 1), OLD)
    assert Counter(kinds) == {new: 4 * IN_A_ROW, Kind.CATCH_UP: 2, Kind.SETTLE: 2}
    assert kinds[:IN_A_ROW] == IN_A_ROW * [new]


def test_nothing_stands_back_for_what_is_not_there() -> None:
    assert picked(under_way(*OLD, Kind.AUDIT), 4, OLD) == 2 * [*OLD]


def test_nothing_stands_back_for_a_scan_whose_page_does_not_come() -> None:
    kinds = picked(under_way(Kind.SWEEP, *OLD), 12, OLD, failing=[Kind.SWEEP])
    assert Counter(kinds) == {Kind.SWEEP: 6, Kind.CATCH_UP: 3, Kind.SETTLE: 3}


def test_what_does_not_stand_back_goes_in_turn_with_what_is_new() -> None:
    kinds = picked(under_way(Kind.SWEEP, Kind.LATE, *OLD), IN_A_ROW + 1, OLD)
    assert Counter(kinds) == {Kind.SWEEP: 5, Kind.LATE: 4, Kind.CATCH_UP: 1}


def test_an_audit_is_picked_only_when_there_is_nothing_else() -> None:
    assert picked(under_way(Kind.AUDIT), 1, OLD) == [Kind.AUDIT]
    assert Turns().next({}) is None
