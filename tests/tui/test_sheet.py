"""A page of lines, alone on a screen."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from textual.app import App, ComposeResult

from smwatch.tui.lines import Line, Piece, line
from smwatch.tui.search import LOOKED_AT
from smwatch.tui.unwritten import Unwritten
from smwatch.tui.widgets.choices import Choices
from smwatch.tui.widgets.sheet import Sheet


class Listed(App[None]):
    """A list that notes for which widths it is written."""

    def __init__(self) -> None:
        super().__init__()
        self.widths: list[int] = []

    def compose(self) -> ComposeResult:
        """The list."""
        choices = Choices()
        choices.show(self.page)
        yield choices

    def page(self, width: int) -> list[Line]:
        """One line."""
        self.widths.append(width)
        return [line(Piece("one"))]


async def test_a_page_is_written_once_for_another_width_and_not_for_another_height() -> None:
    app = Listed()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.widths.clear()
        await pilot.resize_terminal(80, 20)
        await pilot.pause()
        assert app.widths == []
        await pilot.resize_terminal(60, 20)
        await pilot.pause()
        assert len(app.widths) == 1


MANY = 10 * LOOKED_AT


class Counted(Unwritten):
    """As many lines, each a block with its number, of which the written ones are counted."""

    def __init__(self) -> None:
        super().__init__([1] * MANY)
        self.written = 0

    def _write(self, n: int) -> Sequence[Line]:
        self.written += 1
        return [line(Piece(f"Line {n}."))]

    def place_of(self, target: object) -> int | None:
        """None leads anywhere."""
        del target
        return None


class Looked(App[None]):
    """Such a page, and what was not found on it."""

    def __init__(self) -> None:
        super().__init__()
        self.lines, self.sheet, self.missed = Counted(), Sheet(), list[str]()

    def compose(self) -> ComposeResult:
        """The page."""
        self.sheet.show(lambda _: self.lines)
        yield self.sheet

    def on_sheet_missed(self, event: Sheet.Missed) -> None:
        """Note it."""
        self.missed.append(event.text)


@pytest.mark.parametrize(("text", "found"), [(f"LINE {MANY - 1}.", MANY - 1), ("Nowhere", None), ("line 3.", 3)])
async def test_a_text_is_looked_for_on_a_page_of_many_lines_some_at_a_time(text: str, found: int | None) -> None:
    app = Looked()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        before = app.lines.written
        app.sheet.find(text)
        assert app.lines.written - before <= LOOKED_AT
        while app.sheet.cursor is None and not app.missed:
            await pilot.pause(0.001)
        assert (app.sheet.cursor, app.missed) == (found, [text] if found is None else [])


async def test_who_goes_on_or_to_another_page_is_not_brought_back_by_what_was_looked_for() -> None:
    app = Looked()
    async with app.run_test(size=(80, 24)) as pilot:
        await pilot.pause()
        app.sheet.find(f"line {MANY - 1}.")
        app.sheet.show(lambda _: [line(Piece("another"))], anew=True)
        await pilot.pause(0.05)
        assert (app.sheet.cursor, app.missed) == (None, [])
        app.sheet.show(lambda _: app.lines, anew=True)
        app.sheet.find(f"line {MANY - 1}.")
        app.sheet.cursor = 5
        await pilot.pause(0.05)
        assert (app.sheet.cursor, app.missed) == (5, [])
