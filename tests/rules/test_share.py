"""A share of all that is known: counted by when each became known, whatever order that is learnt in."""

from __future__ import annotations

import random
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.events.event import SeenBy
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.census import Population
from smwatch.rules.engine import Engine
from smwatch.rules.finder import Finder
from smwatch.rules.rule import combine, load_builtin
from smwatch.rules.times import EVER
from tests import records
from tests.rules.catalogue.reads import THIEF, in_use, sweep
from tests.rules.catalogue.story import known_for
from tests.rules.judging import after, arrivals, before, catalogue, of

RULE = "SMW-READ-01b"
ALONE = combine(load_builtin(), disable=[rule.id for rule in catalogue().rules if rule.id != RULE])
THEFT = sweep("prod", 12, second=600)
KNOWN = [known_for(days=5), *in_use(20)]


def run(happened: list[Record], size: int = 1) -> list[Alarm]:
    engine, coming = Engine(ALONE), arrivals(happened)
    for start in range(0, len(coming), size):
        engine.judge(coming[start : start + size])
    return of(RULE, engine.alarms)


def found(happened: list[Record]) -> list[Alarm]:
    """The rule's alarms, the same in both directions."""
    alarms = run(happened)
    assert run(happened[::-1]) == alarms
    assert run(happened, len(happened)) == alarms
    return alarms


def used(count: int, at: datetime, **more: str) -> list[Record]:
    return [records.describe(f"more/{n}", by=records.role("inventory"), at=at, **more) for n in range(count)]


def test_half_of_what_is_known_is_an_alarm_and_less_is_none() -> None:
    (alarm,) = found([*KNOWN, *THEFT])
    assert (alarm.severity, alarm.count, alarm.counted) == (Severity.CRITICAL, 12, "secrets")
    assert found([*KNOWN, *used(4, before(days=1)), *THEFT]) == []


def test_what_became_known_later_is_not_counted_before() -> None:
    assert len(found([*KNOWN, *THEFT, *used(100, after(hours=9))])) == 1


def test_what_is_known_elsewhere_is_not_counted_here() -> None:
    assert len(found([*KNOWN, *THEFT, *used(100, before(days=1), region="us-east-1")])) == 1


def test_two_names_of_one_secret_are_one() -> None:
    """Names that are first met without the ARN they belong to."""
    partial = [records.describe(records.arn(f"prod/{n}")[:-7], at=before(days=1)) for n in range(20)]
    assert len(found([*KNOWN, *partial, *THEFT])) == 1


def test_nothing_is_half_of_all_while_little_is_known() -> None:
    assert found([known_for(days=2), *THEFT]) == []


def test_nothing_is_judged_before_enough_was_watched_and_all_of_it_then(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[Finder] = []
    find = Finder.find

    def noted(finder: Finder, *about: Any) -> Iterator[int]:
        judged.append(finder)
        return find(finder, *about)

    monkeypatch.setattr(Finder, "find", noted)
    engine = Engine(ALONE)
    for arrival in arrivals(THEFT, SeenBy.LOGS):
        engine.judge([arrival])
    first, second, last = (int(before(days=days).timestamp()) for days in (5, 2, -0.5))
    here = records.ACCOUNT, records.REGION
    engine.watched(here, [(second, last)])
    assert not judged
    engine.watched(here, [(first, second)])
    assert judged
    (alarm,) = of(RULE, engine.alarms)
    assert alarm.count == 12


class Counting:
    """Notes what it is told."""

    def __init__(self) -> None:
        self.told: list[tuple[int, int, bool]] = []

    def recounted(self, first: int, last: int, *, more: bool) -> None:
        self.told.append((first, last, more))


def test_who_counts_is_told_once_of_all_that_one_batch_moves() -> None:
    moved: list[Population] = []
    population, counting = Population(moved), Counting()
    population.watch(counting)
    for second in (900, 700, 500):
        for value in "ab":
            known = population.of(value)
            assert known is not None
            known.add(second)
    assert (counting.told, moved) == ([], [population])
    population.tell()
    population.tell()
    assert counting.told == [(500, EVER, True)]
    assert [population.size(second) for second in (499, 500)] == [0, 2]


EVENTS = st.lists(
    st.one_of(
        st.builds(
            lambda n, hour: records.read(f"prod/{n}", by=THIEF, at=after(hours=hour)),
            st.integers(0, 14),
            st.integers(0, 30),
        ),
        st.builds(
            lambda n, hour: records.describe(f"more/{n}", at=after(hours=hour)),
            st.integers(0, 12),
            st.integers(-30, 30),
        ),
        st.builds(lambda day: known_for(days=day), st.integers(1, 5)),
    ),
    min_size=8,
    max_size=60,
)


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(EVENTS, st.integers(), st.integers(1, 9))
def test_any_order_gives_the_same_alarms(happened: list[Record], seed: int, size: int) -> None:
    happened = [*happened, *THEFT[:8]]
    expected = run(sorted(happened, key=lambda record: (record["eventTime"], record["eventID"])))
    shuffled = [*happened, *happened[:5]]
    random.Random(seed).shuffle(shuffled)
    assert run(shuffled, size) == expected


def test_what_is_done_before_anything_is_judged_is_habitual_from_the_first_day_that_is() -> None:
    nightly = [
        records.read(f"prod/{n}", by=THIEF, at=before(days=day, minutes=-n)) for day in range(4) for n in range(16)
    ]
    assert found([known_for(days=3), *in_use(20), *nightly]) == []
    once = [one for one in nightly if one["eventTime"] >= records.stamp(after())]
    assert len(found([known_for(days=3), *in_use(20), *once])) == 1
