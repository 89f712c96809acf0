from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextvars import ContextVar

import pytest

from smwatch.monitor.delivery import Delivery
from smwatch.running.background import Background, Deliver
from smwatch.tui.painting import Soon
from smwatch.tui.turns import Turns
from tests.tui.scene import Stage, reads

WHO: ContextVar[str] = ContextVar("WHO", default="nobody")


class Seen:
    """What is done, with a "|" where a turn of the loop ends in which something was."""

    def __init__(self) -> None:
        self.done = ""
        asyncio.get_running_loop().call_soon(self._begin)

    def _begin(self) -> None:
        """A turn begins, before anything else is done in it."""
        if self.done[-1:] not in ("", "|"):
            self.done += "|"
        asyncio.get_running_loop().call_soon(self._begin)

    def act(self, name: str, then: Callable[[], object] = lambda: None) -> Callable[[], None]:
        """Something with a name."""

        def act() -> None:
            self.done += name
            then()

        return act


async def test_each_thing_has_a_turn_of_its_own_in_the_order_in_which_they_came() -> None:
    turns, seen = Turns(), Seen()
    for each in "abc":
        turns.do(seen.act(each))
    await asyncio.sleep(0)
    turns.do(seen.act("d"))  # behind those that wait
    for _ in range(5):
        await asyncio.sleep(0)
    assert seen.done == "a|b|c|d|"


async def test_what_comes_in_a_turn_in_which_nothing_was_done_need_not_wait() -> None:
    turns, seen = Turns(), Seen()
    turns.do(seen.act("a"))
    for _ in range(3):
        await asyncio.sleep(0)
    assert seen.done == "a|"
    turns.do(seen.act("b"))
    assert seen.done == "a|b"


async def test_what_is_asked_for_by_what_is_done_has_a_turn_of_its_own_as_well() -> None:
    turns, seen = Turns(), Seen()
    turns.do(seen.act("a", lambda: turns.do(seen.act("b"))))
    turns.do(seen.act("c"))
    for _ in range(5):
        await asyncio.sleep(0)
    assert seen.done == "a|b|c|"


async def test_what_waits_is_done_though_what_came_before_fails_and_for_whom_it_was_asked() -> None:
    turns, asked_by = Turns(), list[str]()

    def fail() -> None:
        raise LookupError

    WHO.set("somebody")
    with pytest.raises(LookupError):
        turns.do(fail)
    turns.do(lambda: asked_by.append(WHO.get()))
    WHO.set("another")
    for _ in range(3):
        await asyncio.sleep(0)
    assert asked_by == ["somebody"]


async def test_what_is_to_be_done_soon_waits_for_a_turn_of_its_own() -> None:
    turns, seen = Turns(), Seen()
    soon = Soon(seen.act("soon"), turns)
    soon.within(0)
    for each in "ab":
        asyncio.get_running_loop().call_soon(turns.do, seen.act(each))  # in the turn in which it is due
    await asyncio.sleep(0)
    assert seen.done == "a"
    assert soon
    soon.within(0)  # which it is already about to be
    for _ in range(5):
        await asyncio.sleep(0)
    assert seen.done == "a|b|soon|"
    assert not soon


async def test_what_waits_for_its_turn_and_is_done_before_that_is_not_done_twice() -> None:
    turns, seen = Turns(), Seen()
    soon = Soon(seen.act("soon"), turns)
    soon.within(0)
    for each in "ab":
        asyncio.get_running_loop().call_soon(turns.do, seen.act(each))
    await asyncio.sleep(0)
    soon.cancel()
    for _ in range(5):
        await asyncio.sleep(0)
    assert seen.done == "a|b|"


async def test_what_a_thread_has_done_on_the_screen_waits_for_its_turn() -> None:
    turns, seen, taken_in, asked = Turns(), Seen(), asyncio.Event(), list[str]()

    async def work(deliver: Deliver) -> None:
        await deliver(Delivery())
        loop.call_soon_threadsafe(taken_in.set)

    def apply(_: Delivery) -> tuple[()]:
        seen.act("apply")()
        return ()

    def in_turn(act: Callable[[], None]) -> None:
        if not asked:
            turns.do(seen.act("a"))
            turns.do(seen.act("b"))
        asked.append(seen.done)
        turns.do(act)

    loop = asyncio.get_running_loop()
    background = Background(work, keep=lambda _: None)
    background.start(apply, lambda _: None, in_turn)
    await asyncio.wait_for(taken_in.wait(), 60)
    background.stop()
    assert asked[0] == "a"
    assert seen.done == "a|b|apply|"


async def test_no_frame_is_of_a_turn_in_which_something_was_taken_in(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 0.0)
    stage, seen = Stage(reads(3)), Seen()

    def bring(name: str) -> Callable[[], None]:
        return seen.act(name, lambda: stage.hand_on(*reads(1, secret=f"prod/{name}")))

    async with stage.app.run_test() as pilot:
        await pilot.pause()
        stage.bring(*reads(1, secret="prod/first"))  # which is shown with what takes it in
        monkeypatch.setattr(stage.app.screen, "show_change", lambda _: seen.act("shown")())
        turns = stage.app.turns
        turns.do(bring("a"))
        asyncio.get_running_loop().call_soon(turns.do, bring("b"))  # in the turn in which that is to be shown
        for _ in range(5):
            await asyncio.sleep(0)
    assert seen.done == "a|b|shown|"
