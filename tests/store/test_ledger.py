"""A ledger says the same of events as a store, and of alarms, and holds no events."""

from __future__ import annotations

from datetime import datetime, timedelta
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.events.event import Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.ledger import Ledger
from smwatch.store.packed import Packed
from smwatch.store.store import Store
from tests import records

RULES = combine(load_builtin())


def after(seconds: int) -> datetime:
    return records.AT + timedelta(seconds=seconds)


def read(number: int) -> Arrival:
    record = records.read("prod/db", id=str(UUID(int=number)), at=after(60 * number))
    return Reader().read(records.raw(record), seen_by=SeenBy.LOGS, seen_at=records.AT)


def arrivals() -> list[Arrival]:
    """Reads, one of which is corrected twice by what was refused, another account's, and what is no record."""
    corrections = [
        records.read_deleted(
            "prod/db", id=str(UUID(int=80 + each)), at=after(180), addendum={"originalEventID": str(UUID(int=3))}
        )
        for each in range(2)
    ]
    more = [*corrections, records.read_missing("prod/gone", at=after(240)), records.denied("test/db", at=after(250))]
    texts = [*map(records.raw, more), "no record"]
    reader = Reader()
    return [
        *(read(number) for number in range(6)),
        *(reader.read(text, seen_by=SeenBy.LOGS, seen_at=records.AT) for text in texts),
    ]


@given(st.lists(st.lists(st.sampled_from(arrivals()), max_size=5), max_size=8))
def test_it_tells_of_events_as_a_store_does(batches: list[list[Arrival]]) -> None:
    store, ledger = Store(engine=Engine(RULES)), Ledger(engine=Engine(RULES))
    for batch in batches:
        ours, theirs = ledger.add(batch), store.add(batch)
        assert ours.added == theirs.added
        assert [event.odd_id for event in ours.corrected][-1:] == [event.odd_id for event in theirs.corrected][-1:]
        assert len(ours.superseded) == len(theirs.superseded)
        assert ours.alarms.keys() == theirs.alarms.keys()
    assert ledger.alarms == store.alarms
    assert ledger.levels == store.levels
    assert ledger.unreadable == store.unreadable
    assert (ledger.secrets, ledger.principals) == ({}, {})
    for event in store.events:
        assert ledger.told_of(event.key) == store.told_of(event.key) == (event.id, event.account, event.region)


def test_the_oldest_are_let_go_also_where_they_came_newest_first() -> None:
    ledger = Ledger(capacity=4)
    for number in (3, 2, 1, 4):
        ledger.add([read(number)])
    assert ledger.add([read(5), read(6)]).evicted == ledger.dropped == 2
    ids = [str(UUID(int=number)) for number in range(7)]
    assert [ledger.told_of(read(number).event.key)[0] for number in range(1, 7)] == ["", "", *ids[3:]]
    assert ledger.add([read(number) for number in (3, 4, 5, 6)]).added == []
    assert [event.id for event in ledger.add([read(1)]).added] == ids[1:2]


def test_where_older_ones_follow_they_are_sorted_once_for_many(monkeypatch: pytest.MonkeyPatch) -> None:
    """As of a trail's Regions, whose files are read one Region after the other."""
    ledger, sort, sorted_ = Ledger(capacity=200), Packed[object].sort, 0

    def counted(packed: Packed[object]) -> None:
        nonlocal sorted_
        sorted_ += 1
        sort(packed)

    monkeypatch.setattr(Packed, "sort", counted)
    first, then = range(1_000, 1_250), range(200)
    for number in (*first, *then):
        ledger.add([read(number)])
    assert sorted_ <= len(then) // 20
    known = [number for number in first if ledger.told_of(read(number).event.key)[0]]
    assert known == [*first[-200:]]


def test_what_came_first_is_let_go_where_little_is_out_of_order() -> None:
    ledger = Ledger(capacity=3)
    for number in (1, 3, 2, 4, 5):
        ledger.add([read(number)])
    known = [number for number in range(1, 6) if ledger.told_of(read(number).event.key)[0]]
    assert known == [2, 4, 5]
