"""A rule that asks for many different values after an event is told of them only once there are so many."""

from __future__ import annotations

from itertools import permutations

from smwatch.events.secret import Secret
from smwatch.rules.dimension import DIMENSIONS
from smwatch.rules.engine import Engine
from smwatch.rules.group import Group
from tests import records
from tests.rules.judging import after, arrivals, catalogue, judged, mine, of, ruled

RULE = "SMW-DISC-02b"
THIEF = records.role("ci-deployer", "build-7")
LISTING = records.listing(by=THIEF, at=after(0))
READS = [records.read(f"prod/{number}", by=THIEF, at=after(60 + number)) for number in range(3)]
READ = '{ $.eventName = "GetSecretValue" }'
TWO = ruled(
    mine(
        f'sequence = {{ then = \'{READ}\', same = ["secret"], of = "identity", min = 2, within = "30m" }}',
        when='{ $.eventName = "DescribeSecret" }',
        by="secret",
    )
)


def test_in_whatever_order_they_come_three_secrets_are_enough_and_two_are_not() -> None:
    assert of(RULE, judged([LISTING, *READS[:2], *READS[:2]], batch=1)) == []
    alarms = [of(RULE, judged(happened, batch=1)) for happened in permutations([LISTING, *READS])]
    assert all(found == alarms[0] for found in alarms)
    assert [alarm.count for alarm in alarms[0]] == [1]


def test_nobody_listens_to_a_session_that_has_listed_before_it_has_read_enough() -> None:
    engine = Engine(catalogue())
    coming = arrivals([LISTING, *READS])
    session = coming[0].event.principal.arn
    known = engine._world.known(
        "reads", (DIMENSIONS["session"],), {DIMENSIONS["session"]: session}, DIMENSIONS["secret"]
    )
    assert isinstance(known, Group)
    engine.judge(coming[:3])
    assert len(known.members) == 2
    assert not known.watchers
    assert known.loud == -1
    engine.judge(coming[3:])
    assert known.watchers
    assert len(of(RULE, engine.alarms)) == 1


def test_secrets_that_turn_out_to_be_one_count_once() -> None:
    engine = Engine(catalogue())
    engine.judge(arrivals([LISTING, *READS]))
    assert len(of(RULE, engine.alarms)) == 1
    engine.fold([(secret(0), secret(1))])
    assert of(RULE, engine.alarms) == []
    engine.judge(arrivals([records.read("prod/3", by=THIEF, at=after(70))]))
    assert len(of(RULE, engine.alarms)) == 1


def test_those_who_read_a_secret_under_another_name_are_counted_together() -> None:
    engine = Engine(TWO)
    first, second = (records.role(name) for name in ("one", "two"))
    coming = [
        records.describe("prod/1", at=after(0)),
        records.read("prod/0", by=first, at=after(1)),
        records.read("prod/1", by=second, at=after(2)),
    ]
    engine.judge(arrivals(coming))
    assert not engine.alarms
    engine.fold([(secret(0), secret(1))])
    (alarm,) = engine.alarms.values()
    assert alarm.secret == secret(1)


def secret(number: int) -> Secret:
    return Secret(records.ACCOUNT, records.REGION, f"prod/{number}")
