"""What is habitual is known however events come, and whoever does no more than before takes no work."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from random import Random

import pytest

from smwatch.record import Record
from smwatch.rules.alarm import Alarm
from smwatch.rules.engine import Engine
from smwatch.rules.spread import SpreadCase
from tests import records
from tests.rules.catalogue.reads import sweep
from tests.rules.catalogue.story import known_for, over
from tests.rules.judging import after, arrivals, catalogue, judged, of

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
