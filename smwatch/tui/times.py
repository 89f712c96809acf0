"""Moments and periods as people read them, in a zone that is always named."""

from __future__ import annotations

import time
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache


class Zone(StrEnum):
    """How moments are written."""

    UTC = "utc"
    LOCAL = "local"
    RELATIVE = "relative"

    @property
    def following(self) -> Zone:
        """The next one on the key that cycles them."""
        zones = list(Zone)
        return zones[(zones.index(self) + 1) % len(zones)]

    @property
    def absolute(self) -> Zone:
        """The zone of moments that are not told as long ago."""
        return Zone.LOCAL if self is Zone.LOCAL else Zone.UTC

    def title(self) -> str:
        """What the head of a time column says: UTC, the local zone's abbreviation or "ago"."""
        match self:
            case Zone.UTC:
                return "UTC"
            case Zone.LOCAL:
                return time.strftime("%Z", time.localtime()) or "local"
            case Zone.RELATIVE:
                return "ago"


DATED = "%m-%d %H:%M:%S"
SHORT_DATED = "%m-%d %H:%M"
CLOCK = "%H:%M:%S"
FULL = "%Y-%m-%d %H:%M:%S"
DATE = "%Y-%m-%d"


@lru_cache(8192)
def formatted(seconds: int, local: bool, form: str) -> str:
    """A moment as `form` has it, in this machine's zone or in UTC; kept, as neighbouring rows share their seconds."""
    return time.strftime(form, time.localtime(seconds) if local else time.gmtime(seconds))


def written(seconds: int, zone: Zone, now: datetime, form: str = CLOCK) -> str:
    """A moment, given in seconds since the epoch, in `zone`; "" for the epoch itself, which stands for "not known"."""
    if not seconds:
        return "unknown" if form == FULL else ""
    if zone is Zone.RELATIVE and form != FULL:
        return period(now.timestamp() - seconds)
    return formatted(seconds, zone is Zone.LOCAL, form)


def moment(at: datetime | None, zone: Zone, now: datetime) -> str:
    """A moment as short as it can be told: the clock, with the date if that is not today's; "" for None.

    In the relative zone it says how long ago.
    """
    if at is None:
        return ""
    if zone is Zone.RELATIVE:
        return f"{period(now - at)} ago" if at <= now else f"in {period(at - now)}"
    local = zone is Zone.LOCAL
    seconds = int(at.timestamp())
    if formatted(seconds, local, DATE) == formatted(int(now.timestamp()), local, DATE):
        return formatted(seconds, local, CLOCK)
    if formatted(seconds, local, "%Y") == formatted(int(now.timestamp()), local, "%Y"):
        return formatted(seconds, local, SHORT_DATED)
    return formatted(seconds, local, "%Y-%m-%d %H:%M")


def day(now: datetime, zone: Zone) -> object:
    """What tells how moments are written: as long as it is equal, each reads the same."""
    return now if zone is Zone.RELATIVE else formatted(int(now.timestamp()), zone is Zone.LOCAL, DATE)


def short(length: timedelta) -> str:
    """A length of time in hours and minutes, without what is zero: 15m, 2h, 1h30m, 1d."""
    minutes = int(length.total_seconds()) // 60
    days, minutes = divmod(minutes, 24 * 60)
    parts = ((days, "d"), (minutes // 60, "h"), (minutes % 60, "m"))
    return "".join(f"{count}{unit}" for count, unit in parts if count)


def period(length: timedelta | float) -> str:
    """A length of time in its two largest units: 8s, 4m10s, 3h05m, 6d4h; a minus sign before a negative one."""
    total = int(length.total_seconds() if isinstance(length, timedelta) else length)
    if total < 0:
        return f"-{period(-total)}"
    if total < 60:
        return f"{total}s"
    minutes, seconds = divmod(total, 60)
    if minutes < 60:
        return f"{minutes}m{seconds:02}s"
    hours, minutes = divmod(minutes, 60)
    if hours < 24:
        return f"{hours}h{minutes:02}m"
    days, hours = divmod(hours, 24)
    return f"{days}d{hours}h" if days < 365 else f"{days // 365}y{days % 365}d"
