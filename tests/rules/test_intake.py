"""Pages as they come: with what can't be judged among the rest, and of several places at once."""

from __future__ import annotations

from smwatch.events.event import SeenBy
from smwatch.events.reader import Reader
from smwatch.rules.engine import Engine
from tests import records
from tests.rules.judging import after, arrivals, mine, ruled


def test_what_cannot_be_read_is_left_out_also_between_two_events_that_can() -> None:
    engine = Engine(ruled(mine(when="{ $.eventName NOT EXISTS }", by="account")))
    first, last = arrivals([records.read(at=after()), records.read(at=after(minutes=2))])
    wrong = Reader().read("no JSON", seen_by=SeenBy.FILE, seen_at=after(), at=after(minutes=1))
    assert wrong.event.at == after(minutes=1)
    assert engine.judge([first, last, wrong, last, wrong]) == ()


def test_an_event_without_a_time_says_nothing_of_since_when_events_are_known() -> None:
    timeless = records.read(at=after(minutes=1))
    del timeless["eventTime"]
    engine = Engine(ruled(mine()))
    changed = engine.judge(arrivals([records.read(at=after()), timeless, records.read(at=after(minutes=2))]))
    assert [alarm.count for alarm in changed] == [2]
    assert engine.known_since == after()


def test_events_are_known_since_the_oldest_wherever_and_whenever_in_a_page_it_comes() -> None:
    places = [
        records.read(at=after(minutes=minute), awsRegion=region)
        for minute, region in ((3, "eu-west-1"), (5, "us-east-1"))
    ]
    old = records.read(at=after(minutes=-60), awsRegion="us-east-1")
    engine = Engine(ruled(mine()))
    engine.judge(arrivals([*places, *places, old, *places]))
    assert engine.known_since == after(minutes=-60)
    older = arrivals([records.read(at=after(minutes=-90), awsRegion="eu-west-1")], SeenBy.LOGS)
    engine.judge(older)
    assert engine.known_since == after(minutes=-90)
