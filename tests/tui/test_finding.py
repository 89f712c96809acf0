"""From one event to the next, and to a moment."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.tui.finding import moment_meant, next_key
from smwatch.tui.times import Zone

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        ("13:05", datetime(2026, 11, 23, 13, 5, tzinfo=UTC)),
        ("13:05:30", datetime(2026, 11, 23, 13, 5, 30, tzinfo=UTC)),
        ("23:59", datetime(2026, 11, 22, 23, 59, tzinfo=UTC)),
        ("2026-11-20 08:00", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
        ("2026-11-20T08:00Z", datetime(2026, 11, 20, 8, 0, tzinfo=UTC)),
        ("2h", NOW - timedelta(hours=2)),
        ("1h30m", NOW - timedelta(hours=1, minutes=30)),
    ],
)
def test_moments_as_people_write_them(text: str, meant: datetime) -> None:
    assert moment_meant(text, NOW, Zone.UTC) == meant


@pytest.mark.parametrize(
    "text", ["", "now", "25:00", "2026-13-01 10:00", "99999999999999d", "12:61", "9999-99-99 1:00"]
)
def test_what_is_no_moment_is_refused_in_a_sentence(text: str) -> None:
    with pytest.raises(ValueError, match="is not a time"):
        moment_meant(text, NOW, Zone.UTC)


@given(st.lists(st.integers(0, 50), unique=True).map(sorted), st.none() | st.integers(0, 50), st.booleans())
def test_the_next_one_is_the_nearest_on_that_side(keys: list[int], at: int | None, older: bool) -> None:
    if at is None:
        expected = max(keys, default=None)
    elif older:
        expected = max((key for key in keys if key < at), default=None)
    else:
        expected = min((key for key in keys if key > at), default=None)
    assert next_key(keys, at, older=older) == expected
