"""Moments as CloudTrail records write them, in all the ways seen, as seconds since the epoch or aware datetimes."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from typing import Any

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_SECOND = timedelta(seconds=1)

_ISO = re.compile(
    r"(\d{4})-(\d\d)-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:[.,]\d+)?)?\s*(Z|UTC|[+-]\d\d:?(?:\d\d)?)?)?",
    re.ASCII | re.IGNORECASE,
)
_SPOKEN = re.compile(
    r"([A-Z][a-z]{2})[a-z]*\.? (\d{1,2}),? (\d{4}),?(?: at)? "
    r"(\d{1,2}):(\d\d)(?::(\d\d))?(?: ?([AP])\.?M\.?)?(?: (?:UTC|GMT|Z))?",
    re.ASCII | re.IGNORECASE,
)
_NUMBER = re.compile(r"\d{9,16}(?:\.\d+)?|\d(?:\.\d+)?E\+?\d{1,2}", re.ASCII | re.IGNORECASE)
_MONTHS = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")

_FIRST = 0.0
_LAST = 253402300799.0  # 9999-12-31T23:59:59Z
_MILLISECONDS_FROM = 1e11  # as seconds this is the year 5138, as milliseconds it is 1973


def moment(value: Any) -> datetime | None:
    """The moment that `value` of a record means (aware UTC, whole seconds); None for what means none.

    Understands ISO 8601 with a space, fractions of any length or no zone (UTC), `May 3, 2018 5:51:02 PM`,
    `Jul 10, 2023, 12:07:59 PM`, a narrow no-break space before PM, and seconds or milliseconds since the epoch.
    """
    at = seconds(value)
    return None if at is None else datetime.fromtimestamp(at, UTC)


def seconds(value: Any) -> int | None:
    """`moment`, as seconds since the epoch; a moment before the epoch is none."""
    if isinstance(value, str):
        return seconds_of_text(value)
    if isinstance(value, (int, float)) and not isinstance(value, bool):
        return _seconds_of_number(float(value)) if abs(value) <= _LAST * 1000 else None
    return None


def seconds_of_datetime(at: datetime) -> int:
    """An aware datetime as whole seconds since the epoch; 0 before it."""
    return max(0, (at - _EPOCH) // _SECOND)


def seconds_of_text(text: str) -> int | None:
    """`seconds` of a string."""
    if len(text) == 20 and text[10] == "T" and text[19] == "Z":  # as AWS writes eventTime
        try:
            return max(0, int(datetime.fromisoformat(text).timestamp()))
        except ValueError:
            return _seconds_of_odd_text(text)
    return _seconds_of_odd_text(text)


def _seconds_of_odd_text(text: str) -> int | None:
    text = " ".join(text.split())  # split() also knows U+202F and U+00A0
    if found := _ISO.fullmatch(text):
        year, month, day, hour, minute, second, zone = found.groups()
        return _seconds_of_parts(int(year), int(month), int(day), int(hour or 0), int(minute or 0), second, zone)
    if found := _SPOKEN.fullmatch(text):
        month_name, day, year, hour, minute, second, half = found.groups()
        if month_name.lower() not in _MONTHS:
            return None
        if half:
            hour = int(hour) % 12 + (12 if half in "Pp" else 0)
        number = _MONTHS.index(month_name.lower()) + 1
        return _seconds_of_parts(int(year), number, int(day), int(hour), int(minute), second, None)
    if _NUMBER.fullmatch(text):
        return _seconds_of_number(float(text))
    return None


def _seconds_of_parts(
    year: int, month: int, day: int, hour: int, minute: int, second: str | None, zone: str | None
) -> int | None:
    if second == "60":
        second = "59"  # a leap second
    try:
        at = datetime(year, month, day, hour, minute, int(second or 0), tzinfo=UTC)
    except ValueError:
        return None
    total = (at - _EPOCH) // _SECOND
    if zone and zone[0] in "+-":
        digits = zone[1:].replace(":", "").ljust(4, "0")
        offset = int(digits[:2]) * 3600 + int(digits[2:]) * 60
        total += offset if zone[0] == "-" else -offset
    return total if _FIRST <= total <= _LAST else None


def _seconds_of_number(number: float) -> int | None:
    if number >= _MILLISECONDS_FROM:
        number /= 1000
    return int(number) if _FIRST < number <= _LAST else None  # NaN is neither; 0 is how nothing is written
