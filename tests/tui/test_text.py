"""The one door to the terminal."""

from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from smwatch.tui.text import fit, fit_middle, visible, wrap
from smwatch.visible import MARKS

ANYTHING = st.text(max_size=60) | st.text(
    st.characters(categories=["Cc", "Cf", "Mn", "Lo", "So", "Zs", "Ll"]), max_size=40
)
ACTIVE = {*map(chr, range(32)), *map(chr, range(0x7F, 0xA0)), "\u202e", "\u2066", "\u200f", "\u2028", "\ufeff"}


@given(ANYTHING, st.integers(0, 50))
def test_whatever_the_text_it_fills_exactly_the_width(text: str, width: int) -> None:
    assert cell_len(fit(text, width)) == width
    assert cell_len(fit_middle(text, width)) == width


@given(ANYTHING)
def test_nothing_a_terminal_acts_on_gets_through(text: str) -> None:
    assert not ACTIVE & set(visible(text))


@given(ANYTHING, st.integers(1, 40))
def test_wrapped_lines_never_exceed_the_width(text: str, width: int) -> None:
    assert all(cell_len(line) <= max(2, width) for line in wrap(text, width))  # a wide character needs two cells


@given(st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=80), st.integers(1, 40))
def test_wrapping_loses_nothing_but_the_spaces_it_breaks_at(text: str, width: int) -> None:
    assert "".join(wrap(text, width)).replace(" ", "") == text.replace(" ", "")


def test_an_escape_sequence_is_spelled_out() -> None:
    assert visible("\x1b]0;PWNED\x07") == "␛]0;PWNED␇"


def test_ordinary_text_is_the_same_object() -> None:
    text = "prod/payments/db"
    assert visible(text) is text


def test_marks_are_not_piled_up() -> None:
    assert visible("a" + "\u0301" * 50) == "a" + "\u0301" * MARKS


def test_text_that_is_too_long_says_so() -> None:
    assert fit("prod/payments/db", 8) == "prod/pa…"
    assert fit_middle("prod/checkout/stripe-api", 18) == "prod/ch…stripe-api"
