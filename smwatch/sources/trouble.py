"""How one source goes on after failed calls: how long it waits, what it lets go, and when that counts as an outage."""

from __future__ import annotations

import random
from collections.abc import Callable
from datetime import timedelta
from typing import assert_never

from smwatch.sources.agenda import Agenda
from smwatch.sources.asking import OUTAGE
from smwatch.sources.clock import ServerClock
from smwatch.sources.coverage import Gap
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.health import Health
from smwatch.sources.scan import Scan
from smwatch.sources.source import State

PATIENCE = 60.0
"""How long `read_once` puts up with failures that may pass."""
LONGEST_PAUSE = 60.0
WAIT_PAUSE = 60.0
SIGN_IN_PAUSE = 30.0
UNREADABLE_AFTER = 4
LONG_AGO, GIVEN_UP_AT_ONCE = timedelta(days=1), timedelta(hours=1)


class Trouble:
    """Decides what becomes of a failed call, and keeps what it is told to a person at `health`."""

    def __init__(self, health: Health, clock: ServerClock, monotonic: Callable[[], float]) -> None:
        self._health = health
        self._clock = clock
        self._monotonic = monotonic
        self._last: CallError | None = None
        self._since: float | None = None
        """Since when nothing has come."""
        self._failures = 0
        """How many pauses there were since something came."""
        self._held_until = 0.0
        self._advanced_at = monotonic()

    @property
    def held(self) -> float:
        """Seconds for which nothing is to be asked; 0 or less if something may be."""
        return self._held_until - self._monotonic()

    @property
    def signing_in(self) -> bool:
        """Whether other credentials are waited for."""
        return self._health.trouble is not None and self._health.trouble.remedy is Remedy.SIGN_IN

    @property
    def clock_refused(self) -> bool:
        """Whether this machine's clock has to be set first."""
        return self._health.trouble is not None and self._health.trouble.remedy is Remedy.SET_CLOCK

    @property
    def cuts_off(self) -> bool:
        """Whether nothing has come for so long that it is an outage."""
        return self._lasts_for(OUTAGE)

    @property
    def lasts(self) -> bool:
        """Whether what waits may wait for long: until somebody does something, or for more than a minute already."""
        return self._needs_somebody or (self._health.trouble is not None and self._lasts_for(PATIENCE))

    @property
    def gives_up(self) -> bool:
        """Whether waiting longer would be of no use to somebody who wants an end."""
        if self._needs_somebody:
            return True
        if self._monotonic() - self._advanced_at < PATIENCE:
            return False
        self._health.trouble = self._last
        return True

    def advanced(self) -> None:
        """Something was read that had not been."""
        self._advanced_at = self._monotonic()

    def over(self) -> None:
        """A page has come, and is kept."""
        self._since = self._health.trouble = None
        self._failures = 0

    def let_go(self) -> None:
        """Nothing is to wait any longer: somebody wants to know."""
        self._held_until = 0.0

    def met(self, agenda: Agenda, scan: Scan, trouble: CallError) -> Gap | None:
        """Decide how to go on after a failed call; the gap that it leaves, if it leaves one."""
        clock = agenda.clock = self._monotonic()
        self._last = trouble
        self._since = clock if self._since is None else self._since
        match trouble.remedy:
            case Remedy.PACE:
                return None  # the budget knows, and others' turns are put off by it as well
            case Remedy.RESUME:
                self.resume(agenda, scan, trouble.message)
                return None
            case Remedy.CLAMP:
                return self._refused_range(agenda, scan, trouble)
            case Remedy.WAIT:
                self._hold(trouble, WAIT_PAUSE)
            case Remedy.SIGN_IN:
                self._hold(trouble, SIGN_IN_PAUSE)
            case Remedy.RETRY | Remedy.SET_CLOCK:
                self._hold(trouble, self._growing_pause())
            case Remedy.GARBLED:
                others_work = scan.failures > 0 and self._failures == 0
                scan.failures += 1
                self._hold(trouble, self._growing_pause())
                if others_work and scan.failures >= UNREADABLE_AFTER:
                    return agenda.unreadable(scan, trouble.message)
            case _ as never:
                assert_never(never)
        return None

    def resume(self, agenda: Agenda, scan: Scan, why: str) -> None:
        """Go on without the token; if that leads nowhere, let the scan go and wait a while."""
        if scan.resume():
            message = f"{why}; reading on without it, from the last second that was read whole"
            self._health.trouble = CallError(State.CATCHING_UP, message, Remedy.RESUME)  # until the next page
            return
        self._hold(CallError(State.FAILING, f"{why}; reading that part again", Remedy.RETRY), self._growing_pause())
        agenda.dropped(scan)

    def _refused_range(self, agenda: Agenda, scan: Scan, trouble: CallError) -> Gap | None:
        """The service says that the period begins too early: give it up hour by hour, unless that can't be meant."""
        self._hold(trouble, self._growing_pause())
        agenda.dropped(scan)
        period = scan.remains
        if period is None or period.end - period.start > GIVEN_UP_AT_ONCE:
            return None
        if not self._clock.sure or self._clock.now() - period.start < LONG_AGO:
            return None
        return Gap(period, "the service refuses to look that far back")

    def _growing_pause(self) -> float:
        self._failures += 1
        return min(LONGEST_PAUSE, 2.0 ** min(self._failures - 1, 10)) * random.uniform(0.7, 1.0)  # noqa: S311 - jitter

    def _hold(self, trouble: CallError, seconds: float) -> None:
        self._health.trouble = self._last = trouble
        self._held_until = self._monotonic() + seconds

    def _lasts_for(self, seconds: float) -> bool:
        return self._since is not None and self._monotonic() - self._since > seconds

    @property
    def _needs_somebody(self) -> bool:
        trouble = self._health.trouble
        return trouble is not None and trouble.remedy in (Remedy.WAIT, Remedy.SIGN_IN)
