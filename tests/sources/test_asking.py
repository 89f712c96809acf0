"""How many of the calls that are made bring an answer."""

from __future__ import annotations

import asyncio
import itertools

import pytest

from smwatch.sources.asking import LEAST_ANSWERED, OUTAGE, Asking
from smwatch.sources.clock import ServerClock
from smwatch.sources.cloudtrail import SCHEDULE
from smwatch.sources.coverage import Coverage
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.following import Following
from smwatch.sources.pace import Pace
from smwatch.sources.scan import Kind
from smwatch.sources.source import State
from tests.sources import virtual_time
from tests.sources.simulation import EPOCH, HOUR, SimulatedLookupEvents, World

UNREACHABLE = CallError(State.UNREACHABLE, "no network", Remedy.RETRY)
THROTTLED = CallError(State.THROTTLED, "Rate exceeded", Remedy.PACE)


def answered_after(trouble: CallError, seconds: float) -> tuple[float, float]:
    """The part of the calls that is taken to bring an answer before and after so long a trouble.

    Before it, and with the answers that end it, every fourth call fails.
    """

    async def scenario() -> tuple[float, float]:
        world, loop = World(seed=1), asyncio.get_running_loop()
        pace = Pace(1.0, clock=loop.time, chance=lambda low, _: low)
        reader = SimulatedLookupEvents(world)
        clock = ServerClock(world.local)
        asking = Asking(reader, pace, clock, world.local, latest=None, told_time=lambda _: None)
        agenda = Following(SCHEDULE, reader.nature, EPOCH - HOUR, Coverage(), pace.rate)
        agenda.plan(world.now(), loop.time(), None)
        scan = agenda.scans[Kind.SWEEP]

        async def ask_for(seconds: float) -> float:
            end = loop.time() + seconds
            while loop.time() < end:
                await asking.ask(agenda, scan)
                await asyncio.sleep(5)
            return asking.rate / pace.rate

        spoilt = itertools.cycle((None, None, None, UNREACHABLE))
        world.trouble = lambda: next(spoilt)
        before = await ask_for(2000)
        world.trouble = lambda: trouble
        assert await ask_for(seconds) == LEAST_ANSWERED
        world.trouble = lambda: None
        await asking.ask(agenda, scan)
        return before, asking.rate / pace.rate

    return virtual_time.run(scenario())


def test_an_outage_that_is_over_tells_nothing_of_the_calls_after_it() -> None:
    before, after = answered_after(UNREACHABLE, 12 * OUTAGE)
    assert before == pytest.approx(0.75, abs=0.03)
    assert after == pytest.approx(before, abs=0.03)


@pytest.mark.parametrize(("trouble", "seconds"), [(UNREACHABLE, 0.9 * OUTAGE), (THROTTLED, 12 * OUTAGE)])
def test_calls_that_fail_now_and_then_or_are_throttled_are_reckoned_with_for_a_while(
    trouble: CallError, seconds: float
) -> None:
    _, after = answered_after(trouble, seconds)
    assert after < 0.6
