"""Periods and moments as people write them."""

from datetime import UTC, datetime, timedelta

import pytest

from smwatch.settings import SettingsError, moment, period

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "seconds"), [("30s", 30), ("15m", 900), ("2h", 7200), ("7d", 604800), ("1h30m", 5400), ("1w", 604800)]
)
def test_a_period_is_a_number_and_a_unit(text: str, seconds: int) -> None:
    assert period(text) == timedelta(seconds=seconds)


@pytest.mark.parametrize("text", ["", "1", "h", "1y", "-1h", "1h x", "tomorrow", "9999999999999999999d"])
def test_what_is_no_period_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(SettingsError, match=r"90d|15m"):
        period(text)


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("1h", datetime(2026, 11, 23, 13, 0, tzinfo=UTC)),
        ("2026-11-23", datetime(2026, 11, 23, tzinfo=UTC)),
        ("2026-11-23T12:00Z", datetime(2026, 11, 23, 12, tzinfo=UTC)),
        ("2026-11-23T12:00+02:00", datetime(2026, 11, 23, 10, tzinfo=UTC)),
    ],
)
def test_a_moment_is_a_period_ago_or_an_iso_time(text: str, at: datetime) -> None:
    assert moment(text, NOW) == at


@pytest.mark.parametrize("text", ["2026-13-01", "2027-01-01", "yesterday", "99999999w"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(SettingsError):
        moment(text, NOW)
