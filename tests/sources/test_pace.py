"""One budget of calls, shared."""

from __future__ import annotations

import asyncio

import pytest

from smwatch.sources.pace import FLOOR, Pace, Paces, Priority
from tests.sources import virtual_time


def pace(ceiling: float = 1.0) -> Pace:
    return Pace(ceiling, clock=asyncio.get_running_loop().time, chance=lambda low, high: (low + high) / 2)


def now() -> float:
    return asyncio.get_running_loop().time()


def test_two_calls_at_once_then_one_a_second() -> None:
    async def scenario() -> list[float]:
        budget, times = pace(), []
        for _ in range(5):
            assert await budget.turn(Priority.LIVE)
            times.append(round(now(), 3))
        return times

    assert virtual_time.run(scenario()) == [0, 0, 1, 2, 3]


def test_live_goes_before_back_fill_before_audit() -> None:
    async def scenario() -> list[str]:
        budget, served = pace(), []

        async def ask(name: str, priority: Priority) -> None:
            await budget.turn(priority)
            served.append(name)

        await budget.turn(Priority.LIVE)
        await budget.turn(Priority.LIVE)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(ask("audit", Priority.AUDIT))
            tasks.create_task(ask("fill 1", Priority.BACKFILL))
            tasks.create_task(ask("fill 2", Priority.BACKFILL))
            await asyncio.sleep(0.5)
            tasks.create_task(ask("live", Priority.LIVE))
        return served

    assert virtual_time.run(scenario()) == ["live", "fill 1", "fill 2", "audit"]


def test_a_throttle_halves_the_rate_and_thirty_good_seconds_give_a_little_back() -> None:
    async def scenario() -> None:
        budget = pace()
        assert budget.throttled() == pytest.approx(2.0)
        assert budget.rate == 0.5
        assert budget.slowed
        await asyncio.sleep(30)
        assert budget.rate == pytest.approx(0.55)
        for _ in range(10):
            budget.throttled()
        assert budget.rate == FLOOR
        await asyncio.sleep(3600)
        assert budget.rate == 1.0
        assert not budget.slowed

    virtual_time.run(scenario())


def test_who_may_ask_often_is_given_back_as_much_in_ten_minutes() -> None:
    async def scenario() -> None:
        budget = pace(8)
        budget.throttled()
        assert budget.rate == 4.0
        await asyncio.sleep(30)
        assert budget.rate == pytest.approx(4.2)
        await asyncio.sleep(570)
        assert budget.rate == pytest.approx(8.0)

    virtual_time.run(scenario())


def test_more_than_its_share_is_taken_until_the_first_refusal_which_costs_no_more_than_that() -> None:
    async def scenario() -> None:
        budget = Pace(8, unrefused=9, clock=asyncio.get_running_loop().time, chance=lambda low, _: low)
        await asyncio.sleep(60)
        assert budget.rate == 9
        budget.throttled()
        assert budget.rate == 8
        assert not budget.slowed, "it has what it may have"
        await asyncio.sleep(3600)
        assert budget.rate == 8
        budget.throttled()
        assert budget.rate == 4
        await asyncio.sleep(3600)
        assert budget.rate == 8

    virtual_time.run(scenario())


def test_everybody_holds_back_after_a_throttle() -> None:
    async def scenario() -> float:
        budget = pace(100)
        waiting = asyncio.create_task(budget.turn(Priority.LIVE))
        budget.throttled()
        await waiting
        return now()

    assert virtual_time.run(scenario()) == pytest.approx(1.5)


def test_who_is_impatient_leaves_the_queue_to_the_others() -> None:
    async def scenario() -> None:
        budget = pace(0.1)
        await budget.turn(Priority.LIVE)
        await budget.turn(Priority.LIVE)
        behind = asyncio.create_task(budget.turn(Priority.BACKFILL))
        assert not await budget.turn(Priority.LIVE, patience=3)
        assert now() == pytest.approx(3)
        assert await behind
        assert now() == pytest.approx(10)

    virtual_time.run(scenario())


def test_a_cancelled_caller_holds_up_nobody() -> None:
    async def scenario() -> None:
        budget = pace()
        await budget.turn(Priority.LIVE)
        await budget.turn(Priority.LIVE)
        first = asyncio.create_task(budget.turn(Priority.LIVE))
        second = asyncio.create_task(budget.turn(Priority.AUDIT))
        await asyncio.sleep(0.1)
        first.cancel()
        assert await second
        assert now() == pytest.approx(1)

    virtual_time.run(scenario())


def test_a_region_of_an_account_has_one_budget_per_api() -> None:
    paces = Paces(clock=lambda: 0.0)
    one = paces.of("1", "eu-west-1", "LookupEvents", 1.0)
    assert paces.of("1", "eu-west-1", "LookupEvents", 0.5) is one
    assert one.ceiling == 0.5
    assert paces.of("1", "eu-west-2", "LookupEvents", 1.0) is not one
    assert paces.of("2", "eu-west-1", "LookupEvents", 1.0) is not one
    assert paces.of("1", "eu-west-1", "FilterLogEvents", 1.0) is not one
    assert paces.of("1", "eu-west-1", "FilterLogEvents", 8.0, unrefused=9.0).ceiling == 1.0
    assert paces.of("1", "eu-west-2", "FilterLogEvents", 8.0, unrefused=9.0).ceiling == 9.0


@pytest.mark.parametrize(
    ("rate", "words"),
    [(500.0, "500 times a second"), (1.05, "1.05 times a second"), (1.0, "once in 1 s"), (0.12, "once in 8.3 s")],
)
def test_a_rate_is_told_as_people_do(rate: float, words: str) -> None:
    async def scenario() -> str:
        return pace(rate).often

    assert virtual_time.run(scenario()) == words
