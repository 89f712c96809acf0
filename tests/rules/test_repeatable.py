"""The same events, come in the same pages, lead to the same alarms in the same order, run for run."""

from __future__ import annotations

import random
from collections.abc import Sequence

import pytest

from smwatch.rules import caseload, fact, sighting, standing, times
from smwatch.rules.accounts import Accounts
from smwatch.rules.alarm import Alarm
from smwatch.rules.beginning import Beginning
from smwatch.rules.census import Population
from smwatch.rules.engine import Engine
from smwatch.rules.watching import Teller
from tests import records
from tests.rules.judging import after, arrivals, catalogue, mine, ruled
from tests.rules.test_order import ACTIONS, PEOPLE, SECRETS


def test_alarms_that_are_worked_out_one_by_one_come_in_the_order_in_which_there_was_news_of_them() -> None:
    engine = Engine(catalogue())
    engine.at_once = 1
    names = [f"prod/{n}" for n in random.Random(1).sample(range(100), 20)]
    engine.judge(arrivals(records.read_deleted(name, at=after(0)) for name in names), more=True)
    told = [alarm.secret.name for alarm in settled(engine) if alarm.rule == "SMW-DEL-01" and alarm.secret is not None]
    assert told == names


def test_cases_that_were_forgotten_are_none_of_the_few_that_are_worked_out_in_one_go(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(caseload, "CASES", 1)
    follows = "follows = '{ $.eventName = \"PutSecretValue\" }'"
    engine = Engine(ruled(mine(f'only = [{{ {follows}, same = ["secret"], within = "1h" }}]', by="secret")))
    engine.judge(arrivals(records.read(name, at=after()) for name in SECRETS))
    engine.at_once = 1
    engine.judge(arrivals(records.put(name, at=after(9)) for name in SECRETS), more=True)
    told = [engine.settle() for _ in range(2)]
    assert [[alarm.count for alarm in alarms] for alarms in told] == [[1], [1]]


class Woken:
    """Somebody who waits, and notes whom it was woken after."""

    high = 0

    def __init__(self, woken: list[Woken]) -> None:
        self._woken = woken

    def watches(self, known: Teller) -> None:
        """It is told of nothing else."""

    def heed(self, second: int) -> None:
        """It is told of nothing else."""

    def wake(self) -> None:
        """What it waits for has come."""
        self._woken.append(self)

    def recounted(self, first: int, last: int, *, more: bool) -> None:
        """The same."""
        self.wake()


def test_who_waits_for_the_same_is_woken_in_the_order_in_which_they_asked() -> None:
    woken = list[Woken]()
    waiting = [Woken(woken) for _ in range(30)]
    random.Random(1).shuffle(waiting)
    accounts, beginning, population = Accounts(), Beginning(), Population([])
    stranger = accounts.strangers(["444455556666"])
    assert not isinstance(stranger, bool)
    for each in waiting:
        stranger.watch(each)
        beginning.await_catching_up(each)
        population.watch(each)
    accounts.see("444455556666")
    beginning.before = 5
    beginning.move(5)
    known = population.of("prod/db")
    assert known is not None
    known.add(5)
    population.tell()
    assert woken == [*waiting, *waiting, *waiting]


def test_what_was_told_and_is_known_in_the_end_hangs_on_no_places_in_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name, most in (
        (fact, "PAIRS", 60),
        (fact, "IN_ALL", 120),
        (caseload, "CASES", 30),
        (times, "TIMES", 12),
        (sighting, "MARKS", 6),
        (standing, "ALARMS", 60),
    ):
        monkeypatch.setattr(module, name, most)
    assert run(300) == run(300)


def run(count: int) -> tuple[Sequence[Alarm], dict[str, Alarm]]:
    """What is told of so many events, three at a time, and the alarms in the end."""
    rng = random.Random(5)
    happened = []
    for second in range(count):
        by, action, secret = rng.choice(PEOPLE), rng.choice(ACTIONS), rng.choice(SECRETS)
        happened.append(action(secret, by=by, at=after(20 * second)))
    engine = Engine(catalogue())
    engine.at_once = 3
    told: list[Alarm] = []
    everything = arrivals(happened)
    for start in range(0, count, 3):
        told += engine.judge(everything[start : start + 3])
    told += settled(engine)
    told += engine.tick(after(days=2))
    told += settled(engine)
    return told, dict(engine.alarms)


def settled(engine: Engine) -> list[Alarm]:
    """The alarms that changed as all were worked out."""
    told = list[Alarm]()
    while engine.unsettled:
        told += engine.settle()
    return told
