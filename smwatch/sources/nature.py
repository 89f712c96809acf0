"""How a time line is read: how its service pages through it, and how often each scan runs."""

from __future__ import annotations

from datetime import datetime, timedelta

import msgspec


class Schedule(msgspec.Struct, frozen=True):
    """How often each scan runs and how late records are expected."""

    sweep_every: timedelta
    sweep_lag: timedelta
    """Records at most this late are found by the first sweep after they become visible."""
    settle_every: timedelta
    settle_lag: timedelta
    """Records at most this late are never lost."""
    audit_every: timedelta


class Nature(msgspec.Struct, frozen=True):
    """How a service pages through its time line."""

    newest_first: bool
    resolution: timedelta
    page: int = 0
    """How many rows a page holds where it holds few, so that calls are what there is little of; else 0."""
    reach: timedelta | None = None
    """How far back it can be read, where that is always the same."""
    longest: timedelta | None = None
    """How long page tokens are followed before what remains is asked for anew, where they grow old."""
    side_by_side: int = 1
    """How many pages a reading that ends may ask for at a time."""
    delivered_within: timedelta = timedelta()
    """How long after they happened records are delivered, where the time line is that of their delivery."""


def floor(moment: datetime, resolution: timedelta) -> datetime:
    """The last moment of this resolution (a second or a millisecond) that is not after `moment`."""
    step = resolution // timedelta(microseconds=1)
    return moment.replace(microsecond=moment.microsecond // step * step)
