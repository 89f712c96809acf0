"""What has been written to the terminal, piece by piece, against the screen as it stands."""

from __future__ import annotations

from collections.abc import Sequence
from random import Random

import pyte
import pytest
from rich.color import Color
from textual._context import visible_screen_stack
from textual.command import CommandPalette
from textual.geometry import Region
from textual.renderables.background_screen import BackgroundScreen
from textual.screen import Screen
from textual.strip import Strip
from textual.widget import Widget

from smwatch.tui import composed
from smwatch.tui.compositor import DirectCompositor, darkened
from smwatch.tui.screens.names import NamesScreen
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.screens.watch import WatchScreen
from tests import records
from tests.tui.scene import Stage, ago
from tests.tui.test_raw import Tape

KEYS = (
    *("j", "k", "pagedown", "pageup", "G", "g", "end", "escape", "tab", "enter", "i", "H", "t", "O", "m", "p"),
    *("slash", "s", "1", "enter", "f", "escape", "a", "escape", "colon", "d", "escape", "W", "escape", "z", "!", "x"),
)
SIZES = ((120, 34), (100, 24), (160, 40), (60, 20))


@pytest.mark.parametrize("at_once", [0, 10_000])
@pytest.mark.parametrize("seed", range(4))
async def test_after_anything_the_terminal_shows_what_a_whole_repaint_would(
    seed: int, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(composed, "AT_ONCE", at_once)
    monkeypatch.setattr(composed, "SPARED", 0.0)
    random, tape = Random(seed), []

    class Kept(Tape):
        def write(self, data: str) -> None:
            tape.append(data)

    stage = Stage()
    stage.app.driver_class = Kept
    size = SIZES[seed]
    async with stage.app.run_test(size=size, headless=False, notifications=True) as pilot:
        terminal = pyte.Screen(*size)
        stream = pyte.Stream(terminal)
        made = 0
        for _ in range(15):
            for _ in range(random.randrange(4)):
                made += 1
                record = random.choice((records.read, records.describe, records.read_deleted))(
                    f"prod/s{made % 5}", eventTime=ago(random.randrange(900)), id=f"{seed}-{made}"
                )
                stage.bring(record)
            if random.random() < 0.1:
                stage.app.notify("something is said over the stream", timeout=0.01, markup=False)
            await pilot.press(random.choice(KEYS))
            await pilot.pause()
            while getattr(stage.app.screen, "_painting", None) is not None:
                await pilot.pause()
            for data in tape:
                stream.feed(data)
            tape.clear()
            assert [line.rstrip() for line in terminal.display] == [line.rstrip() for line in stage.lines()]


async def test_a_page_is_drawn_past_the_general_path_and_looks_as_if_it_were_not() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("question_mark")
        await pilot.pause()
        screen = stage.app.screen
        assert isinstance(screen, PageScreen)
        page, crop = screen.detail, screen.detail.size.region
        general = cells_of(Widget.render_lines(page, crop))
        page._styles_cache.render_widget = lambda *_: []  # type: ignore[method-assign]
        assert cells_of(page.render_lines(crop)) == general


@pytest.mark.parametrize("theme", ["smwatch-dark", "smwatch-light", "smwatch-ansi"])
async def test_a_page_with_a_border_beside_it_looks_as_if_it_were_drawn_by_the_general_path(theme: str) -> None:
    stage, borders = Stage([records.read(f"prod/s{i}", eventTime=ago(20 + i), id=f"e{i}") for i in range(9)]), set()
    async with stage.app.run_test(size=(160, 40)) as pilot:
        stage.app.theme = theme
        for _ in range(2):
            await pilot.press("tab")
            await pilot.pause()
            screen = stage.app.screen
            assert isinstance(screen, WatchScreen)
            page = screen.detail
            borders.add(page.styles.border_left)
            for crop in (Region(0, 0, *page.outer_size), Region(0, 2, 9, 5), Region(3, 1, 20, 4)):
                general = cells_of(Widget.render_lines(page, crop))
                with pytest.MonkeyPatch.context() as patch:
                    patch.setattr(page._styles_cache, "render_widget", None)
                    assert cells_of(page.render_lines(crop)) == general
    assert len(borders) == 2  # with the focus and without


async def test_the_palette_is_put_together_as_the_other_screens_are() -> None:
    stage = Stage()
    async with stage.app.run_test(size=(100, 30)) as pilot:
        await pilot.press("colon")
        await pilot.pause()
        assert isinstance(stage.app.screen, CommandPalette)
        assert isinstance(stage.app.screen._compositor, DirectCompositor)


@pytest.mark.parametrize("theme", ["smwatch-dark", "smwatch-light", "smwatch-ansi"])
async def test_what_is_seen_behind_a_box_is_darkened_as_textual_does_it(
    theme: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    stage = Stage([records.read(f"prod/s{i}", eventTime=ago(20 + i), id=f"e{i}") for i in range(9)])
    async with stage.app.run_test(size=(100, 30)) as pilot:
        stage.app.theme = theme
        await pilot.press("f")
        await pilot.pause()
        box, crop = stage.app.screen, stage.app.size.region
        assert isinstance(box, NamesScreen)
        visible_screen_stack.set([stage.app.screen_stack[-2]])
        general = cells_of(Screen.render_lines(box, crop))
        assert any("prod/s1" in "".join(cell[0] for cell in line) for line in general)
        monkeypatch.setattr(BackgroundScreen, "process_segments", None)
        found = darkened(box, crop)
        assert found is not None
        assert cells_of(found) == general
        assert stage.app.screen._compositor.render_strips()


def cells_of(strips: Sequence[Strip]) -> list[list[tuple[str, Color | None, Color | None, bool, bool]]]:
    """Each cell as it looks: its character, its colours, and whether it is bold or reversed."""
    return [
        [
            (each, style.color, style.bgcolor, bool(style.bold), bool(style.reverse))
            for text, style, _ in strip
            if style is not None
            for each in text
        ]
        for strip in strips
    ]
