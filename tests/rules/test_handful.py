"""Values that are too few to be evidence need no case, and alarms are as if they had one."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules.alarm import Alarm
from smwatch.rules.caseload import Caseload
from smwatch.rules.dimension import Group
from smwatch.rules.engine import Engine
from smwatch.rules.sighter import SLOTS
from smwatch.rules.spread import SpreadCase
from tests import records
from tests.records import AT
from tests.rules.judging import after, arrivals, mine, ruled

LEAST = 4
RULES = ruled(
    mine(
        f'distinct = {{ of = "secret", min = {LEAST}, within = "10m" }}',
        when='{ $.eventName = "*GetSecretValue" }',
        by="session",
    )
)
SESSIONS = [records.role("app", f"i-{number:017x}") for number in range(2)]
Read = tuple[int, int, int]
"""Which session, which secret, and the minute; from BATCHES on, a batch of two secrets."""
BATCHES = 7
READS = st.lists(st.tuples(st.integers(0, 1), st.integers(0, BATCHES + 4), st.integers(0, 40)), min_size=1, max_size=40)


def secret(number: int) -> Secret:
    return Secret(records.ACCOUNT, records.REGION, f"prod/{number}")


def record(number: int, session: int, which: int, minute: int) -> Record:
    told: dict[str, Any] = {"by": SESSIONS[session], "at": AT + timedelta(minutes=minute), "id": f"{number}"}
    if which < BATCHES:
        return records.read(secret(which).name, **told)
    return records.batch([secret(which - BATCHES + more).name for more in (1, 2)], **told)


def judge(engine: Engine, reads: Sequence[Read], batch: int) -> None:
    coming = arrivals(record(number, *read) for number, read in enumerate(reads))
    for start in range(0, len(coming), batch):
        engine.judge(coming[start : start + batch])


def alarms(reads: Sequence[Read], batch: int, *, renamed: bool, kept_for: int) -> dict[str, Alarm]:
    """What there is after these reads; half-way the secrets 0 and 1 turn out to be one, and days pass."""
    engine = Engine(RULES)
    half = len(reads) // 2
    judge(engine, reads[:half], batch)
    if renamed:
        engine.fold([(secret(0), secret(1))])
    engine.tick(after(days=kept_for))
    judge(engine, [(session, which or int(renamed), minute) for session, which, minute in reads[half:]], batch)
    return dict(engine.alarms)


def with_a_case(cases: Caseload, group: Group) -> SpreadCase:
    return cases.spreads[group]


@example(reads=[(0, which, 0) for which in (0, 1, 2, 0, 3, 4)], batch=1, renamed=True, kept_for=0)
@example(
    reads=[*((0, number % 3, number * 10) for number in range(2 * SLOTS)), (0, 3, 0), (0, 3, 290)],
    batch=1,
    renamed=False,
    kept_for=0,
)
@settings(deadline=None)
@given(reads=READS, batch=st.integers(1, 20), renamed=st.booleans(), kept_for=st.sampled_from([0, 9]))
def test_alarms_are_as_if_each_group_had_a_case(*, reads: list[Read], batch: int, renamed: bool, kept_for: int) -> None:
    found = alarms(reads, batch, renamed=renamed, kept_for=kept_for)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Caseload, "keeper", with_a_case)
        assert alarms(reads, batch, renamed=renamed, kept_for=kept_for) == found


def test_there_is_a_case_once_there_are_enough_values_and_not_before() -> None:
    engine = Engine(RULES)
    watch = engine._cases.watches["MINE"]
    judge(engine, [(0, BATCHES, 1), *((0, number, 1) for number in range(LEAST - 1))], LEAST)
    assert not watch.cases.spreads.remembered()
    assert not engine.alarms
    judge(engine, [(0, number, 2) for number in range(LEAST)], LEAST)
    assert len(watch.cases.spreads.remembered()) == 1
    assert not watch.cases.handfuls.remembered()
    assert [alarm.count for alarm in engine.alarms.values()] == [LEAST]


def test_what_was_only_noted_counts_too_once_there_is_a_case() -> None:
    engine = Engine(RULES)
    judge(engine, [(0, number, minute) for minute in range(100) for number in range(LEAST - 1)], 7)
    judge(engine, [(0, LEAST, 20)], 1)
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.first_at) == (LEAST, AT + timedelta(minutes=10))


def test_a_group_with_an_alarm_that_was_kept_has_a_case_at_once() -> None:
    engine = Engine(RULES)
    judge(engine, [(0, number, 1) for number in range(LEAST)], LEAST)
    again = Engine(RULES)
    again.restore(engine.alarms.values())
    watch = again._cases.watches["MINE"]
    for group in watch.cases.spreads.remembered():
        watch.cases.spreads.take(group)
    judge(again, [(0, 0, 2), (1, 0, 2)], 1)
    assert len(watch.cases.spreads.remembered()) == 1
    assert len(watch.cases.handfuls.remembered()) == 1
