"""Rules files as people write them, and as nobody should: each mistake is named with file, rule and key."""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import textwrap
from collections.abc import Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any

import msgspec
import pytest
from click.testing import CliRunner
from hypothesis import given
from hypothesis import strategies as st

from smwatch.cli import main
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.decoding import decode_rule
from smwatch.rules.envelope import KEYS as ALL_KEYS
from smwatch.rules.envelope import WRAPPERS, Rule, RuleSet
from smwatch.rules.mistakes import read
from smwatch.rules.rule import RuleError, combine, in_force, load, load_builtin, parse
from tests import records
from tests.rules.judging import after, judged, of, ruled

RULE = """
[[rule]]
id = "mine"
title = "Mine"
why = "Because."
severity = "low"
by = ["secret"]
when = "{ $.eventName = GetSecretValue }"
"""


def problems(text: str, overrides: Mapping[str, Any] | None = None, disable: tuple[str, ...] = ()) -> list[str]:
    with pytest.raises(RuleError) as refused:
        combine(load_builtin(), [parse(text, "mine.toml")], disable, overrides)
    return list(refused.value.problems)


SHARE = "distinct = {{ of = 'secret', min = 3, within = '1d', share = {{ {} }} }}"
MISTAKES = [
    ("count = 5", "count: is a table, not a whole number"),
    *(
        (f"distinct = {{ of = 'secret', min = 3, within = '1d' }}\n{line}", sentence)
        for line, sentence in (
            ("grade = [{ if = 'stranger', severity = 'low' }]", "grade[0].if: goes with distinct if it asks what else"),
            ("grade = [{ if = '{ $.a = 1 }', severity = 'low' }]", "grade[0].if: goes with distinct if it asks what"),
            ("unless = ['self', ['service', 'rotation_actor']]", "unless[1]: asks of an event and what else is known"),
            ("only = [['{ $.a = 1 }', { seen = 'reads' }]]", "only[0]: asks of an event and what else is known"),
        )
    ),
    ("count = { min = 3 }", "count.within: is missing"),
    ("count = { min = 1, within = '1m' }", "count.min: must be 2 or more"),
    ("count = { min = 3.5, within = '1m' }", "count.min: is a whole number, not a number"),
    ("count = { min = true, within = '1m' }", "count.min: is a whole number, not true or false"),
    ("count = { min = 99999999999999999999, within = '1m' }", "count.min: must be 1,000,000 or less"),
    ("count = { min = 3, within = '0s' }", "count.within: must be longer than nothing"),
    ("count = { min = 3, within = '1 minute' }", "count.within: '1 minute' is not a period"),
    ("count = { min = 3, within = '999999d' }", "count.within: '999999d' is too long"),
    ("count = { min = 3, within = 5 }", "count.within: 5 is not a period"),
    ("count = { min = 3, withn = '1m' }", "count.withn: there is no such key: did you mean within?"),
    ("distinct = { of = 'planet', min = 3, within = '1m' }", "distinct.of: there is no dimension 'planet'"),
    ("distinct = { of = 'secret', min = 0, within = '1m' }", "distinct.min: must be 1 or more"),
    ("distinct = { of = '$.a b', min = 3, within = '1m' }", "distinct.of: Write a key"),
    ("distinct = { of = 'secret', min = 3, within = '1m', habit = { days = 0 } }", "distinct.habit: needs a day"),
    (SHARE.format("least = 1.5, known = ['reads']"), "distinct.share: needs least, above 0 and up to 1"),
    (SHARE.format("least = 0.5, known = []"), "distinct.share: needs least, above 0 and up to 1, and the facts"),
    (SHARE.format("known = ['reads']"), "distinct.share.least: is missing"),
    (
        SHARE.format("least = 0.5, known = ['nothing']"),
        "distinct.share.known[0]: there is no fact 'nothing': define [fact.",
    ),
    ("first_seen = { of = 'secret', within = '1d' }", "first_seen.of: is a list, not a text"),
    ("first_seen = { of = [], within = '1d' }", "first_seen.of: needs at least one dimension"),
    ("sequence = { after = 'reads', within = '1d' }", "sequence.same: needs at least one dimension"),
    ("sequence = { within = '1d', same = ['secret'] }", "sequence: needs either after or then"),
    (
        "sequence = { after = 'none', within = '1d', same = ['secret'] }",
        "sequence.after: there is no fact 'none': define",
    ),
    ("absence = { until = 'reads', within = '1h', same = [] }", "absence.same: needs at least one dimension"),
    (
        "count = { min = 3, within = '1m' }\nabsence = { until = 'reads', within = '1h', same = ['secret'] }",
        "absence: a",
    ),
    ("timer = { start = 'x', at = 'x y', days = '$.d', %s }", "timer.at: Begin a selector with $. (character 1"),
    ("timer = { start = 'x', at = '$.a', days = '$.d]', %s }", "timer.days: Write a key"),
    ("only = 'service'", "only: is a list, not a text"),
    ("only = ['sevice']", "only[0]: there is no trait 'sevice': use one of"),
    ("only = [5]", "only[0]: a condition is"),
    ("only = [{ seen = 'none' }]", "only[0].seen: there is no fact 'none'"),
    (
        "unless = [['self', { near = ['reads', 'none'], within = '1h' }]]",
        "unless[0][1].near[1]: there is no fact 'none'",
    ),
    ("grade = [{ if = { seen = 'none' }, severity = 'low' }]", "grade[0].if.seen: there is no fact 'none'"),
    ("closed_by = { when = 'none', same = ['secret'] }", "closed_by.when: there is no fact 'none'"),
    ("absence = { until = 'none', within = '1h', same = ['secret'] }", "absence.until: there is no fact 'none'"),
    ("first_seen = { of = ['secret'], within = '1d', fact = 'none' }", "first_seen.fact: there is no fact 'none'"),
    ("only = [{ steady = 'reads', same = ['secret'], within = '1d' }]", "only[0]: steady needs within"),
    ("only = [{ steady = 'reads', same = ['secret'], of = 'identity' }]", "only[0]: steady needs within"),
    (
        "only = [{ steady = 'reads', same = ['secret'], of = 'who', within = '1d' }]",
        "only[0].of: there is no dimension 'who'",
    ),
    ("only = [{ seen = 'reads', of = 'identity' }]", "only[0].of: goes with steady"),
    ("only = [{ seen = 'reads', new = 'reads' }]", "only[0]: a lookup has exactly one of"),
    ("only = [{ seen = 'reads', until = '1d' }]", "only[0].until: a lookup has no such key: use within"),
    ("only = ['{ $.a == 1 }']", "only[0]: Write one comparison"),
    ("only = " + "[" * 300 + "'self'" + "]" * 300, f"only{'[0]' * 11}: conditions are nested too deep"),
    ("unless = [[]]", "unless[0]: a condition is"),
    ("grade = [{ if = 'self' }]", "grade[0].severity: is missing"),
    ("grade = [{ if = 'self', severity = 'bad' }]", "grade[0].severity: is one of info, low, medium, high, critical"),
    ("escalate = [{ severity = 'high' }]", "escalate[0]: needs min and within"),
    ("closed_by = { when = '{ $.a == 1 }', same = ['secret'] }", "closed_by.when: Write one comparison"),
    ("sequence = { after = '{ $.a', within = '1d', same = ['secret'] }", "sequence.after: End a pattern"),
    ("sequence = { then = '{ $.a', within = '1d', same = ['secret'] }", "sequence.then: End a pattern"),
    ("absence = { until = '{ $.a', within = '1h', same = ['secret'] }", "absence.until: End a pattern"),
    ("first_seen = { of = ['secret'], within = '1d', fact = '{ $.a' }", "first_seen.fact: End a pattern"),
    (
        "first_seen = { of = ['secret'], within = '1d', warmup = '2d' }",
        "first_seen.warmup: must not be longer than within",
    ),
    ("next = ['aws x {secret']", "next[0]: {secret} is written without spaces, and closed at once"),
    ("next = ['aws x { secret }']", "next[0]: {secret} is written without spaces, and closed at once"),
    (SHARE.format("least = 0.5, known = ['reads', '{ $.a']"), "distinct.share.known[1]: End a pattern"),
    ("closed_by = 'restores'", "closed_by: is a table, not a text"),
    ("closed_by = { when = 'restores', same = [] }", "closed_by.same: needs at least one dimension"),
    ("tell = ['tales']", "tell[0]: is one of readers, changes, deletion"),
    ("next = 'aws'", "next: is a list, not a text"),
    ("next = ['aws {sercet}']", "next[0]: there is no {sercet} to fill in: use one of"),
    ("next = [\"aws '{secret}'\"]", "next[0]: {secret} is quoted when it is filled in"),
    ('next = ["a\\nb"]', "next[0]: a command is one line"),
    ("mitre = [1]", "mitre[0]: is a text, not a whole number"),
    ("mitre = ['T1555', 'T1555.06']", "mitre[1]: 'T1555.06' is no ATT&CK technique: write an id like T1555 or T1555"),
    ('mitre = ["Txyz\\u001b"]', "mitre[0]: 'Txyz\\x1b' is no ATT&CK technique"),
    ("mitre = ['T1555.006 ']", "mitre[0]: 'T1555.006 ' is no ATT&CK technique"),
    ("note = 2026-11-23", "note: is a text, not a date"),
    ("export = '{ $.a == 1 }'", "export: Write one comparison"),
    ("serverity = 'low'", "serverity: there is no such key: did you mean severity?"),
]
TIMER = "default_days = 30, same = ['secret'], lead = '1d', recent = '1d'"


@pytest.mark.parametrize(("written", "says"), MISTAKES)
def test_a_mistake_is_named_with_its_file_rule_and_key(written: str, says: str) -> None:
    (found, *_) = problems(RULE + written.replace("%s", TIMER))
    assert found.startswith(f"mine.toml: rule mine: {says}")


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ('id = "mine"', "", "rule 1: id: is missing"),
        ('id = "mine"', "id = 5", "rule 1: id: is missing"),
        ('id = "mine"', 'id = "a; rm -rf ~"', "rule 1: id: 'a; rm -rf ~' is not 1 to 48 letters"),
        ('id = "mine"', 'id = "a\\u001b[2J"', "rule 1: id: 'a\\x1b[2J' is not 1 to 48 letters"),
        ('id = "mine"', f'id = "{"x" * 49}"', "rule 1: id: "),
        ('id = "mine"', 'id = "SMW-DEL-01"', "rule SMW-DEL-01: id: is taken by the built-in rules"),
        ('title = "Mine"', "", "rule mine: title: is missing"),
        ('title = "Mine"', 'title = " "', "rule mine: title: is empty"),
        ('title = "Mine"', 'title = "a\\nb"', "rule mine: title: is one line of text"),
        ('why = "Because."', 'why = ""', "rule mine: why: is empty"),
        ('"low"', '"LOW"', "rule mine: severity: is one of info, low, medium, high, critical"),
        ("when =", "if =", "rule mine: if: there is no such key"),
        ('when = "{ $.eventName = GetSecretValue }"', "", "rule mine: when: a rule needs a filter pattern"),
        ('when = "{', 'when = "{ $.a == 1 ', "rule mine: when: Write one comparison"),
        ('when = "{ $.eventName = GetSecretValue }"', "when = []", "rule mine: when: is not a filter pattern"),
        ('when = "{ $.eventName = GetSecretValue }"', "when = ['ok', 5]", "rule mine: when[1]: is not a"),
        ('by = ["secret"]', 'by = ["planet"]', "rule mine: by[0]: there is no dimension 'planet'"),
        ("[[rule]]", "[rule]", "write [[rule]] with two brackets"),
        ("[[rule]]", "[[rules]]", "there is no 'rules' in a rules file"),
        ("[[rule]]", "[fact]\nx = 5\n[[rule]]", "fact x: is a table"),
        ("[[rule]]", "[fact.x]\n[[rule]]", "fact x: when: is missing"),
        ("[[rule]]", "[fact.reads]\nwhen = 'x'\n[[rule]]", "fact reads: is taken"),
        ("[[rule]]", "[lists]\ntools = 'x'\n[[rule]]", "lists.tools: is a list of texts"),
        ("[[rule]]", "[lists]\nfools = ['x']\n[[rule]]", "lists.fools: there is no such list: use"),
    ],
)
def test_what_is_wrong_with_the_file_itself_is_named(old: str, new: str, says: str) -> None:
    assert any(found.startswith(f"mine.toml: {says}") for found in problems(RULE.replace(old, new, 1)))


def test_an_id_is_used_once() -> None:
    assert problems(RULE + RULE) == ["mine.toml: rule mine: id: is used twice"]


MESS = """
[[rule]]
id = "mine"
title = 5
severity = "bad"
colour = "red"
when = ["{ $.a == 1 }", "ok", "{ $.b ! 1 }"]
by = ["secret", "planet", "identity", "moon"]
count = { min = 1.5, withn = "1m" }
escalate = [{ severity = "high", min = "x", within = "1h" }, { severity = "worst" }, { severity = "low" }]
only = ["self", "sevice", { seen = "nothing" }, 5]
closed_by = { when = "none", same = [] }
next = ["aws {sercet}", "aws {secret}", "aws {pricipal}"]
mitre = ["T1555", "x", "T1", 5]

[fact.y]
says = 5
"""
MESSY = """
colour: there is no such key
count.withn: there is no such key: did you mean within?
title: is a text, not a whole number
severity: is one of info, low, medium, high, critical
why: is missing
when[0]: Write one comparison
when[2]: After the selector write
by[1]: there is no dimension 'planet'
by[3]: there is no dimension 'moon'
count.min: is a whole number, not a number
count.within: is missing
escalate[0].min: is a whole number, not a text
escalate[1].severity: is one of
escalate[2]: needs min and within
only[1]: there is no trait 'sevice'
only[3]: a condition is
mitre[3]: is a text, not a whole number
closed_by.same: needs at least one dimension
next[0]: there is no {sercet} to fill in
next[2]: there is no {pricipal} to fill in
mitre[1]: 'x' is no ATT&CK technique
mitre[2]: 'T1' is no ATT&CK technique
only[2].seen: there is no fact 'nothing': define [fact.nothing]
closed_by.when: there is no fact 'none': define [fact.none]
"""


def test_all_that_is_wrong_is_said_at_once(tmp_path: Path) -> None:
    mess, other, gone = tmp_path / "mess.toml", tmp_path / "other.toml", tmp_path / "gone.toml"
    mess.write_text(MESS, encoding="utf-8")
    again = RULE.replace('"mine"', '"SMW-DEL-01"')
    other.write_text(again.replace('"low"', '"LOW"') + again.replace("Because.", ""), encoding="utf-8")
    found = CliRunner().invoke(main, ["rules", "check", *map(str, (mess, gone, other))])
    assert found.exit_code == 2
    lines = found.stderr.splitlines()
    for expected in MESSY.strip().splitlines():
        (line,) = [line for line in lines if line.startswith(f"{mess}: rule mine: {expected}")]
        lines.remove(line)
    assert sorted(lines) == sorted(
        [
            f"{mess}: fact y: when: is missing",
            f"{mess}: fact y: says: is a text, not a whole number",
            f"{gone}: No such file or directory",
            f"{other}: rule SMW-DEL-01: severity: is one of info, low, medium, high, critical",
            f"{other}: rule SMW-DEL-01: id: is used twice",
            f"{other}: rule SMW-DEL-01: why: is empty",
            (
                f"{other}: rule SMW-DEL-01: id: is taken by the built-in rules; change that rule under "
                "[rules.SMW-DEL-01] in the configuration"
            ),
        ]
    )


def test_all_that_is_wrong_within_one_condition_is_said_at_once(tmp_path: Path) -> None:
    written = """
only = [
  ["sevice", "{ $.a == 1 }", ["!nobody", { seen = ["", "{ $.b", "none"], same = ["who", 5], within = "soon" }]],
  { seen = "reads", new = "x", ago = 1, warmup = "1d", of = "planet", untill = "1d" },
]
unless = [{ follows = "reads", same = "secret", within = "999999d" }, "self"]
grade = [{ if = ["a", "b"], severity = "bad" }]
when = ["{ $.a == 1 }", "fine", "x*"]
"""
    expected = """
only[0][0]: there is no trait 'sevice'
only[0][1]: Write one comparison
only[0][2][0]: there is no trait 'nobody'
only[0][2][1].seen[0]: names a fact or holds a filter pattern
only[0][2][1].seen[1]: End a pattern that begins with { with }. (character 6 of the pattern)
only[0][2][1].same[0]: there is no dimension 'who'
only[0][2][1].same[1]: is not the name of a dimension
only[0][2][1].within: 'soon' is not a period
only[1]: a lookup has exactly one of
only[1].untill: a lookup has no such key
only[1].of: goes with steady
only[1].ago: 1 is not a period
only[1].of: there is no dimension 'planet'
unless[0].same: is a list of dimensions
unless[0].within: '999999d' is too long
grade[0].if[0]: there is no trait 'a'
grade[0].if[1]: there is no trait 'b'
grade[0].severity: is one of info
when[0]: Write one comparison
when[2]: Put a term that contains *
only[0][2][1].seen[2]: there is no fact 'none'
only[1].new: there is no fact 'x'
"""
    path = tmp_path / "mine.toml"
    path.write_text(RULE.replace("when", "note") + written, encoding="utf-8")
    with pytest.raises(RuleError) as refused:
        in_force([path])
    for line, start in zip(refused.value.problems, expected.strip().splitlines(), strict=True):
        assert line.startswith(f"{path}: rule mine: {start}")


def test_of_a_table_full_of_mistakes_the_first_are_told() -> None:
    found = problems(RULE + "next = [" + "1, " * 1000 + "]")
    assert len(found) == 51
    assert found[-1] == "mine.toml: rule mine: and perhaps more: these are the first 50"


@given(
    st.dictionaries(
        st.sampled_from([*ALL_KEYS, "odd - at `$.count`", "x`"]),
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(ALL_KEYS),
            lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(ALL_KEYS), inner, max_size=4),
            max_leaves=8,
        ),
        max_size=8,
    )
)
def test_any_table_is_a_rule_or_has_mistakes_that_are_told(table: dict[str, Any]) -> None:
    rule, mistakes = read(table, Rule, decode_rule)
    assert rule is not None
    assert all(sentence for _, sentence in mistakes.found)
    try:
        decode_rule(table)
    except msgspec.ValidationError:
        assert mistakes.found
    else:
        assert not mistakes.found


def test_every_rule_that_is_wrong_is_named_at_once() -> None:
    found = problems(RULE + "zz = 1" + RULE.replace("mine", "other") + "count = 5")
    assert [line.split(": ")[1] for line in found] == ["rule mine", "rule other"]


@pytest.mark.parametrize(
    ("overrides", "disable", "says"),
    [
        ({"mine": {"severity": "bad"}}, (), "configuration: rule mine: severity: is one of"),
        ({"none": {}}, (), "configuration: rules.none: there is no such rule"),
        ({"mine": 5}, (), "configuration: rules.mine: is a table of the rule's keys"),
        ({"mine": {"id": "other"}}, (), "configuration: rules.mine: id: cannot be changed"),
        ({"mine": {"count": {"min": 3}}}, (), "configuration: rule mine: count.within: is missing"),
        ({"lists": {"tools": 5}}, (), "configuration: rules.lists.tools: is a list of texts"),
        ({}, ("SMW-NO-*",), "configuration: rules.disable: there is no rule 'SMW-NO-*'"),
    ],
)
def test_mistakes_in_the_configuration_are_named_there(
    overrides: dict[str, Any], disable: tuple[str, ...], says: str
) -> None:
    (found,) = problems(RULE, overrides, disable)
    assert found.startswith(says)


def test_the_configuration_changes_and_switches_off() -> None:
    own = parse(RULE + "count = { min = 3, within = '1h' }", "mine.toml")
    rules = combine(load_builtin(), [own], ["SMW-*"], {"mine": {"severity": "high", "count": {"min": 5}}})
    (rule,) = rules.rules
    assert (rule.severity, rule.count and (rule.count.min, str(rule.count.within))) == (Severity.HIGH, (5, "1h"))


# ------------------------------------------------------------------------------------------------------- hostile files


@pytest.mark.parametrize(
    ("content", "says"),
    [
        (b"\xff\xfe", "is not UTF-8 text (byte 1)"),
        (b'x = "\x1b[2J"', "is not TOML: Illegal character"),
        (b"\x00", "is not TOML"),
        (b"x = " + b"[" * 100_000, "is nested too deep"),
        (b"x = " + b"{a=" * 5_000, "is nested too deep"),
        (b"#" * 4_000_001, "is larger than 4 MB"),
        (b"not toml", "is not TOML: Expected '='"),
    ],
    ids=["not text", "escape", "null", "deep lists", "deep tables", "huge", "prose"],
)
def test_a_file_that_can_not_be_read_is_one_line(content: bytes, says: str, tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_bytes(content)
    with pytest.raises(RuleError, match=re.escape(says)) as refused:
        load(path)
    (line,) = refused.value.problems
    assert line.startswith(f"{path}: ")
    assert "\x1b" not in line


def test_a_directory_a_missing_file_and_a_device_without_an_end_are_one_line_each(tmp_path: Path) -> None:
    for path, says in (
        (tmp_path, "Is a directory"),
        (tmp_path / "missing.toml", "No such file"),
        (Path("/dev/zero"), "is larger than"),
    ):
        with pytest.raises(RuleError, match=says):
            load(path)


def test_a_pipe_is_read_like_a_file(tmp_path: Path) -> None:
    reading, writing = os.pipe()
    os.write(writing, RULE.encode())
    os.close(writing)
    try:
        assert list(load(Path(f"/dev/fd/{reading}")).rules) == ["mine"]
    finally:
        os.close(reading)


VALUES = st.recursive(
    st.sampled_from(
        ["1", "-1", "1e300", "nan", "true", "''", "'secret'", "'1m'", "'reads'", "2026-11-23", "'\\u202e'"]
    ),
    lambda inner: st.one_of(
        st.lists(inner, max_size=3).map(lambda parts: f"[{', '.join(parts)}]"),
        st.dictionaries(st.sampled_from(["min", "within", "of", "same", "seen", "if", "after", "when"]), inner).map(
            lambda table: "{" + ", ".join(f"{key} = {value}" for key, value in table.items()) + "}"
        ),
    ),
    max_leaves=6,
)
KEYS = st.sampled_from([*WRAPPERS, "only", "unless", "grade", "escalate", "closed_by", "tell", "next"])


@given(st.dictionaries(KEYS, VALUES, min_size=1, max_size=3))
def test_whatever_stands_in_a_rule_it_is_taken_or_refused_with_its_place(keys: dict[str, str]) -> None:
    text = RULE + "\n".join(f"{key} = {value}" for key, value in keys.items())
    try:
        rules = combine(parse(text + "\n[fact.reads]\nwhen = '{ $.eventName = GetSecretValue }'", "mine.toml"))
    except RuleError as refused:
        rules, lines = None, refused.problems
    if rules is None:
        assert all(line.startswith("mine.toml: rule mine: ") for line in lines)
    else:
        judged([records.read("prod/db", at=after(minutes=minute)) for minute in range(3)], rules)


# ----------------------------------------------------------------------------------------------------------- wrappers

FACTS = """
[fact.puts]
when = "{ $.eventName = PutSecretValue }"
"""


def own(keys: str, **config: Any) -> RuleSet:
    return ruled(RULE + keys + FACTS, config or None)


def alarms(rules: RuleSet, *events: Record, tick: timedelta | None = None) -> list[Alarm]:
    at = None if tick is None else records.AT + tick
    return [alarm for alarm in of("mine", judged(events, rules, tick=at)) if alarm.open]


def reads(*minutes: float, secret: str = "prod/db", **more: Any) -> list[Record]:
    return [records.read(secret, at=after(minutes=minute), **more) for minute in minutes]


def test_a_plain_rule_is_one_alarm_for_what_it_is_grouped_by() -> None:
    (first, second) = alarms(own(""), *reads(0, 1), *reads(2, secret="prod/api"))
    assert (first.count, second.count) == (2, 1)


def test_a_rule_grouped_by_nothing_is_one_alarm() -> None:
    rules = ruled(RULE.replace('by = ["secret"]', "by = []"))
    assert [alarm.count for alarm in alarms(rules, *reads(0), *reads(1, secret="b"))] == [2]


def test_a_count_is_reached_within_its_period_only() -> None:
    rules = own("count = { min = 3, within = '10m' }")
    assert alarms(rules, *reads(0, 5, 11)) == []
    assert len(alarms(rules, *reads(0, 5, 9))) == 1


def test_distinct_values_count_and_repeated_ones_do_not() -> None:
    rules = own("distinct = { of = 'identity', min = 2, within = '10m' }")
    assert alarms(rules, *reads(0, 1, 2, by=records.user("a"))) == []
    assert len(alarms(rules, *reads(0, by=records.user("a")), *reads(1, by=records.user("b")))) == 1


def test_what_is_first_seen_is_an_alarm_once() -> None:
    rules = own("first_seen = { of = ['identity'], within = '30d', warmup = '1h' }")
    known = reads(0, by=records.user("a"))
    assert alarms(rules, *known, *reads(61, by=records.user("a"))) == []
    (alarm,) = alarms(rules, *known, *reads(61, 62, by=records.user("b")))
    assert alarm.count == 1


@pytest.mark.parametrize(("minute", "raised"), [(5, 1), (11, 0)])
def test_a_sequence_needs_what_went_before(minute: float, raised: int) -> None:
    rules = own("sequence = { after = 'puts', within = '10m', same = ['secret'] }")
    put = records.put("prod/db", at=after())
    assert len(alarms(rules, put, *reads(minute))) == raised
    assert alarms(rules, *reads(minute, secret="prod/other"), put) == []


@pytest.mark.parametrize(("minute", "raised"), [(5, 0), (11, 1)])
def test_an_absence_is_an_alarm_when_the_time_is_over(minute: float, raised: int) -> None:
    rules = own("absence = { until = 'puts', within = '10m', same = ['secret'] }")
    read, put = reads(0), records.put("prod/db", at=after(minutes=minute))
    assert len(alarms(rules, *read, put, tick=timedelta(minutes=10, seconds=30))) == raised
    assert alarms(rules, *read, tick=timedelta(minutes=9)) == []


def test_a_timer_is_an_alarm_when_its_deadline_is_near() -> None:
    rules = own(
        """timer = { start = "{ $.eventName = DeleteSecret }", at = "$.responseElements.deletionDate",
        days = "$.requestParameters.recoveryWindowInDays", default_days = 30, same = ["secret"], lead = "2d",
        recent = "2d" }""".replace("\n", " ")
    )
    deleted = records.delete("prod/db", days=7)
    assert alarms(rules, deleted, *reads(60), tick=timedelta(days=4)) == []
    asked = records.read("prod/db", at=after(days=5, hours=1))
    assert len(alarms(rules, deleted, asked, tick=timedelta(days=5, hours=2))) == 1


def test_more_of_it_is_worse() -> None:
    rules = own("escalate = [{ severity = 'critical', min = 3, within = '5m' }]")
    assert [alarm.severity for alarm in alarms(rules, *reads(0, 1))] == [Severity.LOW]
    assert [alarm.severity for alarm in alarms(rules, *reads(0, 1, 2))] == [Severity.CRITICAL]


@pytest.mark.parametrize(
    "exception",
    ['{ $.userIdentity.userName = "ci" }', '{ $.userAgent = "*terraform*" }'],
)
def test_exceptions_are_no_alarms(exception: str) -> None:
    rules = own(f"unless = ['{exception}']")
    assert alarms(rules, *reads(0, by=records.user("ci"), userAgent="terraform/1.9")) == []
    assert len(alarms(rules, *reads(0, by=records.user("alice")))) == 1


def test_known_noise_is_left_out_by_name_and_a_read_under_our_name_is_not() -> None:
    rules = ruled(RULE.replace("= GetSecretValue", "= *Secret*") + "unless = ['self', 'service']")
    agent = "aiobotocore/3.10 smwatch/1.0"
    own_call = records.describe("prod/db", userAgent=agent)
    service = reads(0, by=records.aws_service())
    assert alarms(rules, own_call, *service) == []
    assert len(alarms(rules, *reads(0, userAgent=agent))) == 1


def test_next_commands_are_filled_in_and_quoted() -> None:
    rules = own("next = ['aws x --secret-id {secret} --region {region} --who {principal}']")
    evil = "prod/$(touch pwned)'; rm -rf ~ #"
    (alarm,) = alarms(rules, *reads(0, secret=evil, by=records.user("-x `id`")))
    (command,) = alarm.next
    assert shlex.split(command)[:2] == ["aws", "x"]
    assert evil in command.replace("'\"'\"'", "'")
    words = subprocess.run(
        ["bash", "-c", f'aws() {{ printf "%s\\n" "$@"; }}; {command}'], capture_output=True, text=True, check=True
    ).stdout.splitlines()
    assert words == ["x", "--secret-id", evil, "--region", records.REGION, "--who=-x `id`"]


# ------------------------------------------------------------------------------------------------------- rules check


def check(path: Path) -> Any:
    return CliRunner().invoke(main, ["rules", "check", str(path)])


def test_the_example_of_the_help_is_a_rule_that_works(tmp_path: Path) -> None:
    text = CliRunner().invoke(main, ["rules", "check", "--help"], terminal_width=100).output
    example = textwrap.dedent(text.partition("begin with:\n\n")[2].partition("\n\n")[0])
    path = tmp_path / "first.toml"
    path.write_text(example, encoding="utf-8")
    found = check(path)
    assert (found.exit_code, found.output.splitlines()) == (
        0,
        [
            f"{path}: 1 rule, nothing wrong",
            "  prod-by-hand: high, match, one alarm for secret, identity; in AWS: exact",
        ],
    )
    rules = ruled(example)
    person, service = records.read("prod/db", by=records.user("alice")), records.read("prod/db", by=records.role())
    assert [alarm.rule for alarm in judged([person, service], rules).values()] == ["prod-by-hand"]


def test_mistakes_are_lines_on_stderr_and_exit_code_2(tmp_path: Path) -> None:
    path = tmp_path / "mine.toml"
    path.write_text(RULE + '"a\\u001b" = 1' + RULE.replace("mine", "b c"), encoding="utf-8")
    found = check(path)
    assert (found.exit_code, found.stdout) == (2, "")
    assert len(found.stderr.splitlines()) == 2
    assert "\x1b" not in found.stderr
