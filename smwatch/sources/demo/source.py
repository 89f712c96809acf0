"""The two sources of the demo: the same story, seen through the event history and through the log group."""

from __future__ import annotations

import asyncio
import heapq
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from datetime import datetime, timedelta

from smwatch.events.event import SeenBy
from smwatch.sources.coverage import Coverage, Span
from smwatch.sources.demo.cast import ACCOUNT, REGION
from smwatch.sources.demo.happening import Happening
from smwatch.sources.demo.story import FIRST_ENDS, HISTORY, ROUND, Story
from smwatch.sources.source import Found, Page, Source, State, Status

LOG_GROUP = "CloudTrail/SecretsManager"
PAGE_SPAN = timedelta(minutes=1)
"""What was delivered before the demo began comes in pages as if someone had been watching."""
SETTLE_LAG = timedelta(seconds=90)
"""Longer than any delivery takes, but for the one that is late."""
LATE = timedelta(seconds=200)
RECENT = 50
THROTTLED = range(210, 225)
"""Seconds of each turn in which the event history is not to be had."""
SECOND = timedelta(seconds=1)


def demo_sources(
    now: Callable[[], datetime],
    sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    *,
    base: datetime | None = None,
) -> tuple[Source, ...]:
    """The sources of one demo. The story is told from `base` (aware UTC, default: now): the hour before it is there at
    once, the rest comes as time passes; `read_once` has the whole first incident end at the base instead."""
    base = (base or now()).replace(microsecond=0)
    return DemoSource(SeenBy.CLOUDTRAIL, base, now, sleep), DemoSource(SeenBy.LOGS, base, now, sleep)


class DemoSource:
    """One view of the story, in pages and with the delays that the real source would have (seconds for minutes)."""

    def __init__(
        self, seen_by: SeenBy, base: datetime, now: Callable[[], datetime], sleep: Callable[[float], Awaitable[None]]
    ) -> None:
        self.seen_by = seen_by
        if seen_by is SeenBy.CLOUDTRAIL:
            self.name, self.label, self._every = f"cloudtrail:{ACCOUNT}:{REGION}", "CloudTrail", 5.0
        else:
            self.name, self.label, self._every = f"logs:{ACCOUNT}:{REGION}:{LOG_GROUP}", "Logs", 2.0
        self._base = base
        self._now = now
        self._sleep = sleep

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:  # noqa: ARG002  nothing was kept
        """The hour before the base at once, then what is delivered as time passes; never ends."""
        watch = _Watch(self, self._base)
        yield watch.status(State.CATCHING_UP, self._now(), progress="back-filling 1 h")
        for each in watch.before(self._base):
            yield each
        while True:
            now = self._now()
            if watch.throttled(now):
                message = "AWS throttles LookupEvents (the quota is the account's); asking once in 2 s"
                yield watch.status(State.THROTTLED, now, message)
            else:
                if (page := watch.page(now)) is not None:
                    yield page
                yield watch.status(State.OK, now)
            await self._sleep(self._every)

    async def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:  # noqa: ARG002  nothing was kept
        """An hour and the whole first incident, which ends at the base; then DONE."""
        watch = _Watch(self, self._base - FIRST_ENDS * SECOND)
        for page in watch.before(self._base):
            yield page
        yield watch.status(State.DONE, self._base)

    async def close(self) -> None:
        """Nothing is held."""


class _Watch:
    """One run of a source: what it has delivered so far, and its health."""

    def __init__(self, source: DemoSource, base: datetime) -> None:
        self._source = source
        self._base = base
        self._coming = Story(base).happenings()
        self._next: Happening | None = next(self._coming)
        self._under_way: list[tuple[datetime, int, Happening]] = []
        self._taken = 0
        self._settled_to = base - HISTORY * SECOND
        self._lags: deque[timedelta] = deque(maxlen=RECENT)
        self._late = 0
        self._calls = 0
        self._good_at: datetime | None = None

    def before(self, end: datetime) -> Iterator[Page]:
        """What was delivered until `end`, in pages as they came; each record by the source that saw it first."""
        at = self._settled_to + PAGE_SPAN
        while at <= end:
            page = self.page(at, first_only=True)
            if page is not None:
                yield page
            at += PAGE_SPAN

    def page(self, now: datetime, *, first_only: bool = False) -> Page | None:
        """What has been delivered by now, and how far everything has been."""
        source = self._source
        self._calls += 1
        self._good_at = now
        found = []
        for delivered_at, happening in self._delivered(now):
            if first_only and not self._was_first(happening):
                continue
            lag = delivered_at - happening.at
            self._lags.append(lag)
            self._late += lag > LATE
            found.append(Found(happening.raw, happening.at if source.seen_by is SeenBy.CLOUDTRAIL else None))
        settled = None
        settle_to = (now - SETTLE_LAG).replace(microsecond=0)
        if settle_to > self._settled_to:
            settled = Span(self._settled_to, settle_to)
            self._settled_to = settle_to
        return Page(source.name, source.seen_by, tuple(found), now, settled) if found or settled else None

    def status(self, state: State, now: datetime, message: str = "", progress: str = "") -> Status:
        """The health of the source."""
        source = self._source
        lags = sorted(self._lags)
        return Status(
            source.name,
            source.label,
            state,
            message,
            at=now,
            last_good_at=self._good_at,
            lag=lags[len(lags) // 2] if lags else None,
            lag_max=lags[-1] if lags else None,
            complete_to=self._settled_to,
            progress=progress,
            region=REGION,
            calls=self._calls,
            late_events=self._late,
        )

    def throttled(self, now: datetime) -> bool:
        """Whether the event history is asked too often just now, by others."""
        since = (now - self._base) // SECOND
        return self._source.seen_by is SeenBy.CLOUDTRAIL and since > 0 and since % ROUND in THROTTLED

    def _delivered(self, now: datetime) -> Iterator[tuple[datetime, Happening]]:
        while self._next is not None and self._next.at <= now:
            at = self._delivery(self._next)
            if at is not None:
                self._taken += 1
                heapq.heappush(self._under_way, (at, self._taken, self._next))
            self._next = next(self._coming, None)
        while self._under_way and self._under_way[0][0] <= now:
            at, _, happening = heapq.heappop(self._under_way)
            yield at, happening

    def _delivery(self, happening: Happening) -> datetime | None:
        return happening.cloudtrail_at if self._source.seen_by is SeenBy.CLOUDTRAIL else happening.logs_at

    def _was_first(self, happening: Happening) -> bool:
        if self._source.seen_by is SeenBy.CLOUDTRAIL:
            return happening.cloudtrail_at is not None and happening.cloudtrail_at < happening.logs_at
        return happening.cloudtrail_at is None or happening.logs_at <= happening.cloudtrail_at
