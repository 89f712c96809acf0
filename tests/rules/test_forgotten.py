"""Cases that are forgotten: what they knew of tells nothing of their groups any more, and no alarm hangs on them."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from smwatch.record import Record
from smwatch.rules import watch
from smwatch.rules.alarm import AlarmState
from smwatch.rules.engine import Engine
from tests import records
from tests.records import AT
from tests.rules.judging import after, arrivals, catalogue, of

BULK, DELETED = "SMW-READ-01", "SMW-DEL-01"


def sweep(session: str, count: int, at: datetime) -> list[Record]:
    """One session of a role reads so many secrets of a day, one a second."""
    by = records.role("app", session)
    return [records.read(f"prod/{at:%d}/db-{n}", by=by, at=at + timedelta(seconds=n)) for n in range(count)]


def test_a_session_that_comes_back_after_a_week_has_its_alarm_whatever_was_forgotten_of_it() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals(sweep("task-1", 7, AT)))
    for day in range(1, 11):
        engine.tick(after(days=day))
    engine.judge(arrivals(sweep("task-1", 30, after(days=10, hours=1))))  # more than the role ever did
    assert [alarm.count for alarm in of(BULK, engine.alarms)] == [30]
    engine.judge(arrivals(sweep("task-2", 40, after(days=10, hours=2))))
    assert [alarm.count for alarm in of(BULK, engine.alarms)] == [30, 40]


@pytest.mark.parametrize("at_once", [None, 1])
def test_an_alarm_goes_on_counting_however_many_others_there_were_since(
    monkeypatch: pytest.MonkeyPatch, at_once: int | None
) -> None:
    monkeypatch.setattr(watch, "CASES", 8)
    engine, secrets = Engine(catalogue()), [f"prod/db-{n}" for n in range(40)]
    engine.at_once = at_once
    for minute in range(3):
        for secret in secrets:
            engine.judge(arrivals([records.read_deleted(secret, at=after(minutes=minute))]))
    engine.judge(arrivals([records.restore(secret, at=after(minutes=5)) for secret in secrets]))
    while engine.unsettled:
        engine.settle()
    alarms = of(DELETED, engine.alarms)
    assert {(alarm.count, alarm.state) for alarm in alarms} == {(3, AlarmState.CLOSED)}
    assert len(alarms) == len(secrets)
