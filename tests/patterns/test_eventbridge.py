"""Event patterns select what the filter patterns do, by moto's reading of EventBridge's language."""

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from moto.events.models import EventPattern as Oracle

from smwatch import patterns
from smwatch.patterns.eventbridge import EventPattern, event_pattern, required
from smwatch.patterns.matchers import InexpressibleError
from smwatch.rules.rule import combine, load_builtin
from tests import records


def said(*texts: str) -> EventPattern:
    return event_pattern(*(patterns.compile(text).syntax for text in texts))  # type: ignore[arg-type]


def selects(detail: Any, record: dict[str, Any]) -> bool:
    pattern = {"detail": detail}
    return bool(Oracle(json.dumps(pattern), pattern).matches_event({"detail": record}))  # type: ignore[typeddict-item]


@pytest.mark.parametrize(
    ("text", "detail"),
    [
        ("{ $.eventName = GetSecretValue }", {"eventName": ["GetSecretValue"]}),
        ("{ $.eventName = A || $.eventName = B }", {"eventName": ["A", "B"]}),
        ("{ $.eventName = A && $.errorCode NOT EXISTS }", {"eventName": ["A"], "errorCode": [{"exists": False}]}),
        ('{ $.errorCode = "*" }', {"errorCode": [{"exists": True}]}),
        ('{ $.errorCode = "Access*" }', {"errorCode": [{"prefix": "Access"}]}),
        ('{ $.errorMessage = "*de\\\\leted*" }', {"errorMessage": [{"wildcard": "*de\\\\leted*"}]}),
        ('{ $.errorMessage = "**a**b**" }', {"errorMessage": [{"wildcard": "*a*b*"}]}),
        ("{ $.eventName != A && $.eventName != B }", {"eventName": [{"anything-but": ["A", "B"]}]}),
        ("{ $.eventName != Get* }", {"eventName": [{"anything-but": {"prefix": "Get"}}]}),
        ('{ $.eventName = "*" && $.eventName != A }', {"eventName": [{"anything-but": ["A"]}]}),
        ("{ $.eventName = A && $.eventName != B }", {"eventName": ["A"]}),
        ("{ ($.eventName = A || $.eventName = B) && $.eventName != B }", {"eventName": ["A"]}),
        ("{ $.eventName != A || $.eventName NOT EXISTS }", {"eventName": [{"anything-but": ["A"]}, {"exists": False}]}),
        ("{ $.readOnly IS TRUE || $.readOnly = true }", {"readOnly": [True, "true"]}),
        ("{ $.userIdentity.userName IS NULL }", {"userIdentity": {"userName": [None]}}),
        (
            "{ $.requestParameters.recoveryWindowInDays >= 7 && $.requestParameters.recoveryWindowInDays < 30 }",
            {"requestParameters": {"recoveryWindowInDays": [{"numeric": [">=", 7, "<", 30]}]}},
        ),
        (
            "{ $.eventVersion > 1 && $.eventVersion >= 2 && $.eventVersion <= 9 && $.eventVersion < 9 }",
            {"eventVersion": [{"numeric": [">=", 2, "<", 9]}]},
        ),
        (
            "{ $.requestParameters.recoveryWindowInDays = 7 }",
            {"requestParameters": {"recoveryWindowInDays": ["7", {"numeric": ["=", 7]}]}},
        ),
        (
            "{ $.eventName = A && ($.errorCode = x || $.userAgent = y) }",
            {"eventName": ["A"], "$or": [{"errorCode": ["x"]}, {"userAgent": ["y"]}]},
        ),
        (
            "{ $.eventName = A && $.errorCode = x || $.eventName = B && $.errorCode = x }",
            {"eventName": ["A", "B"], "errorCode": ["x"]},
        ),
        ("{ $.eventName = A || $.eventName = A && $.errorCode = x }", {"eventName": ["A"]}),
    ],
)
def test_what_an_event_pattern_can_say_is_said_exactly(text: str, detail: object) -> None:
    found = said(text)
    assert found.detail == detail
    assert not found.differences


@pytest.mark.parametrize(
    ("text", "difference"),
    [
        ("{ $.requestParameters.filters[0].key = x }", "any element will do"),
        ("{ $.requestParameters.filters[*].key = x }", "only lists are looked into"),
        ("{ $.requestParameters.unheardOf = x }", "lists are looked into"),
        ("{ $.requestParameters.filters[0].key = x && $.requestParameters.filters[1].key = y }", "a second condition"),
        ('{ $.userAgent = "*curl" }', "comes earlier too"),
        ('{ $.eventName = Get* && $.eventName != "GetSecretValue" }', "!= … is left out"),
        ("{ $.readOnly != x }", "true and false count too"),
        ('{ $.requestParameters.maxResults = "1*" }', "numbers have no text"),
        ("{ $.requestParameters.maxResults != 1 }", "not equal to the number"),
        ('{ $.requestParameters.maxResults = "1" }', "numbers never equal the text"),
    ],
)
def test_what_an_event_pattern_says_differently_is_told(text: str, difference: str) -> None:
    assert difference in " ".join(said(text).differences)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("{ $.a = %x% }", "regular expressions"),
        ("{ $.* = x }", "no way to say"),
        ("{ $.['a.b'] = x }", "can't be called"),
        ("{ $.prefix = x }", "can't be called"),
        ("{ $.a = 1e12 }", "can't compare"),
        ("{ $.a = x && $.a.b = y }", "inside of a value"),
        ("{ $.a.b = x && $.a = y }", "has fields and a value"),
        ("{ $.a = x && $.a = y }", "nothing can match"),
        ("{ $.a = x && $.a NOT EXISTS }", "nothing can match"),
        ("{ $.a > 2 && $.a <= 2 }", "nothing can match"),
        ("{ $.a >= 3 && $.a < 3 }", "nothing can match"),
        ("{ $.a[0] NOT EXISTS }", "has an element"),
        ("{ $.a IS TRUE && $.a IS FALSE }", "nothing can match"),
        ("{ $.a != * }", "nothing can match"),
        ("{ " + " && ".join(f"($.a{n} = x || $.b{n} = y)" for n in range(12)) + " }", "more than 100"),
        ("{ " + " && ".join("($.a!=1||$.a!=2||$.a!=3||$.a!=4||$.a!=5)" for _ in range(20)) + " }", "more than 100"),
    ],
)
def test_what_no_event_pattern_can_say_is_refused(text: str, why: str) -> None:
    with pytest.raises(InexpressibleError, match=why):
        said(text)


def test_the_texts_a_field_must_have_are_known_where_they_are_finite() -> None:
    assert required(said("{ $.eventName = A || $.eventName = B }").detail, "eventName") == ["A", "B"]
    either = said("{ $.eventName = A && $.errorCode = x || $.eventName = B && $.userAgent = y }")
    assert required(either.detail, "eventName") == ["A", "B"]
    assert required(said("{ $.eventName = A || $.errorCode = x }").detail, "eventName") is None
    assert required(said("{ $.eventName != A }").detail, "eventName") is None


FIELDS = ("eventName", "errorCode", "userAgent", "eventType")
WORDS = st.sampled_from(["A", "B", "AB", "BA", "", "A B"])
COMPARISONS = st.one_of(
    st.builds('$.{} {} "{}"'.format, st.sampled_from(FIELDS), st.sampled_from(["=", "!="]), WORDS),
    st.builds('$.{} {} "{}*"'.format, st.sampled_from(FIELDS), st.sampled_from(["=", "!="]), WORDS),
    st.builds('$.{} {} "*{}*"'.format, st.sampled_from(FIELDS), st.sampled_from(["=", "!="]), WORDS),
    st.builds("$.{} NOT EXISTS".format, st.sampled_from(FIELDS)),
)
CONDITIONS = st.recursive(
    COMPARISONS,
    lambda inner: st.builds("({} {} {})".format, inner, st.sampled_from(["&&", "||"]), inner),
    max_leaves=7,
)
RECORDS = st.lists(st.dictionaries(st.sampled_from(FIELDS), WORDS), min_size=1, max_size=20)


@settings(max_examples=300, deadline=None)
@given(CONDITIONS, RECORDS)
def test_both_languages_select_the_same_and_a_difference_only_adds(condition: str, given_records: list[Any]) -> None:
    pattern = patterns.compile(f"{{ {condition} }}")
    assert pattern.ask_record
    try:
        found = event_pattern(pattern.syntax)  # type: ignore[arg-type]
    except InexpressibleError:  # for these conditions: because nothing can match
        assert not any(map(pattern.ask_record, given_records))
        return
    for record in given_records:
        wanted, got = pattern.ask_record(record), selects(found.detail, record)
        assert got is wanted or (got and found.differences), (record, found)


CALLS = [
    records.read("prod/db"),
    records.read("prod/db", errorCode="AccessDenied", errorMessage="not authorized"),
    records.read("prod/db", errorCode="InvalidRequestException", errorMessage=records.MARKED),
    records.put(),
]


@pytest.mark.parametrize("rule", combine(load_builtin()).rules, ids=lambda rule: rule.id)
def test_the_catalogue_selects_the_same_records_in_both_languages(rule: Any) -> None:
    for pattern in rule.when:
        if pattern.kind is patterns.Kind.JSON:
            detail = event_pattern(pattern.syntax).detail
            for record in CALLS:
                assert selects(detail, record) >= pattern.matches_record(record, "")
