"""What is to be done with an event is found out once for all events that nobody who takes them tells apart."""

from __future__ import annotations

import gc
from collections.abc import Sequence
from datetime import timedelta
from itertools import pairwise

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from smwatch.events.event import Arrival, Event, Likeness, SeenBy
from smwatch.record import Record
from smwatch.rules import alike, route
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.alike import Callers
from smwatch.rules.dimension import Value
from smwatch.rules.engine import Engine
from smwatch.rules.fact import Track
from smwatch.rules.glance import Answers, Glance
from smwatch.rules.measure import GRADES, Asker
from smwatch.rules.period import DAY
from smwatch.rules.plan import Ask, Plan
from smwatch.rules.route import _Kind, _Route
from smwatch.rules.sighter import SLOTS
from smwatch.rules.spread import SpreadCase
from smwatch.rules.subject import Subject
from smwatch.rules.times import Times
from smwatch.rules.trait import TRAITS
from tests import records
from tests.records import AT
from tests.rules.judging import arrivals, catalogue, judged, mine, of, ruled

LEAST = 4
RULES = ruled(
    mine(f'distinct = {{ of = "secret", min = {LEAST}, within = "10m" }}')
    + mine(f'distinct = {{ of = "secret", min = {LEAST}, within = "10m" }}', by="session").replace("MINE", "THEIRS")
    + mine('first_seen = { of = ["secret", "identity"], within = "2h" }').replace("MINE", "NEW")
)
"""Of what they look at, sessions of one principal have some in common and some not."""
SESSIONS = [records.role(name, f"i-{number:017x}") for name, number in (("app", 0), ("app", 1), ("job", 2))]
Read = tuple[int, int, int]
"""Which session, which secret, and the minute."""
READS = st.lists(st.tuples(st.integers(0, 2), st.integers(0, 6), st.integers(0, 600)), min_size=1, max_size=60)


def alarms(reads: Sequence[Read], batch: int) -> dict[str, Alarm]:
    told = [
        records.read(f"prod/{which}", by=SESSIONS[session], at=AT + timedelta(minutes=minute), id=f"{number}")
        for number, (session, which, minute) in enumerate(reads)
    ]
    return judged(told, RULES, batch=batch)


@example(
    reads=[
        *((0, 0, minute) for minute in range(4)),
        *((1, 0, 10 * number) for number in range(2 * SLOTS)),
        *((0, which, 10) for which in range(1, LEAST)),
        *((0, which, 10 * SLOTS) for which in range(1, LEAST)),
    ],
    batch=1,
)
@settings(deadline=None)
@given(reads=READS, batch=st.integers(1, 20))
def test_alarms_are_as_if_sessions_had_nothing_in_common(*, reads: list[Read], batch: int) -> None:
    found = alarms(reads, batch)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(route, "_OF_SESSION", frozenset(("secret", "identity", *route._OF_SESSION)))
        assert alarms(reads, batch) == found


UUID_END = "-0000-4000-a000-000000000000"


@settings(deadline=None, max_examples=50)
@given(data=st.data(), batch=st.integers(1, 60))
def test_alarms_are_the_same_where_room_is_spared(*, data: st.DataObject, batch: int) -> None:
    pair = st.tuples(st.integers(0, 2), st.sampled_from((0, 0, 0, 0, 1, 2, 3, 4, 5, 6)))
    reads = data.draw(st.lists(st.tuples(pair, st.integers(1, 20)), min_size=1, max_size=40))
    told = [
        records.read(
            f"prod/{which}",
            by=SESSIONS[session],
            at=AT + timedelta(seconds=30 * number + again),
            id=f"{number:04x}{again:04x}{UUID_END}",
            sourceIPAddress=f"10.0.0.{again % 16 // 15}",
        )
        for number, ((session, which), times) in enumerate(reads)
        for again in range(times)
    ]
    order = data.draw(st.sampled_from((told, told[::-1], told[::2] + told[1::2])))
    plain, sparing = Engine(RULES), Engine(RULES, sparing=True)
    for engine in (plain, sparing):
        everything = arrivals(order)
        for start in range(0, len(everything), batch):
            engine.judge(everything[start : start + batch])
    assert dict(sparing.alarms) == dict(plain.alarms)


def test_where_room_is_spared_most_events_that_are_noted_are_kept_by_their_keys() -> None:
    engine = Engine(catalogue(), sparing=True)
    engine.judge(
        arrivals(
            records.read("prod/db", by=SESSIONS[0], at=AT + timedelta(seconds=n), id=f"{n:08x}{UUID_END}")
            for n in range(60)
        )
    )
    [plan] = {id(plan): plan for plan in engine._route.plans.values() if plan is not None}.values()
    assert plan._alike is not None
    assert plan.newest == int(AT.timestamp()) + 59
    assert len(plan.noted) < 10


def test_of_a_new_session_only_what_others_of_its_role_do_not_share_is_found_out(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, enlisted = Engine(catalogue()), list[tuple[str, ...]]()
    told = arrivals(records.read("prod/db", by=by, at=AT) for by in SESSIONS[:2])
    engine.judge(told[:1])
    enlist = Track.enlist

    def noted(track: Track, plan: Plan, subject: Subject, left: tuple[Ask, ...]) -> None:
        enlisted.append(tuple(dimension.name for dimension in track.dimensions))
        enlist(track, plan, subject, left)

    monkeypatch.setattr(Track, "enlist", noted)
    engine.judge(told[1:])
    assert ("secret", "session") in enlisted
    assert ("secret", "identity") not in enlisted


def test_all_sessions_that_use_a_key_for_one_secret_have_one_plan(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, made = Engine(catalogue()), list[Plan]()
    sessions = [records.role("app", f"i-{number:017x}") for number in range(20)]
    uses = arrivals(
        records.kms("prod/db", by=by, at=AT + timedelta(seconds=number)) for number, by in enumerate(sessions)
    )
    engine.judge(uses[:1])
    monkeypatch.setattr(Plan, "__init__", lambda plan, _common=None: made.append(plan))
    engine.judge(uses[1:])
    assert not made


@pytest.mark.parametrize(("address", "plans"), [("10.0.0.7", 0), ("203.0.113.7", 0), ("8.8.8.8", 1)])
def test_a_session_s_next_access_key_is_a_matter_only_of_calls_from_a_public_network(
    monkeypatch: pytest.MonkeyPatch, address: str, plans: int
) -> None:
    engine, made, make = Engine(catalogue()), list[Plan](), Plan.__init__

    def noted(plan: Plan, common: Plan | None = None) -> None:
        made.append(plan)
        make(plan, common)

    keys = [records.role("app", "i-0aaaaaaaaaaaaaaaa", key=f"ASIA{n}EXAMPLE00000000") for n in range(2)]
    reads = arrivals(
        records.read("prod/db", by=by, at=AT, id=by["accessKeyId"], sourceIPAddress=address) for by in keys
    )
    engine.judge(reads[:1])
    monkeypatch.setattr(Plan, "__init__", noted)
    engine.judge(reads[1:])
    assert len(made) == plans


def test_a_call_and_a_caller_that_are_known_have_nothing_asked_anew_when_they_come_together(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    glanced, answers = list[Event](), Glance.answers

    def noted(glance: Glance, arrival: Arrival) -> Answers:
        glanced.append(arrival.event)
        return answers(glance, arrival)

    pairs = [(0, "prod/db"), (1, "prod/db"), (1, "prod/job"), (0, "prod/job")]
    reads = arrivals(records.read(secret, by=SESSIONS[who], at=AT, id=f"{who}{secret}") for who, secret in pairs)
    monkeypatch.setattr(Glance, "answers", noted)
    engine = Engine(catalogue())
    engine.judge(reads[:3])
    assert {each.key for each in glanced} == {read.event.key for read in reads[:3]}
    engine.judge(reads[4:])
    assert reads[3].event not in glanced


@pytest.mark.parametrize("answered", [1, 1 << 20])
def test_calls_and_callers_are_told_apart_by_what_either_says(monkeypatch: pytest.MonkeyPatch, answered: int) -> None:
    for module in (alike, route):
        monkeypatch.setattr(module, "ANSWERED", answered)
    when = '{ $.eventName = "GetSecretValue" && $.userAgent = "*curl*" && $.errorCode = "AccessDenied*" }'
    rules = ruled(mine(when=when, by="secret"))
    told = [
        call(secret, at=AT + timedelta(seconds=10 * round_), id=f"{round_}{call}{secret}{agent}", userAgent=agent)
        for round_ in range(2)
        for call in (records.read, records.denied)
        for secret in ("prod/a", "prod/b")
        for agent in ("aws-cli", "curl/8")
    ]
    assert sorted(alarm.count for alarm in of("MINE", judged(told, rules, batch=1))) == [2, 2]


def test_of_what_is_for_nobody_no_caller_is_looked_for(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_for, like = list[Event](), Callers.like

    def noted(callers: Callers, arrival: Arrival) -> Likeness | None:
        looked_for.append(arrival.event)
        return like(callers, arrival)

    monkeypatch.setattr(Callers, "like", noted)
    engine = Engine(catalogue())
    engine.judge(arrivals([records.read("prod/db", eventName="GetObject", eventSource="s3.amazonaws.com", at=AT)]))
    assert not looked_for
    engine.judge(arrivals([records.read("prod/db", at=AT)]))
    assert len(looked_for) == 1


def test_what_some_rules_ask_of_a_caller_and_others_deny_is_asked_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked, trait = list[str](), TRAITS["instance"]

    def ask(subject: Subject) -> bool:
        asked.append(subject.session)
        return "i-" in subject.session

    monkeypatch.setitem(TRAITS, "instance", replace(trait, make=lambda _lists: ask))
    rules = ruled(
        mine('only = ["instance"]').replace("MINE", "ASKS") + mine('unless = ["instance"]').replace("MINE", "DENIES")
    )
    for by, fires in ((SESSIONS[0], "ASKS"), (records.role("app", "deploy"), "DENIES")):
        assert {alarm.rule for alarm in judged([records.read("prod/db", by=by, at=AT)], rules).values()} == {fires}
    assert len(asked) == 2


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


def key_reads(number: int, *, start: float = 0, every: float = 1) -> list[Arrival]:
    """What a long-term key reads, the same secret again and again: each is evidence of SMW-READ-13."""
    at = (AT + timedelta(seconds=start + every * step) for step in range(number))
    return arrivals((records.read("prod/db", by=records.user("backup"), at=each) for each in at), SeenBy.LOGS)


def test_what_makes_a_difference_to_a_case_of_values_alone_is_told_to_it_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    engine, told, add = Engine(catalogue()), list[int](), Times.add
    for start in (0, 10):
        engine.judge(key_reads(10, start=start))

    def counted(times: Times, second: int) -> None:
        told.append(second)
        add(times, second)

    monkeypatch.setattr(Times, "add", counted)
    engine.judge(key_reads(40, start=20))
    assert not told
    (alarm,) = of("SMW-READ-13", engine.alarms)
    assert alarm.last_at == AT + timedelta(seconds=59)


def test_what_a_session_does_a_second_time_is_told_of_when_somebody_asks(monkeypatch: pytest.MonkeyPatch) -> None:
    rules = ruled(mine('first_seen = { of = ["secret", "session"], within = "2h" }'))
    engine, told, add = Engine(rules), list[int](), Times.add
    reads = arrivals(records.read("prod/db", at=AT + timedelta(minutes=minute)) for minute in (0, 5, 10, 7, 125))
    engine.judge(reads[:1])

    def counted(times: Times, second: int) -> None:
        told.append(second)
        add(times, second)

    monkeypatch.setattr(Times, "add", counted)
    for read in reads[1:4]:
        engine.judge([read])
    assert not told
    engine.judge(reads[4:])
    (alarm,) = of("MINE", engine.alarms)
    assert (alarm.count, alarm.last_at) == (1, AT)


def test_a_secret_read_once_more_has_nothing_asked_again_but_for_a_read_before_those_asked_about(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    engine, doubted, doubt = Engine(catalogue()), list[Value](), SpreadCase.doubt
    engine.watched((records.ACCOUNT, records.REGION), [(0, int(AT.timestamp()) + DAY)])
    engine.judge(key_reads(10))
    (alarm,) = of("SMW-READ-13", engine.alarms)
    assert alarm.severity is Severity.HIGH

    def counted(case: SpreadCase, value: Value) -> None:
        doubted.append(value)
        doubt(case, value)

    monkeypatch.setattr(SpreadCase, "doubt", counted)
    engine.judge(key_reads(40, start=10))
    assert not doubted
    engine.judge(key_reads(1, start=-DAY))
    assert doubted
    (alarm,) = of("SMW-READ-13", engine.alarms)
    assert alarm.first_at == AT - timedelta(days=1)


def test_a_secret_that_is_read_all_day_has_few_answers_about_it_held() -> None:
    engine = Engine(catalogue())
    for number in range(3 * GRADES):
        engine.judge(key_reads(1, start=60 * number))
    held = [len(each.grades or ()) for each in gc.get_objects() if isinstance(each, Asker)]
    assert 0 < max(held) <= GRADES


@pytest.fixture
def planned(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Whom a plan is made for, each time one is, where hardly any are kept."""
    monkeypatch.setattr(route, "PLANS", 8)
    called, plan = list[str](), _Route.kind

    def counted(at: _Route, arrival: Arrival, like: Likeness | None) -> _Kind:
        called.append(arrival.event.principal.called)
        return plan(at, arrival, like)

    monkeypatch.setattr(_Route, "kind", counted)
    return called


def test_who_comes_again_and_again_is_planned_once_whoever_else_comes(planned: list[str]) -> None:
    engine = Engine(catalogue())
    told = list[Record]()
    for number in range(100):
        at = AT + timedelta(seconds=number)
        told.append(records.read("prod/db", by=records.role("app", "i-0aaaaaaaaaaaaaaaa"), at=at))
        told.append(records.read("prod/job", by=records.role(f"job-{number}", f"i-{number:017x}"), at=at))
    for arrival in arrivals(told):
        engine.judge([arrival])
    assert len(planned) == len(set(planned)) == 101


def test_who_comes_from_many_addresses_has_one_plan_kept_which_pushes_none_out(planned: list[str]) -> None:
    engine = Engine(catalogue())
    came = [(1, 0), *((0, number) for number in range(100)), (1, 0)]
    told = arrivals(
        records.read("prod/db", by=SESSIONS[who], at=AT + timedelta(seconds=at), sourceIPAddress=f"10.0.0.{number}")
        for at, (who, number) in enumerate(came)
    )
    for arrival in told:
        engine.judge([arrival])
    assert len(planned) == 2


def test_what_is_forgotten_of_plans_goes_a_few_at_a_time() -> None:
    engine, alive = Engine(catalogue()), list[int]()

    def judge(number: int) -> None:
        by = records.role(f"app-{number}", f"i-{number:017x}")
        engine.judge(arrivals([records.read("prod/db", by=by, at=AT + timedelta(seconds=number))]))
        alive.append(sum(isinstance(each, Plan) for each in gc.get_objects()))

    gc.collect()  # the engines of other tests
    before = sum(isinstance(each, Plan) for each in gc.get_objects())
    for number in range(100):
        judge(number)
    known = alive[-1] - before
    engine.tick(AT + timedelta(days=3))
    alive.clear()
    for number in range(100, 200):
        judge(number)
    assert alive[0] - before > known * 3 // 4
    assert min(later - sooner for sooner, later in pairwise(alive)) >= -route.GONE
    assert alive[-1] - before <= known * 5 // 4
