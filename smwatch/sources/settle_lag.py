"""How old a moment is before it is settled: older once records were late, and less old again when no more are."""

from __future__ import annotations

from datetime import datetime, timedelta

from smwatch.sources.coverage import Lags

LATE_FACTOR, NEAR = 1.5, 0.8
"""How many times a delay is expected from then on, and from which part of a lag on a delay is too near to it."""
LONGEST = timedelta(hours=6)
STAYS, LEAST_STAY = 2, timedelta(hours=1)
"""So many times itself a widened lag stays after the last record that was too late for half of it; an hour at least."""
ONCE_A = timedelta(minutes=1)
"""How much longer it must stay for that to be noted anew."""


class SettleLag:
    """The settle lag of one source; pure: it is told the time.

    A record that was later than was thought possible widens it to LATE_FACTOR times the delay, LONGEST at the most. It
    is halved, down to what was planned, whenever STAYS times itself has passed without a record that is too late for
    half of it. What comes later than that is late, and widens it again.
    """

    def __init__(self, planned: timedelta, lags: Lags) -> None:
        self.planned = planned
        self.now = max(planned, min(lags.settle or timedelta(), LONGEST))
        """What it is at present."""
        self.until = lags.settle_until if self.wide else None
        """When it will be halved, if nothing happens; None where it is as planned, or the time is not known yet."""

    @property
    def wide(self) -> bool:
        """Whether it is more than was planned."""
        return self.now > self.planned

    @property
    def half(self) -> timedelta:
        """What it becomes next."""
        return max(self.planned, self.now / 2)

    def widen(self, delay: timedelta, at: datetime) -> None:
        """A record was so late; it is server time `at`."""
        self.now = max(self.now, min(delay * LATE_FACTOR, LONGEST))
        self.saw(delay, at)

    def saw(self, delay: timedelta, at: datetime) -> None:
        """A record was so late, which may have been expected: it stays as wide as that needs."""
        if self.wide and delay > NEAR * self.half and (self.until is None or at + self._stay - ONCE_A > self.until):
            self.until = at + self._stay

    def narrow(self, at: datetime) -> None:
        """Halve it if it is time for that; `at` is server time that is certain."""
        if not self.wide:
            return
        if self.until is None or self.until > at + self._stay:  # from an older journal, or from a wrong clock
            self.until = at + self._stay
        if at >= self.until:
            self.now = self.half
            self.until = at + self._stay if self.wide else None

    @property
    def _stay(self) -> timedelta:
        return max(STAYS * self.now, LEAST_STAY)
