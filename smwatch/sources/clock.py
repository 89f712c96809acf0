"""Two clocks: this machine's, and the service's own, told from the Date headers of its answers."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta

import msgspec

HEADER_RESOLUTION = timedelta(seconds=1)
NOTICEABLE = timedelta(seconds=10)
"""AWS's own machines may differ by this much."""
FAR = timedelta(hours=1)
"""An answer that says the time is another by more than this is believed once the next one says the same."""


def _utc_now() -> datetime:
    return datetime.now(UTC)


class LocalClock(msgspec.Struct, frozen=True):
    """This machine's time: what it is, how it passes, and waiting for it to."""

    now: Callable[[], datetime] = _utc_now
    """Aware UTC; it jumps when the clock is set."""
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep
    """Waits so many seconds."""
    monotonic: Callable[[], float] = time.monotonic
    """Seconds since some moment; nothing sets it."""


LOCAL = LocalClock()


class ServerClock:
    """The time at the service: never ahead of it, and never far behind.

    A Date header says that, when its answer was received, the service's clock had reached it, and that, when the
    request was sent, it had not passed the next second. Any number of answers narrow this down; an answer that
    contradicts the others means that this machine's clock was set, and starts anew. One answer alone that is far off is
    somebody else's: a proxy's, a captive portal's. Yet what it came with is as good as not read where it says that
    `now` runs ahead.
    """

    def __init__(self, now: Callable[[], datetime]) -> None:
        self._local = now
        self.offset: timedelta | None = None
        """The service's time − this machine's; None before the first answer that is believed."""
        self.doubted: timedelta | None = None
        """What the last answer said instead, if it was not believed."""
        self.sure = False
        """Whether the service has been asked, and nothing that it said speaks against `now`."""

    def now(self) -> datetime:
        """The time at the service (aware UTC); this machine's before the first answer."""
        return self._local() + (self.offset or timedelta())

    def answered_undated(self) -> None:
        """Learn that a service does not tell the time: this machine's is all there is, unless another answer did."""
        self.sure = self.sure or self.doubted is None

    def heard(self, date: datetime, sent_at: datetime, received_at: datetime) -> bool:
        """Learn from one answer (local times of request and answer); say whether `now` had been running ahead."""
        at_least, at_most = date - received_at, date + HEADER_RESOLUTION - sent_at
        known = self.offset or timedelta()
        if not at_least - FAR <= known <= at_most + FAR and (
            self.doubted is None or abs(self.doubted - at_least) > NOTICEABLE + (received_at - sent_at)
        ):
            self.doubted = at_least
            return known > at_most  # then what was asked for may be yet to come, whoever is right
        self.doubted, self.sure = None, True
        if self.offset is None or known > at_most:
            self.offset = at_least
        else:
            self.offset = max(known, at_least)
        return known - at_most > NOTICEABLE
