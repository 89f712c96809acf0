"""What is to be done with an event is found out once for all events that nobody who takes them tells apart."""

from __future__ import annotations

from datetime import timedelta

import pytest

from smwatch.rules.engine import Engine
from smwatch.rules.plan import Plan
from tests import records
from tests.records import AT
from tests.rules.judging import arrivals, catalogue, judged, mine, of, ruled


def test_all_sessions_that_use_a_key_for_one_secret_have_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, made = Engine(catalogue()), list[Plan]()
    sessions = [records.role("app", f"i-{number:017x}") for number in range(20)]
    uses = arrivals(
        records.kms("prod/db", by=by, at=AT + timedelta(seconds=number)) for number, by in enumerate(sessions)
    )
    engine.judge(uses[:1])
    monkeypatch.setattr(Plan, "__init__", lambda plan: made.append(plan))
    engine.judge(uses[1:])
    assert not made


def test_a_session_that_waits_with_two_access_keys_waits_for_what_is_known_of_each() -> None:
    lists = '{ $.eventName = "ListSecrets" }'
    rules = ruled(mine(f"only = [{{ seen = '{lists}', same = [\"access_key\"] }}]"))
    known, unknown = (records.role("app", "i-0aaaaaaaaaaaaaaaa", key=f"ASIA{n}EXAMPLE00000000") for n in (1, 2))
    told = [
        records.read(by=unknown, at=AT),
        records.listing(by=known, at=AT + timedelta(seconds=1)),
        records.read(by=known, at=AT + timedelta(seconds=2)),
    ]
    (alarm,) = of("MINE", judged(told, rules))
    assert alarm.count == 1
