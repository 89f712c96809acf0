"""What runs have asked for: how far back one goes on with what those before it had no time to read."""

from __future__ import annotations

from datetime import datetime, timedelta

from smwatch.sources.coverage import Asked, Coverage

ABOUT = timedelta(hours=1)
"""So much earlier than it was asked for by itself a run reads on what an earlier one left: starting takes time."""
OFFLINE = timedelta(days=7)
"""How long ago a run that heard nothing of the service may have asked for something: clocks without it may be wrong."""


class Asks:
    """What the runs of one source have asked for; pure."""

    def __init__(self, since: datetime, coverage: Coverage) -> None:
        self.all = coverage.asked
        """Ascending, with this run's once it has begun."""
        self._since = since
        self._before = coverage.asked
        if not coverage.asked and coverage.settled:  # by an older smwatch
            start = coverage.settled[0].start
            self._before = (Asked(start, start),)
        self._own: Asked | None = None
        self._latest: datetime | None = None

    def begin(self, latest: datetime, at: datetime, *, sure: bool) -> None:
        """Note what this run asks for, once it is asked, at server time `at`, and once more when the time is `sure`.

        It asks for everything since its own `since`, and goes on with what earlier runs left unread, but for each no
        further back than it would have gone with this run's `since`: a run that was told by mistake to go months back
        leaves nothing to go on with. The first run of all asks for something before `latest`, so that there is a period
        to settle.
        """
        if self._own is not None and (self._own.sure or not sure):
            return
        self._latest = min(latest, self._latest or latest)
        asked_at = min(at, self._own.at) if self._own is not None else at
        reach = max(at - self._since, ABOUT)
        before = {self._as_far_as(reach, each) for each in self._before}
        if sure:  # what a wrong clock had noted is let go
            before = {each for each in before if _credible(each, at)}
        # A settle lag that was widened since must not have the next run go back by it.
        self._own = Asked(self._since if before else min(self._since, self._latest), asked_at, sure)
        asked = before | {self._own}
        self.all = tuple(sorted(each for each in asked if not any(_within(each, other) for other in asked)))

    @staticmethod
    def _as_far_as(reach: timedelta, asked: Asked) -> Asked:
        """What an earlier run asked for, cut to this reach; whole where it is longer by no more than ABOUT."""
        if asked.at - asked.since <= reach + ABOUT:
            return asked
        return Asked(asked.at - reach, asked.at, asked.sure)

    def restart(self) -> None:
        """Forget when this run began: the time of that was not the service's."""
        self._own = self._latest = None

    def beginning(self, coverage: Coverage, at: datetime) -> datetime:
        """From where on completeness counts: this run's `since`, or how far what earlier runs asked for was read.

        The earliest of these. Where a run came before, a settle lag that is wider by now takes nothing back.
        """
        assert self._own is not None
        before = (each.since for each in self.all if each != self._own and _credible(each, at))
        return min(self._since, min(map(coverage.complete_to, before), default=self._own.since))


def _credible(asked: Asked, at: datetime) -> bool:
    """Whether it was asked when it says, at server time `at`."""
    return asked.sure or at - OFFLINE < asked.at <= at


def _within(one: Asked, other: Asked) -> bool:
    """Whether another run began no later, and asked for no less."""
    return one != other and one.at >= other.at and one.since >= other.since
