import pytest

from tests.patterns.tables import Case, case, check

LINE = '10.0.0.1 - alice [10/Oct/2025:13:25:15 -0700] "GET /secret.html HTTP/1.0" 404 1534'
SMALL = '10.0.0.2 - bob [10/Oct/2025:13:25:16 -0700] "GET /index.txt HTTP/1.0" 410 0'
TABS = LINE.replace(" - ", "\t-\t").replace(" 404 ", "\t404\t")
LONGER = LINE + " extra"
WORDS = "ERROR rotation failed"

RECORDED = [
    case("[ip, id, user, at, request, status, bytes]", [LINE, SMALL, TABS, LONGER], [WORDS, "ERROR"]),
    case("[ip, id, user, at, request, status >= 400, bytes > 1000]", [LINE, TABS], [SMALL, LONGER, WORDS]),
    case("[level=ERROR, rest]", [WORDS, 'ERROR "two words"', 'ERROR "open'], ["ERROR", "WARN x", "xERROR y"]),
    case("[level=ERROR || level=WARN, rest]", [WORDS, "WARN x"], ["INFO x", "WARN"]),
    case("[..., status = 4*, bytes]", [LINE, SMALL, TABS], [LONGER, WORDS]),
    case("[word]", ["Failed", WORDS], ["", " "]),
    case("[..., bytes]", [LINE, WORDS, "ERROR", 'ERROR "two words"', 'ERROR "open'], [""]),
    case("[ip, ..., status, bytes]", [LINE, TABS, WORDS, 'ERROR "open words'], ["ERROR x", 'ERROR "two words"']),
    case("[level!=ERROR && level!=WARN, rest]", [LINE, "INFO x y"], [WORDS, "WARN x", "INFO"]),
    case(r"[ip = %10\.0\.0\.[1-3]%, a, b, c, d, e, f]", [LINE, SMALL, LONGER], [LINE.replace("0.0.1", "0.0.4")]),
    case('[level, rest="two words"]', ['ERROR "two words"', "ERROR two words"], ['ERROR "two  words"', "ERROR two"]),
    case('[level, rest="- alice [10/Oct]"]', ["ERROR - alice [10/Oct]"], ["ERROR alice"]),
]

DOCUMENTED = [
    case("[]", [LINE, WORDS, "", " "]),
    case("[ip, id, user, at, request =*.html*, status = 4*, bytes]", [LINE], [SMALL]),
    case("[..., request =*.html*, status = 4*,]", [LINE], [SMALL, LONGER]),
    case("[..., request=*.html*, status = 404 || status = 410, bytes]", [LINE], [SMALL, WORDS]),
    case("[ip, ..., status = 4*, bytes]", [LINE, SMALL], [WORDS]),
    case("[ip, id, user=alice, ...]", [LINE, LONGER], [SMALL, "a b"]),
    case("[a!=ERROR && a!=WARN, rest]", ["INFO x y"], [WORDS, "WARN x", "INFO"]),
    case(r"[ip=%^10\.0\.0\.[1-9]$%, ..., at=%^10/Oct%, request, status, bytes]", [LINE, SMALL], [WORDS]),
    case('[..., request="GET /secret.html HTTP/1.0", s, b]', [LINE], [SMALL]),
    case("[a, bytes > +10.5e1]", ["x 106", "x 1e3"], ["x 105", "x 10a", "x -200", "x 200 y"]),
]

DEDUCED = [  # from the last field's being the rest of the line
    case("[a=ERROR]", ["ERROR", " ERROR \n", '"ERROR"'], [WORDS]),
    case('[a, b="x y"]', ["1 x y", '1 "x y"', "1  x y  "], ["1 x  y", "1 x y z"]),
    case('[a, b="[x y] z"]', ["1 [x y] z"], ["1 x y z"]),
]

DECIDED = [
    case("[...]", [LINE, ""]),
    case("[a=x, ...]", ["x", "x y z"], ["y", ""]),
    case("[..., z=x]", ["x", "y x"], ["x y", ""]),
    case("[a=1, ..., z=3]", ["1 3", "1 2 3"], ["1", "3", "1 2"]),
    case("[,]", ["a b", "a b c"], ["a", ""]),
    case("[a, , c=3]", ["1 2 3"], ["1 3", "1 2 3 4"]),
    case("[a = 404]", ["404", "404.0", "4.04e2"], ["4040", "x404"]),
    case('[a = "404"]', ["404"], ["404.0"]),
    case("[a != 404]", ["405", "x"], ["404", "404.0"]),
    case("[a = *]", ["x", "x y"], [""]),
    case("[a=x&&a!=y||a=z, b]", ["x 1", "z 1"], ["y 1"]),
    case("[a < 5 && a >= 2 && a <= 3 || a = 9]", ["2", "3.0", "9"], ["1", "4", "two"]),
    case("[a, b, c]", ['x "open words', "x [open words", "1\n2\n3"], ['x "shut words"', "x [shut words]"]),
    case("[a=x, b=y]", ["[x]y", '"x""y"'], ["x y z", "xy"]),
    case("[a=k*, b]", ['key="a b"'], ['"key a"']),
    case(r"[a=%^x{1,3}[,\]]$%, b]", ["xx, y", "x] y"], ["x y"]),
    case("[a > 1]", ["9" * 5_000, "1" + "0" * 999], ["-" + "9" * 5_000, "9" * 5_000 + "x"]),
    case(
        "[a = 9007199254740993.0]",
        ["9007199254740993", "9007199254740993.0", "90071992547409930e-1"],
        ["9007199254740992", "9007199254740992.0", "9007199254740994"],
    ),
    case("[a > 9007199254740992.0]", ["9007199254740993.0"], ["9007199254740992", "-1e400"]),
    case("[a = 0.1]", ["0.10", "1e-1", ".1"], ["0.100000001", "1.0e"]),
    case("[a-b_1=x, A=y]", ["x y"], ["y x"]),
]


@pytest.mark.parametrize("row", RECORDED + DOCUMENTED + DEDUCED + DECIDED)
def test_fields_are_matched_one_by_one(row: Case) -> None:
    check(row)
