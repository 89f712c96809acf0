"""Whether two patterns ask the same, and the shorter of two that do."""

import pytest

from smwatch import patterns
from smwatch.patterns.sameness import same_pattern, shortened
from tests.rules.judging import catalogue


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ $.a = "x" && $.b = "y" }', '{ ($.b="y") && ($.a="x") }'),
        ("{ $.a = 1 || $.a = 2 }", "{$.a=2||$.a=1}"),
        ("ERROR  Exception", " ERROR Exception "),
    ],
)
def test_spaces_and_order_make_no_other_pattern(one: str, other: str) -> None:
    assert same_pattern(one, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ('{ $.a = "x" && $.b = "y" }', '{ $.a = "x" || $.b = "y" }'),
        ('{ $.a = "x" }', '{ $.a = "X" }'),
        ("{ $.a = 1 }", "{ $.a = 1.0 }"),  # as a text the second is another one
        ('{ $.a = "x" }', "{ $.a = "),
        ("[", "]"),
    ],
)
def test_what_asks_something_else_is_another(one: str, other: str) -> None:
    assert not same_pattern(one, other)


@pytest.mark.parametrize(
    ("text", "short"),
    [
        ('{ ($.a = "x y") && ( $.b NOT  EXISTS ) }', '{$.a="x y"&&$.b NOT EXISTS}'),
        ("{ ($.a = b) || (($.c IS NULL) && ($.d >= 1)) }", "{$.a=b||($.c IS NULL&&$.d>=1)}"),
        (r'{ ($.a = "\") && ( \"") && ($.b = "(x)") }', r'{$.a="\") && ( \""&&$.b="(x)"}'),
        ('{ $.a = "(a && b)" || ($.b = 1) }', '{$.a="(a && b)"||$.b=1}'),
        ('{ $.a = "kms.amazonaws.com" && $.b != "Yes" }', "{$.a=kms.amazonaws.com&&$.b!=Yes}"),
        ('{ $.a = "1" || $.b = "null" || $.c = "a*" }', '{ $.a = "1" || $.b = "null" || $.c = "a*" }'),
        ('{ $.a = "1" || $.c = "a*" }', '{$.a="1"||$.c="a*"}'),
        ("{ ((($.a = 1))) }", "{(($.a=1))}"),
        ("{ $.a = %a  b% && ($.b = 1) }", "{ $.a = %a  b% && ($.b = 1) }"),
        ("[ a, b = 1 ]", "[ a, b = 1 ]"),
        ('ERROR  "a  b"', 'ERROR  "a  b"'),
        ("{ $.['a  b'] = 1 && ($.c = 2) }", "{$.['a  b']=1&&$.c=2}"),
        ("{ ($.['a\"b(c'] = 1) && ($.d = 2) }", "{ ($.['a\"b(c'] = 1) && ($.d = 2) }"),
    ],
)
def test_a_shortened_pattern_lacks_what_nobody_needs(text: str, short: str) -> None:
    assert shortened(patterns.compile(text)) == short
    assert same_pattern(text, short)


def test_each_pattern_of_the_catalogue_is_the_same_when_shortened() -> None:
    for rule in catalogue().rules:
        for pattern in (*rule.when, *rule.export):
            assert same_pattern(pattern.text, shortened(pattern)), rule.id
