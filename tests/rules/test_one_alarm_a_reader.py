"""Reads that are bad by themselves are one alarm a reader, which counts and names the secrets."""

from __future__ import annotations

import random

from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules.alarm import SECRETS, AlarmState, Mute, Severity
from smwatch.rules.engine import Engine
from smwatch.rules.export.exactness import Exactness
from smwatch.rules.export.metric import exactness
from tests import records
from tests.rules.catalogue.story import known_for, over
from tests.rules.judging import READS, after, arrivals, catalogue, judged, mine, of, only, ruled

RULE, CONSOLE = "SMW-READ-13", "SMW-READ-06"
USER = records.user("backup")
BATCHES = '{ $.eventName = "BatchGetSecretValue" }'
EACH = 'distinct = { of = "secret", min = 1, within = "24h" }'


def read(secret: str, second: float = 0) -> Record:
    return records.read(secret, by=USER, at=after(second))


def named(*names: str) -> tuple[Secret, ...]:
    return tuple(Secret(records.ACCOUNT, records.REGION, name) for name in names)


def test_a_stolen_key_is_one_alarm_that_names_all_it_read_and_is_graded_by_the_worst() -> None:
    usual = [known_for(days=10), *over(9, records.read("prod/own", by=USER)), read("prod/own")]
    assert only(RULE, usual).severity is Severity.MEDIUM
    stolen = [read(f"prod/{n:02}", 60 + n) for n in range(57)]
    alarm = only(RULE, [*usual, *stolen])
    assert (alarm.severity, alarm.title) == (Severity.HIGH, "Long-term access key reads secrets it never read")
    assert (alarm.count, alarm.counted, alarm.secret) == (58, "secrets", None)
    assert alarm.secrets == named("prod/own", *(f"prod/{n:02}" for n in range(57)))
    assert alarm.facts[-1] == "prod/56 in eu-west-1: 2026-11-23 14:01:56Z"


def test_in_whatever_order_the_reads_come_the_alarm_is_the_same() -> None:
    happened: list[Record] = [
        known_for(days=10),
        *(read(f"prod/{n % 7}", n) for n in range(40)),
        records.batch(by=USER),
    ]
    alarm = only(RULE, happened)
    for seed in range(4):
        random.Random(seed).shuffle(happened)
        assert of(RULE, judged(happened, batch=3)) == [alarm]


def test_one_more_secret_is_news_of_the_same_alarm_and_asks_again_only_when_there_are_many_more() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([read("prod/0")]))
    (alarm,) = of(RULE, engine.alarms)
    engine.acknowledge(alarm.group, "the old backup", after(1), alarm)
    for n in range(1, 9):
        engine.judge(arrivals([read(f"prod/{n}", 10 + n)]))
    (more,) = of(RULE, engine.alarms)
    assert (more.group, more.count, more.state) == (alarm.group, 9, AlarmState.ACKNOWLEDGED)
    engine.judge(arrivals([read("prod/9", 30)]))
    (many,) = of(RULE, engine.alarms)
    assert (many.count, many.state) == (10, AlarmState.OPEN)
    assert many.severity is Severity.MEDIUM


def test_muting_the_principal_mutes_it_and_muting_one_of_its_secrets_does_not() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([read("prod/a"), read("prod/b", 1)]))
    (alarm,) = of(RULE, engine.alarms)
    engine.mute(Mute(after(hours=1), secret=alarm.secrets[0]))
    assert not of(RULE, engine.alarms)[0].muted(after(60))
    engine.mute(Mute(after(hours=1), identity=alarm.identity))
    assert of(RULE, engine.alarms)[0].muted(after(60))


def test_a_batch_by_filter_counts_as_one_that_names_none() -> None:
    alarm = only(RULE, [records.batch(by=USER)])
    assert (alarm.count, alarm.secrets, alarm.severity) == (1, (), Severity.MEDIUM)
    assert alarm.facts == ("not named by the record: 2026-11-23 14:00:00Z",)
    new = f"""{{ new = '{READS}', same = ["secret"], within = "30d" }}"""
    graded = ruled(mine(EACH, f'grade = [{{ if = {new}, severity = "critical" }}]', when=BATCHES))
    assert only("MINE", [records.batch(["prod/a"], by=USER)], graded).severity is Severity.CRITICAL
    assert (
        only("MINE", [records.batch(by=USER)], graded).severity is Severity.HIGH
    )  # of nothing is known that it is new
    beside = only(RULE, [records.batch(by=USER), read("prod/a"), read("prod/b")])
    assert (beside.count, beside.secrets) == (2, named("prod/a", "prod/b"))
    shell = records.batch(by=records.sso(), userAgent="aws-cli/2.17.1 exec-env/CloudShell ua/2.0")
    assert only(CONSOLE, [shell]).severity is Severity.HIGH


def test_a_batch_of_names_is_about_each_of_them() -> None:
    alarm = only(RULE, [records.batch(["prod/a", "prod/b"], by=USER), read("prod/b", 1)])
    assert (alarm.count, {*alarm.secrets}) == (2, {*named("prod/a", "prod/b")})


def test_after_a_restart_the_secrets_from_before_are_named_beside_those_since() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([read("prod/a"), read("prod/b", 1)]))
    later = Engine(catalogue())
    later.restore(engine.alarms.values(), known_since=after(10))
    later.judge(arrivals([read("prod/b", 20), read("prod/c", 21)]))
    (alarm,) = of(RULE, later.alarms)
    assert alarm.secrets == named("prod/a", "prod/b", "prod/c")


def test_secrets_are_named_as_they_turn_out_to_be_called() -> None:
    by_suffix = records.read(records.arn("prod/db"), by=USER)
    alarm = only(RULE, [by_suffix, read("prod/db", 5), records.describe("prod/db", at=after(9))])
    assert (alarm.count, alarm.secrets) == (1, named("prod/db"))


def test_of_very_many_secrets_the_newest_are_named_and_all_are_counted() -> None:
    alarm = only(RULE, [read(f"prod/{n:04}", n) for n in range(SECRETS + 20)])
    assert alarm.count == SECRETS + 20
    assert alarm.secrets == named(*(f"prod/{n:04}" for n in range(20, SECRETS + 20)))


def test_an_alarm_that_counts_something_else_names_no_secrets() -> None:
    assert only("SMW-DEL-01", [records.read_deleted()]).secrets == ()
    regions = only("MINE", [read("prod/a")], ruled(mine(EACH.replace('"secret"', '"region"'))))
    assert (regions.counted, regions.secrets) == ("regions", ())


def test_aws_runs_a_rule_of_which_each_value_is_evidence() -> None:
    assert only("MINE", [read("prod/a")], ruled(mine(EACH))).count == 1
    assert exactness(ruled(mine(EACH)).rules[0])[0] is Exactness.EXACT
    assert exactness(ruled(mine(EACH.replace("min = 1", "min = 2"))).rules[0])[0] is Exactness.ONLY_HERE
    assert all(exactness(catalogue()[rule])[0] is Exactness.EXACT for rule in (RULE, CONSOLE))
