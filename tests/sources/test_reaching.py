"""Reaching back before the beginning while a source is followed."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

import msgspec
import pytest

from smwatch.sources import logs
from smwatch.sources.cloudtrail import SCHEDULE
from smwatch.sources.coverage import Lags, Span
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.reader import Answer
from smwatch.sources.source import State
from tests.sources import virtual_time
from tests.sources.simulation import EPOCH, HOUR, SimulatedLookupEvents, Watcher, World, never_back
from tests.sources.test_simulated_log_group import LogWorld, SimulatedFilterLogEvents

DAY = timedelta(days=1)
EXPIRED = CallError(State.SIGN_IN, "the credentials have expired", Remedy.SIGN_IN)


class Sort(Enum):
    """What a request is for, as far as a service can tell."""

    LATEST = auto()
    ASIDE = auto()
    SETTLE = auto()
    AUDIT = auto()


class Chain(NamedTuple):
    """The requests that one token after the other belongs to."""

    sort: Sort
    number: int


class Wiretapped(SimulatedLookupEvents):
    """Tells of each request to which reading it belongs, by its token; of a token that goes on an older one, too."""

    def __init__(self, world: World, tap: Tap) -> None:
        super().__init__(world)
        self.tap = tap

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        chain = self.tap.asked(start, until, token)
        answer = await super().page(start, until, token)
        if answer.token is not None:
            self.tap.tokens[answer.token] = chain
        return answer


class Tap:
    """Listens to all requests of one account, Region and API."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.settled: Callable[[], Sequence[Span]] = tuple
        self.tokens: dict[str, Chain] = {}
        self.began: dict[Sort, int] = dict.fromkeys(Sort, 0)
        self.pages: list[tuple[datetime, datetime | None]] = []
        self.overlaps: list[Chain] = []
        """Readings that went on although another one of their sort had begun."""

    def asked(self, start: datetime, until: datetime | None, token: str | None) -> Chain:
        self.pages.append((start, until))
        if token is None:
            sort = self._sort(start, until)
            self.began[sort] += 1
            return Chain(sort, self.began[sort])
        chain = self.tokens[token]
        if chain.number != self.began[chain.sort]:
            self.overlaps.append(chain)
        return chain

    def _sort(self, start: datetime, until: datetime | None) -> Sort:
        if until is None:
            return Sort.LATEST
        if any(span.start <= start + timedelta(seconds=1) and until < span.end for span in self.settled()):
            return Sort.AUDIT
        return Sort.SETTLE if until < self.world.now() - SCHEDULE.settle_lag else Sort.ASIDE


def watched(since: datetime, *, days: int, events: int, live: bool = True) -> tuple[World, Watcher, Tap]:
    """A busy past of so many days, something each 20 seconds now, and who watches it since a moment."""
    world = World(seed=21)
    for _ in range(events):
        world.happen(EPOCH - days * DAY * world.chance.random(), 0)
    for second in range(0, 3 * 3600, 20) if live else ():
        world.happen(EPOCH + timedelta(seconds=second), 60)
    tap = Tap(world)
    watcher = Watcher(world, since, SCHEDULE, reader=lambda: Wiretapped(world, tap))
    tap.settled = lambda: watcher.coverage.settled
    return world, watcher, tap


def scene(scenario: Callable[[], Awaitable[None]]) -> None:
    async def whole() -> None:
        await scenario()

    virtual_time.run(whole())


async def reach(watcher: Watcher, since: datetime) -> bool:
    assert watcher.tail is not None
    return await watcher.tail.reach(since)


def unseen(world: World, watcher: Watcher, since: datetime) -> list[str]:
    """What happened since a moment, up to two hours before now, and was never handed over."""
    end = world.now() - 2 * HOUR
    return [event for event, at in world.born.items() if since <= at < end and event not in watcher.seen]


def test_what_lies_before_the_beginning_is_read_beside_what_comes_and_the_mark_goes_on() -> None:
    async def scenario() -> None:
        world, watcher, tap = watched(EPOCH - HOUR, days=7, events=8000)
        watching = asyncio.create_task(watcher.watch(EPOCH + 1.5 * HOUR))
        await asyncio.sleep(600)
        assert await reach(watcher, EPOCH - 7 * DAY)
        done_at = world.now()
        assert unseen(world, watcher, EPOCH - 7 * DAY) == []
        assert tap.overlaps == []
        told = [status for status in watcher.statuses if status.at is not None and status.at <= done_at]
        progress = [status.progress for status in told if status.state is State.CATCHING_UP]
        assert any(text.startswith("back-filling 1 of ~") and text.endswith(" min") for text in progress), progress
        await watching
        assert watcher.missing() == []
        assert watcher.statuses[-1].state is State.OK
        assert never_back(watcher.watermarks)
        during = {mark for mark in watcher.watermarks if mark > EPOCH - 0.9 * HOUR}
        assert len(during) > 3
        assert max(watcher.latencies(EPOCH + timedelta(seconds=700))) < 60
        assert watcher.coverage.settled[0].start == EPOCH - 7 * DAY
        assert len(watcher.coverage.settled) == 1

    scene(scenario)


def test_no_two_readings_of_a_kind_go_on_at_once_whenever_and_however_often_an_earlier_moment_is_asked_for() -> None:
    """Also while the first back-fill still runs, further back while that is read, and over restarts."""

    async def scenario() -> None:
        world, watcher, tap = watched(EPOCH - 2 * DAY, days=40, events=20_000)
        watching = asyncio.create_task(watcher.watch(EPOCH + 2.5 * HOUR, crash=0.01))
        await asyncio.sleep(5)
        asked = [asyncio.create_task(reach(watcher, EPOCH - days * DAY)) for days in (5, 10)]
        await asyncio.sleep(120)
        asked.append(asyncio.create_task(reach(watcher, EPOCH - 40 * DAY)))
        crashes = 0
        while not watching.done():
            if watcher.crashes > crashes and watcher.tail is not None:
                crashes = watcher.crashes
                await asyncio.sleep(2)
                asked.append(asyncio.create_task(reach(watcher, EPOCH - 40 * DAY)))  # somebody asks again
            await asyncio.sleep(1)
        assert crashes > 3
        assert tap.overlaps == []
        assert all(tap.began.values()), tap.began
        assert unseen(world, watcher, EPOCH - 40 * DAY) == []
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)
        for task in asked:
            task.cancel()

    scene(scenario)


def test_two_readings_beside_each_other_are_noticed() -> None:
    """The test above would fail if another source of the same name read the past."""

    async def scenario() -> None:
        _, watcher, tap = watched(EPOCH - 7 * DAY, days=7, events=8000)
        watching = asyncio.create_task(watcher.watch(EPOCH + HOUR))
        await asyncio.sleep(60)
        other = Watcher(watcher.world, EPOCH - 7 * DAY, SCHEDULE, reader=watcher.reader)
        async for _item in other.start().read_once(watcher.coverage):
            pass
        await watching
        assert tap.overlaps

    scene(scenario)


def test_after_a_kill_in_the_midst_it_goes_on_where_it_had_come() -> None:
    async def scenario() -> None:
        world, watcher, tap = watched(EPOCH - HOUR, days=7, events=8000, live=False)
        watching = asyncio.create_task(watcher.watch(EPOCH + HOUR))
        await asyncio.sleep(300)
        reaching = asyncio.create_task(reach(watcher, EPOCH - 7 * DAY))
        await asyncio.sleep(60)
        for task in (reaching, watching):
            task.cancel()
        await asyncio.wait((reaching, watching))
        spans = watcher.coverage.settled
        assert len(spans) > 1
        assert spans[0].start == EPOCH - 7 * DAY
        asked = len(tap.pages)
        watching = asyncio.create_task(watcher.watch(EPOCH + 2 * HOUR))
        await asyncio.sleep(5)
        assert await reach(watcher, EPOCH - 7 * DAY)
        assert unseen(world, watcher, EPOCH - 7 * DAY) == []
        again = [(start, until) for start, until in tap.pages[asked:] if until is not None and until < spans[0].end]
        assert again == []
        watching.cancel()
        await asyncio.wait((watching,))
        assert tap.overlaps == []

    scene(scenario)


def test_credentials_that_expire_in_the_midst_are_waited_for_and_it_goes_on() -> None:
    async def scenario() -> None:
        world, watcher, tap = watched(EPOCH - HOUR, days=7, events=8000)
        watching = asyncio.create_task(watcher.watch(EPOCH + 1.8 * HOUR))
        await asyncio.sleep(300)
        reaching = asyncio.create_task(reach(watcher, EPOCH - 7 * DAY))
        await asyncio.sleep(30)
        world.trouble = lambda: EXPIRED
        assert await reaching is False
        assert watcher.statuses[-1].state is State.SIGN_IN
        await asyncio.sleep(900)
        world.trouble = lambda: None
        await asyncio.sleep(60)  # nobody asks again
        assert await reach(watcher, EPOCH - 7 * DAY)
        await watching
        assert unseen(world, watcher, EPOCH - 7 * DAY) == []
        assert tap.overlaps == []
        assert never_back(watcher.watermarks)

    scene(scenario)


def test_what_no_service_keeps_is_a_gap_and_not_all_that_was_asked_for() -> None:
    async def scenario() -> None:
        _, watcher, _ = watched(EPOCH - HOUR, days=80, events=500)
        watching = asyncio.create_task(watcher.watch(EPOCH + HOUR))
        await asyncio.sleep(300)
        assert await reach(watcher, EPOCH - 100 * DAY) is False
        await watching
        (gap,) = watcher.statuses[-1].gaps
        assert gap.span.start == EPOCH - 100 * DAY
        assert watcher.statuses[-1].state is State.OK
        assert never_back(watcher.watermarks)

    scene(scenario)


@pytest.mark.parametrize("after", [0.0, 20.0, 900.0])
def test_what_is_there_already_is_there_at_once(after: float) -> None:
    async def scenario() -> None:
        world, watcher, _ = watched(EPOCH - DAY, days=2, events=100)
        watching = asyncio.create_task(watcher.watch(EPOCH + HOUR))
        await asyncio.sleep(1 + after)
        assert await reach(watcher, EPOCH - DAY / 2)
        assert unseen(world, watcher, EPOCH - DAY / 2) == []
        await watching
        assert never_back(watcher.watermarks)

    scene(scenario)


def test_what_was_told_to_go_months_back_by_mistake_is_not_gone_on_with_by_a_run_that_asks_for_an_hour() -> None:
    async def scenario() -> None:
        world, watcher, tap = watched(EPOCH - 80 * DAY, days=80, events=20_000)
        await watcher.watch(EPOCH + timedelta(seconds=90))
        assert EPOCH - 80 * DAY < watcher.mark < EPOCH - 50 * DAY
        asked = len(tap.pages)
        for until in (300, 1500, 1800):  # each start asks for the last hour anew
            watcher.since = world.now() - HOUR
            await watcher.watch(EPOCH + timedelta(seconds=until))
        assert min(start for start, _ in tap.pages[asked:]) > EPOCH - 2.1 * HOUR
        last = watcher.statuses[-1]
        assert (last.state, last.progress) == (State.OK, "")
        assert never_back(watcher.watermarks)
        assert all(event in watcher.seen for event, at in world.born.items() if EPOCH - HOUR <= at < EPOCH + HOUR / 4)
        # who asks for it gets the rest of it
        spans, asked = watcher.coverage.settled, len(tap.pages)
        watcher.since = EPOCH - 80 * DAY
        await watcher.watch(EPOCH + 1.5 * HOUR)
        assert unseen(world, watcher, EPOCH - 80 * DAY) == []
        assert not [each for each in tap.pages[asked:] if each[1] is not None and each[1] < spans[0].end]
        assert tap.overlaps == []

    scene(scenario)


@pytest.mark.parametrize("error", [timedelta(), timedelta(minutes=-20), timedelta(minutes=20)])
def test_what_a_run_asked_for_that_had_no_network_is_read_by_the_next_one(error: timedelta) -> None:
    async def scenario() -> None:
        world, watcher, _ = watched(EPOCH, days=1, events=3000)
        world.trouble = lambda: CallError(State.UNREACHABLE, "no route to host", Remedy.RETRY)
        world.clock_error = error
        for _ in range(2):
            watcher.since = world.local() - HOUR / 4
            await watcher.watch(world.now() + timedelta(minutes=20))
        assert watcher.seen == {}
        world.trouble, world.clock_error = lambda: None, timedelta()
        await asyncio.sleep(3600)
        watcher.since = world.now() - HOUR / 4
        await watcher.watch(EPOCH + 2.5 * HOUR)
        begun = EPOCH - HOUR / 4 + max(error, timedelta())
        end = EPOCH + 2 * HOUR
        assert [event for event, at in world.born.items() if begun <= at < end and event not in watcher.seen] == []
        assert never_back(watcher.watermarks[-5:])

    scene(scenario)


@pytest.mark.parametrize("error", [-56 * 365 * DAY, -60 * DAY, 60 * DAY])
def test_of_what_a_run_without_network_asked_for_nothing_is_believed_where_its_clock_was_far_off(
    error: timedelta,
) -> None:
    async def scenario() -> None:
        world, watcher, tap = watched(EPOCH, days=80, events=3000)
        world.trouble = lambda: CallError(State.UNREACHABLE, "no route to host", Remedy.RETRY)
        world.clock_error = error
        watcher.since = world.local() - HOUR
        await watcher.watch(world.now() + timedelta(minutes=5))
        world.trouble, world.clock_error = lambda: None, timedelta()
        asked = len(tap.pages)
        watcher.since = world.now() - HOUR
        await watcher.watch(EPOCH + HOUR)
        assert min(start for start, _ in tap.pages[asked:]) > EPOCH - 3 * HOUR
        assert watcher.statuses[-1].state is State.OK
        assert watcher.statuses[-1].gaps == ()
        assert all(each.sure and EPOCH - 3 * HOUR < each.since < world.now() for each in watcher.coverage.asked)

    scene(scenario)


def test_asking_for_more_is_remembered_beside_what_was_asked_for_before_until_less_is() -> None:
    async def scenario() -> None:
        _, watcher, _ = watched(EPOCH - HOUR, days=3, events=300)
        asked = []
        for since, until in ((HOUR, 0.1), (2 * DAY, 0.2), (2 * DAY, 0.3), (HOUR, 0.4)):
            watcher.since = watcher.world.now() - since
            await watcher.watch(EPOCH + until * HOUR)
            asked.append([round((each.at - each.since) / HOUR) for each in watcher.coverage.asked])
        assert asked == [[1], [48, 1], [48, 1], [1]]
        assert all(each.sure for each in watcher.coverage.asked)

    scene(scenario)


def test_what_a_run_beside_it_asked_for_takes_no_mark_back() -> None:
    async def scenario() -> None:
        _, watcher, _ = watched(EPOCH - HOUR, days=1, events=60_000)
        marks = []
        for since, until in ((HOUR / 2, 1), (3 * HOUR, 2), (HOUR / 2, 3), (3 * HOUR, 4), (HOUR / 2, 5)):
            watcher.since, told = watcher.world.now() - since, len(watcher.watermarks)
            await watcher.watch(EPOCH + until * timedelta(minutes=2))
            marks.append(watcher.watermarks[told:])
        assert never_back([*marks[0], *marks[2], *marks[4]])

    scene(scenario)


def test_a_settle_lag_that_has_grown_takes_no_mark_back_at_any_start() -> None:
    async def scenario() -> None:
        _, watcher, tap = watched(EPOCH - HOUR, days=1, events=300)
        await watcher.watch(EPOCH + HOUR)
        lags = Lags(settle=4 * HOUR, settle_until=EPOCH + DAY)
        watcher.coverage = msgspec.structs.replace(watcher.coverage, lags=lags)
        asked = len(tap.pages)
        for minutes in (10, 20, 30):
            watcher.since = watcher.world.now() - HOUR
            await watcher.watch(EPOCH + HOUR + timedelta(minutes=minutes))
        assert watcher.coverage.lags.settle == 4 * HOUR
        assert never_back(watcher.watermarks)
        assert min(start for start, _ in tap.pages[asked:]) >= EPOCH - 2 * HOUR

    scene(scenario)


def test_a_log_group_reaches_back_as_well() -> None:
    async def scenario() -> None:
        world = LogWorld(5)
        for n in range(3 * 24 * 6):
            world.write(EPOCH - 3 * DAY + n * timedelta(minutes=10), ingested=30)
        watcher = Watcher(world, EPOCH - HOUR, logs.SCHEDULE, rate=2, reader=lambda: SimulatedFilterLogEvents(world))
        watching = asyncio.create_task(watcher.watch(EPOCH + HOUR))
        await asyncio.sleep(300)
        assert await reach(watcher, EPOCH - 3 * DAY)
        assert unseen(world, watcher, EPOCH - 3 * DAY) == []
        await watching
        assert watcher.missing() == []
        assert never_back(watcher.watermarks)
        assert watcher.statuses[-1].state is State.OK

    scene(scenario)
