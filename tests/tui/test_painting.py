"""What is painted at once, and when it has to wait for something else."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from datetime import timedelta

import pytest
from textual.app import App, ComposeResult
from textual.screen import ModalScreen

from smwatch.rules.engine import Engine
from smwatch.store.change import Change
from smwatch.store.store import Store
from smwatch.tui.lines import Piece
from smwatch.tui.painting import Beat, Soon, at_once
from smwatch.tui.turns import Turns
from smwatch.tui.widgets.detail import Detail
from smwatch.tui.widgets.pieces import Pieces
from tests import records
from tests.rules.judging import catalogue
from tests.sources.virtual_time import VirtualTimeLoop
from tests.tui.scene import Stage as Scene
from tests.tui.scene import ago, reads
from tests.tui.test_raw import Tape

HOUR = 3600.0


class Stage(App[None]):
    """One widget, and all that is written to the terminal."""

    def __init__(self) -> None:
        self.written = written = list[str]()

        class Kept(Tape):
            def write(self, data: str) -> None:
                written.append(data)

        super().__init__(driver_class=Kept)
        self.pieces = Pieces()

    def compose(self) -> ComposeResult:
        """Nothing else."""
        yield self.pieces

    def put(self, *lines: str) -> None:
        """Have the widget draw other lines, and paint them at once."""
        with at_once(self.screen):
            self.pieces.put([[Piece(line)] for line in lines])

    def painted(self, text: str) -> bool:
        """Whether it has been written since this was asked last."""
        told = "".join(self.written)
        self.written.clear()
        return text in told


def a_line_more(stage: Stage) -> list[str]:
    del stage
    return ["12:00:01", "more"]


def within_a_batch(stage: Stage) -> list[str]:
    stage._begin_batch()
    stage.call_later(stage._end_batch)
    return ["12:00:01"]


def before_a_layout(stage: Stage) -> list[str]:
    stage.pieces.refresh(layout=True)
    stage.screen._layout_required = True
    return ["12:00:01"]


def failing(stage: Stage) -> None:
    with at_once(stage.screen):
        stage.pieces.put([[Piece("12:00:01")]])
        raise LookupError


async def test_lines_are_on_the_terminal_before_anything_else_happens() -> None:
    stage = Stage()
    async with stage.run_test(headless=False) as pilot:
        stage.pieces.put([[Piece("12:00:00")]])
        await pilot.pause()
        assert stage.painted("12:00:00")
        stage.put("12:00:01")
        assert stage.painted("12:00:01")
        stage.put("12:00:01")
        assert stage.written == [], "they are there already"
        await pilot.pause()
        assert not stage.painted("12:00:01"), "they are painted once"


@pytest.mark.parametrize("first", [a_line_more, within_a_batch, before_a_layout])
async def test_lines_wait_for_what_has_to_come_before(first: Callable[[Stage], list[str]]) -> None:
    stage = Stage()
    async with stage.run_test(headless=False) as pilot:
        stage.pieces.put([[Piece("12:00:00")]])
        await pilot.pause()
        stage.written.clear()
        stage.put(*first(stage))
        assert stage.written == []
        await pilot.pause()
        assert stage.painted("12:00:01")


async def test_lines_of_a_screen_that_another_lies_over_are_not_painted_over_that() -> None:
    stage = Stage()
    async with stage.run_test(headless=False) as pilot:
        stage.pieces.put([[Piece("12:00:00")]])
        await stage.push_screen(ModalScreen[None]())
        await pilot.pause()
        stage.written.clear()
        stage.put("12:00:01")
        assert stage.written == []
        await stage.pop_screen()
        await pilot.pause()
        assert stage.painted("12:00:01")


async def test_lines_that_come_while_the_app_ends_are_let_go() -> None:
    stage = Stage()
    async with stage.run_test(headless=False):
        await stage.pieces.remove()
        stage.written.clear()
        stage.put("12:00:01")
        assert stage.written == []


async def test_what_a_delivery_changes_is_one_frame_in_which_nothing_is_missing(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.tui.composed.AT_ONCE", 1000)  # lines, so that it need not be waited for
    stage, frames = Scene(reads(60)), list[list[str]]()
    stage.app.driver_class = Tape
    async with stage.app.run_test(size=(160, 40), headless=False) as pilot:
        await pilot.pause()
        stage.app.post_display_hook = lambda: frames.append(stage.lines())  # type: ignore[method-assign]
        stage.bring(records.read("prod/new", eventTime=ago(5), id="new"))
        shown = [*frames]
        await pilot.pause()
        assert len(shown) == 1
        assert any("prod/new" in line for line in shown[0])
        assert "61 events" in shown[0][-1]
        assert len(frames) == 1


async def test_what_else_a_widget_has_to_do_is_done_after_the_block() -> None:
    stage, done = Stage(), asyncio.Event()
    async with stage.run_test(headless=False) as pilot:
        await pilot.pause()
        with at_once(stage.screen):
            stage.pieces.refresh()
            stage.pieces.call_next(done.set)
        await asyncio.wait_for(done.wait(), 30)


async def test_what_has_changed_before_a_block_fails_is_painted_all_the_same() -> None:
    stage = Stage()
    async with stage.run_test(headless=False) as pilot:
        stage.pieces.put([[Piece("12:00:00")]])
        await pilot.pause()
        with pytest.raises(LookupError):
            failing(stage)
        assert stage.painted("12:00:01")
        stage.pieces.put([[Piece("12:00:02")]])
        await pilot.pause()
        assert stage.painted("12:00:02")


async def test_what_has_arrived_when_a_second_passes_is_in_the_frame_of_the_clock(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.tui.composed.AT_ONCE", 1000)  # lines, so that it need not be waited for
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 3600.0)
    stage, frames = Scene(reads(60)), list[list[str]]()
    stage.app.driver_class = Tape
    async with stage.app.run_test(size=(160, 40), headless=False) as pilot:
        await pilot.pause()
        stage.app.post_display_hook = lambda: frames.append(stage.lines())  # type: ignore[method-assign]
        stage.bring(records.read("prod/new", eventTime=ago(5), id="new"))
        frames.clear()
        for second in range(1, 3):
            stage.hand_on(records.read(f"prod/new-{second}", eventTime=ago(5), id=f"new-{second}"))
            stage.now += timedelta(seconds=1)
            stage.app.tick()
            assert len(frames) == second
            assert any(f"prod/new-{second}" in line for line in frames[-1])
            assert f"{stage.now:%H:%M:%S}" in frames[-1][0]
        await pilot.pause()
        assert len(frames) == 2


async def test_details_are_written_anew_each_second_second_while_much_happens(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, written, renew, second = Scene(reads(60)), list[int](), Detail.renew, 0

    def noted(detail: Detail) -> None:
        written.append(second)
        renew(detail)

    async with stage.app.run_test(size=(160, 40)):
        monkeypatch.setattr(Detail, "renew", noted)
        stage.now += timedelta(seconds=10)
        stage.app.tick()
        for second in range(1, 7):
            stage.now += timedelta(seconds=1)
            stage.app.tick()
            for number in range(3):
                stage.bring(records.read("prod/new", eventTime=ago(5), id=f"new-{second}-{number}"))
    assert written == [0, 2, 4, 6]


async def test_details_that_were_just_written_are_not_written_again_for_their_age(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, written, renew = Scene(reads(60)), list[Detail](), Detail.renew

    def noted(detail: Detail) -> None:
        written.append(detail)
        renew(detail)

    async with stage.app.run_test(size=(160, 40)) as pilot:
        await pilot.pause()
        stage.bring(records.read("prod/first", eventTime=ago(6), id="first"))
        monkeypatch.setattr(Detail, "renew", noted)
        stage.now += timedelta(minutes=1)
        stage.hand_on(records.read("prod/new", eventTime=ago(5), id="new"))
        stage.app.tick()
    assert len(written) == 1


async def test_no_frame_is_of_the_turn_in_which_alarms_are_worked_out_while_there_are_more_of_them(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.tui.incoming.RAISED_SECONDS", 3600.0)
    monkeypatch.setattr("smwatch.tui.incoming.PAINT_SECONDS", 3600.0)
    changes = list[Change]()
    engine = Engine(catalogue())
    engine.at_once = 0
    stage = Scene(reads(60), store=Store(engine=engine))
    async with stage.app.run_test(size=(160, 40)) as pilot:
        await pilot.pause()
        stage.bring(records.read("prod/first", eventTime=ago(6), id="first"))
        stage.hand_on(records.read_deleted("prod/gone", eventTime=ago(5), id="new"))
        monkeypatch.setattr(stage.app.screen, "show_change", changes.append)
        for at_once, shown in ((0, 0), (None, 1)):
            engine.at_once = at_once
            stage.now += timedelta(seconds=1)
            stage.app.tick()
            assert stage.store.unsettled is not bool(shown)
            assert len(changes) == shown


async def test_what_is_to_be_done_soon_is_done_once_and_when_whoever_wants_it_first_wants_it() -> None:
    times, done = list[int](), asyncio.Event()

    def do() -> None:
        times.append(1)
        done.set()

    soon = Soon(do, Turns())
    assert not soon
    for seconds in (HOUR, 0.0, HOUR, 0.01):
        soon.within(seconds)
    assert soon
    await asyncio.wait_for(done.wait(), 30)
    assert not soon
    await asyncio.sleep(0.05)
    assert len(times) == 1
    soon.within(0.0)
    soon.cancel()
    assert not soon
    await asyncio.sleep(0.05)
    assert len(times) == 1


class Held(VirtualTimeLoop):
    """A loop that can be held up."""

    held = 0.0

    def time(self) -> float:
        return super().time() + self.held


def test_what_is_done_again_and_again_keeps_its_time_and_is_left_out_where_it_could_not() -> None:
    times = list[float]()

    async def run() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, Held)

        def do() -> None:
            times.append(loop.time())
            loop.held += {2: 0.5, 4: 3.25}.get(len(times), 0.0)
            if len(times) == 7:
                beat.stop()

        beat = Beat(do, Turns())
        beat.begin(1.0)
        await asyncio.sleep(HOUR)

    with asyncio.Runner(loop_factory=Held) as runner:
        runner.run(run())
    assert times == pytest.approx([1, 2, 3, 4, 7.25, 8.25, 9.25], abs=0.001)
