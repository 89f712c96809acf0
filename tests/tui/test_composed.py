"""Screens painted a few lines at a time: nothing of that is seen."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable
from itertools import count
from typing import Any

import pytest
from textual.app import App
from textual.command import CommandList
from textual.css.stylesheet import Stylesheet
from textual.dom import DOMNode
from textual.geometry import Size
from textual.pilot import Pilot
from textual.widgets import OptionList

from smwatch.tui import composed
from smwatch.tui.app import SmwatchApp
from smwatch.tui.compositor import DirectCompositor, DirectUpdate, Part, Placed
from smwatch.tui.lines import Piece
from smwatch.tui.palette import BOX, READY, Palette
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.widgets.pieces import Pieces
from tests.tui.scene import NOW, Stage, reads

WIDE = (160, 40)
AT_ONCE = composed.AT_ONCE


class Watched:
    """What is drawn in which turn of the loop, and what is shown."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.drawn = Counter[int]()
        """Lines of each turn."""
        self.bands = Counter[int]()
        """Pieces of them that were drawn without a look at the clock."""
        self.frames: list[list[Placed]] = []
        self.meanwhile: Callable[[], object] | None = None
        """Done once, in the turn after the first lines of a large frame have been drawn."""
        self.met = False
        """That has been done."""
        self.turn = 0
        draw, display = DirectCompositor.drawn, App._display

        def drawn(compositor: DirectCompositor, part: Part) -> list[Placed]:
            placed = draw(compositor, part)
            self.drawn[self.turn] += len(placed)
            self.bands[self.turn] += 1
            if self.meanwhile is not None and compositor.size.height == part.region.height * WIDE[1] // composed.BAND:
                asyncio.get_running_loop().call_soon(self.meanwhile)
                self.meanwhile, self.met = None, True
            return placed

        def displayed(app: App[Any], screen: Any, update: Any) -> None:
            if isinstance(update, DirectUpdate):
                self.frames.append(list(update.strips))
            display(app, screen, update)

        monkeypatch.setattr(DirectCompositor, "drawn", drawn)
        monkeypatch.setattr(App, "_display", displayed)

    async def count(self) -> None:
        """Count the turns of the loop, until cancelled."""
        while True:
            self.turn += 1
            await asyncio.sleep(0)


@pytest.fixture
def watched(monkeypatch: pytest.MonkeyPatch) -> Watched:
    """No time at all is spared for a turn: each band is drawn in one of its own."""
    monkeypatch.setattr(composed, "SPARED", 0.0)
    monkeypatch.setattr(composed, "AT_ONCE", AT_ONCE)
    return Watched(monkeypatch)


@pytest.fixture
def stage() -> Stage:
    return Stage(reads(90))


async def settled(pilot: Pilot[int]) -> None:
    """Wait until nothing is left to be painted."""
    for _ in range(3):
        await pilot.pause()
    while getattr(pilot.app.screen, "_painting", None) is not None:
        await pilot.pause()


async def test_a_screen_is_drawn_in_several_turns_of_the_loop_and_shown_in_one(stage: Stage, watched: Watched) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        watched.drawn.clear()
        watched.frames.clear()
        counting = asyncio.create_task(watched.count())
        await pilot.press("question_mark")
        await settled(pilot)
        counting.cancel()
    assert sum(watched.drawn.values()) >= WIDE[1]
    assert max(watched.drawn.values()) <= composed.AT_ONCE
    assert any({y for _, y, _ in frame} == set(range(WIDE[1])) for frame in watched.frames)


async def test_the_main_screen_is_shown_once_as_it_comes(stage: Stage, watched: Watched) -> None:
    app = SmwatchApp(lambda: stage.app.desk, clock=lambda: NOW)
    async with app.run_test(size=WIDE) as pilot:
        while not isinstance(app.screen, WatchScreen):
            await pilot.pause()
        await settled(pilot)
        await asyncio.sleep(0.3)  # some of Textual's beats
    assert [len({y for _, y, _ in frame}) for frame in watched.frames if len(frame) > WIDE[1] // 2] == [WIDE[1]]


async def test_little_is_drawn_in_a_turn_that_has_taken_long_already(
    stage: Stage, watched: Watched, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks, late = count(), list[int]()
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        monkeypatch.setattr(composed, "SPARED", 5.0)
        monkeypatch.setattr(composed, "perf_counter", lambda: next(looks) + 100 * len(late))
        watched.bands.clear()
        counting = asyncio.create_task(watched.count())
        watched.meanwhile = lambda: late.append(watched.turn)
        stage.app.screen.refresh()
        await settled(pilot)
        counting.cancel()
    assert watched.bands[late[0]] == 1
    assert max(watched.bands.values()) > 1


async def test_a_screen_takes_a_message_in_a_turn_of_its_own_after_one_that_took_long(
    stage: Stage, watched: Watched
) -> None:
    turns = list[int]()
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        counting = asyncio.create_task(watched.count())
        for _ in range(3):
            stage.app.screen.call_later(lambda: turns.append(watched.turn))
        await settled(pilot)
        counting.cancel()
    assert len(set(turns)) == len(turns) == 3


async def test_what_changes_while_a_screen_is_drawn_is_in_the_same_frame_and_once(
    stage: Stage, watched: Watched
) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        screen = stage.app.screen
        footer = screen.query(Pieces).last()

        def change() -> None:
            footer.put([[Piece("changed")]])
            screen._dirty_widgets.add(footer)
            screen._on_timer_update()

        watched.frames.clear()
        watched.meanwhile = change
        screen.refresh()
        await settled(pilot)
    assert watched.met
    [last] = [strip.text for _, y, strip in watched.frames[0] if y == WIDE[1] - 1]
    assert last.startswith("changed")
    assert len({(x, y) for x, y, _ in watched.frames[0]}) == len(watched.frames[0]) >= WIDE[1]


async def test_a_screen_that_is_left_while_it_is_drawn_is_not_shown(stage: Stage, watched: Watched) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        watched.frames.clear()

        def leave() -> None:
            with stage.app._context():
                stage.app.pop_screen()

        watched.meanwhile = leave
        await pilot.press("question_mark")
        await settled(pilot)
        assert isinstance(stage.app.screen, WatchScreen)
        lines = stage.lines()
    assert watched.met
    tops = [strip.text for frame in watched.frames for _, y, strip in frame if y == 0]
    assert set(tops) == {lines[0]}


async def test_a_screen_that_gets_smaller_while_it_is_drawn_is_drawn_anew(stage: Stage, watched: Watched) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        watched.frames.clear()
        screen = stage.app.screen
        watched.meanwhile = lambda: screen._screen_resized(Size(100, 30))
        screen.refresh()
        await settled(pilot)
    assert watched.met
    assert {y for _, y, _ in watched.frames[0]} == set(range(30))


@pytest.fixture
def applied(monkeypatch: pytest.MonkeyPatch) -> Counter[DOMNode]:
    """How often styles are looked up for each widget."""
    counted, apply = Counter[DOMNode](), Stylesheet.apply

    def counting(sheet: Stylesheet, node: DOMNode, **how: Any) -> None:
        counted[node] += 1
        apply(sheet, node, **how)

    monkeypatch.setattr(Stylesheet, "apply", counting)
    return counted


@pytest.mark.parametrize("key", ["a", "f", "question_mark", "v", "W", "S"])
async def test_styles_are_looked_up_once_when_a_screen_is_opened_and_stay_so(
    key: str, stage: Stage, applied: Counter[DOMNode]
) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await settled(pilot)
        applied.clear()
        await pilot.press(key)
        await settled(pilot)
        screen = stage.app.screen
        assert not isinstance(screen, WatchScreen)
        parts = list(screen.walk_children(with_self=True))
        assert {applied[each] for each in parts if each is not screen.focused} == {1}
        before = [dict(each.styles.base.get_rules()) for each in parts]
        screen.update_node_styles(animate=False)
        assert [dict(each.styles.base.get_rules()) for each in parts] == before


async def test_the_palette_is_there_and_lists_commands_in_turns_of_their_own(
    stage: Stage, applied: Counter[DOMNode]
) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("colon")
        palette = stage.app.screen
        assert isinstance(palette, Palette)
        while not palette.has_class(READY):
            await pilot.pause()
        box, commands = palette.query_one(BOX), palette.query_one(CommandList)
        assert box.display
        palette.remove_class(READY)
        hidden = not box.display
        applied.clear()
        with stage.app._context():
            palette.add_class(READY)
        assert set(applied) == {box}
        assert hidden
        assert box.display
        palette._list_visible = False
        assert commands.has_class("--visible")
        await asyncio.sleep(0)
        assert not commands.has_class("--visible")


async def test_commands_are_measured_in_a_turn_before_the_one_that_shows_them(
    stage: Stage, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("colon")
        palette = stage.app.screen
        assert isinstance(palette, Palette)
        commands = palette.query_one(CommandList)
        while not commands.has_class("--visible"):
            await pilot.pause()
        with stage.app._context():
            palette._list_visible = False
        await asyncio.sleep(0)
        measured: list[bool] = []

        def measure(listed: CommandList, container: Size, viewport: Size, width: int) -> int:
            measured.append(listed.has_class("--visible"))
            return OptionList.get_content_height(listed, container, viewport, width)

        monkeypatch.setattr(CommandList, "get_content_height", measure)
        with stage.app._context():
            palette._list_visible = True
        await asyncio.sleep(0)
        assert measured == [False]
        assert not commands.has_class("--visible")
        await asyncio.sleep(0)
        assert commands.has_class("--visible")
