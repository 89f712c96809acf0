"""Nothing lost, nothing claimed too early, of a log group: half an hour at a time, in virtual time."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import msgspec
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.logs import SCHEDULE, FilterLogEvents
from smwatch.sources.reader import Answer, Row
from smwatch.sources.source import Found, State
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


class LogWorld(World):
    """A log group instead of the event history."""

    def __init__(self, seed: int) -> None:
        super().__init__(seed)
        self.group = LogGroupService(self.now)

    def write(self, at: datetime, *, ingested: float = 0.0, found: float = 0.0) -> None:
        """A record with this timestamp, ingested so many seconds after it and found so many after that."""
        at = at.replace(microsecond=at.microsecond // 1000 * 1000)
        number = f"record {len(self.born)}"
        ingested_at = at + timedelta(seconds=ingested)
        self.born[number] = at
        self.visible[number] = ingested_at + timedelta(seconds=found)
        self.group.put(number, at, ingested=ingested_at, visible=self.visible[number])


class SimulatedFilterLogEvents(SignedIn):
    """The page reader of the simulated group."""

    api = FilterLogEvents.api
    nature = FilterLogEvents.nature

    def __init__(self, world: LogWorld) -> None:
        self.world = world

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        world = self.world
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
        world.write(at, ingested=late, found=chance.choice([0.0, chance.uniform(0, 10), chance.uniform(0, lag / 2)]))
    for burst in range(3):
        for _ in range(200):
            world.write(EPOCH + timedelta(minutes=6 * burst), ingested=chance.uniform(0, lag))
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
