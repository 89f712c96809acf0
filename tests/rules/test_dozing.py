"""What is new while nobody was watching for long enough waits until it turns out that somebody was."""

from __future__ import annotations

import gc
import random
from itertools import count

import pytest

from smwatch.record import Record
from smwatch.rules import dozing
from smwatch.rules.engine import Engine
from tests import records
from tests.rules.judging import after, arrivals, catalogue, of
from tests.rules.test_fold import DOUBTFUL, RIGHT, WRONG
from tests.rules.test_watched import HERE, days

FIRST, OVERWRITTEN = "SMW-READ-04", "SMW-TAMP-02"
LIMIT = 20


def reads(count: int) -> list[Record]:
    """So many principals each read a secret that they never read before."""
    return [records.read(f"prod/{n}", by=records.role(f"app-{n % 7}"), at=after(minutes=n)) for n in range(count)]


def kept(engine: Engine) -> int:
    """How many events the engine keeps each by itself."""
    gc.collect()
    return sum(type(each).__name__ == "Mark" for each in gc.get_objects())


def test_what_is_new_while_nobody_can_tell_is_kept_of_the_newest_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dozing, "DOZING", LIMIT)
    engine, held = Engine(catalogue()), list[int]()
    for number, arrival in enumerate(arrivals(reads(10 * LIMIT))):
        engine.judge([arrival])
        if number in (5 * LIMIT - 1, 10 * LIMIT - 1):
            held.append(kept(engine))
    assert held[0] == held[1]


@pytest.mark.parametrize("seed", range(4))
def test_the_newest_are_evidence_once_it_is_known_that_somebody_was_watching(
    seed: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dozing, "DOZING", LIMIT)
    engine, coming = Engine(catalogue()), arrivals(reads(3 * LIMIT))
    random.Random(seed).shuffle(coming)
    for arrival in coming:
        engine.judge([arrival])
    assert of(FIRST, engine.alarms) == []
    engine.watched(HERE, [days(20)])
    engine.watched(HERE, [(days(1)[0], days(1)[0] + 10 * 86_400)])
    assert sum(alarm.count for alarm in of(FIRST, engine.alarms)) == LIMIT
    assert min(alarm.first_at for alarm in of(FIRST, engine.alarms)) == after(minutes=2 * LIMIT)


def test_who_is_new_to_a_secret_that_turns_out_to_be_another_is_evidence_about_that_one() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([records.put(DOUBTFUL, by=records.role("thief"))]))
    engine.fold([(WRONG, RIGHT)])
    engine.watched(HERE, [days(20), days(0, -1)])
    (alarm,) = of(OVERWRITTEN, engine.alarms)
    assert [alarm.count, alarm.secret] == [1, RIGHT]


def test_what_comes_while_names_are_brought_together_leaves_nothing_under_a_wrong_one(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(dozing, "DOZING", LIMIT)
    monkeypatch.setattr("smwatch.rules.engine.FOLDED", 1)
    engine, coming = Engine(catalogue()), count()

    def judge(name: str) -> None:
        number = next(coming)
        engine.judge(arrivals([records.put(name, by=records.role(f"app-{number}"), at=after(minutes=number))]))

    for _ in range(LIMIT):
        judge(DOUBTFUL)
    engine.at_once = LIMIT
    engine.fold([(WRONG, RIGHT)])
    while engine.unsettled:
        judge("prod/a")  # has the oldest of the others go, so that some stand elsewhere
        for _ in range(LIMIT // 4):
            engine.settle()
    engine.at_once = None
    engine.watched(HERE, [days(20)])
    engine.watched(HERE, [(days(1)[0], days(1)[0] + 10 * 86_400)])
    secrets = {alarm.secret for alarm in of(OVERWRITTEN, engine.alarms)}
    assert RIGHT in secrets
    assert WRONG not in secrets
