"""JSON is read exactly, and whatever is JSON is read."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.record import Number, decode, encode


def test_numbers_remember_how_they_were_written() -> None:
    record = decode('{"a": 1.0, "b": 1E9, "c": 1, "d": 1.68890570862E9}')
    assert record == {"a": 1.0, "b": 1e9, "c": 1, "d": 1688905708.62}
    assert (record["a"].text, record["b"].text) == ("1.0", "1E9")
    assert type(record["c"]) is int
    assert encode(record) == '{"a":1.0,"b":1E9,"c":1,"d":1.68890570862E9}'


def test_the_last_of_equal_keys_wins() -> None:
    assert decode('{"a": 1, "a": 2}') == {"a": 2}


def test_equal_records_have_one_ordered_text() -> None:
    assert encode(decode('{"b": {"d": 1, "c": 2}, "a": 1}'), ordered=True) == '{"a":1,"b":{"c":2,"d":1}}'


@pytest.mark.parametrize(
    "raw", ['{"a": "x\\ud83d"}', '{"a": "\\udc00x"}', '{"\\ud800": 1}', '{"a": ["\\ud800\\u0041"]}']
)
def test_half_a_surrogate_pair_hides_no_record(raw: str) -> None:
    record = decode(raw)
    assert "\ufffd" in json.dumps(record, ensure_ascii=False)
    encode(record)


def test_a_whole_surrogate_pair_is_one_character() -> None:
    assert decode('{"a": "\\ud83d\\ude00", "b": "\\ud800"}')["a"] == "😀"


def test_a_huge_integer_hides_no_record() -> None:
    digits = "1" * 5000
    record = decode(f'{{"a": {digits}, "b": {digits[:300]}}}')
    assert isinstance(record["a"], Number)
    assert record["b"] == int(digits[:300])


@pytest.mark.parametrize(
    ("raw", "reason"),
    [
        ("", "not JSON: Input data was truncated"),
        ('{"a": NaN}', "not JSON: JSON is malformed: invalid character (byte 6)"),
        ("[1]", "a JSON list, not an object"),
        ("null", "a JSON NoneType, not an object"),
        ('{"a": 1', "not JSON: Input data was truncated"),
    ],
)
def test_what_is_not_a_json_object_is_refused_in_one_line(raw: str, reason: str) -> None:
    with pytest.raises(ValueError, match="^" + reason.replace("(", r"\(").replace(")", r"\)") + "$"):
        decode(raw)


@pytest.mark.parametrize("raw", ["[" * 100_000, '{"a":' * 100_000, '{"a": "\ud800"}', b'{"a": "\xff"}', "\ufeff{}"])
def test_nesting_and_broken_encoding_are_refused(raw: str | bytes) -> None:
    with pytest.raises(ValueError, match=r"^not JSON: .+$"):
        decode(raw)


values: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=4), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=4), values, max_size=4))
def test_a_record_comes_back_from_its_text(record: dict[str, Any]) -> None:
    assert decode(json.dumps(record)) == record
    assert decode(encode(decode(json.dumps(record)))) == record


@given(st.text() | st.binary())
def test_anything_else_is_a_value_error(raw: str | bytes) -> None:
    reason = ""
    try:
        assert isinstance(decode(raw), dict)
    except ValueError as error:
        reason = str(error)
    assert "\n" not in reason
