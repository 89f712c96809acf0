"""What is looked for on a page."""

from __future__ import annotations

import pytest

from smwatch.tui.lines import Piece, line
from smwatch.tui.search import LOOKED_AT, Search

LINES = [line(Piece(f"Line {n}.")) for n in range(3 * LOOKED_AT)]


def test_lines_are_looked_at_in_the_order_given_some_at_a_time() -> None:
    search = Search("LINE 10")
    search.begin([10, 100, 101])
    assert search.look(LINES) == 10
    last = len(LINES) - 1
    search = Search(f"line {last}.")
    search.begin(range(len(LINES)))
    looked = []
    while search.goes_on:
        looked.append(search.look(LINES))
    assert looked == [None, None, last]


def test_a_page_that_has_become_shorter_is_looked_at_as_far_as_it_goes() -> None:
    search = Search("line")
    search.begin([5, 1])
    assert search.look(LINES[:3]) == 1


@pytest.mark.parametrize(
    ("sought", "parts"),
    [
        ("", [("A Key and a KEY.", False)]),
        ("kEy", [("A ", False), ("Key", True), (" and a ", False), ("KEY", True), (".", False)]),
        ("none", [("A Key and a KEY.", False)]),
    ],
)
def test_what_is_looked_for_is_marked_in_whatever_case(sought: str, parts: list[tuple[str, bool]]) -> None:
    assert list(Search(sought).parted("A Key and a KEY.")) == parts
    assert bool(Search(sought)) is bool(sought)


def test_a_text_whose_small_letters_are_more_than_its_own_is_not_parted() -> None:
    assert list(Search("x").parted("İx")) == [("İx", False)]
