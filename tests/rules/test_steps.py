"""How much is worked out in one go where a screen waits."""

from __future__ import annotations

import pytest

from smwatch.rules.alarm import Alarm
from smwatch.rules.engine import Engine
from smwatch.rules.spread import SpreadCase
from smwatch.rules.standing import LOOKED_AT
from smwatch.rules.valued import WEIGHT
from tests import records
from tests.rules.judging import after, arrivals, catalogue

READERS, SECRETS = 12, 60


def test_where_a_screen_waits_few_alarms_that_list_values_are_worked_out_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    readers = [records.role(f"app-{number}", "run") for number in range(READERS)]
    whole, sliced, raised, alarm = Engine(catalogue()), Engine(catalogue()), list[str](), SpreadCase.alarm
    for engine in (whole, sliced):
        engine.judge(arrivals(records.read(f"prod/{n}", by=by, at=after(n)) for n in range(SECRETS) for by in readers))
    assert len(whole.alarms) >= READERS

    def noted(case: SpreadCase) -> Alarm | None:
        found = alarm(case)
        raised.extend([found.group] if found is not None else [])
        return found

    sliced.at_once = READERS
    more = [records.read("prod/more", by=by, at=after(SECRETS)) for by in readers]
    whole.judge(arrivals(more))
    sliced.judge(arrivals(more), more=True)
    monkeypatch.setattr(SpreadCase, "alarm", noted)
    steps = list[int]()
    while sliced.unsettled:
        raised.clear()
        sliced.settle()
        steps.append(len(raised))
    assert sum(steps) >= READERS
    assert max(steps) == LOOKED_AT // WEIGHT
    assert dict(sliced.alarms) == dict(whole.alarms)
