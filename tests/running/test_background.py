import asyncio
import sys
import threading
from collections.abc import Callable, Sequence
from datetime import UTC, datetime

import msgspec
import pytest

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.events.secret import Secret
from smwatch.monitor.delivery import Delivery
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.running.background import BEGUN, GIVES_WAY, LEAST, MOST, SETTLED_EVERY, SPARED, Background, Deliver
from smwatch.sources.source import State, Status

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
ALARM = Alarm(
    group="g", rule="R", severity=Severity.HIGH, state=AlarmState.OPEN, title="t", why="w", count=1,
    first_at=NOW, last_at=NOW, changed_at=NOW,
)  # fmt: skip


async def test_deliveries_are_applied_on_the_screens_loop_one_at_a_time_and_alarms_kept_in_the_thread() -> None:
    applied_in, kept_in, done = set[int](), dict[str, int](), asyncio.Event()

    async def work(deliver: Deliver) -> None:
        for _ in range(3):
            await deliver(Delivery())

    def apply(delivery: Delivery) -> list[Alarm]:
        applied_in.add(threading.get_ident())
        return [ALARM]

    def keep(alarms: object) -> None:
        kept_in[str(len(kept_in))] = threading.get_ident()
        if len(kept_in) == 3:
            loop.call_soon_threadsafe(done.set)

    loop = asyncio.get_running_loop()
    background = Background(work, keep=keep)
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    assert applied_in == {threading.get_ident()}
    assert threading.get_ident() not in kept_in.values()


async def test_what_is_said_of_names_is_done_bit_by_bit_before_anything_else_is_applied() -> None:
    done = asyncio.Event()
    happened: list[str] = []
    secrets = [Secret("111122223333", "eu-west-1", name) for name in ("old", "new")]
    read = Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW)

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery(((1, read),), renamed=((secrets[0], secrets[1]),)))
        await deliver(Delivery(((2, read),)))
        loop.call_soon_threadsafe(done.set)

    def apply(delivery: Delivery) -> list[Alarm]:
        happened.append("names" if delivery.renamed else f"event {delivery.arrivals[0][0]}")
        return []

    def go_on() -> bool:
        happened.append("some more")
        return happened.count("some more") < 3

    loop = asyncio.get_running_loop()
    background = Background(work, keep=lambda alarms: None, go_on=go_on)
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    assert happened[:5] == ["names", "some more", "some more", "some more", "event 1"]


async def test_what_a_delivery_leaves_to_be_done_is_done_before_the_next_and_never_for_long_in_one_go() -> None:
    done, happened, clock, left = asyncio.Event(), list[str](), [0.0], [0]
    read = Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW)

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery(((1, read),) * (2 * LEAST)))
        await deliver(Delivery(((2, read),)))
        loop.call_soon_threadsafe(done.set)

    def apply(delivery: Delivery) -> list[Alarm]:
        happened.append(f"event {delivery.arrivals[0][0]}")
        left[0] += 5
        return []

    def go_on() -> bool:
        if not left[0]:
            return False
        if happened[-1] != "some more":
            loop.call_soon(happened.append, "the screen's turn")
        happened.append("some more")
        left[0] -= 1
        clock[0] += SPARED / 3
        return True

    loop = asyncio.get_running_loop()
    background = Background(work, keep=lambda alarms: None, go_on=go_on, clock=lambda: clock[0])
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    steps = "".join(
        {"event 1": "1", "event 2": "2", "some more": ".", "the screen's turn": "|"}[each] for each in happened
    )
    assert steps.replace("|", "") == "11..........2....."
    assert max(map(len, steps.replace("1", "|").replace("2", "|").split("|"))) <= 4


@pytest.mark.parametrize(("seconds", "happened"), [(0.0, "111111s"), (SETTLED_EVERY / 2, "11s11s11s")])
async def test_what_follows_at_once_is_applied_first_and_alarms_are_worked_out_late_for_nobody(
    seconds: float, happened: str
) -> None:
    done, steps, clock = asyncio.Event(), list[str](), [0.0]
    read = Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW)

    async def work(deliver: Deliver) -> None:
        for number in range(6):
            await deliver(Delivery(((1, read),), more=number < 5))
        loop.call_soon_threadsafe(done.set)

    def apply(delivery: Delivery) -> list[Alarm]:
        steps.append("1")
        clock[0] += seconds
        return []

    def go_on() -> bool:
        steps.append("s")
        return False

    loop = asyncio.get_running_loop()
    background = Background(work, keep=lambda alarms: None, go_on=go_on, clock=lambda: clock[0])
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    assert "".join(steps) == happened


async def test_of_the_parts_of_a_delivery_all_but_the_last_say_that_more_follows() -> None:
    done, said = asyncio.Event(), dict[int, list[bool]]()
    read = Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW)

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery(((1, read),) * (3 * LEAST)))
        await deliver(Delivery(((2, read),) * (6 * LEAST), more=True))
        loop.call_soon_threadsafe(done.set)

    def apply(delivery: Delivery) -> list[Alarm]:
        said.setdefault(delivery.arrivals[0][0], []).append(delivery.more)
        return []

    loop = asyncio.get_running_loop()
    background = Background(work, keep=lambda alarms: None, clock=lambda: 0.0)
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    assert said == {1: [True, False], 2: [True, True]}


async def test_the_alarms_of_a_delivery_are_kept_together_and_before_it_returns() -> None:
    done, kept, left = asyncio.Event(), list[dict[str, int]](), [0]
    read = Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW)
    returned: list[int] = []

    def changed(group: str, count: int) -> list[Alarm]:
        return [msgspec.structs.replace(ALARM, group=group, count=count)]

    async def work(deliver: Deliver) -> None:
        for _ in range(2):
            await deliver(Delivery(((1, read),) * (3 * LEAST)))
            returned.append(len(kept))
        loop.call_soon_threadsafe(done.set)

    def apply(delivery: Delivery) -> list[Alarm]:
        left[0] += 5
        return changed("applied", left[0])

    def go_on() -> bool:
        if left[0]:
            background.keep(changed(f"left {left[0]}", left[0]))
            left[0] -= 1
        return bool(left[0])

    def keep(alarms: Sequence[Alarm]) -> None:
        kept.append({alarm.group: alarm.count for alarm in alarms})

    loop = asyncio.get_running_loop()
    background = Background(work, keep=keep, go_on=go_on, clock=lambda: 0.0)
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    assert returned == [1, 2]
    assert kept[0]["applied"] > 5  # of several parts
    for each in kept:
        assert each == {"applied": each["applied"]} | {f"left {n}": n for n in range(1, each["applied"] + 1)}


async def test_what_a_person_decides_meanwhile_is_kept_at_once_and_not_undone_by_what_was_before() -> None:
    begun, going_on, kept = asyncio.Event(), asyncio.Event(), list[list[int]]()
    decided = threading.Event()

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery())

    def go_on() -> bool:
        begun.set()
        return not going_on.is_set()

    def keep(alarms: Sequence[Alarm]) -> None:
        kept.append([alarm.count for alarm in alarms])
        decided.set()

    background = Background(work, keep=keep, go_on=go_on)
    background.start(lambda _: [ALARM], failed=lambda error: None)
    try:
        await asyncio.wait_for(begun.wait(), 60)
        background.keep([msgspec.structs.replace(ALARM, count=2)])
        assert await asyncio.to_thread(decided.wait, 60)
        assert kept == [[2]]
        going_on.set()
    finally:
        assert background.stop(60)
    assert kept == [[2]]


@pytest.mark.parametrize("fault", [None, RuntimeError("no credentials")])
async def test_what_is_done_after_the_work_has_ended_is_still_kept(fault: Exception | None) -> None:
    ended, kept = threading.Event(), threading.Event()

    async def work(deliver: Deliver) -> None:
        ended.set()
        if fault is not None:
            raise fault

    async def thread() -> int:
        return threading.get_ident()

    background = Background(work, keep=lambda alarms: kept.set())
    background.start(lambda delivery: (), failed=lambda error: None)
    assert await asyncio.to_thread(ended.wait, 10)
    await asyncio.sleep(0)
    background.keep([ALARM])
    assert await asyncio.to_thread(kept.wait, 10)
    assert await asyncio.wrap_future(background.submit(thread)) != threading.get_ident()
    assert background.stop()


@pytest.mark.parametrize("fault", [None, RuntimeError("no credentials")])
def test_work_that_goes_on_after_the_screen_was_left_ends_quietly(fault: Exception | None) -> None:
    left, going_on = threading.Event(), threading.Event()

    async def work(deliver: Deliver) -> None:
        await asyncio.to_thread(left.wait, 10)
        going_on.set()
        if fault is not None:
            raise fault
        await deliver(Delivery())

    async def screen() -> None:
        background.start(lambda delivery: (), failed=lambda error: None)

    background = Background(work, keep=lambda alarms: None)
    asyncio.run(screen())
    left.set()
    assert going_on.wait(10)
    assert background.stop(10)


async def test_what_takes_the_screen_long_comes_in_small_parts_in_order_and_whole() -> None:
    sizes = await parted(lambda number: 0.001 * number)
    assert set(sizes[:-1]) == {LEAST}


async def test_what_the_screen_takes_in_quickly_comes_in_larger_and_larger_parts() -> None:
    sizes = await parted(lambda number: 0.000_005 * number)
    growing = [LEAST << doubled for doubled in range(16) if LEAST << doubled < MOST]
    assert sizes[: len(growing)] == growing
    assert set(sizes[len(growing) : -1]) == {MOST}


async def test_parts_get_smaller_once_the_screen_takes_long() -> None:
    sizes = await parted(lambda number: 0.000_005 * number if number < MOST else 0.02)
    assert MOST in sizes
    assert sizes[sizes.index(MOST) + 1] == MOST // 2


async def test_what_takes_longer_from_now_on_comes_in_small_parts_again() -> None:
    arrivals = tuple((seq, Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW, at=NOW)) for seq in range(2000))
    sizes, done = list[int](), asyncio.Event()

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery(arrivals))
        background.begin_gently()
        sizes.clear()
        await deliver(Delivery(arrivals))
        loop.call_soon_threadsafe(done.set)

    def apply(delivery: Delivery) -> list[Alarm]:
        sizes.append(len(delivery.arrivals))
        return []

    loop = asyncio.get_running_loop()
    background = Background(work, keep=lambda alarms: None, clock=lambda: 0.0)
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()
    assert sizes[:3] == [LEAST, 2 * LEAST, 4 * LEAST]


async def taken_in(delivery: Delivery, apply: Callable[[Delivery], list[Alarm]], clock: list[float]) -> None:
    """Have a screen that goes by this clock take it in."""
    loop, done = asyncio.get_running_loop(), asyncio.Event()

    async def work(deliver: Deliver) -> None:
        await deliver(delivery)
        loop.call_soon_threadsafe(done.set)

    background = Background(work, keep=lambda alarms: None, clock=lambda: clock[0])
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(done.wait(), 60)
    background.stop()


async def parted(took: Callable[[int], float]) -> list[int]:
    """The sizes of the parts in which 2,000 events come to a screen that so many take so many seconds."""
    arrivals = tuple((seq, Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW, at=NOW)) for seq in range(2000))
    status = Status("s", "S", State.OK, at=NOW)
    parts, clock = list[Delivery](), [0.0]

    def apply(delivery: Delivery) -> list[Alarm]:
        clock[0] += took(len(delivery.arrivals))
        parts.append(delivery)
        return []

    await taken_in(Delivery(arrivals, (status,)), apply, clock)
    assert [seq for part in parts for seq, _ in part.arrivals] == list(range(2000))
    assert [part.statuses for part in parts] == [()] * (len(parts) - 1) + [(status,)]
    return [len(part.arrivals) for part in parts]


@pytest.mark.parametrize(("seconds", "turns"), [(BEGUN, 10), (BEGUN / 2, 5), (BEGUN / 4, 3), (0.0, 1)])
async def test_no_further_part_is_begun_in_a_turn_that_has_taken_its_time(
    monkeypatch: pytest.MonkeyPatch, seconds: float, turns: int
) -> None:
    monkeypatch.setattr("smwatch.running.background.MOST", LEAST)
    arrivals = tuple((seq, Reader().read("{}", seen_by=SeenBy.FILE, seen_at=NOW, at=NOW)) for seq in range(10 * LEAST))
    clock, happened = [0.0], list[str]()

    def apply(delivery: Delivery) -> list[Alarm]:
        if not happened or happened[-1] != "part":
            asyncio.get_running_loop().call_soon(happened.append, "turn")
        happened.append("part")
        clock[0] += seconds
        return []

    await taken_in(Delivery(arrivals), apply, clock)
    assert happened.count("turn") == turns


async def test_the_thread_gives_way_to_the_screen_sooner_than_python_has_it_until_it_ends() -> None:
    usual, begun, during = sys.getswitchinterval(), asyncio.Event(), list[float]()

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery())

    def apply(delivery: Delivery) -> list[Alarm]:
        during.append(sys.getswitchinterval())
        begun.set()
        return []

    background = Background(work, keep=lambda alarms: None)
    background.start(apply, failed=lambda error: None)
    await asyncio.wait_for(begun.wait(), 60)
    background.stop()
    assert during == [pytest.approx(GIVES_WAY)]
    assert sys.getswitchinterval() == usual > GIVES_WAY


async def test_stopping_cancels_the_work_at_once() -> None:
    started, ended = threading.Event(), threading.Event()

    async def work(deliver: Deliver) -> None:
        started.set()
        try:
            await asyncio.Event().wait()
        finally:
            ended.set()

    background = Background(work, keep=lambda alarms: None)
    background.start(lambda delivery: (), failed=lambda error: None)
    assert await asyncio.to_thread(started.wait, 10)
    background.stop()
    assert ended.is_set()


async def test_work_that_fails_is_told_on_the_screens_loop() -> None:
    told: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def work(deliver: Deliver) -> None:
        raise RuntimeError("no credentials")

    background = Background(work, keep=lambda alarms: None)
    background.start(lambda delivery: (), failed=told.set_result)
    assert str(await asyncio.wait_for(told, 60)) == "no credentials"
    background.stop()


async def test_a_fault_of_the_screen_ends_the_work_that_delivered() -> None:
    told: asyncio.Future[BaseException] = asyncio.get_running_loop().create_future()

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery())

    def apply(delivery: Delivery) -> list[Alarm]:
        raise ValueError("a fault")

    background = Background(work, keep=lambda alarms: None)
    background.start(apply, failed=told.set_result)
    assert isinstance(await asyncio.wait_for(told, 60), ValueError)
    background.stop()
