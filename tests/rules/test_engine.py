"""The engine, through the real reader and the built-in rules."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime
from itertools import pairwise
from random import Random

import msgspec
import pytest

from smwatch.rules import standing
from smwatch.rules.alarm import Alarm, AlarmState, Mute, Severity
from smwatch.rules.caseload import LOOKED_AT, Caseload
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from tests import records
from tests.rules.judging import after, arrivals, catalogue, counting_calls, judged, of, only


def test_a_read_of_a_deleted_secret_raises_the_alarm_with_the_times_it_happened() -> None:
    reads = [records.read_deleted(at=after(minutes=minute)) for minute in (0, 3, 7)]
    alarm = only("SMW-DEL-01", reads)
    assert alarm.severity is Severity.CRITICAL
    assert alarm.state is AlarmState.OPEN
    assert (alarm.count, alarm.first_at, alarm.last_at) == (3, after(), after(minutes=7))
    assert len(alarm.event_keys) == 3
    assert alarm.secret is not None
    assert alarm.secret.name == "prod/db"
    assert alarm.principal == "payments-api"


def test_restoring_a_secret_closes_its_alarms_and_a_later_read_opens_them_again() -> None:
    reads = [records.read_deleted(at=after(minutes=minute)) for minute in (0, 3)]
    restore = records.restore(at=after(minutes=5), by=records.user("alice"))
    closed = only("SMW-DEL-01", [*reads, restore])
    assert closed.state is AlarmState.CLOSED
    assert (closed.count, closed.ended_at, closed.closed_by) == (2, after(minutes=5), "RestoreSecret by alice")
    again = only("SMW-DEL-01", [*reads, restore, records.read_deleted(at=after(minutes=9))])
    assert (again.state, again.count, again.first_at) == (AlarmState.OPEN, 1, after(minutes=9))


def test_an_alarm_tells_who_deleted_the_secret_and_how_long_it_can_be_restored() -> None:
    deleted = records.delete(days=7, at=after(minutes=-9), by=records.user("alice"))
    (told,) = only("SMW-DEL-01", [records.read_deleted(), deleted]).facts
    ends = "its recovery window ends 2026-11-30 13:51:00Z (7 days, the shortest there is)"
    assert told == f"DeleteSecret by alice at 2026-11-23 13:51:00Z, {ends}"
    deleted = records.delete(days=8, at=after(minutes=-9), by=records.user("alice"))
    (told,) = only("SMW-DEL-01", [records.read_deleted(), deleted]).facts
    assert told.endswith("its recovery window ends 2026-12-01 13:51:00Z")


def test_a_recovery_window_that_ends_after_the_last_date_is_told_to_end_then() -> None:
    late = datetime(9999, 12, 20, tzinfo=UTC)
    deleted = records.delete(days=7, at=late)
    deleted["requestParameters"]["recoveryWindowInDays"] = 30
    deleted["responseElements"] = None
    (told,) = only("SMW-DEL-01", [deleted, records.read_deleted(at=late)]).facts
    assert told.endswith("its recovery window ends 9999-12-31 23:59:59Z")


def test_an_alarm_of_a_session_belongs_to_the_principal_behind_it() -> None:
    thief = records.role("ci-deployer", "build-7")
    alarm = only("SMW-READ-01", [records.read(f"prod/{n}", by=thief, at=after(n)) for n in range(12)])
    assert alarm.identity == "arn:aws:iam::111122223333:role/ci-deployer"
    assert alarm.session == "arn:aws:sts::111122223333:assumed-role/ci-deployer/build-7"


def test_muting_a_principal_mutes_the_alarms_of_its_sessions_too() -> None:
    engine = Engine(catalogue())
    builds = [records.role("ci-deployer", f"build-{number}") for number in (7, 8)]
    engine.judge(arrivals(records.read(f"prod/{n}", by=build, at=after(n)) for build in builds for n in range(12)))
    seventh, eighth = of("SMW-READ-01", engine.alarms)
    engine.mute(Mute(after(hours=1), rule="SMW-READ-01", identity=seventh.session))
    assert [alarm.muted(after()) for alarm in of("SMW-READ-01", engine.alarms)] == [True, False]
    engine.mute(Mute(after(hours=1), identity=eighth.identity))
    assert [alarm.muted(after()) for alarm in of("SMW-READ-01", engine.alarms)] == [True, True]


def test_where_a_screen_waits_few_of_many_alarms_are_muted_in_one_go_and_no_longer_muted(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing, "MUTED", 3)
    engine = Engine(catalogue())
    engine.judge(arrivals(records.delete(f"prod/{n}", at=after(n)) for n in range(8)))
    everything = {alarm.group for alarm in of("SMW-DEL-05", engine.alarms)}
    assert len(everything) == 8
    engine.at_once = 1

    def told(first: Sequence[Alarm]) -> list[set[str]]:
        parts = [{alarm.group for alarm in first}]
        while engine.unsettled:
            parts.append({alarm.group for alarm in engine.settle()})
        return parts

    muted = told(engine.mute(Mute(after(hours=1), rule="SMW-DEL-05")))
    assert [len(part) for part in muted] == [3, 3, 2]
    assert set().union(*muted) == everything
    assert all(alarm.muted(after()) for alarm in of("SMW-DEL-05", engine.alarms))
    assert told(engine.tick(after(minutes=59))) == [set()]
    ended = told(engine.tick(after(hours=1)))
    assert [len(part) for part in ended] == [3, 3, 2]
    assert set().union(*ended) == everything
    again = told(engine.mute(Mute(after(hours=2), rule="SMW-DEL-05", secret=of("SMW-DEL-05", engine.alarms)[0].secret)))
    assert [len(part) for part in again] == [1]


def test_an_alarm_that_somebody_decides_upon_is_worked_out_without_all_others_that_are_yet_to_be() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([records.delete("prod/seen")]))
    engine.at_once = 1
    (seen,) = of("SMW-DEL-05", engine.alarms)
    engine.judge(arrivals(records.delete(f"prod/{n}", at=after(n)) for n in range(8)), more=True)
    (decided,) = engine.acknowledge(seen.group, "on it", after(minutes=1))
    assert (decided.group, decided.state) == (seen.group, AlarmState.ACKNOWLEDGED)
    assert of("SMW-DEL-05", engine.alarms) == [decided]
    while engine.unsettled:
        engine.settle()
    assert len(of("SMW-DEL-05", engine.alarms)) == 9


def test_a_mute_holds_for_alarms_that_somebody_kept_who_did_not_know_of_it() -> None:
    (kept,) = of("SMW-DEL-01", judged([records.read_deleted()]))
    assert kept.muted_until is None
    engine = Engine(catalogue())
    engine.restore([kept], [Mute(after(hours=1), rule="SMW-DEL-01")])
    (alarm,) = of("SMW-DEL-01", engine.alarms)
    assert alarm.muted_until == after(hours=1)


def test_an_event_judged_twice_counts_once() -> None:
    read = records.read_deleted()
    assert only("SMW-DEL-01", [read, read]).count == 1


def test_a_restore_of_one_secret_leaves_the_alarm_of_another() -> None:
    alarms = judged([records.read_deleted("prod/a"), records.restore("prod/b", at=after(minutes=1))])
    assert [alarm.state for alarm in of("SMW-DEL-01", alarms)] == [AlarmState.OPEN]


def test_a_batch_is_evidence_about_each_secret_that_a_rule_is_about() -> None:
    rules = combine(load_builtin(), overrides={"lists": {"decoys": ["prod/admin-*"]}})
    batch = records.batch(["prod/a", "prod/admin-master", "prod/b"])
    alarm = only("SMW-READ-10", [batch], rules)
    assert alarm.secret is not None
    assert alarm.secret.name == "prod/admin-master"
    read_abroad = records.batch(["prod/a", "prod/b"], by=records.other_account())
    alarms = of("SMW-READ-09", judged([read_abroad]))
    assert {alarm.secret.name for alarm in alarms if alarm.secret} == {"prod/a", "prod/b"}


def test_a_flood_of_small_alarms_pushes_out_no_bad_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "ALARMS", 50)
    engine = Engine(catalogue())
    engine.judge(arrivals([records.read_deleted()]))
    flood = [records.denied("", "ListSecrets", by=records.user(f"u{n}"), at=after(n)) for n in range(300)]
    for start in range(0, 300, 20):
        engine.judge(arrivals(flood[start : start + 20]))
    assert len(engine.alarms) <= 50 + 20
    assert [alarm.severity for alarm in of("SMW-DEL-01", engine.alarms)] == [Severity.CRITICAL]


def test_of_many_alarms_the_closed_and_the_least_bad_and_the_oldest_go_first(monkeypatch: pytest.MonkeyPatch) -> None:
    random, many = Random(3), 1_000
    monkeypatch.setattr(standing, "ALARMS", many - 1)
    engine = Engine(catalogue())
    engine.judge(arrivals([records.read_deleted()]))
    (alarm,) = of("SMW-DEL-01", engine.alarms)
    others = [
        msgspec.structs.replace(
            alarm,
            group=f"{n}",
            rule="OLD",
            state=random.choice([*AlarmState]),
            severity=random.choice([*Severity]),
            last_at=after(-random.randrange(many)),
        )
        for n in range(many - 1)
    ]
    engine.restore(others)
    ordered = sorted(
        engine.alarms.values(),
        key=lambda alarm: (alarm.state is not AlarmState.CLOSED, alarm.severity.rank, alarm.last_at),
    )
    _, calls = counting_calls(engine.settle)
    assert len(engine.alarms) == (many - 1) * 9 // 10
    assert engine.alarms.keys() == {alarm.group for alarm in ordered[-len(engine.alarms) :]}
    assert calls < many / 2


def test_alarms_are_let_go_a_few_at_a_time_where_a_screen_waits_and_none_that_has_changed_meanwhile(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(standing, "ALARMS", 200)
    monkeypatch.setattr(standing, "GONE", 3)
    engine = Engine(catalogue())
    engine.at_once = 5
    engine.judge(arrivals([records.read_deleted(f"prod/{n}", at=after(n)) for n in range(201)]), more=True)
    left = [0]
    while engine.unsettled:
        engine.settle()
        left.append(len(engine.alarms))
        if left[-2:] == [198, 195]:
            engine.judge(arrivals([records.read_deleted("prod/6", by=records.user("eve"), at=after(300))]), more=True)
    assert max(before - now for before, now in pairwise(left)) == 3
    kept = {alarm.secret.name for alarm in engine.alarms.values() if alarm.secret}
    assert kept == {f"prod/{n}" for n in (6, *range(21, 201))}


def test_an_alarm_that_was_only_let_go_is_not_taken_back_by_who_goes_on(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(standing, "ALARMS", 20)
    happened = arrivals([records.read_deleted(f"prod/{n}", at=after(n)) for n in range(31)])
    was, anew = Engine(catalogue()), Engine(catalogue())
    for arrival in happened:
        was.judge([arrival])
    anew.judge(happened)
    assert was.alarms.keys() - anew.alarms.keys()
    assert [alarm for alarm in anew.take_over(was) if not alarm.count] == []


def test_of_two_events_of_one_second_the_same_one_is_told_whichever_came_first() -> None:
    read = records.read_deleted(at=after(-60))
    restores = [records.restore(by=records.user(name)) for name in ("alice", "bob")]
    told = set()
    for happened in ([read, *restores], [read, *reversed(restores)]):
        (alarm,) = of("SMW-DEL-01", judged(happened, batch=1))
        told.add(alarm.closed_by)
    assert len(told) == 1


def known(cases: Caseload) -> list[object]:
    """The groups of which anything is kept, with a case or none."""
    return [*cases.handfuls.remembered(), *cases.spreads.remembered()]


def test_sessions_that_never_come_back_are_let_go_after_a_week_and_alarms_are_not() -> None:
    engine = Engine(catalogue())
    engine.tick(after())
    thief = records.role("ci-deployer", "build-7")
    engine.judge(arrivals(records.read(f"prod/{n}", by=thief, at=after(n)) for n in range(12)))
    engine.judge(arrivals(records.read(by=records.role("api", f"i-{n}"), at=after(n)) for n in range(100)))
    watch = engine._cases.watches["SMW-READ-01"]
    engine.tick(after(days=6))
    assert len(known(watch.cases)) == 101
    before = of("SMW-READ-01", engine.alarms)
    engine.tick(after(days=9))
    assert len(known(watch.cases)) == 1
    assert of("SMW-READ-01", engine.alarms) == before
    later = [records.read(f"prod/{n}", by=thief, at=after(n, days=9)) for n in range(20, 35)]
    engine.judge(arrivals(later))
    assert [alarm.count for alarm in of("SMW-READ-01", engine.alarms)] == [27]  # it was never closed


def test_what_began_before_midnight_is_an_alarm_after_it() -> None:
    engine = Engine(catalogue())
    thief = records.role("ci-deployer", "build-7")
    for n in range(12):
        at = after(n * 20, hours=9, minutes=58)  # 14:00 + 9:58 is two minutes before midnight
        engine.judge(arrivals([records.read(f"prod/{n}", by=thief, at=at)]))
        engine.tick(at)
    assert [alarm.count for alarm in of("SMW-READ-01", engine.alarms)] == [12]


def test_what_is_no_longer_of_use_is_let_go_bit_by_bit_where_a_screen_waits() -> None:
    engine = Engine(catalogue())
    engine.at_once = 10
    engine.judge(arrivals(records.read(by=records.role("api", f"i-{n}"), at=after(n)) for n in range(250)))
    watch = engine._cases.watches["SMW-READ-01"]
    left = [len(known(watch.cases))]
    for second in range(30):
        engine.tick(after(second, days=9))
        left.append(len(known(watch.cases)))
    assert left[0] == 250
    assert left[-1] == 0
    assert max(before - now for before, now in pairwise(left)) == LOOKED_AT
    late = records.read("prod/x", by=records.role("api", "i-7"), at=after(days=9))
    engine.judge(arrivals([late]))
    assert len(known(watch.cases)) == 1
