"""What is habitual is known however events come, and whoever does no more than before takes no work."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from smwatch.record import Record
from smwatch.rules import standing
from smwatch.rules.alarm import Alarm
from smwatch.rules.engine import Engine
from smwatch.rules.spread import SpreadCase
from tests import records
from tests.rules.catalogue.reads import sweep
from tests.rules.catalogue.story import known_for, over
from tests.rules.judging import after, arrivals, catalogue, judged, mine, of, ruled

RULE = "SMW-READ-01"
PROGRAM = records.role("loader", "task-1")


@pytest.fixture
def worked_out(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often the alarm of each session that reads secrets is worked out."""
    counts, alarm = Counter[str](), SpreadCase.alarm

    def counted(case: SpreadCase) -> Alarm | None:
        if case.rule.id == RULE:
            counts[case.identity + case.group] += 1
        return alarm(case)

    monkeypatch.setattr(SpreadCase, "alarm", counted)
    return counts


def rounds(secrets: int, reads: int) -> list[Record]:
    """A read each ten seconds, of each secret after the other, round and round."""
    start = after()
    return [records.read(f"prod/{n % secrets}", by=PROGRAM, at=start + timedelta(seconds=10 * n)) for n in range(reads)]


@pytest.mark.parametrize("batch", [1, 3, 50, 0])
@pytest.mark.parametrize("shuffled", [False, True])
def test_what_was_too_little_for_an_alarm_is_habitual_in_whatever_pages_it_comes(batch: int, shuffled: bool) -> None:
    daily = [one for each in sweep("prod", 8, PROGRAM) for one in over(3, each)]
    for count, excused in ((12, True), (13, False)):
        happened = sorted([known_for(days=5), *daily, *sweep("prod", count, PROGRAM)], key=lambda one: one["eventTime"])
        if shuffled:
            Random(batch).shuffle(happened)
        assert (not of(RULE, judged(happened, batch=batch))) is excused


def test_a_session_that_goes_through_as_many_secrets_as_before_is_not_judged(worked_out: Counter[str]) -> None:
    engine, reads = Engine(catalogue()), arrivals(rounds(9, 300))
    for start in range(0, len(reads), 20):
        engine.judge(reads[start : start + 20])
    assert not worked_out
    engine.judge(arrivals(sweep("other", 9, PROGRAM, at=after(3_000))))
    (alarm,) = of(RULE, engine.alarms)
    assert (alarm.count, worked_out.total()) == (18, 1)


def test_what_a_session_comes_to_says_nothing_of_what_others_do_that_day(worked_out: Counter[str]) -> None:
    engine, other = Engine(catalogue()), records.role("loader", "task-2")
    engine.judge(arrivals(sweep("prod", 12, PROGRAM)))
    worked_out.clear()
    engine.judge(arrivals(sweep("prod", 30, other, at=after(600))))
    assert len(worked_out) == 1
    assert len(of(RULE, engine.alarms)) == 2


@pytest.mark.parametrize("batch", [1, 0])
def test_who_goes_through_the_same_secrets_after_midnight_did_so_on_two_days(batch: int) -> None:
    habit = 'habit = { days = 2, within = "14d", factor = 1.5 }'
    rules = ruled(mine(f'distinct = {{ of = "secret", min = 6, within = "1h", {habit} }}', by="session"))
    told = [
        records.read(f"prod/{n}", by=PROGRAM, at=after(hours=hours, minutes=n))
        for hours in (9.5, 10.2)
        for n in range(5)
    ]
    other = records.role("loader", "task-2")
    for count, excused in ((7, True), (8, False)):
        more = sweep("prod", count, other, at=after(days=2))
        assert (not judged([*told, *more], rules, batch=batch)) is excused


@pytest.mark.parametrize("bit_by_bit", [False, True])
def test_what_is_seen_while_others_wait_to_be_judged_counts(monkeypatch: pytest.MonkeyPatch, bit_by_bit: bool) -> None:
    seen = 'only = [{ seen = "{ $.eventName = DescribeSecret }", same = ["secret"], within = "24h" }]'
    engine = Engine(ruled(mine('distinct = { of = "secret", min = 4, within = "10m" }', seen)))
    reads = {name: [records.read(name, by=PROGRAM, at=after(minutes=m)) for m in (0, 20)] for name in "abcd"}
    describes = {name: records.describe(name, at=after(minutes=-1 if name == "a" else 5)) for name in "abcd"}
    engine.judge(arrivals(read for read, _ in reads.values()))
    engine.judge(arrivals(describes[name] for name in "bcd"))
    engine.judge(arrivals([reads["a"][1]]))
    if bit_by_bit:
        engine.at_once = 1
        monkeypatch.setattr(standing, "LOOKED_AT", 0)
    engine.judge(arrivals([describes["a"]]))
    engine.judge(arrivals(reads[name][1] for name in "bc"))
    engine.at_once = None
    engine.settle()
    assert not engine.alarms
    engine.judge(arrivals([reads["d"][1]]))
    (alarm,) = engine.alarms.values()
    assert alarm.count == 4
