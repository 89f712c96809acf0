"""What is looked for on a page."""

from __future__ import annotations

from collections.abc import Sequence

import pytest

from smwatch.tui.lines import Line, Piece, line
from smwatch.tui.search import FEW, LOOKED_AT, SPARED, Search

LINES = [line(Piece(f"Line {n}.")) for n in range(3 * LOOKED_AT)]


def test_lines_are_looked_at_in_the_order_given_some_at_a_time() -> None:
    search = Search("LINE 10")
    search.begin([10, 100, 101])
    assert search.look(LINES) == 10
    last = len(LINES) - 1
    search = Search(f"line {last}.", clock=lambda: 0.0)
    search.begin(range(len(LINES)))
    looked = []
    while search.goes_on:
        looked.append(search.look(LINES))
    assert looked == [None, None, last]


def test_no_more_lines_are_looked_at_than_there_is_time_for() -> None:
    clock, written = [0.0], list[int]()

    class Slow(Sequence[Line]):
        def __len__(self) -> int:
            return len(LINES)

        def __getitem__(self, at: int) -> Line:  # type: ignore[override]  # no slices are asked for
            clock[0] += SPARED / FEW * 1.01
            written.append(at)
            return LINES[at]

    last = len(LINES) - 1
    search, looked = Search(f"line {last}.", clock=lambda: clock[0]), list[int | None]()
    search.begin(range(len(LINES)))
    while search.goes_on:
        before = len(written)
        looked.append(search.look(Slow()))
        assert len(written) - before <= FEW
    assert looked == [None] * (len(looked) - 1) + [last]
    assert written == list(range(len(LINES)))


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
