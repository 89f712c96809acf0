"""Nothing lost, nothing claimed too early: whole days in virtual time."""

from __future__ import annotations

import asyncio
import itertools
import random
from datetime import datetime, timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.sources.agenda import Schedule
from smwatch.sources.cloudtrail import SCHEDULE
from smwatch.sources.source import Page, State, Status
from tests.sources import virtual_time
from tests.sources.simulation import EPOCH, Watcher, World, measured_delay

SHORT = Schedule(
    sweep_every=timedelta(seconds=10),
    sweep_lag=timedelta(minutes=3),
    settle_every=timedelta(seconds=60),
    settle_lag=timedelta(minutes=15),
    audit_every=timedelta(hours=1),
)
HOUR = timedelta(hours=1)


def never_back(moments: list[datetime]) -> bool:
    return all(one <= other for one, other in itertools.pairwise(moments))


@pytest.mark.parametrize(
    ("rate", "p50", "p99", "calls"),
    [
        pytest.param(0.3, 5, 10, 0.22),
        pytest.param(1, 7, 18, 0.44),
        pytest.param(3, 22, 55, 0.47, marks=pytest.mark.slow),
    ],
)
def test_latency_and_calls_stay_near_what_was_planned(rate: float, p50: float, p99: float, calls: float) -> None:
    """The plan's own simulation, with its budget of one call a second, is met but for a fifth."""

    async def scenario() -> None:
        world = World(seed=7)
        chance = random.Random(7)
        for _ in range(int(rate * 3 * 3600)):
            # log files are stamped before the index shows their events
            delay = min(measured_delay(chance) + chance.uniform(0, 140), 600)
            world.happen(EPOCH - HOUR + timedelta(seconds=chance.uniform(0, 3 * 3600)), delay)
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        await watcher.watch(EPOCH + 2 * HOUR)
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)
        latencies = watcher.latencies(EPOCH + timedelta(minutes=20))
        at = len(latencies)
        found = latencies[at // 2], latencies[at * 99 // 100], world.calls / 7200
        print(f"{rate}/s: p50 {found[0]:.1f} s, p99 {found[1]:.1f} s, {found[2]:.3f} calls/s")
        assert found[0] <= p50 * 1.5
        assert found[1] <= p99 * 1.2
        assert found[2] <= calls * 1.1

    virtual_time.run(scenario())


async def upheaval(
    seed: int,
    rate: float,
    crash: float,
    refused: float,
    clock_error: float,
    jumps: bool,
    competitor: float,
    cursors: bool,
    sparse: bool,
) -> World:
    """An hour of everything at once; fails when something settled was not handed over."""
    world = World(seed)
    chance = world.chance
    world.history.cursors, world.history.sparse = cursors, sparse
    world.refuse_tokens = refused
    world.latency = lambda: chance.uniform(0.05, 2)
    world.clock_error = timedelta(seconds=clock_error)
    # others ask in bursts of some minutes
    world.competitor = lambda at: competitor if int(at.timestamp()) // 300 % 3 == 0 else 0.0
    lag = SHORT.settle_lag.total_seconds()
    for _ in range(int(rate * 1.5 * 3600)):
        delay = chance.choice([measured_delay(chance), chance.uniform(0, lag)])
        world.happen(EPOCH - HOUR / 2 + timedelta(seconds=chance.uniform(0, 1.5 * 3600)), delay)
    for burst in range(5):
        for _ in range(200):
            world.happen(EPOCH + timedelta(minutes=8 * burst), chance.uniform(0, lag))
    watcher = Watcher(world, EPOCH - HOUR / 2, SHORT)

    def check() -> None:
        if jumps and chance.random() < 0.02:
            world.clock_error = timedelta(seconds=chance.choice([-600, 0, 600]))
        if chance.random() < 0.05:
            assert watcher.missing() == []

    await watcher.watch(EPOCH + 0.75 * HOUR, crash=crash, check=check)
    world.competitor = lambda _: 0.0
    world.refuse_tokens = 0.0
    await watcher.watch(EPOCH + HOUR)
    assert watcher.missing() == []
    assert never_back(watcher.watermarks)
    assert watcher.watermarks[-1] >= EPOCH + timedelta(minutes=35), watcher.watermarks[-1]
    return world


@settings(max_examples=12, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
@given(
    seed=st.integers(0, 2**32),
    rate=st.sampled_from([0.03, 0.3]),
    crash=st.sampled_from([0.0, 0.01, 0.2]),
    refused=st.sampled_from([0.0, 0.05, 0.5]),
    clock_error=st.sampled_from([-600, -20, 0, 20, 600]),
    jumps=st.booleans(),
    competitor=st.sampled_from([0.0, 1.0, 1.9]),
    cursors=st.booleans(),
    sparse=st.booleans(),
)
def test_what_is_settled_was_handed_over(
    seed: int,
    rate: float,
    crash: float,
    refused: float,
    clock_error: float,
    jumps: bool,
    competitor: float,
    cursors: bool,
    sparse: bool,
) -> None:
    virtual_time.run(upheaval(seed, rate, crash, refused, clock_error, jumps, competitor, cursors, sparse))


async def read_once(world: World, watcher: Watcher) -> Status:
    """One reading; its last status."""
    last = None
    async for item in watcher.start().read_once(watcher.coverage):
        if isinstance(item, Page):
            watcher.commit(item)
        else:
            last = item
    assert last is not None
    return last


def test_reading_once_gives_up_when_nothing_moves_for_a_minute() -> None:
    async def scenario() -> None:
        world = World(seed=1)
        world.competitor = lambda _: 2.0
        world._tokens = 0.0
        started_at = world.now()
        last = await read_once(world, Watcher(world, EPOCH - HOUR, SCHEDULE))
        assert last.state is State.THROTTLED
        assert timedelta(minutes=1) <= world.now() - started_at < timedelta(minutes=2)

    virtual_time.run(scenario())


def test_reading_again_and_again_finds_what_was_late_and_repeats_only_the_recent() -> None:
    async def scenario() -> None:
        world = World(seed=2)
        for second in range(0, 4 * 3600, 20):
            world.happen(EPOCH - HOUR + timedelta(seconds=second), world.chance.uniform(0, 3500))
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        calls = []
        for _ in range(12):
            watcher.since = world.now() - timedelta(minutes=15)
            before = world.calls
            assert (await read_once(world, watcher)).state is State.DONE
            calls.append(world.calls - before)
            await asyncio.sleep(900)
        settled = [event for event, at in world.born.items() if EPOCH < at < world.now() - HOUR - HOUR / 4]
        assert set(settled) <= set(watcher.seen)
        assert watcher.missing() == []
        assert max(calls) <= 6

    virtual_time.run(scenario())
