"""Events that are evidence only once something else is known wait for it, and are not forgotten."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState
from smwatch.rules.engine import Engine
from smwatch.rules.sighting import MARKS
from tests import records
from tests.records import AT
from tests.rules.judging import after, arrivals, catalogue, counting_calls, of, ruled

RULE = "SMW-READ-08c"
"""An instance that has used its VPC endpoint reads without it."""
INSTANCE = records.role("app", "i-0aaaaaaaaaaaaaaaa")


def plain(minute: int, secret: str = "prod/db") -> Record:
    return records.read(secret, by=INSTANCE, at=AT + timedelta(minutes=minute), id=f"plain {minute}")


def through(minute: int) -> Record:
    """A read through the endpoint."""
    at = AT + timedelta(minutes=minute)
    return records.read(by=INSTANCE, at=at, id=f"through {minute}", vpcEndpointId="vpce-0123456789abcdef0")


def alarms_of(told: list[list[Record]]) -> dict[str, Alarm]:
    engine = Engine(catalogue())
    for batch in told:
        engine.judge(arrivals(batch))
    return {alarm.group: alarm for alarm in of(RULE, engine.alarms)}


@given(st.permutations([plain(-9), through(0), *map(plain, range(1, 5)), through(6), plain(7)]), st.integers(1, 8))
def test_whenever_it_becomes_known_the_events_after_it_are_evidence(told: list[Record], batch: int) -> None:
    alarms = alarms_of([told[start : start + batch] for start in range(0, len(told), batch)])
    in_order = alarms_of([sorted(told, key=lambda record: str(record["eventTime"]))])
    assert alarms == in_order
    (alarm,) = alarms.values()
    assert alarm.count == 5
    assert alarm.first_at == AT + timedelta(minutes=1)


def test_what_becomes_known_of_longer_ago_than_matters_to_later_events_is_heard_by_the_earlier_ones() -> None:
    month = 30 * 24 * 60
    told = [through(0), plain(1), through(month), plain(month + 1)]
    (alarm,) = alarms_of([[record] for record in reversed(told)]).values()
    assert alarm.count == 2


def test_an_event_that_waits_twice_counts_once() -> None:
    (alarm,) = alarms_of([[plain(1)], [plain(1), plain(2)], [through(0)]]).values()
    assert alarm.count == 2


def test_as_many_wait_as_a_case_keeps_the_newest() -> None:
    many = [plain(minute) for minute in range(1, 3 * MARKS)]
    (alarm,) = alarms_of([*([each] for each in many), [through(0)]]).values()
    assert MARKS <= alarm.count <= 2 * MARKS
    assert alarm.last_at == AT + timedelta(minutes=3 * MARKS - 1)


def test_closing_what_is_known_leaves_the_next_to_open_it_again() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([through(0), plain(1)]))
    (alarm,) = of(RULE, engine.alarms)
    engine.close(alarm.group, "seen", AT + timedelta(minutes=2))
    engine.judge(arrivals([plain(3)]))
    (alarm,) = of(RULE, engine.alarms)
    assert alarm.state is AlarmState.OPEN
    assert alarm.count == 1


MINE = """
[[rule]]
id = "mine"
title = "Read after it was shared"
severity = "high"
why = "It is known outside."
when = '{ $.eventName = "GetSecretValue" }'
only = [{ seen = '{ $.eventName = "PutResourcePolicy" }', same = ["secret"], within = "1d" }]
by = ["secret", "identity"]
"""
BY_SESSION = 'by = ["session"]\nnext = ["rotate {secret}"]'
SHARED = records.write("PutResourcePolicy", "prod/db", {"resourcePolicy": "{}"}, at=AT)


def test_a_rule_of_ones_own_waits_for_a_fact_about_the_same_secret() -> None:
    told = [plain(1), plain(2, "prod/other"), SHARED]
    for batches in ([told], [[each] for each in told], [[each] for each in reversed(told)]):
        engine = Engine(ruled(MINE))
        for batch in batches:
            engine.judge(arrivals(batch))
        (alarm,) = of("mine", engine.alarms)
        assert alarm.secret is not None
        assert (alarm.secret.name, alarm.count) == ("prod/db", 1)


def test_what_waits_for_a_secret_waits_for_what_it_turns_out_to_be() -> None:
    engine = Engine(ruled(MINE))
    wrong, right = (arrivals([plain(1, name)])[0].event.secret for name in ("prod/d", "prod/db"))
    assert wrong is not None
    assert right is not None
    engine.judge(arrivals([plain(minute, name) for minute, name in enumerate(("prod/d", "prod/db") * 4)]))
    engine.fold([(wrong, right)])
    engine.judge(arrivals([SHARED]))
    (alarm,) = of("mine", engine.alarms)
    assert (alarm.secret, alarm.count) == (right, 8)


def test_what_is_to_be_done_about_an_event_that_waited_names_its_secret_aright() -> None:
    by_session = MINE.replace('same = ["secret"]', 'same = ["session"]').replace(
        'by = ["secret", "identity"]', BY_SESSION
    )
    engine = Engine(ruled(by_session))
    wrong, right = (arrivals([plain(1, name)])[0].event.secret for name in ("prod/d", "prod/db"))
    assert wrong is not None
    assert right is not None
    engine.judge(arrivals([plain(minute, "prod/d") for minute in range(1, 5)]))
    engine.fold([(wrong, right)])
    engine.judge(arrivals([records.write("PutResourcePolicy", "prod/x", {"resourcePolicy": "{}"}, by=INSTANCE, at=AT)]))
    (alarm,) = of("mine", engine.alarms)
    assert (alarm.next, alarm.count) == (("rotate prod/db",), 4)


def test_a_read_that_waits_for_nothing_that_comes_is_no_alarm() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([plain(1), plain(2)]))
    engine.judge(arrivals([through(3)]))
    assert of(RULE, engine.alarms) == []
    engine.judge(arrivals([plain(4)]))
    assert [alarm.count for alarm in of(RULE, engine.alarms)] == [1]


BATCHED = [f"prod/{number}" for number in range(20)]


def batched(minute: int) -> Record:
    return records.batch(BATCHED, by=INSTANCE, at=AT + timedelta(minutes=minute), id=f"batch {minute}")


@given(
    st.permutations(
        [
            *map(batched, (-1, 1, 2, 5)),
            records.delete(BATCHED[3], days=7, at=AT),
            records.restore(BATCHED[3], at=AT + timedelta(minutes=4)),
        ]
    ),
    st.integers(1, 6),
)
def test_whenever_a_deletion_becomes_known_the_batches_after_it_are_evidence(told: list[Record], batch: int) -> None:
    engine = Engine(catalogue())
    for start in range(0, len(told), batch):
        engine.judge(arrivals(told[start : start + batch]))
    for rule in ("SMW-DEL-01c", "SMW-DEL-07"):
        (alarm,) = of(rule, engine.alarms)
        assert alarm.count == 2
        assert alarm.first_at == AT + timedelta(minutes=1)
        assert alarm.state is AlarmState.CLOSED


def test_the_secrets_of_a_batch_are_not_judged_again_while_no_deletion_is_known() -> None:
    engine = Engine(catalogue())
    for minute in range(5):
        engine.judge(arrivals([batched(minute)]))
    several = arrivals(map(batched, range(5, 10)))
    _, calls = counting_calls(lambda: engine.judge(several))
    assert calls < 120 * len(several) * len(BATCHED)


ROTATOR = records.role("rotator", "rotate")


def moved(second: float, secret: str = "prod/db") -> Record:
    parameters = {"versionStage": "AWSCURRENT"}
    return records.write("UpdateSecretVersionStage", secret, parameters, by=ROTATOR, at=after(second))


def loud(engine: Engine) -> set[str]:
    """What the rules on moved labels raise."""
    rules = ("SMW-TAMP-01", "SMW-TAMP-06")
    return {rule for rule in rules for alarm in of(rule, engine.alarms) if alarm.state is not AlarmState.CLOSED}


def test_a_label_that_its_writer_moves_waits_for_the_record_of_a_rotation() -> None:
    engine = Engine(catalogue())
    steps = [records.read(by=ROTATOR, at=after(4)), records.put(by=ROTATOR, at=after(5)), moved(20)]
    engine.judge(arrivals(steps))
    assert not loud(engine)
    engine.judge(arrivals([records.service_event("RotationStarted", at=after(2))]))
    engine.tick(after(hours=2))
    assert not loud(engine)


def test_a_label_that_its_writer_moves_is_an_alarm_once_no_rotation_can_turn_up() -> None:
    engine = Engine(catalogue())
    # The record of the write comes last: then what was an alarm at once waits, too.
    engine.judge(arrivals([records.read(by=ROTATOR, at=after(4)), moved(20)]))
    assert loud(engine) == {"SMW-TAMP-01", "SMW-TAMP-06"}
    engine.judge(arrivals([records.put(by=ROTATOR, at=after(5))]))
    engine.tick(after(619))
    assert not loud(engine)
    engine.tick(after(620))
    assert loud(engine) == {"SMW-TAMP-01", "SMW-TAMP-06"}


def test_who_wrote_something_else_or_deletes_what_they_wrote_is_not_waited_for() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([records.put("prod/other", by=ROTATOR, at=after(5)), moved(20)]))
    assert loud(engine) == {"SMW-TAMP-01"}
    thief = [records.read("prod/b", by=ROTATOR), records.put("prod/b", by=ROTATOR, at=after(5))]
    engine.judge(arrivals([*thief, records.delete("prod/b", by=ROTATOR, at=after(20))]))
    assert loud(engine) == {"SMW-TAMP-01", "SMW-TAMP-06"}
