"""What may yet become evidence is kept by a model, and comes back as it was."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from smwatch.events.event import Event, SeenBy
from smwatch.events.reader import Reader
from smwatch.rules.dormant import Dormant
from tests import records
from tests.records import AT

READER = Reader()
OWN = ("key", "seen_at")


def event(second: int = 0, secret: str = "prod/db") -> Event:
    at = AT + timedelta(seconds=second)
    record = records.read(secret, at=at, id=f"event {second}")
    return msgspec.structs.replace(READER.read(records.raw(record), seen_by=SeenBy.LOGS, seen_at=at).event, odd_id="")


FIRST, ELSEWHERE = event(), event(secret="prod/other")


@pytest.mark.parametrize("field", [field for field in Event.__struct_fields__ if field not in OWN])
def test_an_event_that_differs_in_any_field_is_its_own_model(field: str) -> None:
    different = msgspec.structs.replace(event(2), **{field: "something else"})
    one_by_one, at_once = Dormant(9), Dormant(9)
    for one in (FIRST, event(1), different):
        one_by_one.append(one)
    at_once.extend([FIRST, event(1), different])
    for dormant in (one_by_one, at_once):
        first, alike, other = dormant.take()
        assert first is FIRST
        assert alike == msgspec.structs.replace(FIRST, key=event(1).key)
        assert other is different


def test_events_come_back_as_they_were_and_in_order() -> None:
    dormant = Dormant(9)
    for one in (event(3), event(1), ELSEWHERE, event(2)):
        dormant.append(one)
    assert len(dormant) == 4
    taken = dormant.take()
    expected = sorted([event(1), event(2), event(3), ELSEWHERE], key=lambda one: one.key)
    assert [msgspec.structs.replace(one, seen_at=AT) for one in taken] == [
        msgspec.structs.replace(one, seen_at=AT) for one in expected
    ]
    assert not dormant
    assert dormant.take() == []


def test_the_newest_are_kept_whatever_the_order_they_came_in() -> None:
    one_by_one, at_once = Dormant(2), Dormant(2)
    for one in map(event, (5, 1, 4, 2)):
        one_by_one.append(one)
    at_once.extend(map(event, (5, 1, 4, 2, 3)))
    for dormant in (one_by_one, at_once):
        assert [one.key for one in dormant.take()] == [event(4).key, event(5).key]


def test_all_that_wait_are_renamed_with_their_secret() -> None:
    assert FIRST.secret is not None
    assert ELSEWHERE.secret is not None
    dormant, others = Dormant(9), Dormant(9)
    dormant.append(event(1))
    others.append(event(2))
    dormant.join(others)
    dormant.rename({FIRST.secret: ELSEWHERE.secret})
    assert [one.secret for one in dormant.take()] == [ELSEWHERE.secret] * 2
