"""Component classes that are looked up when they are drawn with."""

from __future__ import annotations

import pytest
from rich.style import Style
from textual._compositor import Compositor
from textual._context import visible_screen_stack
from textual.dom import DOMNode
from textual.geometry import Region
from textual.strip import Strip

from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.themes import DARK, LIGHT
from smwatch.tui.widgets.scrollbar import Bar
from tests import records
from tests.tui.scene import Stage, ago, reads

WIDE = (160, 40)


def given() -> Stage:
    return Stage([*reads(30), records.denied("prod/b", eventTime=ago(9))])


async def test_another_theme_looks_them_up_anew_and_another_focus_does_not() -> None:
    stage = given()
    async with stage.app.run_test(size=WIDE) as pilot:
        stage.app.theme = DARK.name
        await pilot.pause()
        assert isinstance(stage.app.screen, WatchScreen)
        stream = stage.app.screen.stream
        before = dict(stream._component_styles)
        assert before
        await pilot.press("tab", "tab", "a", "escape")
        await pilot.pause()
        assert {name: stream._component_styles[name] for name in before} == before
        assert all(stream._component_styles[name] is before[name] for name in before)
        stage.app.theme = LIGHT.name
        await pilot.pause()
        assert all(
            stream._component_styles[name] is not before[name] for name in before.keys() & stream._component_styles
        )
        assert stream.get_component_styles("stream--event").color != before["stream--event"].color


async def test_the_style_of_a_widget_is_worked_out_once_for_all_its_lines_until_it_is_another(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, asked = given(), list[DOMNode]()
    general = DOMNode.rich_style.fget  # type: ignore[attr-defined]

    def counted(node: DOMNode) -> Style:
        asked.append(node)
        style: Style = general(node)
        return style

    async with stage.app.run_test(size=WIDE) as pilot:
        stage.app.theme = DARK.name
        await pilot.pause()
        bar = stage.app.screen.query_one(Bar)
        monkeypatch.setattr(DOMNode, "rich_style", property(counted))
        bar.notify_style_update()
        bar.render_lines(bar.size.region)
        assert bar.size.height > 1
        assert asked.count(bar) == 1
        before = bar.rich_style
        stage.app.theme = LIGHT.name
        await pilot.pause()
        assert bar.rich_style == general(bar) != before


async def test_a_name_that_is_no_component_class_is_a_bug() -> None:
    stage = given()
    async with stage.app.run_test(size=WIDE):
        assert isinstance(stage.app.screen, WatchScreen)
        with pytest.raises(KeyError):
            stage.app.screen.stream.get_component_styles("stream--nothing")


@pytest.mark.parametrize("keys", [(), ("a",), ("f",), ("at",), ("v",), ("W",), ("question_mark",), ("slash", "p")])
@pytest.mark.parametrize("size", [(160, 40), (60, 20)])
async def test_a_whole_screen_is_what_textuals_own_compositor_makes_of_it(
    size: tuple[int, int], keys: tuple[str, ...]
) -> None:
    stage = given()
    async with stage.app.run_test(size=size) as pilot:
        await pilot.press(*keys)
        await pilot.pause()
        compositor = stage.app.screen._compositor
        assert type(compositor) is not Compositor
        visible_screen_stack.set(stage.app._background_screens)  # what Textual's draws behind a box
        assert told(compositor.render_strips()) == told(Compositor.render_strips(compositor))


def told(strips: list[Strip]) -> list[list[tuple[str, Style]]]:
    """What is written, character by character in its style, but for what a click there does."""
    return [
        [
            (character, (segment.style or Style.null()).clear_meta_and_links())
            for segment in strip
            for character in segment.text
        ]
        for strip in strips
    ]


async def test_a_part_of_a_widget_with_a_border_is_what_is_cut_out_of_all_of_it() -> None:
    stage = given()
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("down")
        await pilot.pause()
        assert isinstance(stage.app.screen, WatchScreen)
        detail = stage.app.screen.detail
        width, height = detail.outer_size
        whole = detail.render_lines(Region(0, 0, width, height))
        assert all(strip.text[0] == "▏" for strip in whole)
        drawn = whole[0].cell_length
        for start, end in [(1, drawn), (1, 9), (0, 9), (3, drawn), (0, drawn), (0, 1)]:
            part = detail.render_lines(Region(start, 2, end - start, 20))
            assert [(list(strip.simplify()), strip.cell_length) for strip in part] == [
                (list(strip.crop(start, end).simplify()), end - start) for strip in whole[2:22]
            ]
