"""Every example of "Filter pattern syntax" in the CloudWatch Logs User Guide behaves as that page says."""

from __future__ import annotations

import json

import pytest

from smwatch import patterns
from tests.patterns.tables import Case, case, check

BAD, UNAUTHORIZED = "[ERROR 400] BAD REQUEST", "[ERROR 401] UNAUTHORIZED REQUEST"
MISSING, INVALID = "[ERROR 419] MISSING ARGUMENTS", "[ERROR 420] INVALID ARGUMENTS"
TERMS = [
    case("ERROR", [BAD, UNAUTHORIZED, MISSING, INVALID]),
    case("ERROR ARGUMENTS", [MISSING, INVALID], [BAD, UNAUTHORIZED]),
    case("?ERROR ?ARGUMENTS", [BAD, UNAUTHORIZED, MISSING, INVALID]),
    case(
        "?ERROR ?ARGUMENTS REQUEST",
        ["[INFO] REQUEST FAILED", "[WARN] UNAUTHORIZED REQUEST", "[ERROR] 400 BAD REQUEST"],
        [MISSING],
    ),
    case('"INTERNAL SERVER ERROR"', ["[ERROR 500] INTERNAL SERVER ERROR"]),
    case("ERROR -ARGUMENTS", [BAD, UNAUTHORIZED], [MISSING, INVALID]),
    case('" "', [BAD, UNAUTHORIZED, MISSING, INVALID]),
    case("%AUTHORIZED%", [UNAUTHORIZED, "[SUCCESS 200] AUTHORIZED REQUEST"], [BAD]),
]

REGEXES = [
    case(r"%^[hc]at%", ["hat", "cat"], ["that"]),
    case(r"%[hc]at$%", ["hat", "cat", "that"], ["hats"]),
    case(r"%colou?r%", ["color", "colour"]),
    case(r"%^[abc]$%", ["a", "b", "c"], ["d"]),
    case(r"%^[abcx-z]$%", ["a", "y", "z"], ["d"]),
    case(r"%^a{3,5}$%", ["aaa", "aaaa", "aaaaa"], ["aa", "aaaaaa"]),
    case(r"%gra|ey%", ["gray", "grey"], ["groy"]),
    case(
        r"%^starting|^initializing|^shutting down%",
        ["starting ...", "initializing ...", "shutting down"],
        ["skipping initializing ..."],
    ),
    case(r"%abcc|ab[^c]$%", ["abcc ...", "aba"], ["aac ..."]),
    case(r"%^\[.\]$%", ["[a]", "[b]", "[7]", "[@]", "[]]", "[ ]"]),
    case(r"%10\.10\.0\.1%", ["10.10.0.1"], ["10010,051"]),
    case(r"%10.10.0.1%", ["10.10.0.1", "10010,051"]),
    case(r"%ab*c%", ["ac", "abc", "abbbc"]),
    case(r"%ab[0-9]*%", ["ab", "ab0", "ab129"]),
    case(r"%ab+c%", ["abc", "abbc", "abbbc"], ["ac"]),
    case(r"%^.at$%", ["hat", "cat", "bat", "4at", "#at", " at"]),
    case(r"%^\d\D\s\S\w\W$%", ["1x yz-"]),
    case(r"%\x3A%", [":"]),
    case(r"%\x28%", ["("]),
]

EVENT = json.dumps(
    {
        "eventType": "UpdateTrail",
        "sourceIPAddress": "111.111.111.111",
        "arrayKey": ["value", "another value"],
        "objectList": [{"name": "a", "id": 1}, {"name": "b", "id": 2}],
        "SomeObject": None,
        "cluster.name": "c",
    }
)
PEOPLE = json.dumps(
    {
        "user": {"id": 1, "email": "John.Stiles@example.com"},
        "users": [{"id": 2, "email": "John.Doe@example.com"}, {"id": 3, "email": "Jane.Doe@example.com"}],
        "actions": ["GET", "PUT", "DELETE"],
        "coordinates": [[0, 1, 2], [4, 5, 6], [7, 8, 9]],
    }
)
RECORDS = [
    case('{ $.eventType = "UpdateTrail" }', [EVENT], [PEOPLE]),
    case("{ $.sourceIPAddress != 123.123.* }", [EVENT], [PEOPLE]),
    case('{ $.arrayKey[0] = "value" }', [EVENT], [PEOPLE]),
    case("{ $.eventType = %Trail% }", [EVENT], [PEOPLE]),
    case("{ $.arrayKey[*] = %val.{2}% }", [EVENT], [PEOPLE]),
    case(r"{ $.* = %111\.111\.111\.1[0-9]{1,2}% }", [EVENT], [PEOPLE]),
    case("{ $.['cluster.name'] = \"c\" }", [EVENT], [PEOPLE]),
    case("{ $.SomeObject IS NULL }", [EVENT], [PEOPLE]),
    case("{ $.SomeOtherObject NOT EXISTS }", [EVENT, PEOPLE]),
    case('{ ($.user.id = 1) && ($.users[0].email = "John.Doe@example.com") }', [PEOPLE], [EVENT]),
    case(
        '{ $.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch" && $.actions[2] = "nonmatch" }',
        [PEOPLE],
        [EVENT],
    ),
    case(
        '{ ($.user.email = "John.Stiles@example.com" || $.coordinates[0][1] = "nonmatch")'
        ' && $.actions[2] = "nonmatch" }',
        other=[PEOPLE],
    ),
    case('{ ($.user.id = 2 && $.users[0].email = "nonmatch") || $.actions[2] = "GET" }', other=[PEOPLE]),
    case("{ $.bandwidth > 75 }", ['{"bandwidth":75.1}'], ['{"bandwidth":75}', '{"bandwidth":"76"}']),
    case("{ $.latency < 50 }", ['{"latency":-1}'], ['{"latency":50}', "{}"]),
    case("{ $.refreshRate >= 60 }", ['{"refreshRate":6e1}'], ['{"refreshRate":59.999}']),
    case("{ $.responseTime <= 5 }", ['{"responseTime":5.0}'], ['{"responseTime":5.0001}']),
    case("{ $.errorCode = 400}", ['{"errorCode":400}', '{"errorCode":"400"}'], ['{"errorCode":4000}']),
    case("{ $.errorCode != 500 }", ['{"errorCode":400}'], ['{"errorCode":500}', "{}"]),
    case("{ $.number[0] = 1e+3 }", ['{"number":[1000]}', '{"number":[1e3]}'], ['{"number":["1000"]}']),
    case("{ $.number[0] = 1e-3 }", ['{"number":[0.001]}'], ['{"number":[1000]}']),
    case("{ $.number[0] != 1e-3 }", ['{"number":[1000]}'], ['{"number":[0.001]}', '{"number":[]}']),
    case("{ $.number[0] != 1e+3 }", ['{"number":[1]}'], ['{"number":[1000.0]}']),
]

LINE = '127.0.0.1 Prod frank [10/Oct/2000:13:25:15 -0700] "GET /index.html HTTP/1.0" 404 1534'
GONE = LINE.replace("404", "410")
GET = "INFO 09/25/2014 12:00:00 GET /service/resource/67 1200"
POST = "INFO 09/25/2014 12:00:01 POST /service/resource/67/part/111 1310"
WARNING = "WARNING 09/25/2014 12:00:02 Invalid user request"
ERROR = "ERROR 09/25/2014 12:00:02 Failed to process request"
FIELDS = [
    case("[ip, user, username, timestamp, request, status_code, bytes]", [LINE], [GET]),
    case(
        r"[ip=%127\.0\.0\.[1-9]%, user, username, timestamp, request =*.html*, status_code = 4*, bytes]",
        [LINE, GONE],
        [LINE.replace("127.0.0.1", "127.0.1.1")],
    ),
    case("[..., request =*.html*, status_code = 4*, bytes]", [LINE, GONE], [LINE.replace(".html", ".txt")]),
    case(
        "[ip, user, username, timestamp, request =*.html*, status_code = 404 || status_code = 410, bytes]",
        [LINE, GONE],
        [LINE.replace("404", "400")],
    ),
    case("[w1=ERROR, w2]", [ERROR], [GET, POST, WARNING]),
    case("[w1=ERROR || w1=WARNING, w2]", [ERROR, WARNING], [GET, POST]),
    case("[w1!=ERROR && w1!=WARNING, w2]", [GET, POST], [ERROR, WARNING]),
    case(
        "[logLevel, date, time, method, url=%/service/resource/[0-9]+$%, response_time]", [GET], [POST, WARNING, ERROR]
    ),
    case(
        "[logLevel, date, time, method, url=%/service/resource/[0-9]+/part/[0-9]+$%, response_time]",
        [POST],
        [GET, WARNING, ERROR],
    ),
]


@pytest.mark.parametrize("row", TERMS + REGEXES + RECORDS + FIELDS)
def test_an_example_matches_what_the_page_says(row: Case) -> None:
    check(row)


@pytest.mark.parametrize(
    "text",
    [
        "%something!%",
        "%(ab)%",
        "%ü%",
        "{ $.a[*].b[*] = 1 }",
        "{ $.*=1 && $.*=2 && $.*=3 && $.*=4 }",
        "{ $.a IS NOT NULL }",
        "{ $.a EXISTS }",
        "{ $.a = %a% && $.b = %b% && $.c = %c% }",
        "[a=%a%, b=%b%, c=%c%]",
    ],
)
def test_what_the_page_says_is_not_supported_is_refused(text: str) -> None:
    with pytest.raises(patterns.PatternError):
        patterns.compile(text)
