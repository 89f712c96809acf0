"""How much is looked at to bring an alarm of many values up to date: what stands is not looked at again."""

from __future__ import annotations

import pytest

from smwatch.events.secret import Secret
from smwatch.rules.closeness import Close, Slots
from smwatch.rules.engine import Engine
from smwatch.rules.measure import Measure, Sight
from smwatch.rules.question import Lookout
from smwatch.rules.spread import SpreadCase
from tests import records
from tests.rules.judging import after, arrivals, catalogue, of

MANY = 60
"""Secrets of which one session reads one each second, round and round."""


class Asked:
    """Counts the questions that are asked about single values."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.values: list[Secret] = []
        ask = Measure._ask

        def counted(measure: Measure, lookout: Lookout, sight: Sight, case: SpreadCase) -> bool:
            assert isinstance(sight.value, Secret)
            self.values.append(sight.value)
            return ask(measure, lookout, sight, case)

        monkeypatch.setattr(Measure, "_ask", counted)


def thief(seconds: int, engine: Engine) -> None:
    """Have the engine judge what a session reads in so many seconds."""
    by = records.role("ci-deployer", "build-7")
    engine.judge(arrivals(records.read(f"prod/{n % MANY}", by=by, at=after(n)) for n in range(seconds)))


def test_what_one_session_does_is_asked_once_about_each_secret_however_often_it_reads_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, asked = Engine(catalogue()), Asked(monkeypatch)
    thief(30 * MANY, engine)
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.count == MANY
    assert len(asked.values) == len(set(asked.values)) == MANY


def test_where_a_secret_turns_out_to_be_another_nothing_is_asked_anew_about_the_rest(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, asked = Engine(catalogue()), Asked(monkeypatch)
    thief(30 * MANY, engine)
    asked.values.clear()
    wrong, right = (Secret(records.ACCOUNT, records.REGION, name) for name in ("prod/7", "prod/8"))
    engine.fold([(wrong, right)])
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.count == MANY - 1
    assert asked.values == [right]


def test_one_more_read_has_none_of_the_slots_before_it_looked_through(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, looked_at = Engine(catalogue()), list[int]()
    thief(30 * MANY, engine)
    (slots,) = [len(case._slots) for case in spreads(engine, "SMW-READ-01")]
    assert slots == 6
    find = Close.find

    def counted(close: Close, slot: int, slots: Slots) -> bool:
        looked_at.append(sum(len(slots[one]) for one in slots if one == slot))
        return find(close, slot, slots)

    monkeypatch.setattr(Close, "find", counted)
    engine.judge(arrivals([records.read("prod/7", by=records.role("ci-deployer", "build-7"), at=after(30 * MANY))]))
    (alarm,) = of("SMW-READ-01", engine.alarms)
    assert alarm.last_at == after(30 * MANY)
    # Once for each of what makes it an alarm, or worse; and what SMW-READ-01b has in its one slot of a day.
    assert sum(looked_at) == 1 + 1 + 1 + 2 * MANY


def spreads(engine: Engine, rule: str) -> list[SpreadCase]:
    """The cases of a rule that counts values."""
    memory = engine._watches[rule]._spreads
    return [case for group in memory.remembered() if (case := memory.find(group)) is not None]
