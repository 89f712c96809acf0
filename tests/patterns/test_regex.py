import pytest

from smwatch import patterns
from tests.patterns.tables import Case, case, check

RECORDED = [
    case(
        r"%^WARN\s[0-9]{3}$%", ["WARN 500", "WARN\n500", "WARN\t404"], ["WARN 50", "WARN 5000", "xWARN 500", "warn 500"]
    ),
    case("%ERROR|WARN%", ["an ERROR", "WARNING"], ["error", "WAR"]),
    case("%colou?r%", ["color", "a colour"], ["colouur"]),
]

DOCUMENTED = [
    case("%^[hc]at%", ["hat", "cats"], ["the cat", "bat"]),
    case("%[hc]at$%", ["the cat"], ["cats"]),
    case("%^starting|^shutting down%", ["shutting down now"], ["not starting"]),
    case("%abcc|ab[^c]$%", ["abcc x", "aba"], ["aac x", "abc"]),
    case(r"%10\.10\.0\.1%", ["10.10.0.1", "110.10.0.12"], ["10010,051"]),
    case("%10.10.0.1%", ["10010,051"], ["10.10.01"]),
    case(r"%\[.\]%", ["[a]", "[]]", "[ ]"], ["[]", "[ab]"]),
    case("%ab*c%", ["ac", "abbbc"], ["abd"]),
    case("%ab[0-9]*x%", ["abx", "ab129x"], ["ab12 9x"]),
    case("%^ab+c$%", ["abc", "abbbc"], ["ac", "abbb"]),
    case("%^a{3,5}$%", ["aaa", "aaaaa"], ["aa", "aaaaaa"]),
    case("%^a{,2}$%", ["", "aa"], ["aaa"]),
    case("%^a{2,}$%", ["aa", "aaaaaaaa"], ["a"]),
    case("%^a{2}$%", ["aa"], ["a", "aaa"]),
    case("%.at%", ["#at", " at"], ["at"]),
    case(r"%^\d\D\s\S\w\W$%", ["1x yx#"], ["xx yx#"]),
    case(r"%\w%", ["_", "7"], ["é", "-"]),
    case(r"%caf\W%", ["café"], ["cafe"]),
    case(r"%\x3A\x28%", [":("], [":)"]),
    case("%[abcx-z]%", ["y"], ["d", "-"]),
    case("%GET .*:_#=@/;,-%", ["GET /x:_#=@/;,-"], ["GET :_#=@/;,"]),
]

DECIDED = [
    case("%a.b%", ["a☃b", "a\rb"], ["a\nb"]),
    case("%b$%", ["ab", "ab\n"], ["ab\n\n", "ab "]),
    case("%^b%", ["b\na"], ["a\nb"]),
    case("%^$%", ["", "\n"], ["a"]),
    case("%a|%", ["", "b"]),
    case(r"%^a+?b*?c??$%", ["a", "abc"], ["b"]),
    case(r"%^[]a]+$%", ["a]"], ["b"]),
    case(r"%^[^]]+$%", ["a"], ["]"]),
    case(r"%^[a\-c\]^$.*|-]+$%", ["a-c]^$.*|"], ["b"]),
    case(r"%^[\d\s-]+$%", ["1 -2"], ["x"]),
    case(r"%[^\s\S]%", [], ["", "a"]),
    case("%a^b%", [], ["ab", "a\nb", "b"]),
    case("%a*^b%", ["b"], ["ab"]),
    case("%b$a%", [], ["ba", "b\na"]),
    case("%b$a*%", ["ab"], ["ba"]),
    case(r"%caf\xe9%", ["café"], ["cafe"]),
    case("%x{0}y%", ["y"], ["x"]),
    case(r"%a\_b\ c%", ["a_b c"], ["ab"]),
    case("%" + "|".join(f"a{n}.*z" for n in range(40)) + "%", ["a39 z", "z a7z"], ["a40", "z a1"]),
]


@pytest.mark.parametrize("row", RECORDED + DOCUMENTED + DECIDED)
def test_a_regular_expression_is_searched_in_the_message(row: Case) -> None:
    check(row)


@pytest.mark.parametrize(
    ("expression", "position", "word"),
    [
        ("(a)", 1, r"\x28"),
        (r"a\(b", 3, r"\x28"),  # reported: an escaped parenthesis is refused too
        ("a!", 2, r"\x21"),
        ("a%b", 2, r"\x25"),
        ('"', 1, r"\x22"),
        ("é", 1, "ASCII"),
        ("[é]", 2, "ASCII"),
        ("a\nb", 2, r"\x0A"),
        ("", 1, "between"),
        ("*a", 1, "after what it repeats"),
        ("a|+b", 3, "after what it repeats"),
        ("{3}", 1, "after what it repeats"),
        ("a**", 3, "cannot be repeated"),
        ("a*+", 3, "cannot be repeated"),
        ("a{2}{3}", 5, "cannot be repeated"),
        ("^*", 2, "cannot be repeated"),
        ("a{x}", 2, "{m,n}"),
        ("a{,}", 2, "{m,n}"),
        ("a{1, 2}", 2, "{m,n}"),
        ("a{", 2, "{m,n}"),
        ("a{3,2}", 2, "smaller"),
        ("a}", 2, r"\}"),
        ("a]", 2, r"\]"),
        ("[a", 1, "Close the set"),
        ("[]", 1, "Close the set"),
        ("[", 1, "Close the set"),
        ("[[a]]", 2, r"\["),
        ("[z-a]", 3, "lower"),
        (r"[a-\d]", 3, "lower"),
        ("a\\", 2, r"\\"),
        (r"\b", 1, "means nothing"),
        (r"\n", 1, "means nothing"),
        (r"\xg0", 1, "means nothing"),
        ("a{2001}b", 1, "Repeat less"),
        ("a.{1,99999999999999}b", 1, "Repeat less"),
        ("x{9}" * 250, 1, "Repeat less"),
    ],
)
def test_what_the_service_or_we_cannot_promise_is_refused(expression: str, position: int, word: str) -> None:
    with pytest.raises(patterns.PatternError) as refusal:
        patterns.compile(f"%{expression}%")
    assert (refusal.value.position, word in str(refusal.value)) == (position, True), refusal.value


def test_a_huge_repetition_at_an_open_end_costs_nothing() -> None:
    assert patterns.compile("%a.{0,99999999999}%").matches("xa")
    assert not patterns.compile("%a{3}b{0,0000000000000000002}%").matches("aab")
