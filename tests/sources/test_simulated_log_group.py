"""Nothing lost, nothing claimed too early, of a log group: half an hour at a time, in virtual time."""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from datetime import UTC, datetime, timedelta
from operator import itemgetter
from random import Random

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.sources.clock import LocalClock
from smwatch.sources.coverage import Coverage, Lags
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.logs import QUOTA, SCHEDULE, FilterLogEvents, rate_in, unrefused_in
from smwatch.sources.pace import Pace
from smwatch.sources.reader import Answer, Row
from smwatch.sources.source import DELIVERED_WITHIN, Found, Page, State
from smwatch.sources.tail import Tail
from smwatch.sources.telling import Named
from tests.emulators.log_group import GROUP, LogGroupService, RefusedError
from tests.sources import virtual_time
from tests.sources.reading import SignedIn
from tests.sources.simulation import EPOCH, Watcher, World, never_back

LAG = timedelta(minutes=5)
SHORT = msgspec.structs.replace(SCHEDULE, settle_lag=LAG, audit_every=timedelta(minutes=7))
BEFORE = timedelta(minutes=30)
"""How much has happened already when somebody begins to watch."""
WATCHED = timedelta(minutes=25)
UNIX = datetime(1970, 1, 1, tzinfo=UTC)
MILLISECOND = timedelta(milliseconds=1)
NEVER = datetime.max.replace(tzinfo=UTC)


class LogWorld(World):
    """A log group instead of the event history."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.group = LogGroupService(self.now)
        self.happened: dict[str, datetime] = {}
        """When what a record is about happened."""

    def write(self, at: datetime, *, delivered: float = 0.0, ingested: float = 0.0, found: float = 0.0) -> None:
        """A record with this timestamp, of what happened so many seconds before it.

        It is ingested so many seconds after it, and found so many after that.
        """
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        number = f"record {len(self.born)}"
        ingested_at = at + timedelta(seconds=ingested)
        self.born[number] = at
        self.happened[number] = at - timedelta(seconds=delivered)
        self.visible[number] = ingested_at + timedelta(seconds=found)
        self.group.put(number, at, ingested=ingested_at, visible=self.visible[number])


class SimulatedFilterLogEvents(SignedIn):
    """The page reader of the simulated group."""

    api = FilterLogEvents.api
    nature = FilterLogEvents.nature

    def __init__(self, world: LogWorld) -> None:
        self.world = world

    def happened_at(self, row: Row) -> datetime:
        """The eventTime of the record."""
        return self.world.happened[row.found.raw]

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        world = self.world
        world.calls += 1
        await asyncio.sleep(world.latency() / 2)
        world.charge()
        if token and world.chance.random() < world.refuse_tokens:
            raise CallError(State.FAILING, "token", Remedy.RESUME)
        asked = {"logGroupName": GROUP, "startTime": (start - UNIX) // MILLISECOND}
        asked |= {"endTime": (until - UNIX) // MILLISECOND} if until else {}
        asked |= {"nextToken": token} if token else {}
        try:
            answer = world.group.filtered(asked)
        except RefusedError as refused:
            raise CallError(State.FAILING, str(refused), Remedy.RESUME) from refused
        date = world.now().replace(microsecond=0)
        await asyncio.sleep(world.latency() / 2)
        rows = tuple(
            Row(
                item["eventId"],
                UNIX + item["timestamp"] * MILLISECOND,
                Found(item["message"]),
                UNIX + item["ingestionTime"] * MILLISECOND,
            )
            for item in answer["events"]
        )
        return Answer(rows, answer.get("nextToken"), date)

    def edge(self, at: datetime) -> None:
        """Nothing is dropped."""


def delivery(chance: Random) -> float:
    """After how many seconds a record is delivered: at once, as usual, or as late as is thought possible."""
    longest = DELIVERED_WITHIN.total_seconds()
    return chance.choice([0.0, chance.uniform(60, 300), chance.uniform(0, longest), longest])


def missing_when_told(world: LogWorld, watcher: Watcher) -> list[tuple[str, datetime]]:
    """What happened before a mark and had not been handed over when that was told; and the mark."""
    told = sorted(watcher.marks_at)
    missing = []
    for record, happened_at in world.happened.items():
        if world.born[record] >= watcher.since and happened_at >= watcher.since:
            first = bisect_right(told, happened_at, key=itemgetter(0))
            if first < len(told) and watcher.seen.get(record, NEVER) > min(at for _, at in told[first:]):
                missing.append((record, told[first][0]))
    return missing


async def upheaval(
    seed: int, crash: float, refused: float, clock_error: float, jumps: bool, competitor: float, empty_pages: int
) -> None:
    """Everything at once; fails when something settled was not handed over."""
    world = LogWorld(seed)
    chance = world.chance
    world.group.page, world.group.empty_pages = chance.choice([7, 50, 10_000]), empty_pages
    world.refuse_tokens = refused
    world.latency = lambda: chance.uniform(0.05, 1)
    world.clock_error = timedelta(seconds=clock_error)
    world.competitor = lambda at: competitor if int(at.timestamp()) // 120 % 3 == 0 else 0.0
    lag = LAG.total_seconds()
    for _ in range(900):
        at = EPOCH - BEFORE + timedelta(seconds=chance.uniform(0, (BEFORE + WATCHED).total_seconds()))
        late = chance.choice([0.0, 0.05, chance.uniform(0, 5), chance.uniform(0, lag / 2)])
        found = chance.choice([0.0, chance.uniform(0, 10), chance.uniform(0, lag / 2)])
        world.write(at, delivered=delivery(chance), ingested=late, found=found)
    for burst in range(3):
        for _ in range(200):
            at = EPOCH + timedelta(minutes=6 * burst)
            world.write(at, delivered=delivery(chance), ingested=chance.uniform(0, lag))
    watcher = Watcher(world, EPOCH - BEFORE, SHORT, rate=2.0, reader=lambda: SimulatedFilterLogEvents(world))

    def check() -> None:
        if jumps and chance.random() < 0.02:
            world.clock_error = timedelta(seconds=chance.choice([-600, 0, 600]))
        if chance.random() < 0.05:
            assert watcher.missing() == []

    await watcher.watch(EPOCH + WATCHED, crash=crash, check=check)
    world.competitor, world.refuse_tokens = (lambda _: 0.0), 0.0
    await watcher.watch(EPOCH + WATCHED + 4 * LAG)
    assert watcher.missing() == []
    assert never_back(watcher.watermarks)
    assert missing_when_told(world, watcher) == []
    assert set(world.born) == set(watcher.seen), "everything there is"
    assert watcher.mark >= EPOCH + WATCHED, watcher.mark
    assert watcher.coverage.gaps == ()


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    crash=st.sampled_from([0.0, 0.01, 0.2]),
    refused=st.sampled_from([0.0, 0.05, 0.5]),
    clock_error=st.sampled_from([-600, -20, 0, 20, 600]),
    jumps=st.booleans(),
    competitor=st.sampled_from([0.0, 1.0, 1.9]),
    empty_pages=st.sampled_from([0, 0, 2]),
)
def test_what_is_settled_was_handed_over(
    seed: int, crash: float, refused: float, clock_error: float, jumps: bool, competitor: float, empty_pages: int
) -> None:
    virtual_time.run(upheaval(seed, crash, refused, clock_error, jumps, competitor, empty_pages))


def test_what_is_delivered_later_than_ever_is_counted_and_the_mark_waits_for_its_like() -> None:
    async def scenario() -> None:
        world = LogWorld(31)
        chance = world.chance
        for second in range(0, 4 * 3600, 10):
            at = EPOCH + timedelta(seconds=second)
            world.write(at, delivered=min(second, delivery(chance)))
        late = 45 * 60.0
        world.write(EPOCH + timedelta(minutes=80), delivered=late)
        watcher = Watcher(world, EPOCH, SCHEDULE, rate=2.0, reader=lambda: SimulatedFilterLogEvents(world))
        await watcher.watch(EPOCH + timedelta(minutes=79))
        before = watcher.statuses[-1]
        assert before.complete_to is not None
        assert timedelta(minutes=24) < world.now() - before.complete_to < timedelta(minutes=29)
        assert (before.late_events, before.message) == (0, "")
        await watcher.watch(EPOCH + timedelta(minutes=85))
        after = watcher.statuses[-1]
        assert after.late_events == 1
        assert after.message.startswith("records were delivered late: complete up to 1 h 7 min before")
        assert after.complete_to is not None
        assert after.complete_to - before.complete_to < timedelta(minutes=3), "it waits"
        for minute in range(105, 200, 3):  # what is as late as that is missing below no mark from now on
            world.write(EPOCH + timedelta(minutes=minute), delivered=late)
        while world.now() < EPOCH + timedelta(minutes=200):
            await watcher.watch(world.now() + timedelta(minutes=7))
        assert [record for record, _ in missing_when_told(world, watcher)] == [f"record {4 * 360}"]
        assert never_back(watcher.watermarks)
        assert watcher.watermarks[-1] > before.complete_to + timedelta(minutes=30)

    virtual_time.run(scenario())


def test_what_a_run_before_has_swept_is_not_taken_for_late() -> None:
    async def scenario() -> None:
        world = LogWorld(34)
        for second in range(0, 7200, 10):
            world.write(EPOCH + timedelta(seconds=second))
        watcher = Watcher(world, EPOCH, SCHEDULE, rate=2.0, reader=lambda: SimulatedFilterLogEvents(world))
        await watcher.watch(EPOCH + timedelta(minutes=60))
        await watcher.watch(EPOCH + timedelta(minutes=90))
        assert not any("late" in status.message for status in watcher.statuses)
        assert watcher.coverage.lags == Lags()

    virtual_time.run(scenario())


def test_what_was_said_by_delivery_is_not_taken_back() -> None:
    async def scenario() -> None:
        world = LogWorld(32)
        for second in range(3600):
            world.write(EPOCH + timedelta(seconds=second), delivered=300)
        watcher = Watcher(world, EPOCH, SCHEDULE, rate=2.0, reader=lambda: SimulatedFilterLogEvents(world))
        await watcher.watch(EPOCH + timedelta(minutes=50))
        watcher.coverage = msgspec.structs.replace(watcher.coverage, said_to=watcher.mark)  # as an older journal has it
        said_to = watcher.mark
        begun = len(watcher.watermarks)
        await watcher.watch(EPOCH + timedelta(minutes=55))
        assert set(watcher.watermarks[begun:]) == {said_to}
        await watcher.watch(EPOCH + timedelta(minutes=65))
        assert watcher.watermarks[-1] > said_to
        assert never_back(watcher.watermarks)

    virtual_time.run(scenario())


def test_the_first_minutes_promise_nothing_from_before_everything_was_asked_for() -> None:
    async def scenario() -> None:
        world = LogWorld(33)
        for second in range(-600, 3600):
            world.write(EPOCH + timedelta(seconds=second), delivered=400)
        watcher = Watcher(world, EPOCH, SCHEDULE, rate=2.0, reader=lambda: SimulatedFilterLogEvents(world))
        for minute in range(5, 40, 5):  # killed and started again, each time asking for less
            watcher.since = EPOCH + timedelta(minutes=minute - 5)
            await watcher.watch(EPOCH + timedelta(minutes=minute))
        assert never_back(watcher.watermarks)
        assert watcher.statuses[-1].late_events == 0
        watcher.since = EPOCH
        assert missing_when_told(world, watcher) == []

    virtual_time.run(scenario())


def test_however_often_it_is_restarted_audits_find_what_was_late() -> None:
    async def scenario() -> None:
        world = LogWorld(22)
        chance = world.chance
        for _ in range(600):
            world.write(EPOCH + timedelta(seconds=chance.uniform(0, 4 * 3600)))
        ordinary = set(world.born)
        for minute in range(0, 120, 4):
            world.write(EPOCH + timedelta(minutes=minute), ingested=chance.uniform(3600, 7200))
        late = set(world.born) - ordinary
        watcher = Watcher(world, EPOCH, SHORT, rate=2.0, reader=lambda: SimulatedFilterLogEvents(world))
        while world.now() < EPOCH + timedelta(hours=5):
            watcher.since = world.now() - timedelta(minutes=1)
            await watcher.watch(world.now() + timedelta(seconds=chance.uniform(50, 90)))
        assert late - set(watcher.seen) == set()
        assert watcher.missing() == []

    virtual_time.run(scenario())


@pytest.mark.parametrize(("behind", "begins", "refused"), [(0, 60, 0), (1_200, 5, 2)])
def test_who_follows_sees_all_in_time_beside_a_reading_that_ends(behind: int, begins: int, refused: int) -> None:
    """An hour of 130 pages, read beside somebody who keeps up, and beside somebody who is so many seconds `behind`."""
    hour, page, region = 3600, 76, "eu-west-1"

    async def scenario() -> None:
        world, loop = LogWorld(31), asyncio.get_running_loop()
        chance = world.chance
        world.quota = world.tokens = QUOTA
        world.latency = lambda: chance.uniform(0.005, 0.02)
        world.group.page = page
        for _ in range(130 * page):
            world.write(EPOCH + timedelta(seconds=chance.uniform(-hour, 120)), found=chance.uniform(0, 2))
        reading = Tail(
            SimulatedFilterLogEvents(world),
            Named("logs", "Logs", region, SeenBy.LOGS),
            since=EPOCH - timedelta(seconds=hour),
            schedule=SCHEDULE,
            pace=Pace(rate_in(region, once=True), unrefused=unrefused_in(region), clock=loop.time),
            local=LocalClock(world.local, asyncio.sleep, loop.time),
        )
        found = set[str]()

        async def read() -> float:
            await asyncio.sleep(begins)
            async for item in reading.read_once(Coverage()):
                if isinstance(item, Page):
                    found.update(one.raw for one in item.found)
            return loop.time() - begins

        taking = asyncio.create_task(read())
        since = EPOCH - timedelta(seconds=behind)
        watcher = Watcher(world, since, SCHEDULE, rate=rate_in(region), reader=lambda: SimulatedFilterLogEvents(world))
        await watcher.watch(EPOCH + timedelta(seconds=110))
        assert await taking < 20
        begun_at = EPOCH + timedelta(seconds=begins)
        assert found >= {record for record, visible in world.visible.items() if visible < begun_at}
        assert world.throttled <= refused
        assert watcher.missing() == []
        assert max(watcher.latencies(begun_at)) < 10

    virtual_time.run(scenario())
