"""Globs against Python's regular expressions, and against hostile ones."""

import re
import time

from hypothesis import given
from hypothesis import strategies as st

from smwatch.filter.glob import Glob

TEXT = st.text("abA?*.\n", max_size=12)


def reference(glob: str, text: str, literal: bool) -> bool:
    wild = {} if literal else {"*": ".*", "?": "."}
    pattern = "".join(wild.get(character, re.escape(character)) for character in glob.lower())
    return re.fullmatch(pattern, text.lower(), re.DOTALL) is not None


@given(TEXT, TEXT, st.booleans())
def test_a_glob_fits_what_the_same_regular_expression_matches(glob: str, text: str, literal: bool) -> None:
    assert Glob(glob, literal=literal)(text) is reference(glob, text, literal)


@given(TEXT, st.booleans(), TEXT, st.booleans(), TEXT)
def test_what_a_narrower_glob_fits_the_wider_one_fits_too(
    narrow: str, exact: bool, wide: str, wide_exact: bool, text: str
) -> None:
    one, other = Glob(narrow, literal=exact), Glob(wide, literal=wide_exact)
    if one.within(other) and one(text):
        assert other(text)


def test_growing_a_prefix_or_a_part_narrows() -> None:
    assert Glob("GetS*").within(Glob("get*"))
    assert Glob("getsecretvalue").within(Glob("Get*"))
    assert Glob("*lambda-a*").within(Glob("*lambda*"))
    assert Glob("a*lambda*b").within(Glob("*LAMBDA*"))
    assert not Glob("Get*").within(Glob("GetS*"))
    assert not Glob("*et").within(Glob("Get*"))


def test_a_hostile_glob_takes_no_longer_than_its_size() -> None:
    text = "a" * 2000 + "b"
    globs = [Glob("*a" * 500 + "c"), Glob("*a?" * 300 + "*c*"), Glob("*" * 1000 + "c")]
    before = time.perf_counter()
    assert not any(glob(text) for glob in globs)
    assert time.perf_counter() - before < 1
