"""Whoever asks for thousands of names pushes nothing out that is known of real secrets."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smwatch.record import Record
from smwatch.rules import fact as fact_module
from smwatch.rules import timers as timers_module
from smwatch.rules.alarm import AlarmState
from smwatch.rules.engine import Engine
from tests import records
from tests.records import AT
from tests.rules.judging import after, arrivals, before, catalogue, judged, mine, of, ruled

LIMIT = 20
MALLORY = records.role("ci-deployer", "build-7")


@pytest.fixture(autouse=True)
def small_memories(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact_module, "GROUPS", LIMIT)
    monkeypatch.setattr(fact_module, "MEMBERS", LIMIT)
    monkeypatch.setattr(timers_module, "DEADLINES", LIMIT)


def guesses(number: int = 10 * LIMIT) -> list[Record]:
    """Reads of names that are not there, denied ones, and ones by sessions with names of their own."""
    return [
        make
        for n in range(number)
        for make in (
            records.read_missing(f"guess/{n}", by=MALLORY, at=after(n)),
            records.denied(f"guess/{n}", by=MALLORY, at=after(n)),
            records.denied(f"guess/{n}", by=records.role("ci-deployer", f"s-{n}"), at=after(n)),
            records.read_deleted(f"guess/{n}", by=MALLORY, at=after(n)),
        )
    ]


def engine_after(*happened: Record) -> Engine:
    engine = Engine(catalogue())
    for record in happened:
        engine.judge(arrivals([record]))
    return engine


def test_a_consumer_that_worked_is_still_known_to_have_worked() -> None:
    engine = engine_after(records.read(at=before(hours=1)), *guesses())
    engine.judge(arrivals(records.denied(at=after(hours=1, seconds=n)) for n in range(3)))
    assert [alarm.secret and alarm.secret.name for alarm in of("SMW-HLTH-01", engine.alarms)] == ["prod/db"]


def test_a_secret_that_was_there_is_still_known_to_have_been_there() -> None:
    engine = engine_after(records.read(at=before(hours=1)), *guesses())
    engine.judge(arrivals([records.read_missing(at=after(hours=1))]))
    names = {alarm.secret.name for alarm in of("SMW-DEL-03", engine.alarms) if alarm.secret}
    assert names == {"prod/db"}


def test_a_deadline_is_still_known() -> None:
    engine = engine_after(records.delete(days=7, at=before(hours=1)), *guesses())
    engine.judge(arrivals([records.read_deleted(at=after(hours=1))]))
    names = {alarm.secret.name for alarm in of("SMW-DEL-07", engine.alarms) if alarm.secret}
    assert names == {"prod/db"}


def test_what_was_asked_about_hears_of_what_is_written_later() -> None:
    """Whatever came in between: the event that ends an alarm, and one from before that makes it one."""
    engine = engine_after(records.read_deleted(at=after()), records.read_missing("prod/api", at=after()), *guesses())
    assert of("SMW-DEL-03", engine.alarms) == []
    engine.judge(arrivals([records.read("prod/api", at=before(hours=1))]))
    assert len(of("SMW-DEL-03", engine.alarms)) == 1
    engine.judge(arrivals([records.restore(at=AT + timedelta(hours=2))]))
    (alarm,) = [each for each in of("SMW-DEL-01", engine.alarms) if each.secret and each.secret.name == "prod/db"]
    assert alarm.state is AlarmState.CLOSED


def test_what_a_busy_caller_read_before_its_flood_is_still_known_to_those_that_come_late() -> None:
    rules = ruled(mine('distinct = { of = "secret", min = 3, within = "5m" }'))
    flood = [records.read("prod/a", at=AT + timedelta(minutes=30, seconds=i / 20)) for i in range(4_000)]
    before = [records.read("prod/a", at=AT), records.read("prod/a", at=AT + timedelta(minutes=20))]
    late = [records.read(name, at=AT + timedelta(minutes=21)) for name in ("prod/b", "prod/c")]
    assert [alarm.count for alarm in judged([*before, *flood, *late], rules, batch=100).values()] == [3]
