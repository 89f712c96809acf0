"""Where an audit looks."""

from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import pytest

from smwatch.sources.audits import PLACES, Audits
from smwatch.sources.coverage import Span

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
HOUR, SECOND = timedelta(hours=1), timedelta(seconds=1)
BASE, SETTLED = NOW - 24 * HOUR, NOW - HOUR


def audit(audits: Audits, density: float) -> list[Span]:
    """The places of one audit, ascending."""
    places: list[Span] = []
    while not places or audits.under_way:
        span = audits.next(BASE, SETTLED, NOW, density)
        assert span is not None
        places.append(span)
    return sorted(places)


@pytest.mark.parametrize("density", [0.0, 0.001, 0.13])
def test_little_is_read_whole(density: float) -> None:
    """The last of these is eleven thousand records a day, and a page a minute."""
    assert audit(Audits(50, SECOND), density) == [Span(NOW - 6 * HOUR, SETTLED)]


def test_much_is_sampled_at_equal_distances_and_elsewhere_the_next_time() -> None:
    audits = Audits(50, SECOND)
    first, second = audit(audits, 3), audit(audits, 3)
    for places in (first, second):
        assert len(places) == PLACES
        assert len({later.start - earlier.start for earlier, later in itertools.pairwise(places)}) == 1
        assert all(NOW - 6 * HOUR <= span.start < span.end <= SETTLED for span in places)
        assert {span.end - span.start for span in places} == {timedelta(seconds=13)}
    assert not set(first) & set(second)


def test_after_a_late_record_everything_is_read_once() -> None:
    audits = Audits(50, SECOND)
    audits.found()
    assert audit(audits, 3) == [Span(NOW - 6 * HOUR, SETTLED)]
    assert len(audit(audits, 3)) == PLACES


def test_where_nothing_is_settled_there_is_nothing_to_look_at() -> None:
    assert Audits(50, SECOND).next(NOW, NOW, NOW, 1.0) is None
