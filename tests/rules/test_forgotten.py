"""Cases that are forgotten: what they knew of tells nothing of their groups any more, and no alarm hangs on them."""

from __future__ import annotations

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

import pytest

from smwatch.record import Record
from smwatch.rules import awaiting, caseload, fact, route
from smwatch.rules.alarm import AlarmState
from smwatch.rules.engine import Engine
from smwatch.rules.sighter import SLOTS
from tests import records
from tests.records import AT, Identity
from tests.rules.judging import after, arrivals, catalogue, judged, mine, of, ruled

BULK, DELETED, DESTROYED = "SMW-READ-01", "SMW-DEL-01", "SMW-TAMP-06"
LIMIT = 20
"""Of what is kept of each kind, where memories are to be small."""


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
    monkeypatch.setattr(caseload, "CASES", 8)
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


@pytest.fixture
def small_memories(monkeypatch: pytest.MonkeyPatch) -> None:
    for module, name in ((fact, "GROUPS"), (caseload, "CASES"), (awaiting, "WAITERS"), (route, "PLANS")):
        monkeypatch.setattr(module, name, LIMIT)


def task(number: int, *, secret: str = "prod/db") -> list[Record]:
    """One more session of a role reads a secret some times, an hour after the one before it."""
    by, at = records.role("app", f"i-{number:017x}"), after(hours=number)
    return [records.read(secret, by=by, at=at + timedelta(seconds=n)) for n in range(4)]


def assert_times_level_off(count: int, calls: Sequence[Callable[..., Record]]) -> None:
    """So many new sessions, a second apart, leave hardly more `Times` in memory than half as many do."""
    engine, held = Engine(catalogue()), list[int]()
    for number in range(count):
        by = records.role(f"app-{number % 7}", f"i-{number:017x}")
        call = calls[number % len(calls)]
        engine.judge(arrivals([call(f"prod/{number % 17}", by=by, at=after(seconds=number))]))
        if number + 1 in (count // 2, count):
            gc.collect()
            held.append(sum(type(each).__name__ == "Times" for each in gc.get_objects()))
    assert held[1] <= held[0] * 1.1


@pytest.mark.usefixtures("small_memories")
def test_what_sessions_leave_that_are_gone_is_forgotten_although_others_read_the_same_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(fact, "PAIRS", 2 * LIMIT)
    engine, held = Engine(catalogue()), list[Counter[str]]()
    for number in range(10 * LIMIT):
        for arrival in arrivals(task(number)):
            engine.judge([arrival])
        if number in (5 * LIMIT - 1, 10 * LIMIT - 1):
            gc.collect()
            held.append(Counter(type(each).__name__ for each in gc.get_objects()))
    before, now = held
    for kind in ("Plan", "Times", "Group", "Glimpse", "Handful", "Waiter"):
        assert now[kind] <= before[kind] * 1.1, kind


@pytest.mark.usefixtures("small_memories")
def test_who_came_to_what_is_forgotten_where_very_many_do_within_the_hour(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact, "PAIRS", 2 * LIMIT)
    assert_times_level_off(30 * LIMIT, (records.read,))


@pytest.mark.usefixtures("small_memories")
def test_who_was_forgotten_is_known_again_by_the_next_event_like_those_before(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact, "PAIRS", LIMIT)
    monkeypatch.setattr(route, "PLANS", 20 * LIMIT)
    engine, by = Engine(catalogue()), records.role("thief", "i-0badbadbadbadbad0")
    engine.judge(arrivals([records.read(by=by, at=after(seconds=n)) for n in range(4)]))
    for number in range(10 * LIMIT):
        other = records.role("app", f"i-{number:017x}")
        engine.judge(arrivals([records.read(by=other, at=after(minutes=1, seconds=number))]))
    engine.judge(arrivals([records.read(by=by, at=after(hours=2))]))
    engine.judge(arrivals([records.delete(by=by, at=after(hours=2, minutes=30))]))
    assert [alarm.count for alarm in of(DESTROYED, engine.alarms)] == [1]


@pytest.mark.usefixtures("small_memories")
def test_a_session_that_goes_on_is_known_whoever_else_reads_the_secret_meanwhile() -> None:
    engine, by = Engine(catalogue()), records.role("thief", "i-0badbadbadbadbad0")
    engine.judge(arrivals([records.read(by=by, at=AT)]))
    for number in range(10 * LIMIT):
        other = records.role("app", f"i-{number:017x}")
        engine.judge(arrivals([records.read(by=other, at=after(seconds=number))]))
    engine.judge(arrivals([records.delete(by=by, at=after(minutes=59))]))
    assert [alarm.count for alarm in of(DESTROYED, engine.alarms)] == [1]


@pytest.mark.usefixtures("small_memories")
@pytest.mark.parametrize("pause", [1, 5, 10 * LIMIT])
def test_a_session_that_goes_on_reading_is_known_to_read_however_many_others_there_were(pause: int) -> None:
    near = 'only = [{ near = "{ $.eventName = GetSecretValue }", same = ["session"], within = "5m" }]'
    apart = 'only = [{ seen = "{ $.eventName = GetSecretValue }", same = ["secret", "session"], within = "5m" }]'
    also = mine(apart, when="{ $.eventName = PutSecretValue }").replace("MINE", "ALSO")
    engine, by = (
        Engine(ruled(mine(near, when="{ $.eventName = DescribeSecret }") + also)),
        records.role("app", "task-1"),
    )

    def read(number: int, secret: str, session: Identity = by) -> None:
        engine.judge(arrivals([records.read(secret, by=session, at=after(seconds=20 * number))]))

    for number in range(20 * LIMIT):
        if number % pause == 0:
            read(number, "a")
        read(number, "a", records.role("job", f"i-{number:017x}"))
    read(20 * LIMIT, "a")
    engine.judge(arrivals([records.describe("z", by=by, at=after(seconds=20 * 20 * LIMIT + 200))]))
    engine.judge(arrivals([records.describe("z", by=by, at=after(seconds=20 * 20 * LIMIT + 400))]))
    assert [alarm.count for alarm in engine.alarms.values()] == [1]


@pytest.mark.usefixtures("small_memories")
def test_what_a_session_reads_again_after_it_was_forgotten_counts_with_what_it_reads_for_the_first_time() -> None:
    several = 'sequence = { then = "{ $.eventName = GetSecretValue }", same = ["session"], of = "secret", min = 3, '
    rule = mine(several + 'within = "30m" }', when="{ $.eventName = ListSecrets }", by="session")
    apart = 'only = [{ seen = "{ $.eventName = GetSecretValue }", same = ["secret", "session"], within = "5m" }]'
    also = mine(apart, when="{ $.eventName = PutSecretValue }").replace("MINE", "ALSO")
    engine, by = Engine(ruled(rule + also)), records.role("app", "task-1")
    for secret in "ab":
        engine.judge(arrivals([records.read(secret, by=by, at=AT)]))
    for number in range(10 * LIMIT):
        other = records.role("job", f"i-{number:017x}")
        engine.judge(arrivals([records.read("a", by=other, at=after(minutes=1, seconds=number))]))
    engine.judge(arrivals([records.listing(by=by, at=after(hours=2))]))
    for minute, secret in enumerate("cab"):  # the new one first
        engine.judge(arrivals([records.read(secret, by=by, at=after(hours=2, minutes=minute + 1))]))
    assert [alarm.count for alarm in engine.alarms.values()] == [1]


@pytest.mark.parametrize("batch", [1, 0])
def test_a_session_that_others_have_had_rest_is_known_when_it_goes_on(batch: int) -> None:
    sessions = [records.role("app", f"i-{number:017x}") for number in range(7)]

    def read(secret: str, slot: int, seconds: int = 0, session: int = 0) -> Record:
        return records.read(secret, by=sessions[session], at=after(seconds, minutes=10 * slot), id=f"{slot}")

    def described(slot: int) -> Record:
        return records.describe("a", by=sessions[0], at=after(minutes=10 * slot, seconds=90))

    calm, back = SLOTS + 14, 2 * SLOTS + 34
    told = [
        *(read(secret, 0) for secret in "abcd"),
        *(read("a", slot) for slot in range(1, calm)),
        read("e", calm),  # of it nothing is kept once the session has told of all that follows
        described(calm),
        *(read("a", slot) for slot in range(calm + 1, back - 12)),
        *(read("a", back, seconds, session) for session in range(1, 7) for seconds in (0, 12)),
        read("a", back, 60),
        described(back),
    ]
    seen = 'only = [{ seen = "{ $.eventName = GetSecretValue }", same = ["secret", "session"], within = "1h" }]'
    asking = mine(seen, when="{ $.eventName = DescribeSecret }").replace("MINE", "ASKING")
    rules = ruled(mine('distinct = { of = "secret", min = 4, within = "10m" }') + asking)
    assert [alarm.count for alarm in of("ASKING", judged(told, rules, batch=batch))] == [2]


@pytest.mark.usefixtures("small_memories")
@pytest.mark.parametrize("others", [LIMIT // 4, LIMIT - 4])
def test_a_session_that_goes_on_after_it_was_forgotten_is_known_to_have_read_the_secret(others: int) -> None:
    seen = 'only = [{{ seen = "{{ $.eventName = GetSecretValue }}", same = [{}], within = "5m" }}]'
    anybody, oneself = seen.format('"secret"'), seen.format('"secret", "session"')
    also = mine(oneself, when="{ $.eventName = DeleteSecret }").replace("MINE", "ALSO")
    engine = Engine(ruled(mine(anybody, when="{ $.eventName = DescribeSecret }") + also))
    by, turned = records.role("app", "i-0aaaaaaaaaaaaaaaa"), 2 * LIMIT + 2

    def read(minute: float, secret: str = "a", session: Identity = by) -> None:
        engine.judge(arrivals([records.read(secret, by=session, at=after(minutes=minute))]))

    def go_on(first: int, until: int) -> None:
        for minute in range(first, until):
            read(minute + 0.5, "b", records.role("job", f"i-{minute:017x}"))

    read(0)
    read(0.5)
    go_on(1, turned)
    read(turned)
    read(turned + 0.2)
    go_on(turned, turned + others)
    read(turned + others)
    engine.judge(arrivals([records.describe("a", at=after(minutes=turned + others + 1))]))
    assert [alarm.count for alarm in engine.alarms.values()] == [1]


def test_an_alarm_counts_what_was_read_after_it_however_many_others_read_since(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact, "PAIRS", LIMIT)
    follows = 'only = [{ follows = "{ $.eventName = GetSecretValue }", same = ["secret"], within = "5m" }]'
    by_session = follows.replace('["secret"]', '["secret", "session"]')  # by which the reads are kept, for both
    also = mine(by_session, when="{ $.eventName = DeleteSecret }").replace("MINE", "ALSO")
    engine = Engine(ruled(mine(follows, when="{ $.eventName = PutSecretValue }") + also))
    counts = list[int]()
    for number in range(4):
        start = 60 * number
        engine.judge(arrivals([records.put("a", at=after(minutes=start))]))
        for n in range(2 * LIMIT):
            by = records.role("app", f"i-{number:08x}{n:09x}")
            engine.judge(arrivals([records.read("b" if n else "a", by=by, at=after(n, minutes=start + 1))]))
        counts += [alarm.count for alarm in engine.alarms.values()]
    assert counts == [1, 2, 3, 4]


def test_an_alarm_of_a_session_that_has_ended_holds_no_more_of_what_was_judged_than_the_evidence() -> None:
    engine, held = Engine(catalogue()), list[Counter[str]]()
    engine.judge(arrivals(sweep("task-1", 60, AT)))
    for moment in (after(minutes=30), after(hours=3)):
        engine.tick(moment)
        gc.collect()
        held.append(Counter(type(each).__name__ for each in gc.get_objects()))
    before, now = held
    assert [now[kind] for kind in ("Sight", "Finder", "Lately", "LastSeen")] == [0, 0, 0, 0]
    assert before["Finder"] > 0
    assert before["Part"] == now["Part"]


@pytest.mark.parametrize("at_once", [None, 1])
@pytest.mark.parametrize("by", [records.role("app", "task-1"), records.user("alice")])
def test_who_comes_back_after_hours_has_the_alarms_as_if_nothing_had_rested(by: Identity, at_once: int | None) -> None:
    told = []
    for hours in (range(0), range(8)):
        engine = Engine(catalogue())
        engine.at_once = at_once
        engine.judge(arrivals([records.read(f"prod/{n}", by=by, at=after(seconds=n)) for n in range(40)]))
        for hour in hours:
            engine.tick(after(hours=hour))
        for minute in (5, 7 * 60, 6):  # of the same day, and late
            again = [records.read(f"other/{n % 35}", by=by, at=after(minutes=minute, seconds=n)) for n in range(50)]
            engine.judge(arrivals(again))
        engine.tick(after(hours=9))
        while engine.unsettled:
            engine.settle()
        told.append(dict(engine.alarms))
    assert told[0] == told[1]
    assert {75} == {alarm.count for alarm in of(BULK, told[0])}


@pytest.mark.usefixtures("small_memories")
def test_who_came_to_what_is_forgotten_where_many_facts_are_known_of_many(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fact, "IN_ALL", 3 * LIMIT)
    assert_times_level_off(60 * LIMIT, (records.read, records.put, records.describe, records.kms))
