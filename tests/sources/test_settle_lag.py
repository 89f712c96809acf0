"""A settle lag that late records widened narrows again, step by step, and never for what is still that late."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import msgspec
import pytest

from smwatch.sources import cloudtrail, logs
from smwatch.sources.coverage import Coverage, Lags
from smwatch.sources.settle_lag import LONGEST, SettleLag
from smwatch.sources.source import Page, Status
from tests.sources import virtual_time
from tests.sources.simulation import EPOCH, Watcher, World, never_back
from tests.sources.test_simulated_log_group import LogWorld, SimulatedFilterLogEvents

NOW = datetime(2026, 11, 28, 12, 0, tzinfo=UTC)
MINUTE, HOUR = timedelta(minutes=1), timedelta(hours=1)
PLANNED = 15 * MINUTE


def kept(lag: SettleLag) -> Lags:
    return Lags(settle=lag.now if lag.wide else None, settle_until=lag.until)


def test_it_is_halved_down_to_what_was_planned_when_nothing_is_late_any_more() -> None:
    lag = SettleLag(PLANNED, Lags())
    lag.widen(5 * HOUR, NOW)
    assert (lag.now, lag.until) == (LONGEST, NOW + 12 * HOUR)
    steps, at = [], NOW
    while lag.wide:
        assert lag.until is not None
        lag.narrow(lag.until - MINUTE)
        at = lag.until
        lag.narrow(at)
        lag = SettleLag(PLANNED, kept(lag))  # restarts change nothing
        steps.append(lag.now)
    assert steps == [3 * HOUR, 1.5 * HOUR, 45 * MINUTE, 22.5 * MINUTE, PLANNED]
    assert at == NOW + (12 + 6 + 3 + 1.5 + 1) * HOUR
    assert lag.until is None


def test_a_last_moment_in_the_journal_is_outlived() -> None:
    lag = SettleLag(PLANNED, Lags(settle=LONGEST, settle_until=datetime.max.replace(tzinfo=UTC)))
    lag.saw(LONGEST, NOW)
    lag.narrow(NOW)
    assert lag.until == NOW + 12 * HOUR


@pytest.mark.parametrize(("delay", "stays"), [(2.5 * HOUR, True), (2 * HOUR, False)])
def test_it_stays_as_long_as_records_are_too_late_for_half_of_it(delay: timedelta, stays: bool) -> None:
    lag = SettleLag(PLANNED, Lags(settle=LONGEST, settle_until=NOW + HOUR))
    lag.saw(delay, NOW)
    lag.narrow(NOW + HOUR)
    assert lag.wide
    assert (lag.now == LONGEST) == stays
    assert lag.until == (NOW + 12 * HOUR if stays else NOW + 7 * HOUR)


@pytest.mark.parametrize("until", [None, NOW + timedelta(days=100)], ids=["an older journal", "a wrong clock"])
def test_one_that_was_kept_without_an_end_gets_one(until: datetime | None) -> None:
    lag = SettleLag(PLANNED, Lags(settle=2 * HOUR, settle_until=until))
    lag.narrow(NOW)
    assert (lag.now, lag.until) == (2 * HOUR, NOW + 4 * HOUR)


def test_after_a_long_time_off_it_is_halved_once_and_watched_again() -> None:
    lag = SettleLag(PLANNED, Lags(settle=LONGEST, settle_until=NOW - timedelta(days=9)))
    lag.narrow(NOW)
    lag.narrow(NOW + HOUR)
    assert (lag.now, lag.until) == (3 * HOUR, NOW + 6 * HOUR)


@pytest.mark.parametrize("once", [False, True], ids=["followed", "read once"])
def test_a_wider_lag_does_not_take_the_mark_back_at_a_restart(once: bool) -> None:
    async def scenario() -> None:
        world = LogWorld(5)
        for n in range(4 * 60):
            world.write(EPOCH + n * MINUTE, ingested=30)
        world.write(EPOCH + 5 * MINUTE, ingested=100 * 60)
        schedule = msgspec.structs.replace(logs.SCHEDULE, sweep_every=MINUTE, audit_every=5 * MINUTE)
        watcher = Watcher(world, EPOCH, schedule, rate=2, reader=lambda: SimulatedFilterLogEvents(world))
        await watcher.watch(EPOCH + 2 * HOUR)
        assert watcher.coverage.lags.settle is not None
        assert watcher.coverage.lags.settle >= 2.5 * HOUR
        mark = watcher.watermarks[-1]
        assert mark > EPOCH + 1.3 * HOUR
        watcher.since = world.now() - HOUR / 2  # as `--since 30m` says at each start
        if once:
            items = [item async for item in watcher.start().read_once(watcher.coverage)]
            marks = [item.complete_to for item in items if isinstance(item, Status)]
            assert marks
            assert all(one is not None and one >= mark for one in marks)
        else:
            await watcher.watch(EPOCH + 2.1 * HOUR)
            assert never_back(watcher.watermarks)

    virtual_time.run(scenario())


def test_a_reading_that_ends_narrows_it_as_well_and_leaves_the_sweeps_to_who_follows() -> None:
    async def scenario() -> None:
        world = LogWorld(5)
        sweep = Lags(sweep=2 * MINUTE, sweep_until=EPOCH + HOUR)
        wide = msgspec.structs.replace(sweep, settle=LONGEST, settle_until=EPOCH - HOUR)
        watcher = Watcher(world, EPOCH - HOUR, logs.SCHEDULE, reader=lambda: SimulatedFilterLogEvents(world))
        told = [
            page.noted.lags
            async for page in watcher.start().read_once(Coverage(lags=wide))
            if isinstance(page, Page) and page.noted is not None and page.noted.lags is not None
        ]
        assert told[-1].settle == 3 * HOUR
        assert {(lags.sweep, lags.sweep_until) for lags in told} == {(sweep.sweep, sweep.sweep_until)}

    virtual_time.run(scenario())


@pytest.mark.parametrize("group", [True, False], ids=["log group", "event history"])
def test_one_late_record_puts_the_mark_back_for_a_day_and_not_for_ever(group: bool) -> None:
    async def scenario() -> None:
        world: World = LogWorld(5) if group else World(5)
        schedule = msgspec.structs.replace(
            logs.SCHEDULE if group else cloudtrail.SCHEDULE,
            sweep_every=5 * MINUTE,  # nothing hangs on sweeps here
            settle_every=5 * MINUTE,
            settle_lag=PLANNED,
        )

        def happen(at: datetime, late: float) -> None:
            if isinstance(world, LogWorld):
                world.write(at, ingested=late)
            else:
                world.happen(at, late)

        for n in range(36 * 6):
            happen(EPOCH + n * 10 * MINUTE, 30)
        happen(EPOCH + HOUR, 5 * 3600)
        again = EPOCH + 32 * HOUR
        happen(again, 3 * 3600)
        watcher = Watcher(
            world,
            EPOCH,
            schedule,
            rate=2,
            reader=(lambda: SimulatedFilterLogEvents(world)) if isinstance(world, LogWorld) else None,
        )

        async def watched(until: datetime) -> timedelta | None:
            await watcher.watch(until)
            assert never_back(watcher.watermarks)
            return watcher.coverage.lags.settle

        assert await watched(EPOCH + 7.5 * HOUR) == LONGEST
        assert watcher.statuses[-1].late_events == 1, "it was called complete without, and that is told"
        assert "settled after 6 h instead of 15 min; after 3 h from 20" in watcher.statuses[-1].message
        assert await watched(EPOCH + 17 * HOUR) == LONGEST
        assert world.now() - watcher.mark > LONGEST
        assert await watched(EPOCH + 20 * HOUR) == 3 * HOUR
        assert world.now() - watcher.mark < 3.5 * HOUR
        assert await watched(EPOCH + 31 * HOUR) is None
        assert world.now() - watcher.mark < 30 * MINUTE
        assert watcher.statuses[-1].message == ""
        # narrow again, and honest about what is later than that
        lag = await watched(again + 4.5 * HOUR)
        assert lag is not None
        assert 4.5 * HOUR <= lag < 5 * HOUR, "half as much again as it was late, or as it was found late"
        assert watcher.statuses[-1].late_events == 1
        assert {one for one, visible in world.visible.items() if visible < world.now() - HOUR} <= watcher.seen.keys()

    virtual_time.run(scenario())
