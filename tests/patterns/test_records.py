"""JSON patterns, each asked about the message and about the record decoded from it."""

import json

import pytest

from smwatch import patterns
from smwatch.record import decode
from tests.patterns.tables import Case, case, check

VALUES = [
    *("1", "1.0", "1e0", '"1"', '"1.0"', "0", "-1", "2.5", "10", '"10"', "100000000000000000000", '"x"', '"X"', '""'),
    *("null", '"null"', "true", "false", '"true"', "[]", "{}", "[1]", '["x"]', "[null]", '{"v":1}', '"a*b"', '"a?b"'),
]


def of(*values: str) -> list[str]:
    """Records with one member."""
    return [f'{{"v":{value}}}' for value in values]


def only(pattern: str, *values: str) -> object:
    """A row that says which of VALUES match, and no others."""
    return case(
        pattern, of(*values), [*of(*[value for value in VALUES if value not in values]), "{}", "v", '[{"v":1}]']
    )


STRINGS = ('"1"', '"1.0"', '"10"', '"x"', '"X"', '""', '"null"', '"true"', '"a*b"', '"a?b"')
NUMBERS = ("1", "1.0", "1e0", "0", "-1", "2.5", "10", "100000000000000000000")


def texts_but(*values: str) -> list[str]:
    return [value for value in STRINGS + NUMBERS if value not in values]


RECORDED = [
    only("{ $.v = 1 }", "1", "1.0", "1e0", '"1"'),
    only("{ $.v = 1.0 }", "1", "1.0", "1e0", '"1.0"'),
    only("{ $.v = 1e+0 }", "1", "1.0", "1e0"),
    only("{ $.v != 1 }", *texts_but("1", "1.0", "1e0", '"1"')),
    only('{ $.v = "1" }', "1", '"1"'),
    only('{ $.v = "1.0" }', "1.0", '"1.0"'),
    only('{ $.v != "1" }', *texts_but("1", '"1"')),
    only('{ $.v = "x" }', '"x"'),
    only("{ $.v = x }", '"x"'),
    only('{ $.v != "x" }', *texts_but('"x"')),
    only('{ $.v = "" }', '""'),
    only("{ $.v = true }", '"true"'),
    only('{ $.v = "null" }', '"null"'),
    only("{ $.v = * }", *STRINGS, *NUMBERS),
    only('{ $.v = "*" }', *STRINGS, *NUMBERS),
    only("{ $.v != * }"),
    only("{ $.v = 1* }", "1", "1.0", "1e0", "10", "100000000000000000000", '"1"', '"1.0"', '"10"'),
    only('{ $.v = "*5" }', "2.5"),
    only('{ $.v = "a*b" }', '"a*b"', '"a?b"'),
    only('{ $.v = "a?b" }', '"a?b"'),
    only("{ $.v > 1 }", "2.5", "10", "100000000000000000000"),
    only("{ $.v >= 1.0 }", "1", "1.0", "1e0", "2.5", "10", "100000000000000000000"),
    only("{ $.v < +1 }", "0", "-1"),
    only("{ $.v <= 1e0 }", "0", "-1", "1", "1.0", "1e0"),
    only("{ $.v IS NULL }", "null", "[null]"),
    only("{ $.v IS TRUE }", "true"),
    only("{ $.v IS FALSE }", "false"),
    case("{ $.v NOT EXISTS }", ["{}", '{"w":1}'], [*of(*VALUES), "v", '[{"w":1}]', '{"w":']),
    case("{ $.v = 2 }", ['{"v":1,"v":2}', ' {"v":2}\n'], ['{"v":2,"v":1}', '{"v":2', 'x {"v":2}']),
    # Each * stops at the first place where the text after it is found.
    case('{ $.v = "*11.11" }', of('"11.11"', '"x11.11"'), of('"11.11.11"')),
    case("{ $.v != 11*11 }", of('"11.11.11"'), of('"11.11"', '"1111"', "11.11")),
    case('{ $.v = "*a*b*" }', of('"ab"', '"xxaxxbxx"'), of('"ba"')),
    case('{ $.v = "*.c*" }', of('"a.b.c"', '".c"'), of('"c"', "1.5")),
    # Selectors.
    case(
        '{ $.a.b = "x" }', ['{"a":{"b":"x"}}'], ['{"a.b":"x"}', '{"a":[{"b":"x"}]}', '{"a":{"b":["x"]}}', '{"a":null}']
    ),
    case("{ $.['a.b'] = x }", ['{"a.b":"x"}'], ['{"a":{"b":"x"}}']),
    case("{ $.a[1] = x }", ['{"a":["y","x"]}'], ['{"a":["x"]}', '{"a":{"1":"x"}}', '{"a":"yx"}']),
    case("{ $.a[1][0] = 3 }", ['{"a":[[1],[3]]}'], ['{"a":[[1,3]]}']),
    case("{ $.a[1].b-c_d = 3 }", ['{"a":[1,{"b-c_d":3}]}'], ['{"a":[1,{"b":3}]}']),
    case("{ $.a[*] = x }", ['{"a":["y","x"]}', '{"a":{"k":"x"}}'], ['{"a":[["x"]]}', '{"a":"x"}', '{"a":[]}', "{}"]),
    case("{ $.* = x }", ['{"a":1,"b":"x"}'], ['{"a":{"b":"x"}}', '{"a":["x"]}', "{}"]),
    case("{ $.a.* != x }", ['{"a":{"b":"x","c":"y"}}'], ['{"a":{"b":"x"}}', '{"a":{"b":null}}']),
    case("{ $.a[*].b NOT EXISTS }", ['{"a":[{"c":1}]}', '{"a":[]}', "{}", '{"a":1}'], ['{"a":[{"c":1},{"b":null}]}']),
    case("{ $.a[*].b = 1 && $.a[*].c = 2 }", ['{"a":[{"b":1},{"c":2}]}'], ['{"a":[{"b":1}]}']),
    case("{ $.a[*] IS NULL }", ['{"a":[1,null]}', '{"a":[[null]]}'], ['{"a":null}', '{"a":[]}']),
    case("{ $.a.b NOT EXISTS }", ['{"a":{}}', '{"a":null}', '{"a":[{"b":1}]}', "{}"], ['{"a":{"b":null}}']),
    # Precedence: () before && before ||.
    case("{ $.a = 1 || $.b = 1 && $.c = 1 }", ['{"a":1}', '{"b":1,"c":1}'], ['{"b":1}', '{"c":1}']),
    case("{ ($.a = 1 || $.b = 1) && $.c = 1 }", ['{"a":1,"c":1}', '{"b":1,"c":1}'], ['{"a":1}', '{"a":1,"b":1}']),
    case("{$.a=1&&$.b=-1}", ['{"a":1,"b":-1}'], ['{"a":1}']),
    case("{($.a=1)||($.a=x)}", ['{"a":1}', '{"a":"x"}'], ["{}"]),
    case("{ $.v = kms.amazonaws.com }", of('"kms.amazonaws.com"'), of('"kmsxamazonawsxcom"')),
    case("{ $.v = %^Al.*% }", of('"Al"', '"Alpha"'), of('"xAl"', '["Al"]')),
]

DOCUMENTED = [
    # as the CIS benchmark for AWS writes them: spaces or none, quotation marks or none
    case(
        "{($.eventSource = kms.amazonaws.com) && (($.eventName=DisableKey)||($.eventName=ScheduleKeyDeletion)) }",
        ['{"eventSource":"kms.amazonaws.com","eventName":"DisableKey"}'],
        ['{"eventSource":"kms.amazonaws.com","eventName":"Decrypt"}', '{"eventName":"DisableKey"}'],
    ),
    case(
        '{ $.userIdentity.type = "Root" && $.userIdentity.invokedBy NOT EXISTS && $.eventType != "AwsServiceEvent" }',
        ['{"userIdentity":{"type":"Root"},"eventType":"AwsApiCall"}'],
        [
            '{"userIdentity":{"type":"Root"}}',
            '{"userIdentity":{"type":"Root","invokedBy":null},"eventType":"AwsApiCall"}',
            '{"userIdentity":{"type":"Root"},"eventType":"AwsServiceEvent"}',
        ],
    ),
    case(
        '{ ($.eventName = "ConsoleLogin") && ($.additionalEventData.MFAUsed != "Yes") }',
        ['{"eventName":"ConsoleLogin","additionalEventData":{"MFAUsed":"No"}}'],
        ['{"eventName":"ConsoleLogin","additionalEventData":null}', '{"eventName":"ConsoleLogin"}'],
    ),
    case(
        '{ $.eventName = "GetSecretValue" && $.errorMessage = "*secret because it was marked for deletion*" }',
        ['{"eventName":"GetSecretValue","errorMessage":"the secret because it was marked for deletion."}'],
        ['{"eventName":"GetSecretValue"}', '{"errorMessage":"secret because it was marked for deletion"}'],
    ),
    case("{ $.v != 123.123.* }", of('"111.111.111.111"', "5"), of('"123.123.1.1"', "null")),
    case("{ $.v[*] = %val.{2}% }", of('["value"]'), of('["val"]', '"value"')),
    case(r"{ $.* = %111\.111\.1[0-9]{1,2}% }", of('"111.111.111"'), of('"111.111.2"')),
    case("{ $.v[0] != 1e-3 }", of("[0.002]"), of("[0.001]", "[1e-3]")),
]

DECIDED = [
    case('\n{\t$.v\n=\r"x"\u00a0}  ', of('"x"'), of('"y"')),
    case("{((((($.v = x)))))}", of('"x"'), of('"y"')),
    case("{ $.v IS\tNULL || $.v NOT \n EXISTS }", ["{}", *of("null")], of("1")),
    case(r'{ $.v = "say \"hi\" \\ \n" }', [json.dumps({"v": 'say "hi" \\ \\n'})], of('"say hi"')),
    case('{ $.v = "é☃ b" }', of('"é☃ b"', r'"\u00e9\u2603 b"'), of('"e"')),
    case("{ $.['a b'].['ü'] = 1 }", ['{"a b":{"ü":1}}'], ['{"a b":{"u":1}}']),
    case("{ $['a'].b['c'] = 1 }", ['{"a":{"b":{"c":1}}}'], ["{}"]),
    case("{ $.0 = x }", ['{"0":"x"}'], ['["x"]']),
    case("{ $[0] = x }", [], ['["x"]', '{"0":"x"}']),
    case("{ $.v[99999999999999999999] = x }", [], of('["x"]')),
    case("{ $.v.* = x }", of('["y","x"]', '{"k":"x"}'), of('[["x"]]')),
    case("{ $.v != %1% }", of('"x"', '""'), [*of('"1"', "1", "2", "null", "[]"), "{}"]),
    case("{ $.v = %1% }", of('"x1"'), of("1", "[1]", "true")),
    case('{ $.v = "**" }', of('""', "1"), of("null")),
    case('{ $.v = "a**b" }', of('"ab"', '"axb"'), of('"a"')),
    case('{ $.v = "a*a" }', of('"aa"', '"axa"'), of('"a"', '"axaa"')),
    case("{ $.v = .5 }", of("0.5", "5e-1", '".5"'), of('"0.5"')),
    case("{ $.v = 1.2.3 || $.v = 1e || $.v = - }", of('"1.2.3"', '"1e"', '"-"'), of("1", "1.2")),
    case("{ $.v = 10000000000000000000000 }", of("1" + "0" * 22, "1e22"), of("1" + "0" * 21)),
    case(
        "{ $.v = 9007199254740993 }",
        of("9007199254740993", "9007199254740993.0", "9007199254740993e0"),
        of("9007199254740992", "9007199254740992.0", "9007199254740993.5"),
    ),
    case("{ $.v = 9007199254740993.0 }", of("9007199254740993", "90071992547409930e-1"), of("9007199254740992")),
    case("{ $.v > 9007199254740992 }", of("9007199254740993", "9007199254740993.0"), of("9007199254740992.0")),
    case("{ $.v != 1e16 }", of("10000000000000001"), of("10000000000000000", "1e16", "10000000000000000.0")),
    case("{ $.v = 1e999 }", of("1e999", "1e400"), of("1", "1" + "0" * 300)),
    case("{ $.v = 0.1 }", of("0.1", "0.10", "1e-1"), of('"0.10"')),
    case(
        "{ $.v = x || $.v = y || $.v = 1 || $.w.x = z || $.w.x = a }", [*of('"y"', "1"), '{"w":{"x":"a"}}'], of('["x"]')
    ),
    case("{ $.v = x || $.v = y }", of('"x"', '"y"'), of('{"x":1}', '["x"]', "1", "null")),
]


@pytest.mark.parametrize("row", RECORDED + DOCUMENTED + DECIDED)
def test_a_json_pattern_asks_about_values(row: Case) -> None:
    check(row)


@pytest.mark.parametrize("row", RECORDED + DOCUMENTED + DECIDED)
def test_a_decoded_record_gives_the_same_answer(row: Case) -> None:
    pattern = patterns.compile(row.pattern)
    for message in row.matching + row.other:
        try:
            record = decode(message)
        except ValueError:
            continue
        assert pattern.ask_record
        assert pattern.ask_record(record) is pattern.matches_record(record, message) is pattern.matches(message), (
            message
        )


def test_conditions_nested_to_the_limit_of_a_pattern_are_answered() -> None:
    depth = 55
    pattern = patterns.compile("{" + "$.a=1&&($.b=2||(" * depth + "$.c=3" + "))" * depth + "}")
    assert pattern.matches('{"a":1,"c":3}')
    assert not pattern.matches('{"a":1}')
    assert patterns.compile("{" + "(" * 508 + "$.a=1" + ")" * 508 + "}").matches('{"a":1}')


@pytest.mark.parametrize("message", ['{"a":' * 100_000, "[" * 200_000, '{"a":' * 50_000 + "1" + "}" * 50_000])
def test_a_message_nested_too_deep_to_decode_matches_nothing(message: str) -> None:
    assert not patterns.compile("{ $.b NOT EXISTS }").matches(message)
