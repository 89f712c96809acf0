"""What holds for any pattern and any message."""

import json
import re
import sys
from collections.abc import Callable, Sequence
from functools import partial
from types import FrameType
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch import patterns
from smwatch.patterns.regex import MAX_WORK, searcher, work
from smwatch.patterns.regex_syntax import Alternative, parse
from smwatch.record import decode

# Patterns made of pieces of the language reach further than random text.
PIECES = st.sampled_from(
    [
        *("{", "}", "[", "]", "(", ")", "%", '"', "\\", "*", "?", "-", ",", "...", ".", " ", "\n", "$", "'", "^", "|"),
        *("$.a", "$.b[0]", "$.a[*]", "$.*", "$.['a b']", "=", "!=", "<", ">=", "&&", "||", "IS NULL", "IS TRUE"),
        *("NOT EXISTS", "null", "1", "-1.5e3", '"1"', "a", '"a*"', "a*b", "%a.*b%", "%[ab]{2}$%", "+", "{1,3}", "é"),
    ]
)
BODIES = st.lists(PIECES, max_size=12).map("".join)
SELECTORS = st.sampled_from(["$.a", "$.b", "$.a.b", "$.a[0]", "$.a[*]", "$.*", "$.b.*", "$.['a b']"])
LITERALS = st.sampled_from(["1", "1.0", '"1"', '""', "a", '"a*"', "*", "%a%", "b*b", "-2", "true"])
COMPARISONS = st.one_of(
    st.builds("{} {} {}".format, SELECTORS, st.sampled_from(["=", "!="]), LITERALS),
    st.builds("{} {} {}".format, SELECTORS, st.sampled_from(["<", ">", "<=", ">="]), st.sampled_from(["1", "-2.5"])),
    st.builds("{} {}".format, SELECTORS, st.sampled_from(["IS NULL", "IS TRUE", "IS FALSE", "NOT EXISTS"])),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
    max_leaves=6,
)
JSON_PATTERNS = CONDITIONS.map("{{ {} }}".format)
TEXTS = st.one_of(
    st.text(max_size=40), BODIES, st.builds("{{{}}}".format, BODIES), st.builds("[{}]".format, BODIES), JSON_PATTERNS
)

VALUES = st.recursive(
    st.one_of(
        st.none(),
        st.booleans(),
        st.integers(-3, 3),
        st.sampled_from([1.0, 0.5, 1e30, "1", "1.0", "a", "ab", "", "bab", "true"]),
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3), st.dictionaries(st.sampled_from(["a", "b", "a b"]), inner, max_size=3)
    ),
    max_leaves=8,
)
RECORDS = st.dictionaries(st.sampled_from(["a", "b", "a b", "eventName"]), VALUES, max_size=4)


def compiled(text: str) -> patterns.Pattern | None:
    try:
        return patterns.compile(text)
    except patterns.PatternError as error:
        position = error.position
    assert 0 <= position <= len(text)
    return None


@settings(deadline=None)
@given(TEXTS, st.one_of(st.text(max_size=60), RECORDS.map(json.dumps)))
def test_any_text_is_a_pattern_or_refused_and_any_message_matches_or_not(text: str, message: str) -> None:
    if pattern := compiled(text):
        assert pattern.matches(message) in (True, False)


@settings(deadline=None)
@given(st.one_of(TEXTS, JSON_PATTERNS), RECORDS)
def test_a_record_and_the_message_it_came_from_get_the_same_answer(text: str, values: dict[str, Any]) -> None:
    message = json.dumps(values)
    if pattern := compiled(text):
        assert pattern.matches_record(decode(message), message) is pattern.matches(message)


@settings(deadline=None)
@given(CONDITIONS, CONDITIONS, RECORDS)
def test_conjunctions_and_alternatives_mean_what_their_sides_mean(
    first: str, second: str, values: dict[str, Any]
) -> None:
    sides = [compiled(f"{{ {side} }}") for side in (first, second)]
    both, either = compiled(f"{{ {first} && {second} }}"), compiled(f"{{ {first} || {second} }}")
    if both and either:  # together they may have too many wildcards or regular expressions
        message = json.dumps(values)
        answers = [side.matches(message) for side in sides if side]
        assert both.matches(message) is all(answers)
        assert either.matches(message) is any(answers)


EVENT_CONDITIONS = st.recursive(
    st.one_of(
        st.builds("$.eventName {} {}".format, st.sampled_from(["=", "!="]), st.sampled_from(["a", '"1"', "a*", "ab"])),
        COMPARISONS,
    ),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
    max_leaves=6,
)


@settings(deadline=None)
@given(EVENT_CONDITIONS, RECORDS)
def test_a_record_without_a_required_value_never_matches(condition: str, values: dict[str, Any]) -> None:
    if not (pattern := compiled(f"{{ {condition} }}")):
        return
    required = pattern.required_values("$.eventName")
    if required is not None and pattern.matches(json.dumps(values)):
        assert values.get("eventName") in required


SETS = st.sampled_from(["a", "b", ".", "[ab]", "[^a]", r"\d", r"\W", r"\s", r"\x61", "[b-d1]", "c"])
COUNTS = st.sampled_from(["", "", "*", "+", "?", "{2}", "{1,3}", "{2,}", "{,2}", "*?"])
ITEMS = st.builds("{}{}".format, SETS, COUNTS)
EXPRESSIONS = st.lists(
    st.builds(
        "{}{}{}".format,
        st.sampled_from(["", "", "^"]),
        st.lists(ITEMS, max_size=5).map("".join),
        st.sampled_from(["", "$"]),
    ),
    min_size=1,
    max_size=3,
).map("|".join)
LETTERS = st.text(alphabet="abcd1 \né☃", max_size=12)


@settings(deadline=None)
@given(EXPRESSIONS.filter(bool), st.lists(LETTERS, min_size=1, max_size=6))
def test_regular_expressions_find_what_re_finds(expression: str, texts: list[str]) -> None:
    oracle, search = re.compile(expression, re.ASCII), searcher(expression)
    assert {text: search(text) for text in texts} == {text: bool(oracle.search(text)) for text in texts}


def backtracking_steps(alternative: Alternative, text: str, start: int) -> int:
    """Count what a backtracking search does from one place: each attempt to match one character."""
    steps = 0

    def found(item: int, taken: int, at: int) -> bool:
        nonlocal steps
        steps += 1
        if item == len(alternative.items):
            return not alternative.at_end or at == len(text)
        part = alternative.items[item]
        fits = at < len(text) and part.characters >> min(ord(text[at]), 256) & 1
        if fits and (part.most is None or taken < part.most) and found(item, taken + 1, at + 1):
            return True
        return taken >= part.least and found(item + 1, 0, at)

    found(0, 0, start)
    return steps


@settings(deadline=None)
@given(EXPRESSIONS.filter(bool), LETTERS)
def test_what_is_left_to_re_is_bounded_for_each_character(expression: str, text: str) -> None:
    for alternative in parse(expression):
        if (bound := work(alternative)) <= MAX_WORK:
            assert all(backtracking_steps(alternative, text, start) <= 2 * bound for start in range(len(text) + 1))


def steps(function: Callable[[], object]) -> int:
    """Count the lines of Python that a call runs."""
    count = 0

    def trace(_frame: FrameType, event: str, _argument: object) -> Any:
        nonlocal count
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        function()
    finally:
        sys.settrace(before)
    return count


HOSTILE_TEXTS: Sequence[Callable[[int], str]] = (
    lambda size: "a" * size,
    lambda size: "ab" * (size // 2),
    lambda size: "[ " * (size // 2),
    lambda size: '" ' * (size // 2),
    lambda size: '"' * size,
    lambda size: "a\n" * (size // 2),
    lambda size: "7" * size,
    lambda size: "".join(map(chr, range(0x100, 0x100 + size))),
    lambda size: f'{{"a":"{"a" * size}","b":[{"1," * size}1]}}',
)


@pytest.mark.parametrize(
    "text",
    [
        "%a*a*a*a*a*b%",
        "%a*a*a*a*a*c$%",
        "%a[ab]*c.*d%",
        "%a.*a.*a.*a.*z|b.*b.*y%",
        "%^a*b*a*b*c$%",
        "%[0-9]+$%",
        r"%\s+$%",
        "%[ab]*a[ab]{40}c.*d%",
        "%a{0,30}a{0,30}a{0,30}c%",
        "%x[^y]*y%",
        "[a, b, c = x]",
        "[..., a = 1]",
        "[a = %a*a*a*b%, ...]",
        "[w = *a*a*a*a*b]",
        '"a a a" -b',
        '{ $.a = "*a*a*a*a*b" || $.a = %a*a*a*b% || $.b[*] = 2 }',
    ],
)
@pytest.mark.parametrize("hostile", HOSTILE_TEXTS)
def test_a_message_twice_as_long_takes_at_most_about_twice_the_steps(text: str, hostile: Callable[[int], str]) -> None:
    short, long = (steps(partial(patterns.compile(text).matches, hostile(size))) for size in (2_000, 4_000))
    assert long <= 2.2 * short + 100
    assert long <= 40 * 4_000
