"""Moments in all the ways that records write them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.moments import moment, seconds_of_datetime
from tests import records


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("2023-07-10T11:57:48Z", (2023, 7, 10, 11, 57, 48)),
        ("2024-10-17 21:48:45.000000000", (2024, 10, 17, 21, 48, 45)),
        ("2022-11-23 21:06:45", (2022, 11, 23, 21, 6, 45)),
        ("2021-05-20 15:53:47Z", (2021, 5, 20, 15, 53, 47)),
        ("2021-05-20T15:53:47.123Z", (2021, 5, 20, 15, 53, 47)),
        ("2021-05-20t15:53:47z", (2021, 5, 20, 15, 53, 47)),
        ("2021-05-20T15:53:47+02:00", (2021, 5, 20, 13, 53, 47)),
        ("2021-05-20T15:53:47-0730", (2021, 5, 20, 23, 23, 47)),
        ("2021-05-20 15:53:47 UTC", (2021, 5, 20, 15, 53, 47)),
        ("2021-05-20T15:53", (2021, 5, 20, 15, 53, 0)),
        ("2021-05-20", (2021, 5, 20, 0, 0, 0)),
        ("2016-12-31T23:59:60Z", (2016, 12, 31, 23, 59, 59)),
        ("May 3, 2018 5:51:02 PM", (2018, 5, 3, 17, 51, 2)),
        ("Jul 10, 2023, 12:07:59 PM", (2023, 7, 10, 12, 7, 59)),
        ("Jul 10, 2023, 12:07:59 AM", (2023, 7, 10, 0, 7, 59)),
        ("Feb 22, 2026, 4:11:47\u202fPM", (2026, 2, 22, 16, 11, 47)),
        ("1688990879", (2023, 7, 10, 12, 7, 59)),
        (1688990879, (2023, 7, 10, 12, 7, 59)),
        (1688990879.9, (2023, 7, 10, 12, 7, 59)),
        (1688990879000, (2023, 7, 10, 12, 7, 59)),
        ("1.688990879E9", (2023, 7, 10, 12, 7, 59)),
    ],
)
def test_a_moment_is_understood(written: Any, meant: tuple[int, int, int, int, int, int]) -> None:
    assert moment(written) == datetime(*meant, tzinfo=UTC)


@pytest.mark.parametrize(
    "written",
    [
        *("", "-", "...", "redacted", "2023-13-01T00:00:00Z", "2023-02-30T00:00:00Z", "2023-01-01T00:00:61Z", "12"),
        *("Foo 3, 2018 5:51:02 PM", "May 3, 2018 25:51:02", "1970-01-01T00:00:00+01:00", "9999-12-31T23:59:59-01:00"),
        *("99999-01-01", "1E99", None, True, False, [], {}, 0, -5, 1e300, float("nan"), float("inf"), 10**400),
    ],
)
def test_what_means_no_moment_is_none(written: Any) -> None:
    assert moment(written) is None


moments = st.integers(0, 253370764800).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))


@given(moments)
def test_every_moment_comes_back_from_each_way_to_write_it(at: datetime) -> None:
    for written in (records.stamp(at), at.isoformat(" "), at.astimezone(timezone(timedelta(hours=5.5))).isoformat()):
        assert moment(written) == at
    assert moment(records.spoken(at)) == at
    assert seconds_of_datetime(at) == int(at.timestamp())


@given(st.text() | st.text("0123456789-:TZ. APM,+", max_size=30) | st.integers() | st.floats())
def test_nothing_else_is_refused(value: Any) -> None:
    found = moment(value)
    assert found is None or found.tzinfo is UTC
