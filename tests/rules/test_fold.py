"""Two names turn out to be one secret's: alarms are then as if that had been known from the start."""

from __future__ import annotations

import json
import random
from collections.abc import Iterable, Mapping, Sequence
from datetime import timedelta

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.events.renaming import composed, renamed_event
from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Decided, Mute
from smwatch.rules.engine import FOLDED, Engine
from smwatch.rules.handful import Handful
from tests import records
from tests.rules.judging import SEEN_AT, after, arrivals, catalogue, mine, of, ruled

NAME = "my-AbCdEf"
DOUBTFUL = f"arn:aws:secretsmanager:{records.REGION}:{records.ACCOUNT}:secret:{NAME}"
"""Complete for the secret `my`, or without its suffix for `my-AbCdEf`."""
WRONG, RIGHT = (Secret(records.ACCOUNT, records.REGION, name) for name in ("my", NAME))


def fed(
    engine: Engine,
    pieces: Iterable[Sequence[Record]],
    reader: Reader | None = None,
    seen_by: SeenBy = SeenBy.FILE,
) -> list[Alarm]:
    """Have the engine judge records piece by piece, as they are read; the alarms that changed."""
    reader = reader or Reader()
    changed: list[Alarm] = []
    for piece in pieces:
        read: list[Arrival] = []
        for record in piece:
            read.append(reader.read(json.dumps(record), seen_by=seen_by, seen_at=SEEN_AT))
            if renames := reader.renamed():
                right = composed(renames)
                read = [Arrival(renamed_event(one.event, right), one.raw) for one in read]
                changed += engine.fold(renames)
        changed += engine.judge(read)
    return changed


def test_an_alarm_moves_to_the_right_name_with_what_was_decided_about_it() -> None:
    engine, reader = Engine(catalogue()), Reader()
    (alarm,) = fed(engine, [[records.read_deleted(DOUBTFUL)]], reader)
    assert alarm.secret == WRONG
    engine.acknowledge(alarm.group, "calling the owner", after(60))
    engine.mute(Mute(after(hours=1), secret=WRONG))
    changed = fed(engine, [[records.describe(NAME, at=after(30))]], reader)
    assert {one.group for one in changed if not one.count} == {alarm.group}
    (moved,) = of("SMW-DEL-01", engine.alarms)
    assert (moved.secret, moved.state, moved.note) == (RIGHT, AlarmState.ACKNOWLEDGED, "calling the owner")
    assert moved.event_keys == alarm.event_keys
    assert moved.muted(after())


def test_two_alarms_of_one_secret_become_one() -> None:
    engine = Engine(catalogue())
    reader = Reader()
    fed(engine, [[records.read_deleted(DOUBTFUL)], [records.read_deleted(NAME, at=after(9))]], reader)
    fed(engine, [[records.delete(NAME, at=after(-60))]], reader)
    (alarm,) = of("SMW-DEL-01", engine.alarms)
    assert (alarm.secret, alarm.count) == (RIGHT, 2)
    assert alarm.facts[0].startswith("DeleteSecret by payments-api")


def test_one_secret_under_two_names_is_not_two_secrets_read() -> None:
    engine = Engine(catalogue())
    sweep = [records.read(f"prod/{n}", at=after(n)) for n in range(8)]
    fed(engine, [[*sweep, records.read(DOUBTFUL, at=after(20))], [records.read(NAME, at=after(21))]])
    assert of("SMW-READ-01", engine.alarms) == []
    fed(engine, [[records.read("prod/9", at=after(22))]])
    assert [alarm.count for alarm in of("SMW-READ-01", engine.alarms)] == [10]


def test_a_habit_is_counted_again_by_the_right_names() -> None:
    """Ten names on each of three days, of which two are one secret's, are nine: too few to excuse fourteen."""
    engine = Engine(catalogue())
    days = [records.read(f"prod/{n}", at=after(-86_400 * day + n * 5)) for day in (1, 2, 3) for n in range(10)]
    today = [records.read(f"prod/{n}" if n < 9 else f"x/{n}", at=after(n)) for n in range(14)]
    fed(engine, [days, today])
    assert [alarm.last_at for alarm in of("SMW-READ-01", engine.alarms) if alarm.last_at >= after()] == []
    wrong, right = (Secret(records.ACCOUNT, records.REGION, f"prod/{n}") for n in (9, 8))
    engine.fold([(wrong, right)])
    assert [(alarm.count, alarm.first_at) for alarm in of("SMW-READ-01", engine.alarms)] == [(14, after())]


def test_a_secret_known_under_two_names_is_one_of_all_that_are_known() -> None:
    engine, reader = Engine(catalogue()), Reader()
    known = [records.read(f"prod/{n}", by=records.role(f"app-{n}"), at=after(-86_400 * 5)) for n in range(23)]
    stolen = [records.read(f"prod/{n}", by=PEOPLE[1], at=after(n * 600)) for n in range(12)]
    fed(engine, [[*known, records.read(DOUBTFUL, at=after(-9))], [records.read(NAME, at=after(-8))], stolen], reader)
    assert [alarm.count for alarm in of("SMW-READ-01b", engine.alarms)] == [12]


def test_what_ends_an_alarm_under_one_name_ends_it_under_the_other() -> None:
    engine = Engine(catalogue())
    reader = Reader()
    fed(engine, [[records.read_deleted(DOUBTFUL)]], reader)
    fed(engine, [[records.restore(NAME, at=after(60))]], reader)
    assert [(alarm.secret, alarm.state) for alarm in of("SMW-DEL-01", engine.alarms)] == [(RIGHT, AlarmState.CLOSED)]


def test_a_case_hears_under_the_right_name_of_what_follows_events_that_come_after_the_names_were_found_to_be_one() -> (
    None
):
    follows = "follows = '{ $.eventName = \"PutSecretValue\" }'"
    engine = Engine(ruled(mine(f'only = [{{ {follows}, same = ["secret"], within = "1h" }}]')))
    engine.judge(arrivals([records.read("my", at=after(0))]))
    engine.fold([(WRONG, RIGHT)])
    engine.judge(arrivals([records.read(NAME, at=after(hours=2))]))
    engine.judge(arrivals([records.put(NAME, at=after(hours=2, minutes=30))]))
    (alarm,) = engine.alarms.values()
    assert (alarm.count, alarm.first_at) == (1, after(hours=2))


def test_what_was_known_by_a_wrong_name_takes_back_no_alarm_of_the_secret_that_has_that_name() -> None:
    follows = "follows = '{ $.eventName = \"PutSecretValue\" }'"
    engine = Engine(ruled(mine(f'only = [{{ {follows}, same = ["secret"], within = "1h" }}]', by="secret")))
    engine.judge(arrivals([records.read("my", at=after()), records.put("my", at=after(10))]))
    engine.fold([(WRONG, RIGHT)])
    engine.judge(arrivals([records.read("my", at=after(1000)), records.put("my", at=after(1010))]))
    changed = engine.judge(arrivals([records.put(NAME, at=after(20))]))
    assert [alarm for alarm in changed if not alarm.count] == []
    assert {alarm.secret for alarm in engine.alarms.values()} == {WRONG, RIGHT}


@pytest.mark.parametrize("decided", [False, True])
def test_an_alarm_that_is_another_secrets_by_now_is_not_gone_on_with_nor_takes_back_the_next_one(
    decided: bool,
) -> None:
    engine = Engine(ruled(mine("", by="secret")))
    (alarm,) = engine.judge(arrivals([records.read("my", at=after()), records.read("my", at=after(10))]))
    engine.at_once = 1
    engine.fold([(WRONG, RIGHT)])
    engine.judge(arrivals([records.read("my", at=after(1000))]), more=True)
    if decided:
        engine.acknowledge(alarm.group, "it is me", after(1100), seen=alarm)
    while engine.unsettled:
        engine.settle()
    assert {alarm.secret: alarm.count for alarm in engine.alarms.values()} == {RIGHT: 2, WRONG: 1}


def test_a_restart_takes_the_alarm_along_under_its_right_name() -> None:
    before, later = Engine(catalogue()), Engine(catalogue())
    fed(before, [[records.read_deleted(DOUBTFUL)]])
    (kept,) = before.alarms.values()
    later.restore([kept])
    # The newest is read first this time, so that nothing is ever known by the wrong name.
    fed(later, [[records.delete(NAME, at=after(-9)), records.read_deleted(DOUBTFUL)]])
    (alarm,) = of("SMW-DEL-01", later.alarms)
    assert (alarm.secret, alarm.count, alarm.event_keys) == (RIGHT, 1, kept.event_keys)


PEOPLE = [records.role(), records.role("ci-deployer", "build-7"), records.user("alice")]
NAMES = [NAME, NAME, "prod/a", "prod/b", "prod/db", "prod/db-grafna"]
PARTIAL = records.arn("prod/db-grafna")[:-7]
"""As it could be the whole ARN of `prod/db`: both are there."""
TYPED = [records.read, records.read_deleted, records.read_missing, records.denied, records.describe]
"""Calls of which only what the caller typed is known."""
ANSWERED = [
    *(records.delete, records.restore, records.put, records.create),
    lambda secret, **more: records.write("PutResourcePolicy", secret, {"resourcePolicy": "{}"}, **more),
    lambda secret, **more: records.write("CancelRotateSecret", secret, **more),
]
MOMENTS = st.one_of(st.integers(0, 1200), st.integers(0, 8).map(lambda day: day * 86_400))
CALLS = st.tuples(st.sampled_from(TYPED), st.sampled_from([DOUBTFUL, PARTIAL, *NAMES]))
CHANGES = st.tuples(st.sampled_from(ANSWERED), st.sampled_from(NAMES))
EVENTS = st.builds(
    lambda call, by, second: call[0](call[1], by=by, at=after(second)),
    CALLS | CHANGES,
    st.sampled_from(PEOPLE),
    MOMENTS,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(st.lists(EVENTS, min_size=2, max_size=40), st.integers(1, 9), st.integers(), st.booleans())
def test_whenever_the_names_are_found_to_be_one_the_alarms_are_the_same(
    events: list[Record], size: int, seed: int, bit_by_bit: bool
) -> None:
    # What AWS writes itself settles which secret is meant: a description that names both ARN and name.
    settled = records.create(NAME, at=after(-5))
    expected = Engine(catalogue())
    fed(expected, [[settled], sorted(events, key=lambda event: (event["eventTime"], event["eventID"]))])
    expected.tick(after() + timedelta(days=60))
    random.Random(seed).shuffle(events)
    engine = Engine(catalogue())
    engine.at_once = 1 if bit_by_bit else None
    fed(engine, [*(events[start : start + size] for start in range(0, len(events), size)), [settled]])
    settle(engine)
    engine.tick(after() + timedelta(days=60))
    settle(engine)
    assert dict(engine.alarms) == dict(expected.alarms)


@pytest.fixture
def known(monkeypatch: pytest.MonkeyPatch) -> list[Handful]:
    """Every handful that is asked to know the right names, as it is asked."""
    asked, rename = list[Handful](), Handful.rename

    def noted(handful: Handful, right: Mapping[Secret, Secret]) -> None:
        asked.append(handful)
        rename(handful, right)

    monkeypatch.setattr(Handful, "rename", noted)
    return asked


def test_where_a_screen_waits_names_are_brought_together_in_steps_and_time_waits_for_them(
    known: list[Handful],
) -> None:
    expected, engine = Engine(catalogue()), Engine(catalogue())
    for each in (expected, engine):
        reads = [records.read("my", by=records.role(f"app-{n}"), at=after(n)) for n in range(5 * FOLDED)]
        each.judge(arrivals([*reads, records.read_deleted("my", at=after(9))]))
        each.tick(after(hours=1))
    expected.fold([(WRONG, RIGHT)])
    expected.tick(after(hours=9))
    at_once, engine.at_once = len(known), 5
    known.clear()
    engine.fold([(WRONG, RIGHT)])
    steps = [len(known)]
    while engine.ticked_at == after(hours=1):
        known.clear()
        engine.settle()
        steps.append(len(known))
        engine.tick(after(hours=9))
    assert sum(steps) == at_once > 4 * max(steps)
    settle(engine)
    assert engine.alarms == expected.alarms


@pytest.mark.parametrize("of_wrong_name", [False, True])
def test_who_decides_and_what_happens_while_names_are_brought_together_in_steps_wait_for_none_of_the_others(
    known: list[Handful], *, of_wrong_name: bool
) -> None:
    other, late = Secret(records.ACCOUNT, records.REGION, "prod/db"), arrivals([records.read(NAME, at=after(500))])
    expected, engine = Engine(catalogue()), Engine(catalogue())
    reads = [records.read("my", by=records.role(f"app-{n}"), at=after(n)) for n in range(5 * FOLDED)]
    for each in (expected, engine):
        each.judge(arrivals([*reads, *(records.read_deleted(name, at=after(9)) for name in ("my", "prod/db"))]))
    expected.fold([(WRONG, RIGHT)])
    expected.judge(late)
    (seen,) = (one for one in of("SMW-DEL-01", engine.alarms) if one.secret == (WRONG if of_wrong_name else other))
    engine.at_once = 5
    engine.fold([(WRONG, RIGHT)])
    known.clear()
    engine.judge(late)
    engine.acknowledge(seen.group, "calling the owner", after(600), seen)
    engine.mute(Mute(after(hours=1), secret=other))
    if not of_wrong_name:
        assert len(known) <= FOLDED
        assert engine.alarms[seen.group].state is AlarmState.ACKNOWLEDGED
        assert engine.unsettled
    settle(engine)
    (there,) = (one for one in of("SMW-DEL-01", expected.alarms) if one.secret == (RIGHT if of_wrong_name else other))
    expected.acknowledge(there.group, "calling the owner", after(600))
    expected.mute(Mute(after(hours=1), secret=other))
    assert engine.alarms == expected.alarms


@pytest.mark.parametrize("of_wrong_name", [False, True])
def test_what_was_decided_elsewhere_while_names_are_brought_together_waits_for_none_of_the_others(
    known: list[Handful], *, of_wrong_name: bool
) -> None:
    other = Secret(records.ACCOUNT, records.REGION, "prod/db")
    there, engine = Engine(catalogue()), Engine(catalogue())
    reads = [records.read("my", by=records.role(f"app-{n}"), at=after(n)) for n in range(5 * FOLDED)]
    for each in (there, engine):
        each.judge(arrivals([*reads, *(records.read_deleted(name, at=after(9)) for name in ("my", "prod/db"))]))
    (seen,) = (one for one in of("SMW-DEL-01", there.alarms) if one.secret == (WRONG if of_wrong_name else other))
    (decided,) = there.acknowledge(seen.group, "calling the owner", after(600), seen)
    there.fold([(WRONG, RIGHT)])
    engine.at_once = 5
    engine.fold([(WRONG, RIGHT)])
    known.clear()
    engine.adopt(Decided(((decided.group, decided.acknowledged, None),)))
    if not of_wrong_name:
        assert len(known) <= FOLDED
        assert engine.unsettled
    settle(engine)
    assert engine.alarms == there.alarms


def settle(engine: Engine) -> None:
    while engine.unsettled:
        engine.settle()
