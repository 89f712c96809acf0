"""What happens in the demo: one record, and when each source gets to see it."""

from __future__ import annotations

from datetime import datetime, timedelta
from hashlib import blake2b
from struct import unpack

import msgspec


class Happening(msgspec.Struct, frozen=True):
    """One record, and when each source gets to see it."""

    at: datetime
    raw: str
    logs_at: datetime
    cloudtrail_at: datetime | None
    """None for calls to other services: the event history is asked for Secrets Manager's only."""


def delivered(at: datetime, raw: str, *, kms: bool = False, late: float = 0) -> Happening:
    """With the delays of CloudTrail, seconds for its minutes; now and then the log group is the slower one."""
    by_logs, by_cloudtrail, slow = shares(raw)
    logs = 35 + 15 * by_logs if slow < 0.08 else 6 + 14 * by_logs
    cloudtrail = 22 + 40 * by_cloudtrail
    after = timedelta(seconds=1)
    return Happening(at, raw, at + (late * 1.1 + logs) * after, None if kms else at + (late + cloudtrail) * after)


def moment_at(base: datetime, offset: float) -> datetime:
    """The moment so many seconds after the base, to the second."""
    return base + timedelta(seconds=int(offset // 1))


def shares(text: str) -> tuple[float, float, float]:
    """Three numbers from 0 to 1 that follow from a text."""
    first, second, third = unpack(">3I", blake2b(text.encode(), digest_size=12).digest())
    return first / 2**32, second / 2**32, third / 2**32
