"""The last line of the main screen, in little room."""

from __future__ import annotations

import pytest

from smwatch.tui.pages.footer import Standing, footer_row

KEYS = [("?", "help", "app.help"), ("/", "filter", "screen.filter")]
SAID = "no room below 100 columns: Enter opens the details"


def shown(standing: Standing, width: int) -> str:
    return "".join(piece.text for piece in footer_row(standing, KEYS, width))


@pytest.mark.parametrize("width", [60, 80, 100])
@pytest.mark.parametrize("unseen", [0, 12_345])
def test_what_just_happened_is_told_whole_whatever_else_there_is_to_say(width: int, unseen: int) -> None:
    standing = Standing(query="name:Get*", shown=3, total=941, following=not unseen, unseen=unseen, said=SAID)
    line = shown(standing, width)
    assert SAID in line
    assert len(line) <= width


def test_it_gives_way_to_no_more_than_it_needs() -> None:
    assert shown(Standing(total=941, said="oldest first"), 60).startswith(" ● following   941 events ")
    assert shown(Standing(total=941, said="nothing to go back from: q leaves smwatch"), 60).startswith(" ● following ")
