"""What is seen in a message's text without decoding it: never a "no" where the record would match."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch import patterns
from smwatch.patterns.conditions import parse
from smwatch.patterns.nodes import Condition
from smwatch.patterns.traces import LONGEST, at_first
from smwatch.record import decode

LISTED = "{ $.eventName = GetSecretValue || $.eventName = PutSecretValue }"


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ('{ $.a = "GetSecretValue" }', r'{"a": "\u0047etSecretValue"}'),
        ('{ $.errorCode = "a*" }', r'{"error\u0043ode": "ab"}'),
        ('{ $.a = "x/y" }', r'{"a": "x\/y"}'),
        ('{ $.a = "say \\"it\\"" }', r'{"a": "say \"it\""}'),
        ("{ $.['a\\b'] = 1 }", r'{"a\\b": 1}'),
        ("{ $.a = 100 }", '{"a": 1e2}'),
        ("{ $.a = 1* }", '{"a": 100}'),
        ("{ $.a = *0* }", '{"a": -0}'),
        ("{ $.a[*] = *ef }", '{"a": ["abc", "def"]}'),
        ("{ $.a.b[1].c != x }", '{"a": {"b": [0, {"c": "y"}]}}'),
        ("{ $.a IS NULL }", '{"a": [1, null]}'),
        ("{ $.a NOT EXISTS }", "{}"),
        ("{ $.a NOT EXISTS || $.b = c }", "{}"),
        ("{ ($.a = b && $.c = d) || $.e = f }", '{"e": "f"}'),
        ('{ $.a = "*ab*" || $.a = "cd*" }', '{"a": "cde"}'),
        (LISTED, '{"eventName":"PutSecretValue"}'),
        (LISTED, '{"eventName" \n:\t"PutSecretValue"}'),
        (LISTED, '{"eventName": "PutSecretValue", "requestParameters": {"eventName": "DeleteSecret"}}'),
        (LISTED, '{"requestParameters": {"eventName": "DeleteSecret"}, "eventName": "GetSecretValue"}'),
        ("{ $.a[0] = b || $.a[0] = c }", '{"a": ["c"]}'),
        (f'{{ $.a = "{"long" * 50}" }}', json.dumps({"a": "long" * 50})),
        (f'{{ $.a = "*{"long" * 50}*" }}', json.dumps({"a": "long" * 51})),
        (f"{{ $.{'k' * 60} = b || $.{'k' * 60} = c }}", json.dumps({"k" * 60: "c"})),
    ],
)
def test_a_message_that_matches_is_found_however_it_is_written(pattern: str, message: str) -> None:
    assert patterns.compile(pattern).matches(message)


@pytest.mark.parametrize(
    "pattern",
    [
        "{ $.eventName = DeleteSecret }",
        "{ $.eventName = GetSecretValue && $.errorCode = AccessDenied }",
        '{ $.errorCode = "*UnauthorizedOperation" || $.errorCode = "AccessDenied*" }',
        "{ $.eventName = PutSecretValue || $.eventName = DeleteSecret }",
        '{ $.userIdentity.arn = "*assumed-role/Admin*" }',
        "{ $.requestParameters.recoveryWindowInDays < 30 }",
        "{ $.errorMessage IS NULL }",
        f'{{ $.eventName = "{"G" * 2 * LONGEST}" }}',
    ],
)
def test_a_message_that_lacks_what_is_asked_for_is_not_decoded(pattern: str) -> None:
    message = json.dumps({"eventName": "GetSecretValue", "requestParameters": {"secretId": "prod/db"}})
    assert not at_first(_condition(pattern), _refuse)(message)


def test_a_message_with_a_backslash_is_decoded() -> None:
    with pytest.raises(AssertionError):
        at_first(_condition("{ $.a = b }"), _refuse)(r'{"c": "\\"}')


WORDS = st.sampled_from(
    ["a", "b", "ab", "a b", "1", "10", "-1", "1e1", "1.0", "eE", "inf", "é", "a/b", "tr*e", "*1", "0*"]
)
KEYS = st.sampled_from(["a", "b", "errorCode", "type"])
SELECTORS = st.builds("$.{}{}".format, KEYS, st.sampled_from(["", ".a", "[0]", "[*]", ".*", ".b.a"]))
CONDITIONS = st.recursive(
    st.one_of(
        st.builds('{} {} "{}"'.format, SELECTORS, st.sampled_from(["=", "=", "=", "!="]), WORDS),
        st.builds(
            "{} {}".format, SELECTORS, st.sampled_from(["= 1", "= 10", "!= 1", "IS NULL", "IS TRUE", "NOT EXISTS"])
        ),
    ),
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||", "||"]), inner),
    max_leaves=6,
)
VALUES = st.recursive(
    st.one_of(WORDS, st.none(), st.booleans(), st.sampled_from([1, 10, -1, 10.0, 1e30, 10**30])),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(KEYS, inner, max_size=3)),
    max_leaves=8,
)


@given(CONDITIONS, st.dictionaries(KEYS, VALUES, max_size=4), st.booleans(), st.sampled_from([None, (",", ":")]))
def test_the_text_never_says_no_where_the_record_says_yes(
    condition: str, values: dict[str, Any], ascii_alone: bool, separators: tuple[str, str] | None
) -> None:
    message = json.dumps(values, ensure_ascii=ascii_alone, separators=separators)
    try:
        pattern = patterns.compile(f"{{ {condition} }}")
    except patterns.PatternError:  # too many wildcards in one
        return
    assert pattern.matches(message) is pattern.matches_record(decode(message), message)


def _condition(pattern: str) -> Condition:
    return parse(pattern, 0, len(pattern) - 1)


def _refuse(message: str) -> bool:
    raise AssertionError(message)
