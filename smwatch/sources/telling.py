"""What a source that is polled says: pages in its name, and how it stands whenever that is worth telling."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import datetime

import msgspec

from smwatch.events.event import SeenBy
from smwatch.sources.agenda import Agenda
from smwatch.sources.asking import HEARTBEAT, Asking
from smwatch.sources.clock import ServerClock
from smwatch.sources.coverage import Gap, Noted, Span
from smwatch.sources.delays import Delays
from smwatch.sources.health import Health
from smwatch.sources.reader import Upstream
from smwatch.sources.source import Found, Page, Receipt, State, Status


class Named(msgspec.Struct, frozen=True):
    """What a source is called, and what its events are seen by."""

    name: str
    label: str
    region: str
    seen_by: SeenBy


class Telling:
    """Makes the pages and the statuses of a source."""

    def __init__(
        self,
        named: Named,
        health: Health,
        delays: Delays,
        asking: Asking,
        upstream: Upstream | None,
        clock: ServerClock,
        monotonic: Callable[[], float],
    ) -> None:
        self._named = named
        self._health = health
        self._delays = delays
        self._asking = asking
        self._upstream = upstream
        self._clock = clock
        self._monotonic = monotonic
        self._told: Status | None = None
        self._told_at = 0.0
        self.newest_at: datetime | None = None
        """When the newest record that was brought happened."""

    def begin(self) -> None:
        """Nothing has been told of the reading that begins."""
        self._told = None

    @property
    def silent(self) -> bool:
        """Whether nothing has been told yet."""
        return self._told is None

    def brought(self, moments: Iterable[datetime | None]) -> None:
        """Records of these moments were brought."""
        self.newest_at = max(filter(None, (self.newest_at, *moments)), default=None)

    def page(
        self,
        found: tuple[Found, ...],
        settled: Span | None = None,
        gaps: tuple[Gap, ...] = (),
        untrue: tuple[Gap, ...] = (),
        noted: Noted | None = None,
        receipt: Receipt | None = None,
    ) -> Page:
        """What was found, and what it proves or takes back, as a page of the source."""
        named = self._named
        return Page(named.name, named.seen_by, found, self._clock.now(), settled, gaps, untrue, noted, receipt)

    def news(self, agenda: Agenda) -> Status | None:
        """The status, if it has changed or was not told for a while."""
        status = self.status(agenda)
        clock = self._monotonic()
        if self._told is not None and clock - self._told_at < HEARTBEAT and _same(status, self._told):
            return None
        self._told, self._told_at = status, clock
        return status

    def status(self, agenda: Agenda) -> Status:
        """How the source stands."""
        now = self._clock.now()
        lag, lag_max = self._delays.lag.at(now)
        state, message, progress = self._health.of(agenda, now)
        if state is State.OK and self._upstream is not None and (stale := self._upstream.trouble(self.newest_at)):
            state, message = State.STALE, stale
        return Status(
            self._named.name,
            self._named.label,
            state,
            message,
            at=now,
            last_good_at=self._health.last_good_at,
            answered_at=self._health.answered_at,
            service_at=self._health.service_at,
            lag=lag,
            lag_max=lag_max,
            complete_to=agenda.told_to if agenda.ever_read else None,
            gaps=agenda.told_gaps,
            progress=progress,
            region=self._named.region,
            calls=self._asking.calls,
            late_events=self._delays.late_events,
        )


def _same(one: Status, other: Status) -> bool:
    """Whether two statuses differ in nothing that is worth telling at once."""
    return (one.state, one.message, one.progress, one.complete_to, one.gaps, one.late_events) == (
        other.state,
        other.message,
        other.progress,
        other.complete_to,
        other.gaps,
        other.late_events,
    )
