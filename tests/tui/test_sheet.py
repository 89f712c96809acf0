"""A page of lines, alone on a screen."""

from __future__ import annotations

from textual.app import App, ComposeResult

from smwatch.tui.lines import Line, Piece, line
from smwatch.tui.widgets.choices import Choices


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
