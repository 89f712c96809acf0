"""What is refused, where the trouble is, and what the sentence tells the reader to do."""

import pytest

from smwatch import patterns

RECORDED = [
    ("x" * 1025, 1024, "1,024 characters"),
    ('"ERROR', 0, "Close the quotation"),
    ("{ $.v EXISTS }", 6, "NOT EXISTS"),
    ("{ $.v == 1 }", 6, "one comparison"),
    ('{ "v": [1] }', 2, "selector"),
    ("{ $.items[*].* = 1 }", 2, "one wildcard"),
    ("{ $.*=1 && $.*=2 && $.*=3 && $.*=4 }", 29, "3 wildcard"),
    ("{ $.a=%a% || $.a=%b% || $.a=%c% }", 28, "2 regular expressions"),
    ("[a=%a%, b=%b%, c=%c%]", 17, "2 regular expressions"),
    ("[..., status, ...]", 14, "... only once"),
    ("[word, word]", 7, "word only once"),
    ("{ $.v = null }", 8, "IS NULL"),
    ("{ $.v IS NOT NULL }", 6, "IS NULL"),
    ("{ $.v > word }", 8, "number"),
    ('{ $.v < "1" }', 8, "number"),
    ("{ $.v >= 1* }", 9, "number"),
    ("{ $.v <= %1% }", 9, "number"),
    ("ERR*", 3, "* in double quotation marks"),
    ("{ !($.v = 1) }", 2, "selector"),
    ("{ $.v > 0 AND $.v < 2 }", 10, "&& or ||"),
    ("{ $.v = %(a|b)% }", 9, r"\x28"),
    ("{ $..v = x }", 4, ".['key']"),
    ("{ $.v[-1] = x }", 6, "[0]"),
    ("{ $.v[0:2] = x }", 7, "[0]"),
    ("%a(?= b)%", 2, r"\x28"),
    ("%[abc%", 1, "Close the set"),
    ("%café%", 4, "ASCII"),
]

REPORTED = [
    ('""', 0, "empty"),
    ("a(b", 1, "( in double quotation marks"),
    ("?Status: x", 7, ": in double quotation marks"),
    ("level\\x", 5, "double quotation marks"),
    ("me@example", 2, "@ in double quotation marks"),
    ("/aws/lambda", 0, "/ in double quotation marks"),
    ("`", 0, "double quotation marks"),
    ('"event": "x"', 7, "double quotation marks"),
    ('{ $."detail-type" = x }', 4, ".['key']"),
    ('{ $.a = "x", $.b = "y" }', 11, "&& or ||"),
    ("[...fields, x]", 4, "comma"),
    ("[a=“b“]", 3, "double quotation marks"),
    ("{ $.a = 1", 9, "with }"),
    ("[a, b", 5, "with ]"),
    ("[ERROR] x", 9, "with ]"),
    ("[a, b=4* && c > 1]", 12, "Compare only b"),
]

DECIDED = [
    ("ORDER-ITEM-", 11, "term directly after -"),
    ("ORDER--ITEM", 6, "contains - in double"),
    ('"ORDER"-ITEM', 7, "a space after it"),
    ('a"b"', 1, "double quotation marks"),
    ('"a""b"', 3, "double quotation marks"),
    ("café", 3, "é in double quotation marks"),
    ("a\x1bb", 1, r"'\x1b' in double"),
    ("-", 1, "term directly after -"),
    ("a ? b", 3, "term directly after ?"),
    ('-""', 0, "empty"),
    ("%a", 0, "double quotation marks"),
    ("50%", 2, "double quotation marks"),
    ("{", 1, "with }"),
    ("}", 0, "double quotation marks"),
    ("{}", 1, "selector"),
    ("{ }", 2, "selector"),
    ("{ () }", 3, "selector"),
    ("{ $.a = 1 && }", 13, "selector"),
    ("{ && $.a = 1 }", 2, "selector"),
    ("{ $.a = 1 || || $.a = 2 }", 13, "selector"),
    ("{ $.a = 1 & $.b = 2 }", 10, "&& or ||"),
    ("{ $.a = 1 $.b = 2 }", 10, "&& or ||"),
    ('{ $.a = "x"y }', 11, "space after the value"),
    ("{ $.a = %x%y }", 11, "space after the value"),
    ("{ ($.a = 1 }", 2, "Close this parenthesis"),
    ("{ (($.a = 1) }", 2, "Close this parenthesis"),
    ("{ $.a = 1) }", 9, "Open a parenthesis"),
    ("{ $.a = 1 } x", 13, "with }"),
    ("{ $.a = 1 } { $.b = 2 }", 10, "&& or ||"),
    ("{ $.a }", 6, "NOT EXISTS"),
    ("{ $.a = }", 8, "value after ="),
    ("{ $.a =}", 7, "value after ="),
    ("{ $.a = && $.b = 1 }", 8, "value after ="),
    ("{ $.a =! 1 }", 6, "one comparison"),
    ("{ $.a <> 1 }", 6, "one comparison"),
    ("{ $.a = a/b }", 9, "/ in double quotation marks"),
    ("{ $.a = 'x' }", 8, "' in double quotation marks"),
    ("{ $.a = a?b }", 9, "? in double quotation marks"),
    ('{ $.a = "x }', 8, "Close the quotation"),
    ("{ $.a = %x }", 8, "Close the regular expression"),
    ("{ $.a = %% }", 9, "between the two %"),
    ("{ $.a IS null }", 6, "IS NULL"),
    ("{ $.a IS NULLX }", 6, "IS NULL"),
    ("{ $.a is NULL }", 6, "IS NULL"),
    ("{ $.a NOT EXISTSX }", 6, "NOT EXISTS"),
    ("{ $.a NOTEXISTS }", 6, "NOT EXISTS"),
    ("{ $.aIS NULL }", 8, "NOT EXISTS"),
    ("{ $.a.['b']IS NULL }", 11, ".['key']"),
    ("{ $ = 1 }", 3, "after $"),
    ("{ $a = 1 }", 3, "after $"),
    ("{ $. = 1 }", 4, ".['key']"),
    ("{ $.a. = 1 }", 6, ".['key']"),
    ("{ $.a b = 1 }", 6, "NOT EXISTS"),
    ("{ $.@timestamp = 1 }", 4, ".['key']"),
    ("{ $.é = 1 }", 4, ".['key']"),
    ("{ $.a:b = 1 }", 5, ".['key']"),
    ("{ $.a[ = 1 }", 6, "[0]"),
    ("{ $.a[0 = 1 }", 7, "[0]"),
    ('{ $.a["b"] = 1 }', 6, "[0]"),
    ("{ $.a[''] = 1 }", 6, "[0]"),
    ("{ $.*.* = 1 }", 2, "one wildcard"),
    ("{ a = 1 }", 2, "selector"),
    ("[a b]", 3, "comma"),
    ("[a, b c]", 6, "comma"),
    ("[=x]", 1, "name"),
    ('["a"]', 1, "name"),
    ("[a=]", 3, "value after ="),
    ("[a=,b]", 3, "value after ="),
    ("[a=x && ]", 8, "Compare only a"),
    ("[a=x && a]", 9, "comparison"),
    ("[a=x y]", 5, "comma"),
    ("[a == x]", 3, "one comparison"),
    ("[(a=x)]", 1, "name"),
    ("[a=x || (a=y)]", 8, "Compare only a"),
    ("[a,, a]", 5, "a only once"),
    ("[a=12:00]", 5, ": in double quotation marks"),
]


@pytest.mark.parametrize(("text", "position", "words"), RECORDED + REPORTED + DECIDED)
def test_a_bad_pattern_is_refused_where_it_goes_wrong(text: str, position: int, words: str) -> None:
    with pytest.raises(patterns.PatternError) as refusal:
        patterns.compile(text)
    assert (refusal.value.position, words in str(refusal.value)) == (position, True), refusal.value
    assert str(refusal.value).endswith(".")


def test_the_position_counts_white_space_before_the_pattern() -> None:
    with pytest.raises(patterns.PatternError) as refusal:
        patterns.compile("  { $.v == 1 }")
    assert refusal.value.position == 8


def test_a_pattern_of_1024_characters_is_accepted() -> None:
    assert patterns.compile("x" * 1024).matches("x" * 2000)
