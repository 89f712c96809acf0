import pytest

from smwatch import patterns
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import (
    AllOf,
    AnyOf,
    Compare,
    Constant,
    Each,
    Field,
    Fields,
    FieldTest,
    Glob,
    Index,
    Is,
    Key,
    NotExists,
    Numeral,
    Operator,
    Regex,
    Rest,
    Role,
    Selector,
    Term,
    Terms,
    Text,
)
from smwatch.record import decode

NAME = Selector((Key("name"),))


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("", patterns.Kind.TERMS),
        ("ERROR", patterns.Kind.TERMS),
        (" %a% ", patterns.Kind.REGEX),
        (" [a] ", patterns.Kind.DELIMITED),
        (" { $.a = 1 } ", patterns.Kind.JSON),
    ],
)
def test_a_pattern_knows_its_text_and_its_kind(text: str, kind: patterns.Kind) -> None:
    pattern = patterns.compile(text)
    assert (pattern.text, pattern.kind) == (text, kind)


@pytest.mark.parametrize(
    ("text", "syntax"),
    [
        ('a -"b c" ?d', Terms((Term("a"), Term("b c", Role.EXCLUDED), Term("d", Role.OPTIONAL)))),
        ("%a|b%", Regex("a|b")),
        (
            "[x, ..., y = 4* && y > 1 || y != %z%,]",
            Fields(
                (
                    Field("x"),
                    Rest(),
                    Field(
                        "y",
                        (
                            (FieldTest(Operator.EQ, Glob(("4", ""))), FieldTest(Operator.GT, Numeral("1", 1))),
                            (FieldTest(Operator.NE, Regex("z")),),
                        ),
                    ),
                    Field(""),
                )
            ),
        ),
        ("{ $.name = x }", Compare(NAME, Operator.EQ, Text("x"))),
        ("{ $.name <= -1.50 }", Compare(NAME, Operator.LE, Numeral("-1.50", -1.5))),
        ('{ $.name != "*a*" }', Compare(NAME, Operator.NE, Glob(("", "a", "")))),
        (
            "{ (($.name = x) && (($.name IS NULL && $.name NOT EXISTS))) }",
            AllOf((Compare(NAME, Operator.EQ, Text("x")), Is(NAME, Constant.NULL), NotExists(NAME))),
        ),
        (
            '{ $.name = "1" || ($.name = %1% || $.name = x && $.name = y) }',
            AnyOf(
                (
                    Compare(NAME, Operator.EQ, Text("1")),
                    Compare(NAME, Operator.EQ, Regex("1")),
                    AllOf((Compare(NAME, Operator.EQ, Text("x")), Compare(NAME, Operator.EQ, Text("y")))),
                )
            ),
        ),
        (
            "{ $.a.['b.c'][0].*.d NOT EXISTS }",
            NotExists(Selector((Key("a"), Key("b.c"), Index(0), Each(), Key("d")))),
        ),
    ],
)
def test_the_parsed_form_says_what_was_written(text: str, syntax: object) -> None:
    assert patterns.compile(text).syntax == syntax


def test_patterns_of_the_same_text_are_equal() -> None:
    first, second = patterns.compile("{ $.a = 1 }"), patterns.compile("{ $.a = 1 }")
    assert first == second
    assert len({first, second, patterns.compile("{ $.a = 2 }")}) == 2


@pytest.mark.parametrize("text", ["$.a", "$.a.b-c_d[0]", "$.['a b']", "$.a[*].['c.d']"])
def test_a_selector_is_shown_as_it_can_be_written(text: str) -> None:
    selector = parse_selector(text)
    assert str(selector) == text
    assert parse_selector(str(selector)) == selector


def test_a_selector_is_read_to_its_end() -> None:
    with pytest.raises(patterns.PatternError) as refusal:
        parse_selector("$.a b")
    assert refusal.value.position == 3


@pytest.mark.parametrize("text", ["GetSecretValue", "%Get[A-Z]%", "[..., x]"])
def test_a_pattern_about_text_asks_for_the_text_of_a_record(text: str) -> None:
    pattern = patterns.compile(text)
    message = '{"eventName": "GetSecretValue"}'
    assert pattern.ask_record is None
    assert pattern.matches_record(decode(message), message) is pattern.matches(message) is True
    assert pattern.matches_record(decode(message), lambda: message)
    assert not pattern.matches_record(decode(message), lambda: "")


def test_a_json_pattern_never_asks_for_the_text_of_a_record() -> None:
    def text() -> str:
        raise AssertionError

    assert patterns.compile("{ $.a = 1 }").matches_record({"a": 1}, text)


@pytest.mark.parametrize(
    ("text", "values"),
    [
        ('{ $.eventName = "GetSecretValue" }', {"GetSecretValue"}),
        ("{ $.['eventName'] = A }", {"A"}),
        ("{ $.eventName = A || $.eventName = B }", {"A", "B"}),
        ("{ ($.eventName = A || $.eventName = B) && $.eventSource = x }", {"A", "B"}),
        ("{ ($.eventName = A || $.eventName = B) && ($.eventName = B || $.eventName = C) }", {"B"}),
        ("{ $.eventName = A && $.eventName = B }", set()),
        ("{ $.eventName = A && $.x = 1 || $.eventName = B && $.x = 2 }", {"A", "B"}),
        ("{ $.eventName = A || $.x = 1 }", None),
        ("{ $.eventName != A }", None),
        ("{ $.eventName = A* }", None),
        ("{ $.eventName = %A% }", None),
        ("{ $.eventName = 1 }", None),
        ('{ $.eventName = "1e5" }', None),  # a number with this text would do as well
        ('{ $.eventName = "" }', None),
        ("{ $.* = A }", None),
        ("{ $.eventName.x = A }", None),
        ("{ $.eventName NOT EXISTS }", None),
        ("{ $.eventName IS NULL }", None),
        ("A", None),
        ("[eventName=A]", None),
    ],
)
def test_the_values_a_selector_must_have_are_known_where_they_are_finite(text: str, values: set[str] | None) -> None:
    assert patterns.compile(text).required_values("$.eventName") == values


def test_matching_gives_the_lines_that_match_without_their_newlines() -> None:
    lines = ["ERROR a\n", "INFO\n", "\n", "", "ERROR b\r\n", "ERROR c"]
    assert list(patterns.matching(patterns.compile("ERROR"), lines)) == ["ERROR a", "ERROR b", "ERROR c"]
    assert list(patterns.matching(patterns.compile(""), lines)) == ["ERROR a", "INFO", "ERROR b", "ERROR c"]
    assert list(patterns.matching(patterns.compile("-ERROR"), lines)) == ["INFO"]
