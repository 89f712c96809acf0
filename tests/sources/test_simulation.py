"""Nothing lost, nothing claimed too early: whole days in virtual time."""

from __future__ import annotations

import asyncio
import math
import random
import re
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.sources.agenda import OLDER
from smwatch.sources.cloudtrail import SCHEDULE
from smwatch.sources.coverage import Asked, Coverage, Gap, Lags, Span
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.nature import Schedule
from smwatch.sources.source import Page, State, Status
from tests.sources import virtual_time
from tests.sources.simulation import EPOCH, HOUR, Watcher, World, measured_delay, never_back, ordinary

SHORT = Schedule(
    sweep_every=timedelta(seconds=10),
    sweep_lag=timedelta(minutes=3),
    settle_every=timedelta(seconds=60),
    settle_lag=timedelta(minutes=15),
    audit_every=timedelta(hours=1),
)


@pytest.mark.parametrize(
    ("rate", "p50", "p99", "calls"),
    [
        pytest.param(0.3, 5, 10, 0.22),
        pytest.param(1, 7, 18, 0.44),
        pytest.param(3, 22, 55, 0.47, marks=pytest.mark.slow),
        pytest.param(6, 53, 126, 0.50, marks=pytest.mark.slow),
        pytest.param(10, 119, 306, 0.54, marks=pytest.mark.slow),
        pytest.param(15, 287, 1078, 0.60, marks=pytest.mark.slow),
    ],
)
def test_latency_and_calls_are_as_was_planned(rate: float, p50: float, p99: float, calls: float) -> None:
    """The plan's own simulation of two hours, with its delays, its budget of one call a second and its precision."""
    spent = virtual_time.run(ordinary(rate, 7200))
    assert round(spent.p50) <= p50
    assert round(spent.p99) <= p99
    assert round(spent.calls, 2) <= calls


@pytest.mark.parametrize("seed", [1, 2])
@pytest.mark.parametrize(("rate", "p50", "p99", "calls"), [(1, 7, 18, 0.44), (3, 22, 55, 0.47)])
def test_what_was_planned_is_kept_whatever_chance_brings(
    rate: float, p50: float, p99: float, calls: float, seed: int
) -> None:
    spent = virtual_time.run(ordinary(rate, 7200, seed))
    assert spent.p50 <= p50
    assert spent.p99 <= p99
    assert spent.calls <= calls


def test_at_one_a_second_what_sweeps_leave_does_not_wait_to_be_settled() -> None:
    assert virtual_time.run(ordinary(1, 7200)).longest < 300


@pytest.mark.slow
def test_a_whole_day_is_as_was_planned() -> None:
    """The settle, audits and what was learnt of late records go on for a day; the bench measures the other rates'."""
    spent = virtual_time.run(ordinary(0.3, 86_400))
    assert round(spent.p50) <= 5
    assert round(spent.p99) <= 10
    assert round(spent.calls, 2) <= 0.22
    assert 0 < spent.audits < 0.12


def happening(seed: int, rate: float, before: timedelta, after: timedelta) -> World:
    """An account with so many events a second, some of them before anybody watches."""
    world = World(seed)
    chance = world.chance
    for _ in range(round(rate * (before + after).total_seconds())):
        world.happen(EPOCH - before + chance.random() * (before + after), measured_delay(chance))
    return world


def waits(watcher: Watcher, after: datetime, until: datetime) -> tuple[float, float]:
    """Seconds after which half, and 99 of 100, of what became visible in that time was shown, if it was by now."""
    now = watcher.world.now()
    late = sorted(
        (watcher.seen.get(event, now) - visible).total_seconds()
        for event, visible in watcher.world.visible.items()
        if after <= visible < until
    )
    return late[len(late) // 2], late[len(late) * 99 // 100]


@pytest.mark.parametrize(
    ("rate", "p50", "p99", "calls"),
    [
        # at one, two seconds more than planned: the first sweep has eight pages, and later ones are planned by it
        pytest.param(1, 8, 20, 0.44),
        pytest.param(3, 22, 55, 0.47),
        # half of six, two seconds more: as much is settled from the start on as ever after
        pytest.param(6, 55, 126, 0.50, marks=pytest.mark.slow),
        pytest.param(10, 119, 306, 0.54, marks=pytest.mark.slow),
    ],
)
def test_beside_a_back_fill_and_after_it_latency_is_as_was_planned(
    rate: float, p50: float, p99: float, calls: float
) -> None:
    """An account with two hours of history, of which one is asked for: what becomes visible from the start on."""

    async def scenario() -> None:
        world = happening(7, rate, 2 * HOUR, HOUR)
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        half, end = EPOCH + HOUR / 2, EPOCH + HOUR
        steady, calls_before = end - HOUR / 3, 0

        def count() -> None:
            nonlocal calls_before
            if world.now() < steady:
                calls_before = world.calls

        await watcher.watch(end, check=count)
        for each50, each99 in (waits(watcher, EPOCH, half), waits(watcher, half, end - timedelta(minutes=10))):
            assert round(each50) <= p50
            assert round(each99) <= p99
        assert round((world.calls - calls_before) / (end - steady).total_seconds(), 2) <= calls
        asked_for = {event for event, at in world.born.items() if at >= watcher.since and world.visible[event] < EPOCH}
        assert asked_for <= set(watcher.seen)
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)

    virtual_time.run(scenario())


@pytest.mark.slow
def test_beside_what_an_outage_of_an_hour_left_in_a_busy_account_latency_is_as_was_planned() -> None:
    async def scenario() -> None:
        world = happening(7, 6, HOUR, 2.75 * HOUR)
        back = EPOCH + 1.5 * HOUR
        unreachable = CallError(State.UNREACHABLE, "no network", Remedy.RETRY)
        world.trouble = lambda: unreachable if back - HOUR < world.now() < back else None
        watcher = Watcher(world, EPOCH - HOUR / 4, SCHEDULE)
        await watcher.watch(EPOCH + 2.75 * HOUR)
        after = back + timedelta(minutes=1)  # the longest pause between two attempts
        _, beside = waits(watcher, after, after + HOUR / 2)
        _, later = waits(watcher, after + HOUR / 2, after + HOUR)
        # the first sweep holds what an hour of nothing left, and the next ones are planned by it
        assert round(beside) <= 130
        assert round(later) <= 126
        missed = {event for event, at in world.visible.items() if back - HOUR < at < back}
        assert len(missed) > 20_000
        assert missed <= set(watcher.seen)
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)

    virtual_time.run(scenario())


async def in_bursts(quiet: float, burst: int, every: timedelta, length: timedelta) -> tuple[World, Watcher]:
    """So many events a second, and so many more within a minute, every so often."""
    world = World(seed=31)
    chance = world.chance
    for _ in range(round(quiet * length.total_seconds())):
        world.happen(EPOCH + chance.random() * length, measured_delay(chance))
    for nth in range(1, math.ceil(length / every)):
        for _ in range(burst):
            world.happen(EPOCH + nth * every + chance.random() * timedelta(minutes=1), measured_delay(chance))
    watcher = Watcher(world, EPOCH, SCHEDULE)
    await watcher.watch(EPOCH + length)
    return world, watcher


@pytest.mark.parametrize(("burst", "every", "p50", "p99"), [(2000, 2 * HOUR, 22, 126), (300, HOUR / 4, 22, 55)])
def test_bursts_are_shown_as_soon_as_what_is_always_that_much(
    burst: int, every: timedelta, p50: float, p99: float
) -> None:
    """A deployment reads two thousand secrets in a minute, a job three hundred each quarter of an hour."""
    length = 3.5 * HOUR
    world, watcher = virtual_time.run(in_bursts(0.3, burst, every, length))
    assert watcher.missing() == []
    assert never_back(watcher.watermarks)
    in_time = {event for event, at in world.visible.items() if at < EPOCH + length - timedelta(minutes=15)}
    assert in_time <= set(watcher.seen)
    in_burst = [
        event
        for event in in_time
        if world.born[event] >= EPOCH + every and (world.born[event] - EPOCH) % every < timedelta(minutes=1)
    ]
    assert len(in_burst) > burst
    waits = sorted((watcher.seen[event] - world.visible[event]).total_seconds() for event in in_burst)
    assert waits[len(waits) // 2] <= p50
    assert waits[len(waits) * 99 // 100] <= p99
    assert world.calls / length.total_seconds() <= 0.44
    assert {status.state for status in watcher.statuses} <= {State.OK, State.CATCHING_UP}


@pytest.mark.parametrize(
    ("rate", "p50", "p99"), [(0.1, 5, 10), (0.2, 5, 10), (0.4, 7, 18), (0.7, 7, 18), (1.2, 22, 55)]
)
def test_rates_that_were_not_planned_are_not_slower_than_the_next_one_that_was(
    rate: float, p50: float, p99: float
) -> None:
    spent = virtual_time.run(ordinary(rate, 7200))
    assert round(spent.p50) <= p50
    assert round(spent.p99) <= p99


def scarce(seed: int, *, spoilt: float, length: timedelta) -> tuple[World, Watcher]:
    """Eight events a second, a network that spoils so many of the answers, and now and then a throttle."""
    world = World(seed)
    random.seed(seed)  # how long pauses are after failures
    chance = world.chance
    for _ in range(round(8 * length.total_seconds())):
        world.happen(EPOCH + chance.random() * length, chance.choice((0, 1, 3, 7)))
    troubles = (
        CallError(State.THROTTLED, "Rate exceeded", Remedy.PACE),
        CallError(State.UNREACHABLE, "reset", Remedy.RETRY),
    )
    weights = (0.027, spoilt)
    world.trouble = lambda: chance.choices((*troubles, None), (*weights, 1 - sum(weights)))[0]
    schedule = Schedule(*(timedelta(seconds=seconds) for seconds in (2, 20, 3, 12, 20)))
    return world, Watcher(world, EPOCH, schedule, rate=2.0)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_where_calls_are_scarce_the_mark_keeps_up_and_what_is_new_waits(seed: int) -> None:
    """Eight events a second, and a network that spoils a quarter of the answers and says at times that it is too much.

    It is asked less and less until that is a third of a call a second; to read each record once takes half of those.
    """

    async def scenario() -> None:
        world, watcher = scarce(seed, spoilt=0.245, length=HOUR)
        behind: list[timedelta] = []
        await watcher.watch(EPOCH + HOUR, check=lambda: behind.append(world.now() - watcher.mark))
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)
        assert world.calls < 0.4 * HOUR.total_seconds()
        assert max(behind) < timedelta(minutes=25)

    virtual_time.run(scenario())


def test_where_calls_are_too_scarce_for_the_mark_to_keep_up_that_is_said_with_the_way_out() -> None:
    async def scenario() -> None:
        world, watcher = scarce(4, spoilt=0.6, length=HOUR)
        await watcher.watch(EPOCH + HOUR)
        assert world.now() - watcher.mark > HOUR / 4
        said = re.compile(
            r"(.*; )?0\.\d+ answered calls/s are too few to keep up with \d(\.\d)? events/s: use the trail's log group"
            r" \(--log-group\)"
        )
        states = {status.state for status in watcher.statuses if said.fullmatch(status.message)}
        assert states == {State.CATCHING_UP, State.THROTTLED, State.UNREACHABLE}
        assert watcher.missing() == []

    virtual_time.run(scenario())


@pytest.mark.parametrize(("seconds", "said"), [(2, set()), (10, {"0.1"})])
def test_where_answers_are_so_slow_that_the_mark_falls_behind_that_is_said(seconds: float, said: set[str]) -> None:
    """Calls are made one after the other: of slow ones there are few, though none fails."""

    async def scenario() -> None:
        world, length = World(seed=5), 1.5 * HOUR
        for _ in range(round(3 * length.total_seconds())):
            world.happen(EPOCH - HOUR + world.chance.random() * length, measured_delay(world.chance))
        world.latency = lambda: seconds
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        await watcher.watch(EPOCH + HOUR / 2)
        few = re.compile(r"([\d.]+) answered calls/s are too few to keep up with \d(\.\d)? events/s: .*")
        assert {found[1] for status in watcher.statuses if (found := few.fullmatch(status.message))} == said
        assert world.throttled == 0
        assert watcher.missing() == []

    virtual_time.run(scenario())


def test_who_wants_the_mark_to_follow_closely_gets_it() -> None:
    async def scenario() -> None:
        world = World(seed=15)
        for second in range(0, 3600, 10):
            world.happen(EPOCH + timedelta(seconds=second), 100)
        often = msgspec.structs.replace(SHORT, settle_every=timedelta(seconds=10))
        watcher = Watcher(world, EPOCH, often)
        behind: list[timedelta] = []
        await watcher.watch(EPOCH + HOUR / 2)
        await watcher.watch(EPOCH + HOUR, check=lambda: behind.append(world.now() - watcher.mark))
        assert len(behind) > 100
        # ten seconds that AWS's own machines may differ by, and two for the calls
        assert max(behind) <= often.settle_lag + timedelta(seconds=22)
        assert watcher.missing() == []

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
        world.tokens = 0.0
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


def test_a_second_that_fills_many_pages_holds_no_sweep_up() -> None:
    async def scenario() -> None:
        world = World(seed=18)
        for second in range(0, 1800, 5):
            world.happen(EPOCH + timedelta(seconds=second), 60)
        before = set(world.born)
        for _ in range(700):
            world.happen(EPOCH + HOUR / 6, 60)
        watcher = Watcher(world, EPOCH - HOUR / 4, SHORT)
        await watcher.watch(EPOCH + HOUR / 2)
        burst = [(watcher.seen[event] - world.visible[event]).total_seconds() for event in set(world.born) - before]
        assert max(burst) < 60
        assert max(watcher.latencies(EPOCH)) < 60
        assert watcher.missing() == []

    virtual_time.run(scenario())


def test_a_second_that_fills_more_pages_than_a_slice_may_have_is_settled_too() -> None:
    async def scenario() -> None:
        world = World(seed=19)
        for second in range(0, 3600, 60):
            world.happen(EPOCH + timedelta(seconds=second), 60)
        for _ in range(5000):
            world.happen(EPOCH + HOUR / 6, 60)
        watcher = Watcher(world, EPOCH - HOUR / 4, SHORT)
        await watcher.watch(EPOCH + HOUR)
        assert watcher.missing() == []
        assert watcher.mark > EPOCH + HOUR / 2

    virtual_time.run(scenario())


@pytest.mark.parametrize("away", ["asleep", "without a network"])
@pytest.mark.parametrize(("begins", "lasts"), [(15, 60), (15, 56), (2, 60)])
def test_an_hour_away_says_nothing_of_how_late_records_are(away: str, begins: int, lasts: int) -> None:
    """What is read after it is old for this machine alone: sweeps reach no farther back than before."""

    async def scenario() -> None:
        world = World(seed=5)
        for second in range(2 * 3600):
            world.happen(EPOCH + timedelta(seconds=second), world.chance.choice((5, 60, 200)))
        left = EPOCH + timedelta(minutes=begins)
        back = left + timedelta(minutes=lasts)
        unreachable = CallError(State.UNREACHABLE, "no network", Remedy.RETRY)
        slept = False

        def fall_asleep() -> None:
            nonlocal slept
            if away == "asleep" and not slept and world.now() > left:
                slept = True
                world.asleep += back - left

        world.trouble = lambda: unreachable if away != "asleep" and left < world.now() < back else None
        watcher = Watcher(world, EPOCH, SCHEDULE)
        await watcher.watch(EPOCH + 2 * HOUR, check=fall_asleep)
        assert watcher.missing() == []
        assert watcher.mark > left
        assert {status.message for status in watcher.statuses if "late" in status.message} == set()

    virtual_time.run(scenario())


def test_an_hour_of_sleep_is_noticed_and_filled() -> None:
    async def scenario() -> None:
        world = World(seed=3)
        for second in range(0, 3 * 3600, 7):
            world.happen(EPOCH - HOUR / 2 + timedelta(seconds=second), world.chance.uniform(5, 500))
        watcher = Watcher(world, EPOCH - HOUR / 2, SHORT)
        woke_at = None

        def fall_asleep() -> None:
            nonlocal woke_at
            if woke_at is None and world.now() > EPOCH + HOUR / 4:
                world.asleep += HOUR
                woke_at = world.now()

        await watcher.watch(EPOCH + 2 * HOUR, check=fall_asleep)
        assert woke_at is not None
        said = [status for status in watcher.statuses if "asleep for 60 min; reading what was missed" in status.message]
        assert said
        assert all(status.state is State.CATCHING_UP for status in said)
        assert watcher.statuses[-1].state is State.OK
        missed = [event for event, at in world.visible.items() if woke_at - HOUR < at < woke_at]
        assert len(missed) > 400
        assert max((watcher.seen[event] - woke_at).total_seconds() for event in missed) < 90
        assert watcher.missing() == []
        last = watcher.statuses[-1].lag_max
        assert last is not None
        assert last < timedelta(minutes=10)

    virtual_time.run(scenario())


def test_a_clock_that_was_set_is_not_taken_for_sleep() -> None:
    async def scenario() -> None:
        world = World(seed=4)
        for second in range(0, 3600, 7):
            world.happen(EPOCH + timedelta(seconds=second), 60)
        watcher = Watcher(world, EPOCH, SHORT)
        await watcher.watch(EPOCH + HOUR / 4)
        flow = watcher.start().follow(watcher.coverage)
        async for item in flow:
            if isinstance(item, Status):
                watcher.statuses.append(item)
            else:
                watcher.commit(item)
            if world.now() > EPOCH + HOUR / 2:
                world.clock_error = timedelta(minutes=30)
            if world.now() > EPOCH + HOUR:
                break
        await flow.aclose()
        assert not any("asleep" in status.message for status in watcher.statuses)
        assert "clock is 1800 s ahead of AWS's" in watcher.statuses[-1].message
        assert watcher.missing() == []

    virtual_time.run(scenario())


def test_what_comes_after_the_settle_lag_is_found_by_the_audit_and_widens_the_lag() -> None:
    async def scenario() -> None:
        world = World(seed=5)
        for second in range(0, 6 * 3600, 60):
            world.happen(EPOCH - HOUR / 4 + timedelta(seconds=second), 100)
        for minute in (10, 20, 30):
            world.happen(EPOCH + timedelta(minutes=minute), 1500)
        watcher = Watcher(world, EPOCH - HOUR / 4, SHORT)
        await watcher.watch(EPOCH + 2.5 * HOUR)
        assert watcher.statuses[-1].late_events == 3
        assert watcher.missing() == []
        # twenty-five minutes are expected from now on
        behind = world.now() - watcher.watermarks[-1]
        assert behind > timedelta(minutes=30)
        assert never_back(watcher.watermarks)
        # and after a restart as well
        before = watcher.watermarks[-1]
        await watcher.watch(EPOCH + 2.75 * HOUR)
        assert watcher.coverage.lags.settle is not None
        assert watcher.coverage.lags.settle > timedelta(minutes=30)
        assert world.now() - watcher.watermarks[-1] > timedelta(minutes=30)
        assert watcher.watermarks[-1] > before or watcher.coverage.lags.settle > timedelta(hours=1)

    virtual_time.run(scenario())


@pytest.mark.parametrize("seed", [1, 2])
def test_what_comes_after_the_settle_lag_is_found_wherever_it_lies_among_many_others(seed: int) -> None:
    """One record in an hour is late by up to six hours, where six hours fill hundreds of pages."""

    async def scenario() -> None:
        world = World(seed)
        length = 14 * HOUR
        for _ in range(round(0.5 * length.total_seconds())):
            world.happen(EPOCH + world.chance.random() * length, measured_delay(world.chance))
        ordinary = set(world.born)
        for hour in range(6):
            world.happen(EPOCH + hour * HOUR + HOUR / 3, world.chance.uniform(4000, 5.9 * 3600))
        late = set(world.born) - ordinary
        watcher = Watcher(world, EPOCH, SCHEDULE)
        await watcher.watch(EPOCH + length)
        assert late <= set(watcher.seen)
        assert max(watcher.seen[event] - world.born[event] for event in late) < 8 * HOUR
        assert watcher.statuses[-1].late_events >= 1
        assert watcher.missing() == []

    virtual_time.run(scenario())


@pytest.mark.parametrize(
    ("apart", "since"),
    [
        (timedelta(seconds=70), HOUR / 12),
        pytest.param(timedelta(seconds=70), 12 * HOUR, marks=pytest.mark.slow),
        pytest.param(timedelta(minutes=7), HOUR / 12, marks=pytest.mark.slow),
    ],
)
def test_however_often_it_is_restarted_audits_find_what_was_late_by_hours(apart: timedelta, since: timedelta) -> None:
    """Whatever each start asks for: what an earlier one settled is said to be complete."""

    async def scenario() -> None:
        world = World(seed=21)
        chance, length = world.chance, 10.5 * HOUR
        for _ in range(round(0.1 * length.total_seconds())):
            world.happen(EPOCH + chance.random() * length, measured_delay(chance))
        ordinary = set(world.born)
        for minute in range(0, 3 * 60, 3):
            world.happen(EPOCH + timedelta(minutes=minute), chance.uniform(3600, 5.9 * 3600))
        late = set(world.born) - ordinary
        watcher = Watcher(world, EPOCH, SCHEDULE)
        while world.now() < EPOCH + length:
            watcher.since = world.now() - since
            await watcher.watch(world.now() + chance.uniform(0.7, 1.3) * apart)
        assert late - set(watcher.seen) == set()
        assert watcher.missing() == []

    virtual_time.run(scenario())


@pytest.mark.parametrize("since", [HOUR / 12, HOUR, 12 * HOUR])
def test_what_a_run_asked_for_and_had_no_time_to_read_is_read_by_the_next_one(since: timedelta) -> None:
    """Each run asks for what happened since some time before it, and is away for longer than that covers."""

    async def scenario() -> None:
        world = World(seed=23)
        for _ in range(round(0.3 * 20 * 3600)):
            world.happen(EPOCH - 12 * HOUR + world.chance.random() * 20 * HOUR, measured_delay(world.chance))
        watcher = Watcher(world, EPOCH, SCHEDULE)
        for _ in range(4):
            watcher.since = world.now() - since
            await watcher.watch(world.now() + timedelta(seconds=6))
            await asyncio.sleep(5000)
        await watcher.watch(EPOCH + 7.5 * HOUR)
        asked = {event for event, at in world.born.items() if EPOCH - since <= at}
        assert [event for event in asked - set(watcher.seen) if world.visible[event] < EPOCH + 7.4 * HOUR] == []
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)

    virtual_time.run(scenario())


@pytest.mark.parametrize("apart", [timedelta(seconds=90), timedelta(minutes=4)])
def test_however_often_it_is_restarted_the_last_hour_is_read_once_and_not_each_time(apart: timedelta) -> None:
    """A run that is shorter than it takes to read the hour before it goes on where the one before it was."""

    async def scenario() -> None:
        world = World(seed=29)
        for _ in range(round(3 * 1.5 * 3600)):
            world.happen(EPOCH - HOUR + world.chance.random() * 1.5 * HOUR, measured_delay(world.chance))
        watcher = Watcher(world, EPOCH, SCHEDULE)
        while world.now() < EPOCH + HOUR / 2:
            watcher.since = world.now() - HOUR
            await watcher.watch(world.now() + world.chance.uniform(0.7, 1.3) * apart)
        while_ago = EPOCH + HOUR / 2 - timedelta(minutes=5)
        unseen = [event for event, at in world.visible.items() if at < while_ago and event not in watcher.seen]
        # what turns up later than nearly all others is the settle's, as it is without a restart
        assert all(world.visible[event] - world.born[event] > timedelta(minutes=8) for event in unseen)
        assert len(unseen) < 0.002 * len(watcher.seen)
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)

    virtual_time.run(scenario())


def test_what_an_audit_can_not_read_is_named_until_it_can() -> None:
    async def scenario() -> None:
        world = World(seed=3)
        for second in range(0, 5 * 3600, 60):
            world.happen(EPOCH + timedelta(seconds=second), 100)
        bad, spoilt = EPOCH + HOUR / 3, True
        world.garbled = lambda oldest, newest: spoilt and oldest <= bad <= newest and world.now() > EPOCH + HOUR
        watcher = Watcher(world, EPOCH, SHORT)
        await watcher.watch(EPOCH + 1.9 * HOUR)
        named = re.compile(r"2026-11-23 11:\d\d:\d\d to 12:\d\d:\d\dZ could not be read again for late records: ")
        told = [bool(named.search(status.message)) for status in watcher.statuses]
        assert all(told[told.index(True) :])
        assert {status.state for status, is_named in zip(watcher.statuses, told, strict=True) if is_named} > {State.OK}
        assert watcher.coverage.gaps == ()
        spoilt = False
        await watcher.watch(EPOCH + 4 * HOUR)
        assert "late records" not in watcher.statuses[-1].message
        assert watcher.missing() == []

    virtual_time.run(scenario())


def test_where_there_are_too_few_calls_to_look_again_that_is_said() -> None:
    async def scenario() -> None:
        world = World(seed=20)
        length = 20 * HOUR
        for _ in range(round(0.3 * length.total_seconds())):
            world.happen(EPOCH + world.chance.random() * length, measured_delay(world.chance))
        watcher = Watcher(world, EPOCH, SCHEDULE, rate=0.014)
        await watcher.watch(EPOCH + length)
        said = (
            "more events than LookupEvents can show quickly, or look again for what is later than 1 h: use the"
            " trail's log group (--log-group)"
        )
        assert said in {status.message for status in watcher.statuses}
        assert watcher.missing() == []

    virtual_time.run(scenario())


@pytest.mark.parametrize("known", [False, True])
def test_after_a_restart_an_event_behind_the_mark_is_late_if_it_is_new_to_the_journal(known: bool) -> None:
    async def scenario() -> None:
        world = World(seed=16)
        for second in range(0, 6 * 3600, 60):
            world.happen(EPOCH - HOUR / 4 + timedelta(seconds=second), 100)
        before = set(world.born)
        world.happen(EPOCH + HOUR / 12, 1800)
        (late,) = set(world.born) - before
        watcher = Watcher(world, EPOCH - HOUR / 4, SHORT)
        await watcher.watch(EPOCH + HOUR / 2)
        assert world.now() < world.visible[late]
        assert watcher.mark > world.born[late]
        assert late not in watcher.seen
        if known:  # by way of another source
            watcher.seen[late] = world.now()
        await watcher.watch(EPOCH + 2 * HOUR)
        assert late in watcher.seen
        assert watcher.statuses[-1].late_events == (0 if known else 1)
        lag = watcher.coverage.lags.settle
        assert lag is None if known else lag is not None and lag > timedelta(minutes=30)

    virtual_time.run(scenario())


def test_records_that_sweeps_keep_missing_make_them_reach_back_further() -> None:
    async def scenario() -> None:
        world = World(seed=6)
        for second in range(0, 8 * 3600, 20):
            world.happen(EPOCH - HOUR / 4 + timedelta(seconds=second), 100 if second % 60 else 500)
        watcher = Watcher(world, EPOCH - HOUR / 4, SHORT)
        await watcher.watch(EPOCH + 2 * HOUR)
        assert watcher.latencies(EPOCH)[-1] > 300
        assert watcher.latencies(EPOCH + HOUR / 2)[-1] < 30
        # after a restart they go on doing so
        restarted_at = world.now()
        await watcher.watch(EPOCH + 2.5 * HOUR)
        assert watcher.latencies(restarted_at)[-1] < 30
        assert watcher.coverage.lags.sweep is not None
        # until some hours later, when the first are missed again and they reach back further once more
        before = watcher.coverage.lags.sweep_until
        assert before is not None
        await watcher.watch(EPOCH + 7 * HOUR)
        assert watcher.coverage.lags.sweep_until is not None
        assert watcher.coverage.lags.sweep_until > before
        assert watcher.latencies(before)[-1] > 300

    virtual_time.run(scenario())


def test_a_week_is_back_filled_in_slices_beside_the_live_view() -> None:
    async def scenario() -> None:
        world = World(seed=7)
        week = timedelta(days=7)
        for _ in range(8000):
            world.happen(EPOCH - week * world.chance.random(), 0)
        for second in range(0, 3600, 20):
            world.happen(EPOCH + timedelta(seconds=second), 60)
        watcher = Watcher(world, EPOCH - week, SCHEDULE)
        await watcher.watch(EPOCH + HOUR / 4, crash=0.02)
        assert watcher.missing() == []
        assert watcher.crashes > 0
        assert never_back(watcher.watermarks)
        assert len(set(watcher.watermarks)) > 8
        assert watcher.statuses[-1].state is State.OK
        assert watcher.watermarks[-1] >= EPOCH - HOUR
        fill = [status.progress for status in watcher.statuses if status.state is State.CATCHING_UP and status.progress]
        assert any(text.startswith("back-filling 1 of ~") and text.endswith(" min") for text in fill), fill
        assert max(watcher.latencies(EPOCH + timedelta(seconds=120))) < 60

    virtual_time.run(scenario())


@pytest.mark.parametrize("rate", [3, 10])
def test_how_long_the_first_hour_takes_to_be_read_is_told(rate: float) -> None:
    async def scenario() -> None:
        world = happening(7, rate, 2 * HOUR, HOUR)
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        await watcher.watch(EPOCH + HOUR)
        fill = [status for status in watcher.statuses if status.state in (State.STARTING, State.CATCHING_UP)]
        ends = [status.at for status in watcher.statuses if status.state is State.OK and status.at is not None]
        took = ends[0] - EPOCH
        assert took > timedelta(minutes=5)
        told = [(status.at - EPOCH, status.progress) for status in fill if status.at is not None]
        told = [(at, progress) for at, progress in told if progress.endswith(" min")]
        assert told[0][0] < took / 10
        for at, progress in told:
            spent, whole = map(int, re.findall(r"\d+", progress.replace("<1", "0")))
            assert spent == at // timedelta(minutes=1)
            assert at < took / 4 or 0.7 * took < timedelta(minutes=whole) < 1.3 * took

    virtual_time.run(scenario())


def test_a_back_fill_of_hours_names_athena() -> None:
    async def scenario() -> None:
        world = World(seed=8)
        world.history.page_size = 1
        for _ in range(20_000):
            world.happen(EPOCH - timedelta(days=20) * world.chance.random(), 0)
        watcher = Watcher(world, EPOCH - timedelta(days=20), SCHEDULE)
        await watcher.watch(EPOCH + HOUR / 4)
        last = watcher.statuses[-1]
        assert last.state is State.CATCHING_UP
        assert last.progress.endswith(" h")
        assert "Athena" in last.message

    virtual_time.run(scenario())


def test_what_lies_beyond_ninety_days_is_a_gap() -> None:
    async def scenario() -> None:
        world = World(seed=9)
        world.happen(EPOCH - timedelta(days=89), 0)
        watcher = Watcher(world, EPOCH - timedelta(days=120), SCHEDULE)
        await watcher.watch(EPOCH + HOUR / 4)
        last = watcher.statuses[-1]
        (gap,) = last.gaps
        assert gap.span.start == EPOCH - timedelta(days=120)
        assert abs(gap.span.end - (EPOCH - timedelta(days=90) + HOUR)) < timedelta(minutes=1)
        assert gap.reason == "older than what the service keeps (from 2026-08-25 13:00Z on)"
        assert len(watcher.seen) == 1
        assert last.state is State.OK
        assert last.complete_to is not None
        assert last.complete_to > EPOCH - 1.1 * HOUR

    virtual_time.run(scenario())


def wrongly_given_up(world: World) -> Watcher:
    """A journal of two hours ago in which a clock that ran 100 days ahead has given up all that was to come."""
    watcher = Watcher(world, EPOCH - HOUR / 4, SHORT)
    gap = Gap(Span(EPOCH - 2 * HOUR, EPOCH + HOUR / 2), f"{OLDER} (from 2027-03-03 12:00Z on)")
    watcher.coverage = Coverage((Span(EPOCH - 3 * HOUR, EPOCH - 2 * HOUR),), (gap,))
    for second in range(0, 4 * 3600, 20):
        world.happen(EPOCH - 2 * HOUR + timedelta(seconds=second), world.chance.uniform(0, 500))
    return watcher


def test_what_a_wrong_clock_gave_up_is_read_and_stays_so_when_that_time_has_passed() -> None:
    async def scenario() -> None:
        world = World(seed=13)
        watcher = wrongly_given_up(world)
        await watcher.watch(EPOCH + HOUR / 4)
        assert watcher.coverage.gaps == ()
        first = min(world.born.values())
        assert watcher.coverage.holds(first)
        # nobody watches while the time passes that was given up
        await asyncio.sleep(3600)
        await watcher.watch(EPOCH + 2 * HOUR)
        assert watcher.coverage.complete_to(first) > EPOCH + 1.5 * HOUR
        assert watcher.missing() == []
        assert {event for event, at in world.born.items() if at < EPOCH + 1.5 * HOUR} <= set(watcher.seen)

    virtual_time.run(scenario())


def test_reading_once_takes_back_what_a_wrong_clock_gave_up() -> None:
    async def scenario() -> None:
        world = World(seed=14)
        watcher = wrongly_given_up(world)
        watcher.since = EPOCH - 2 * HOUR
        last = await read_once(world, watcher)
        assert last.state is State.DONE
        assert last.gaps == watcher.coverage.gaps == ()
        assert watcher.missing() == []
        visible = {event for event, at in world.visible.items() if at <= EPOCH}
        assert len(visible) > 300
        assert visible <= set(watcher.seen)

    virtual_time.run(scenario())


def test_what_was_complete_in_a_journal_that_is_lost_is_said_to_be_read_again() -> None:
    async def scenario() -> None:
        world = World(seed=17)
        for second in range(0, 2 * 3600, 10):
            world.happen(EPOCH - HOUR + timedelta(seconds=second), 60)
        watcher = Watcher(world, EPOCH - HOUR, SHORT)
        watcher.coverage = Coverage(lost_to=EPOCH - HOUR / 3)
        await watcher.watch(EPOCH + HOUR / 4)
        said = "reading again what a journal held that is lost; it was complete up to 2026-11-23 11:40Z"
        lost = [status for status in watcher.statuses if status.message == said]
        assert lost
        assert all(status.complete_to is None or status.complete_to < EPOCH - HOUR / 3 for status in lost)
        assert watcher.statuses[-1].message == ""
        assert watcher.mark >= EPOCH - HOUR / 3
        assert watcher.missing() == []

    virtual_time.run(scenario())


def test_a_page_that_never_arrives_whole_becomes_a_gap_of_a_minute() -> None:
    async def scenario() -> None:
        world = World(seed=10)
        for second in range(0, 4 * 3600, 5):
            world.happen(EPOCH - 3 * HOUR + timedelta(seconds=second), 0)
        poison = EPOCH - 2 * HOUR + timedelta(seconds=30)
        world.garbled = lambda first, last: first <= poison <= last
        watcher = Watcher(world, EPOCH - 3 * HOUR, SHORT)
        await watcher.watch(EPOCH + 0.75 * HOUR)
        (gap,) = watcher.coverage.gaps
        assert gap.span.start <= poison < gap.span.end
        assert gap.span.end - gap.span.start <= timedelta(minutes=1)
        assert gap.reason == "nonsense"
        assert watcher.missing() == []
        assert watcher.statuses[-1].state is State.OK

    virtual_time.run(scenario())


def test_a_captive_portal_leaves_no_gap() -> None:
    async def scenario() -> None:
        world = World(seed=11)
        for second in range(0, 4 * 3600, 60):
            world.happen(EPOCH - 3 * HOUR + timedelta(seconds=second), 0)
        watcher = Watcher(world, EPOCH - 3 * HOUR, SHORT)
        world.garbled = lambda _, __: EPOCH + HOUR / 6 < world.now() < EPOCH + HOUR
        await watcher.watch(EPOCH + 1.5 * HOUR)
        assert watcher.coverage.gaps == ()
        assert any(status.state is State.FAILING for status in watcher.statuses)
        assert watcher.statuses[-1].state is State.OK
        assert watcher.missing() == []
        assert len(watcher.seen) == len([at for at in world.born.values() if at < world.now()])

    virtual_time.run(scenario())


@pytest.mark.slow
def test_where_there_is_too_much_for_sweeps_nothing_is_lost_either() -> None:
    async def scenario() -> None:
        world = World(seed=12)
        length = 1.5 * HOUR
        for _ in range(round(12 * length.total_seconds())):
            world.happen(EPOCH + world.chance.random() * length, measured_delay(world.chance))
        world.refuse_tokens = 0.02
        world.competitor = lambda at: 1.5 if int(at.timestamp()) // 300 % 4 == 0 else 0.0
        watcher = Watcher(world, EPOCH, SHORT)
        slept = False

        def fall_asleep() -> None:
            nonlocal slept
            if not slept and world.now() > EPOCH + HOUR / 2:
                slept = True
                world.asleep += HOUR / 4

        await watcher.watch(EPOCH + 1.75 * HOUR, crash=0.0005, check=fall_asleep)
        assert slept
        assert watcher.crashes > 0
        assert world.throttled > 0
        await watcher.watch(EPOCH + 2.5 * HOUR)
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)
        assert watcher.watermarks[-1] > EPOCH + length
        assert set(watcher.seen) == set(world.born)

    virtual_time.run(scenario())


def test_what_a_run_before_has_swept_is_not_taken_for_late() -> None:
    async def scenario() -> None:
        world = World(3)
        for second in range(0, 3 * 3600, 10):
            world.happen(EPOCH + timedelta(seconds=second), measured_delay(world.chance))
        watcher = Watcher(world, EPOCH, SCHEDULE)
        await watcher.watch(EPOCH + timedelta(minutes=90))
        await watcher.watch(EPOCH + timedelta(minutes=180))
        assert {status.message for status in watcher.statuses} == {""}
        assert watcher.coverage.lags == Lags()

    virtual_time.run(scenario())


def test_a_clock_that_was_refused_and_is_set_is_noticed_at_once() -> None:
    async def scenario() -> None:
        world = happening(5, 0.1, HOUR, HOUR)
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        world.clock_error = timedelta(minutes=20)
        asked: list[datetime] = []
        world.asked = lambda _, __: asked.append(world.now())
        refused = CallError(State.FAILING, "the time is wrong", Remedy.SET_CLOCK)
        world.trouble = lambda: refused if abs(world.clock_error) > timedelta(minutes=5) else None
        await watcher.watch(EPOCH + HOUR / 4)
        assert len(asked) < 40, "it asks seldom meanwhile"
        for _ in range(5):
            world.clock_error = timedelta(minutes=20)
            watching = asyncio.create_task(watcher.watch(world.now() + HOUR / 12))
            await asyncio.sleep(random.Random(1).uniform(240, 270))
            set_at, world.clock_error = world.now(), timedelta()
            await watching
            assert min(at for at in asked if at > set_at) - set_at < timedelta(seconds=6)

    virtual_time.run(scenario())


def test_who_asks_for_an_hour_is_told_why_weeks_are_read() -> None:
    async def scenario() -> None:
        world = happening(6, 0.02, 20 * 24 * HOUR, HOUR)
        watcher = Watcher(world, EPOCH - HOUR, SCHEDULE)
        left = EPOCH - 20 * 24 * HOUR
        watcher.coverage = Coverage((Span(left - HOUR, left),), asked=(Asked(left - HOUR, left),))
        await watcher.watch(EPOCH + HOUR / 2)
        said = [status.message for status in watcher.statuses if status.progress]
        assert set(said) == {"reading as well what an earlier run left unread, from 2026-11-03 12:00Z on"}
        assert watcher.statuses[-1].message == ""
        assert watcher.missing() == []

    virtual_time.run(scenario())
