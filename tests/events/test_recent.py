"""What was asked for lately is remembered, and never more than two generations of it."""

from __future__ import annotations

import os
import subprocess
import sys
from itertools import pairwise
from weakref import WeakSet

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.recent import AT_ONCE, LOOKED_THROUGH, Marked, Recent, mark_of


@given(st.lists(st.integers(0, 40), max_size=200), st.integers(1, 10))
def test_it_answers_like_the_function_and_stays_bounded(keys: list[int], limit: int) -> None:
    made: list[int] = []

    def make(key: int) -> str:
        made.append(key)
        return str(key)

    recent = Recent(make, limit)
    for key in keys:
        assert recent[key] == str(key)
        assert recent.find(key) == str(key)
        assert len(recent) <= limit
    last = list(dict.fromkeys(reversed(keys)))[:limit]
    made.clear()
    assert [recent[key] for key in last] == [str(key) for key in last]
    assert made == []


def test_finding_makes_nothing() -> None:
    recent: Recent[int, str] = Recent(str, 2)
    assert recent.find(1) is None
    recent.keep(1, "one")
    assert (recent.find(1), recent[1]) == ("one", "one")
    recent.forget()
    assert recent.find(1) is None


def test_what_passes_a_test_is_forgotten_in_both_generations() -> None:
    aged: list[int] = []
    recent: Recent[int, str] = Recent(str, 3, aged=lambda: aged.append(len(recent)))
    for key in range(5):
        assert recent[key] == str(key)
    assert aged == [0]
    recent.forget_if(lambda value: value in "14")
    assert [recent.find(key) for key in range(5)] == ["0", None, "2", "3", None]


class Made:
    """A value that can be counted as long as somebody holds it."""


@pytest.mark.parametrize("marked", [False, True])
def test_what_is_forgotten_is_let_go_of_soon_and_never_much_of_it_at_once(marked: bool) -> None:
    held, counts = WeakSet[Made](), list[int]()

    def make(_: int) -> Made:
        held.add(made := Made())
        return made

    recent = Marked(make, 500) if marked else Recent(make, 500)
    for key in range(4_000):
        if key == 3_250:
            recent.forget()
        recent.of(key) if isinstance(recent, Marked) else recent[key]
        counts.append(len(held))
    assert max(counts) <= 1_001
    assert all(before - after < AT_ONCE for before, after in pairwise(counts))
    assert counts[3_300] == 51


def test_to_forget_again_and_again_costs_no_more_than_to_make() -> None:
    looked_through: list[str] = []

    def odd(value: str) -> bool:
        looked_through.append(value)
        return int(value) % 2 == 1

    recent: Recent[int, str] = Recent(str, 1_000)
    for key in range(800):
        assert recent[key] == str(key)
    for key in range(1_000, 1_300):
        assert recent[key] == str(key)
        recent.forget_if(odd)
    assert len(looked_through) < 800 + 300 * LOOKED_THROUGH
    assert (recent.find(1_299), recent.find(1_298)) == (None, "1298")


@given(st.lists(st.integers(0, 40), max_size=200), st.integers(1, 10))
def test_what_keeps_marks_answers_like_the_function_and_remembers_as_much(keys: list[int], limit: int) -> None:
    made: list[str] = []

    def make(key: tuple[str, int]) -> str:
        made.append(f"{key[0]} {key[1]}")
        return made[-1]

    marked = Marked(make, limit)

    def ask(number: int) -> str:
        key = ("key", number)
        mark = mark_of(key)
        return marked.get(mark) or marked.made(mark, key)

    for number in keys:
        assert ask(number) == f"key {number}"
        assert len(marked) <= limit
    assert all(isinstance(mark, int) for mark in marked.remembered())
    last = list(dict.fromkeys(reversed(keys)))[:limit]
    made.clear()
    assert [ask(number) for number in last] == [f"key {number}" for number in last]
    assert made == []


@pytest.mark.parametrize(("seed", "told"), [("0", "(1, 'key')"), ("7", "an int")])
def test_without_a_secret_of_the_process_a_key_is_kept_itself(seed: str, told: str) -> None:
    program = (
        "from smwatch.events.recent import mark_of as m; k = m((1, 'key')); print(k if type(k) is tuple else 'an int')"
    )
    environment = os.environ | {"PYTHONHASHSEED": seed}
    said = subprocess.run([sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True)
    assert said.stdout.strip() == told
