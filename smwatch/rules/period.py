"""Periods as rules write them."""

from __future__ import annotations

import re
from datetime import timedelta

HOUR, DAY = 3_600, 86_400
"""Seconds."""
_UNITS = {"s": 1, "m": 60, "h": HOUR, "d": DAY}
_LONGEST_DAYS = 3650
_PERIOD = re.compile(r"(\d{1,6}) ?([smhd])", re.ASCII)


class Period(int):
    """Whole seconds."""

    __slots__ = ()

    def __str__(self) -> str:
        for unit, seconds in reversed(_UNITS.items()):
            if self and self % seconds == 0:
                return f"{self // seconds}{unit}"
        return f"{int(self)}s"

    @property
    def delta(self) -> timedelta:
        """The same as a timedelta."""
        return timedelta(seconds=self)


def period(text: object) -> Period:
    """Read `90s`, `15m`, `2h` or `14d`; a ValueError says how to write one."""
    found = _PERIOD.fullmatch(text) if isinstance(text, str) else None
    if not found:
        raise ValueError(f"{text!r} is not a period: write 90s, 15m, 2h or 14d")
    seconds = int(found[1]) * _UNITS[found[2]]
    if seconds > _LONGEST_DAYS * DAY:
        raise ValueError(f"{text!r} is too long: {_LONGEST_DAYS:,}d at most")
    return Period(seconds)
