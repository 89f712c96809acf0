"""A whole account in virtual time: events, their delays, the service, other callers, crashes and wrong clocks."""

from __future__ import annotations

import asyncio
import bisect
import heapq
import itertools
import json
import random
from collections.abc import Awaitable, Callable, Sequence
from datetime import UTC, datetime, timedelta
from typing import NamedTuple
from uuid import UUID

from smwatch.events.event import SeenBy
from smwatch.sources.clock import LocalClock
from smwatch.sources.cloudtrail import PAGE, REACH, SCHEDULE
from smwatch.sources.coverage import Coverage
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.nature import Nature, Schedule
from smwatch.sources.pace import Pace
from smwatch.sources.reader import Answer, Reader, Row
from smwatch.sources.source import Found, Page, State, Status
from smwatch.sources.tail import Tail
from smwatch.sources.telling import Named
from tests.emulators.event_history import EventHistory, Refused
from tests.sources.reading import SignedIn, keep

EPOCH = datetime(2026, 11, 23, 12, tzinfo=UTC)
HOUR = timedelta(hours=1)
# first seen − eventTime of 2,900 events of a real trail: minimum, deciles 10, 50, 90, percentile 99, maximum
MEASURED = ((0.0, 3), (0.1, 96), (0.5, 201), (0.9, 419), (0.99, 505), (1.0, 594))


def measured_delay(chance: random.Random) -> float:
    """Seconds from an event to its visibility, drawn from what was measured."""
    point = chance.random()
    place = bisect.bisect([share for share, _ in MEASURED], point)
    (low, least), (high, most) = MEASURED[place - 1], MEASURED[place]
    return least + (most - least) * (point - low) / (high - low)


class World:
    """The service and everything around it."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)
        self.history = EventHistory(self.now)
        self.born: dict[str, datetime] = {}
        """eventID → eventTime, of everything that ever happened."""
        self.visible: dict[str, datetime] = {}
        self._hidden: list[tuple[datetime, str, dict[str, str]]] = []
        self.calls = 0
        self.throttled = 0
        self.asleep = timedelta()
        """How long this machine has slept: time passed, but not on its monotonic clock."""
        self.clock_error = timedelta()
        """This machine's clock − the service's."""
        self.latency: Callable[[], float] = lambda: 0.1
        self.refuse_tokens = 0.0
        self.garbled: Callable[[datetime, datetime], bool] = lambda _, __: False
        """Whether a page with events from … to … never arrives whole."""
        self.trouble: Callable[[], CallError | None] = lambda: None
        """What comes instead of an answer that the service has given."""
        self.competitor: Callable[[datetime], float] = lambda _: 0.0
        """Calls a second that others make at this time."""
        self.asked: Callable[[datetime, datetime | None], None] = lambda _, __: None
        """Is told of each call from when to when it asks."""
        self.quota = 2.0
        """Calls a second for everybody together."""
        self.tokens, self._counted_at = self.quota, 0.0

    def now(self) -> datetime:
        """The true time."""
        return EPOCH + timedelta(seconds=asyncio.get_running_loop().time()) + self.asleep

    def local(self) -> datetime:
        """The time on this machine's clock."""
        return self.now() + self.clock_error

    def happen(self, at: datetime, delay: float) -> None:
        """One event."""
        event_id = str(UUID(int=self.chance.getrandbits(128)))
        at = at.replace(microsecond=0)
        self.born[event_id] = at
        self.visible[event_id] = at + timedelta(seconds=delay)
        event = {
            "eventID": event_id,
            "eventTime": at.strftime("%Y-%m-%dT%H:%M:%SZ"),
            "eventSource": "secretsmanager.amazonaws.com",
        }
        heapq.heappush(self._hidden, (self.visible[event_id], event_id, event))

    def appear(self) -> None:
        """Let the service show what it has to show by now."""
        now = self.now()
        while self._hidden and self._hidden[0][0] <= now:
            visible_at, _, event = heapq.heappop(self._hidden)
            self.history.add([event], visible_at=visible_at)

    def charge(self) -> None:
        """Take a call out of the quota, or be refused."""
        clock = asyncio.get_running_loop().time()
        others = self.competitor(self.now())
        self.tokens = min(self.quota, self.tokens + (clock - self._counted_at) * max(0.0, self.quota - others))
        self._counted_at = clock
        if self.tokens < 1:
            self.throttled += 1
            raise CallError(State.THROTTLED, "Rate exceeded", Remedy.PACE)
        self.tokens -= 1


class SimulatedLookupEvents(SignedIn):
    """The page reader of the simulated service."""

    api = "LookupEvents"
    nature = Nature(newest_first=True, resolution=timedelta(seconds=1), page=PAGE)

    def __init__(self, world: World) -> None:
        self.world = world

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        world = self.world
        world.calls += 1
        world.asked(start, until)
        await asyncio.sleep(world.latency() / 2)
        world.charge()
        if trouble := world.trouble():
            raise trouble
        if token and world.chance.random() < world.refuse_tokens:
            raise CallError(State.FAILING, "token", Remedy.RESUME)
        request = {
            "StartTime": start.timestamp(),
            "MaxResults": 50,
            **({"EndTime": until.timestamp()} if until else {}),
            **({"NextToken": token} if token else {}),
        }
        world.appear()
        try:
            entries, following = world.history.page(request)
        except Refused as refused:
            raise CallError(State.FAILING, refused.code, Remedy.CLAMP) from refused
        if entries and world.garbled(entries[-1].at, entries[0].at):
            raise CallError(State.FAILING, "nonsense", Remedy.GARBLED)
        date = world.now().replace(microsecond=0)
        await asyncio.sleep(world.latency() / 2)
        found = (Found(entry.record["eventID"], entry.at) for entry in entries)
        return Answer(tuple(Row(each.raw, each.at, each) for each in found), following, date)

    def edge(self, at: datetime) -> datetime:
        return at - REACH


class Watcher:
    """A consumer with a journal: what it has committed survives its crashes."""

    def __init__(
        self,
        world: World,
        since: datetime,
        schedule: Schedule,
        *,
        rate: float = 1.0,
        sleep: Sleep | None = None,
        reader: Callable[[], Reader] | None = None,
    ) -> None:
        self.world = world
        self.reader = reader or (lambda: SimulatedLookupEvents(world))
        self.since = since
        self.schedule = schedule
        self.rate = rate
        self.sleep = sleep or asyncio.sleep
        self.coverage = Coverage()
        self.seen: dict[str, datetime] = {}
        """eventID → when it was committed first."""
        self.handed = 0
        self.watermarks: list[datetime] = []
        self.marks_at: list[tuple[datetime, datetime]] = []
        """(mark, when it was told)."""
        self.statuses: list[Status] = []
        self.crashes = 0
        self.tail: Tail | None = None
        """What is followed at present."""

    def start(self) -> Tail:
        loop = asyncio.get_running_loop()
        return Tail(
            self.reader(),
            Named("cloudtrail:1:eu-west-1", "CloudTrail", "eu-west-1", SeenBy.CLOUDTRAIL),
            since=self.since,
            schedule=self.schedule,
            pace=Pace(self.rate, clock=loop.time, chance=self.world.chance.uniform),
            local=LocalClock(self.world.local, self.sleep, loop.time),
        )

    async def watch(self, until: datetime, *, crash: float = 0.0, check: Callable[[], None] = lambda: None) -> None:
        """Follow until the true time `until`; each page is lost, with the process, with this probability."""
        while self.world.now() < until:
            self.tail = self.start()
            flow = self.tail.follow(self.coverage)
            async for item in flow:
                if isinstance(item, Status):
                    self.statuses.append(item)
                    if item.complete_to is not None:
                        self.watermarks.append(item.complete_to)
                        self.marks_at.append((item.complete_to, self.world.now()))
                else:
                    before = self.world.chance.random() < crash
                    if not before:
                        self.commit(item)
                        check()
                    if before or self.world.chance.random() < crash:
                        self.crashes += 1
                        break
                if self.world.now() >= until:
                    break
            await flow.aclose()
            await asyncio.sleep(1)

    def commit(self, page: Page) -> None:
        """One transaction."""
        now = self.world.now()
        self.handed += len(page.found)
        if page.receipt is not None:
            page.receipt.new = frozenset(found.raw for found in page.found if found.raw not in self.seen)
        for found in page.found:
            self.seen.setdefault(found.raw, now)
        self.coverage = keep(self.coverage, page)

    @property
    def mark(self) -> datetime:
        """Up to where everything is in the journal since the beginning."""
        return self.coverage.complete_to(self.since)

    def missing(self) -> Sequence[str]:
        """The events that are settled but were never handed over: there must be none."""
        return [
            json.dumps([event, str(at), str(self.world.visible[event])])
            for event, at in self.world.born.items()
            if event not in self.seen and self.coverage.holds(at)
        ]

    def latencies(self, after: datetime) -> list[float]:
        """Seconds from visible to committed, ascending, of what became visible after this moment."""
        return sorted(
            (self.seen[event] - visible).total_seconds()
            for event, visible in self.world.visible.items()
            if event in self.seen and visible >= after
        )

    def reckon(self, before: datetime) -> list[float]:
        """The latencies of what became visible before this moment, in that order; it is forgotten with that.

        What has not been seen yet counts as if it were seen now.
        """
        now = self.world.now()
        past = sorted((visible, event) for event, visible in self.world.visible.items() if visible < before)
        late = [(self.seen.get(event, now) - visible).total_seconds() for visible, event in past]
        for _, event in past:
            for known in (self.seen, self.world.visible, self.world.born):
                known.pop(event, None)
        return late


REMEMBERED = timedelta(hours=6)
"""How far before the settled past something is looked at again every hour."""


class Spent(NamedTuple):
    """What a time of watching cost, and how quickly it showed what became visible (seconds)."""

    p50: float
    p99: float
    calls: float
    """A second, for what is new and for settling it."""
    longest: float
    audits: float
    """Calls a second for looking again at what is settled."""


async def ordinary(rate: float, seconds: float, seed: int = 7) -> Spent:
    """Watch an account with so many events a second, delayed as was measured, from its first event on."""
    world, chance = World(seed), random.Random(seed)
    watcher = Watcher(world, EPOCH, SCHEDULE)
    end = EPOCH + timedelta(seconds=seconds)
    settles_in = timedelta(minutes=15)
    happened_to, reckoned_to = EPOCH, EPOCH
    latencies: list[float] = []
    audits = 0

    def count(_: datetime, until: datetime | None) -> None:
        nonlocal audits
        audits += until is not None and until < watcher.mark

    def go_on() -> None:
        """Let the next minutes happen, and reckon with what is long past: a day is too much to hold."""
        nonlocal happened_to, reckoned_to
        while happened_to < min(end, world.now() + settles_in):
            until = min(end, happened_to + settles_in)
            for _ in range(round(rate * (until - happened_to).total_seconds())):
                world.happen(happened_to + chance.random() * (until - happened_to), measured_delay(chance))
            happened_to = until
        past = world.now() - SCHEDULE.settle_lag - settles_in
        if past > reckoned_to + settles_in:
            assert watcher.missing() == []
            assert all(event in watcher.seen for event, visible in world.visible.items() if visible < past)
            latencies.extend(watcher.reckon(past))
            world.history.entries.forget_before(past - REMEMBERED)
            reckoned_to = past

    world.asked = count
    go_on()
    await watcher.watch(end, check=go_on)
    assert watcher.missing() == []
    assert never_back(watcher.watermarks)
    latencies.extend(watcher.reckon(end))
    # at the beginning there is nothing to be seen yet
    late = sorted(latencies[len(latencies) * min(1200, int(seconds / 4)) // int(seconds) :])
    p50, p99 = late[len(late) // 2], late[len(late) * 99 // 100]
    return Spent(p50, p99, (world.calls - audits) / seconds, late[-1], audits / seconds)


def never_back(moments: Sequence[datetime]) -> bool:
    """Whether these moments only go forward."""
    return all(one <= other for one, other in itertools.pairwise(moments))


Sleep = Callable[[float], Awaitable[None]]
