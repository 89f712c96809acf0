"""An alarm about many secrets is a list to work through: each with its first and last time, and what to run for it."""

from __future__ import annotations

import random
import subprocess
from collections.abc import Mapping

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import EVIDENCE, Alarm
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.rules.sighter import SLOTS
from tests import records
from tests.rules.judging import after, arrivals, before, catalogue, judged, mine, of, only, ruled

THIEF = records.role("ci-deployer", "build-7")
SWEEP = [records.read(f"prod/{n:02}", by=THIEF, at=after(n * 5)) for n in range(12)]
RULE = "SMW-READ-01"


def run(command: str, verb: str) -> list[tuple[str, str]]:
    """The secrets that a command line deals with so, and their Regions: what a shell makes of it."""
    done = subprocess.run(
        ["bash", "-c", f"aws() {{ printf '%s\\0' \"$@\"; printf '\\n'; }}; {command}"], capture_output=True, check=True
    )
    found = []
    for line in done.stdout.decode().splitlines():
        _, what, secret, *_, region, _ = line.split("\0")
        assert (what, secret.partition("=")[0]) == (verb, "--secret-id")
        found.append((secret.partition("=")[2], region))
    return found


def rotations(alarm: Alarm) -> list[tuple[str, str]]:
    """The secrets that it says to rotate, with their Regions."""
    commands = [command for command in alarm.next if "rotate-secret" in command]
    return list(dict.fromkeys(each for command in commands for each in run(command, "rotate-secret")))


def one(happened: list[Record], rule: str = RULE) -> Alarm:
    """The rule's alarm, the same in any order."""
    shuffled = list(happened)
    random.Random(1).shuffle(shuffled)
    (alarm,) = of(rule, judged(happened))
    assert of(rule, judged(shuffled, batch=1)) == [alarm]
    return alarm


def test_every_secret_that_was_read_is_named_and_is_to_be_rotated() -> None:
    again = records.read("prod/00", by=THIEF, at=after(90))
    elsewhere = records.read("prod/us", by=THIEF, at=after(95), region="us-east-1")
    alarm = one([*SWEEP, again, elsewhere])
    assert alarm.count == 13
    assert rotations(alarm) == [*((f"prod/{n:02}", "eu-west-1") for n in range(12)), ("prod/us", "us-east-1")]
    assert len(alarm.facts) == 13
    assert alarm.facts[0] == "prod/00 in eu-west-1: first 2026-11-23 14:00:00Z, last 2026-11-23 14:01:30Z"
    assert alarm.facts[1] == "prod/01 in eu-west-1: 2026-11-23 14:00:05Z"
    assert any("AWSRevokeOlderSessions" in command for command in alarm.next)


def test_of_very_many_the_newest_are_named_and_the_rest_are_counted() -> None:
    alarm = one([records.read(f"prod/{n:03}", by=THIEF, at=after(n)) for n in range(EVIDENCE + 20)])
    assert alarm.count == EVIDENCE + 20
    assert len(rotations(alarm)) == EVIDENCE
    assert alarm.facts[0] == "20 more, earlier than these"
    assert len(alarm.facts) == EVIDENCE + 1


def test_names_that_a_shell_would_take_for_something_else_are_quoted() -> None:
    names = ("prod/$(touch x); #", "-rf", "it's", "a b")
    odd = [records.read(name, by=THIEF, at=after(3)) for name in names]
    assert {(name, "eu-west-1") for name in names} < set(rotations(one([*SWEEP, *odd])))


@pytest.mark.parametrize(
    ("rule", "make", "command"),
    [
        ("SMW-DEL-06", records.delete, "restore-secret"),
        ("SMW-TAMP-02b", records.put, "list-secret-version-ids"),
        ("SMW-TAMP-05b", lambda name, **more: records.write("CancelRotateSecret", name, **more), "rotate-secret"),
    ],
)
def test_what_undoes_it_is_there_for_each_of_them(rule: str, make: object, command: str) -> None:
    assert callable(make)
    alarm = one([make(f"prod/{n}", by=THIEF, at=after(n * 60)) for n in range(4)], rule)
    (told,) = [each for each in alarm.next if command in each]
    assert run(told, command) == [(f"prod/{n}", "eu-west-1") for n in range(4)]


def test_what_is_counted_is_named_also_where_it_is_no_secret() -> None:
    regions = ("eu-west-1", "us-east-1", "eu-north-1")
    alarm = one([records.read(by=THIEF, region=region, at=after(n)) for n, region in enumerate(regions)], "SMW-READ-03")
    assert [fact.partition(":")[0] for fact in alarm.facts] == list(regions)


def test_the_list_outlives_a_restart_and_grows() -> None:
    first, again = Engine(catalogue()), Engine(catalogue())
    first.judge(arrivals(SWEEP))
    (kept,) = of(RULE, first.alarms)
    again.restore(first.alarms.values(), known_since=before(days=3))
    more = [records.read(f"prod/more-{n}", by=THIEF, at=after(minutes=2, seconds=n)) for n in range(10)]
    again.judge(arrivals(more))
    (alarm,) = of(RULE, again.alarms)
    assert set(rotations(kept)) < set(rotations(alarm))
    assert len(rotations(alarm)) == 22
    early = records.describe("other/thing", at=before(days=3))
    again.judge(arrivals([early, *SWEEP]))
    assert of(RULE, again.alarms) == [one([early, *SWEEP, *more])]


@pytest.mark.parametrize("again", [SWEEP[:0:-1], [SWEEP[5], *SWEEP[:5], *SWEEP[6:]]])
def test_a_restart_does_not_repeat_the_list_in_another_order(again: list[Record]) -> None:
    alarms: Mapping[str, Alarm] = judged(SWEEP)
    for _ in range(2):
        engine = Engine(catalogue())
        engine.restore(alarms.values(), known_since=before(days=3))
        for each in again:
            engine.judge(arrivals([each]))
        alarms = engine.alarms
    (alarm,) = of(RULE, alarms)
    (told,) = [command for command in alarm.next if "rotate-secret" in command]
    assert len(run(told, "rotate-secret")) == 12


@pytest.mark.parametrize("page", [1, 100])
def test_who_writes_a_secret_all_day_takes_part_in_a_rotation_that_begins_later(page: int) -> None:
    others = [rule.id for rule in catalogue().rules if rule.id != RULE]  # which may ask who writes what
    engine = Engine(combine(load_builtin(), disable=others))
    before_it, later = ([records.put("prod/00", by=THIEF, at=after(n)) for n in range(at, at + 4)] for at in (-60, 70))
    steps = [*before_it, *SWEEP, *later]
    for start in range(0, len(steps), page):
        engine.judge(arrivals(steps[start : start + page]))
    engine.judge(arrivals([records.service_event("RotationStarted", "prod/00", at=after(80))]))
    (alarm,) = engine.alarms.values()
    assert alarm.count == 12
    engine.judge(arrivals([records.put("prod/00", by=THIEF, at=after(85))]))
    (alarm,) = engine.alarms.values()
    assert alarm.count == 11


def test_an_alarm_that_was_kept_is_taken_back_once_all_is_known_again_and_explains_it() -> None:
    """The reads were a rotation's, and what shows it comes after the restart."""
    first, again = Engine(catalogue()), Engine(catalogue())
    nine = [records.service_event("RotationStarted", f"prod/{n:02}", at=after(n * 5 - 2)) for n in range(9)]
    first.judge(arrivals([*nine, *SWEEP]))
    (kept,) = of(RULE, first.alarms)
    assert kept.count == 12
    again.restore(first.alarms.values(), known_since=first.known_since)
    writes = [records.put(f"prod/{n:02}", by=THIEF, at=after(n * 5 + 1)) for n in range(9)]
    late = arrivals([*writes, *SWEEP])
    again.judge(late[:9])
    assert of(RULE, again.alarms) == [kept]
    changed = again.judge([*late[9:], *arrivals(nine)])
    assert [(alarm.rule, alarm.count) for alarm in changed if alarm.rule == RULE] == [(RULE, 0)]
    assert of(RULE, again.alarms) == []


def test_a_list_goes_with_many_secrets() -> None:
    loop = 'next = ["for s in {secrets}; do echo $s {secrets_region}; done"]'
    assert ruled(mine('distinct = { of = "secret", min = 3, within = "1h" }', loop)).rules
    for other in ("", 'distinct = { of = "region", min = 3, within = "1h" }'):
        with pytest.raises(ValueError, match="goes with distinct secrets"):
            ruled(mine(other, loop))
    with pytest.raises(ValueError, match="told by rules with distinct"):
        ruled(mine('tell = ["values"]'))


def test_what_was_read_is_named_and_to_be_rotated_however_long_the_same_key_goes_on() -> None:
    """Its program reads every five minutes, so that the slots with the theft are let go of after some hours."""
    key = records.user("backup")
    theft = [records.read(f"prod/{n:02}", by=key, at=after(n * 5)) for n in range(12)]
    goes_on = [records.read("prod/own", by=key, at=after(minutes=5 * n)) for n in range(2, 2 * SLOTS)]
    alarms = judged([*theft, *goes_on], batch=10)
    (alarm,) = of(RULE, alarms)
    assert [secret.name for secret in alarm.secrets] == [f"prod/{n:02}" for n in range(12)]
    assert alarm.facts == only(RULE, theft).facts
    assert rotations(alarm) == rotations(only(RULE, theft))


@pytest.mark.parametrize("batch", [10, 1_000])
def test_what_a_rotation_explains_is_no_evidence_however_long_ago_it_was(batch: int) -> None:
    by = records.role("rotator", "now")
    reads = [records.read(f"prod/{n:02}", by=by, at=after(n)) for n in range(40)]
    goes_on = [records.read("prod/own", by=by, at=after(minutes=5 * n)) for n in range(2, 2 * SLOTS)]
    rotated, end = [f"prod/{n:02}" for n in (0, 7, 39)], after(minutes=10 * SLOTS)
    started = [records.service_event("RotationStarted", secret, at=end) for secret in rotated]
    written = [records.put(secret, by=by, at=end) for secret in rotated]
    (alarm,) = of(RULE, judged([*reads, *goes_on, *started, *written], batch=batch))
    left = [*(f"prod/{n:02}" for n in range(40) if f"prod/{n:02}" not in rotated), "prod/own"]
    assert (alarm.count, alarm.first_at, alarm.last_at) == (38, after(1), after(hours=1))
    assert [secret.name for secret in alarm.secrets] == left
    assert [line.partition(" in ")[0] for line in alarm.facts] == left


def test_what_was_read_is_named_also_where_one_page_holds_more_of_it_than_is_kept() -> None:
    reads = [records.read(f"prod/{n % 60}", by=THIEF, at=after(20 * n)) for n in range(1_050)]
    (alarm,) = of(RULE, judged(reads, batch=len(reads)))
    assert of(RULE, judged(reads, batch=10)) == [alarm]
    assert (alarm.count, alarm.first_at, alarm.last_at) == (60, after(0), after(20 * 1_049))
    assert [line.partition(" in ")[0] for line in alarm.facts] == [f"prod/{n}" for n in range(60)]
