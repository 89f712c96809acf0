"""What is said of days is said only where so many days were watched: in that account and Region, gaps left out."""

from __future__ import annotations

import random
from collections.abc import Sequence
from datetime import datetime

import pytest

from smwatch.events import moments
from smwatch.events.event import SeenBy
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, Severity
from smwatch.rules.engine import Engine
from smwatch.rules.vigil import Place, Span
from tests import records
from tests.rules.judging import after, arrivals, before, catalogue, counting_calls, mine, of, ruled

HERE = (records.ACCOUNT, records.REGION)
ANYWHERE = ("", "")
Read = tuple[Place, Sequence[Span]]


def period(start: datetime, end: datetime) -> Span:
    return moments.seconds_of_datetime(start), moments.seconds_of_datetime(end)


def days(first: float, last: float = 0) -> Span:
    """From so many days before to so many days before."""
    return period(before(days=first), before(days=last))


def raised(rule: str, happened: Sequence[Record], *reads: Read) -> list[Alarm]:
    """The alarms of a rule, the same whatever comes first: events, or what sources say that they have read."""
    found: list[list[Alarm]] = []
    for seed in range(8):
        rng = random.Random(seed)
        engine, coming = Engine(catalogue()), [[one] for one in arrivals(happened, SeenBy.CLOUDTRAIL)]
        pieces = [(place, [each]) for place, periods in reads for each in periods]
        rng.shuffle(coming)
        rng.shuffle(pieces)
        if seed % 2:
            for place, each in pieces:
                engine.watched(place, each)
        for one in coming:
            engine.judge(one)
        if not seed % 2:
            for place, each in pieces:
                engine.watched(place, each)
        found.append(of(rule, engine.alarms))
    assert all(alarms == found[0] for alarms in found)
    return found[0]


OLD = records.read("prod/a", by=records.user("alice"), at=before(days=20))
NEW = records.read("prod/b", by=records.user("bob"), at=after())
DELETED = records.delete("prod/c", at=after())


def test_alarms_that_are_worked_out_bit_by_bit_are_the_same_in_the_end() -> None:
    happened = [OLD, *(records.read("prod/b", by=records.user(f"bob-{n}"), at=after(n)) for n in range(30))]
    whole, sliced = Engine(catalogue()), Engine(catalogue())
    for engine in (whole, sliced):
        engine.judge(arrivals(happened, SeenBy.CLOUDTRAIL))
    sliced.at_once = 3
    at_once = whole.watched(HERE, [days(20, -1)])
    assert len(at_once) >= 30
    changed = list(sliced.watched(HERE, [days(20, -1)]))
    assert len(changed) <= 3
    while sliced.unsettled:
        some = sliced.settle()
        assert len(some) <= 3
        changed += some
    assert dict(sliced.alarms) == dict(whole.alarms)
    assert {alarm.group for alarm in changed} == {alarm.group for alarm in at_once}
    assert not whole.unsettled


WARMED_UP = ruled(mine('first_seen = { of = ["secret", "identity"], within = "14d", warmup = "3d" }'))


def new_pairs(callers: int, each: int) -> list[Record]:
    """So many callers each read so many secrets for the first time."""
    return [
        records.read(f"prod/{secret}", by=records.role(f"app-{caller}"), at=after(caller + secret * callers))
        for secret in range(each)
        for caller in range(callers)
    ]


def test_of_what_is_new_nothing_is_worked_out_before_somebody_has_watched_for_long_enough() -> None:
    engine = Engine(WARMED_UP)
    engine.watched(HERE, [days(2)])
    engine.judge(arrivals(new_pairs(20, 3), SeenBy.CLOUDTRAIL), more=True)
    assert not engine.unsettled
    engine.watched(HERE, [days(4, 2)])
    assert sorted(alarm.count for alarm in engine.alarms.values()) == [3] * 20


def test_where_a_screen_waits_few_of_what_was_new_are_woken_in_one_go_once_enough_was_watched() -> None:
    whole, sliced = Engine(WARMED_UP), Engine(WARMED_UP)
    for engine in (whole, sliced):
        engine.judge(arrivals(new_pairs(100, 20), SeenBy.CLOUDTRAIL))
    sliced.at_once = 1
    whole.watched(HERE, [days(20)])
    woken = [counting_calls(lambda: sliced.watched(HERE, [days(20)]))[1]]
    while sliced.unsettled:
        woken.append(counting_calls(sliced.settle)[1])
    assert dict(sliced.alarms) == dict(whole.alarms)
    assert max(woken) < 1_000


@pytest.mark.parametrize("seed", range(4))
def test_what_was_new_in_a_recording_is_so_in_whatever_order_its_files_are_read(seed: int) -> None:
    happened = [OLD, *new_pairs(5, 4), *(records.read(f"prod/{n}", at=before(days=n)) for n in range(1, 9))]
    whole, shuffled = Engine(catalogue()), Engine(catalogue())
    whole.judge(arrivals(happened))
    some = arrivals(happened)
    random.Random(seed).shuffle(some)
    for arrival in some:
        shuffled.judge([arrival])
    assert dict(shuffled.alarms) == dict(whole.alarms)
    assert of("SMW-READ-04", whole.alarms)


def test_an_old_event_does_not_make_the_time_since_then_watched() -> None:
    assert raised("SMW-READ-04", [OLD, NEW]) == []
    assert raised("SMW-READ-04", [OLD, NEW], (HERE, [days(20, 14), days(2)])) == []
    assert len(raised("SMW-READ-04", [OLD, NEW], (HERE, [days(20, 12), days(1)]))) == 1


def test_a_region_is_new_however_long_another_was_watched() -> None:
    elsewhere = (records.ACCOUNT, "us-east-1")
    assert raised("SMW-READ-04", [OLD, NEW], (elsewhere, [days(20)])) == []
    assert len(raised("SMW-READ-04", [OLD, NEW], (elsewhere, [days(20)]), (HERE, [days(4)]))) == 1


def test_a_log_group_watches_a_region_from_its_first_event_on() -> None:
    assert raised("SMW-READ-04", [NEW], (ANYWHERE, [days(20)])) == []
    here = records.describe("prod/a", at=before(days=4))
    assert len(raised("SMW-READ-04", [here, NEW], (ANYWHERE, [days(20)]))) == 1


@pytest.mark.parametrize(
    ("watched", "severity"),
    [([days(8)], Severity.MEDIUM), ([days(8, 5), days(4)], Severity.HIGH), ([days(6)], Severity.HIGH)],
)
def test_a_secret_is_unused_only_if_the_week_before_was_watched(watched: list[Span], severity: Severity) -> None:
    (alarm,) = raised("SMW-DEL-05", [OLD, DELETED], (HERE, watched))
    assert alarm.severity is severity
    unsure = "not all of which were watched" in " ".join(alarm.facts)
    assert unsure is (severity is Severity.HIGH)


def test_the_hour_that_is_not_settled_yet_is_no_reason_to_call_a_secret_used() -> None:
    (alarm,) = raised("SMW-DEL-05", [DELETED], (HERE, [days(8, 1 / 24)]))
    assert alarm.severity is Severity.MEDIUM


def test_readers_were_the_same_only_as_far_as_somebody_watched() -> None:
    daily = [records.read("prod/b", at=before(days=day, minutes=1)) for day in range(1, 21)]
    carol = records.user("carol")
    own = [records.read("carol/own", by=carol, at=before(days=day)) for day in (21, 9)]
    happened = [*daily, *own, records.read("prod/b", by=carol, at=after())]

    def severity(*watched: Span) -> set[Severity]:
        alarms = raised("SMW-READ-04", happened, (HERE, watched))
        return {alarm.severity for alarm in alarms if alarm.principal == "carol" and alarm.last_at == after()}

    assert severity(days(22)) == {Severity.HIGH}
    assert severity(days(22, 9), days(5)) == {Severity.MEDIUM}


def test_half_of_all_is_said_only_where_somebody_watched() -> None:
    theft = [records.read(f"prod/{n}", by=records.role("thief"), at=after(minutes=10 * n)) for n in range(12)]
    assert raised("SMW-READ-01b", [OLD, *theft], (HERE, [period(before(days=2), after(hours=3))])) == []
    assert len(raised("SMW-READ-01b", [OLD, *theft], (HERE, [period(before(days=4), after(hours=3))]))) == 1


def test_after_a_restart_nothing_is_taken_back_before_it_is_told_what_was_watched() -> None:
    first = Engine(catalogue())
    first.watched(HERE, [days(20)])
    first.judge(arrivals([OLD, NEW, DELETED], SeenBy.CLOUDTRAIL))
    kept = dict(first.alarms)
    assert {"SMW-READ-04", "SMW-DEL-05"} <= {alarm.rule for alarm in kept.values()}
    again = Engine(catalogue())
    again.restore(kept.values(), known_since=first.known_since, watched_follows=True)
    for one in reversed(arrivals([OLD, NEW, DELETED], SeenBy.CLOUDTRAIL)):
        assert again.judge([one]) == ()
    assert again.watched(HERE, [days(20)]) == ()
    assert dict(again.alarms) == kept
