"""Lines that are painted at once, and when they have to wait for something else."""

from __future__ import annotations

from collections.abc import Callable

import pytest
from textual.app import App, ComposeResult
from textual.screen import ModalScreen

from smwatch.tui.lines import Piece
from smwatch.tui.widgets.pieces import Pieces
from tests.tui.test_raw import Tape


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

    def painted(self, text: str) -> bool:
        """Whether it has been written since this was asked last."""
        told = "".join(self.written)
        self.written.clear()
        return text in told


def a_line_more(stage: Stage) -> list[list[Piece]]:
    del stage
    return [[Piece("12:00:01")], [Piece("more")]]


def within_a_batch(stage: Stage) -> list[list[Piece]]:
    stage._begin_batch()
    stage.call_later(stage._end_batch)
    return [[Piece("12:00:01")]]


def before_a_layout(stage: Stage) -> list[list[Piece]]:
    stage.pieces.refresh(layout=True)
    stage.screen._layout_required = True
    return [[Piece("12:00:01")]]


async def test_lines_are_on_the_terminal_before_anything_else_happens() -> None:
    stage = Stage()
    async with stage.run_test(headless=False) as pilot:
        stage.pieces.put([[Piece("12:00:00")]])
        await pilot.pause()
        assert stage.painted("12:00:00")
        stage.pieces.put_at_once([[Piece("12:00:01")]])
        assert stage.painted("12:00:01")
        stage.pieces.put_at_once([[Piece("12:00:01")]])
        assert stage.written == [], "they are there already"
        await pilot.pause()
        assert not stage.painted("12:00:01"), "they are painted once"


@pytest.mark.parametrize("first", [a_line_more, within_a_batch, before_a_layout])
async def test_lines_wait_for_what_has_to_come_before(first: Callable[[Stage], list[list[Piece]]]) -> None:
    stage = Stage()
    async with stage.run_test(headless=False) as pilot:
        stage.pieces.put([[Piece("12:00:00")]])
        await pilot.pause()
        stage.written.clear()
        stage.pieces.put_at_once(first(stage))
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
        stage.pieces.put_at_once([[Piece("12:00:01")]])
        assert stage.written == []
        await stage.pop_screen()
        await pilot.pause()
        assert stage.painted("12:00:01")


async def test_lines_that_come_while_the_app_ends_are_let_go() -> None:
    stage = Stage()
    async with stage.run_test(headless=False):
        await stage.pieces.remove()
        stage.written.clear()
        stage.pieces.put_at_once([[Piece("12:00:01")]])
        assert stage.written == []
