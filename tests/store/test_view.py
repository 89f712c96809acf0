"""A view against the naive one: all events of the store, filtered anew."""

from datetime import timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from smwatch.events.event import Arrival, Event
from smwatch.events.numbered import Numbered
from smwatch.filter import Context, Filter, parse
from smwatch.store.store import Store
from smwatch.store.view import MANY, STEP, View, merge
from tests import records
from tests.filter.steps import in_steps

CONTEXT = Context(record_of=lambda event: {}, levels=set())
POOL = [
    records.event(
        (records.read, records.describe, records.put, records.denied)[i % 4](
            ("prod/db", "dev/db", "prod/key")[i % 3], at=records.AT + timedelta(seconds=i * 7 % 40), id=f"event {i}"
        )
    )
    for i in range(60)
]
FILTERS = (
    *("prod", "pro", "prod/db", "name:Get*", "name:GetSecretValue", "error", "-error", "nothing at all"),
    *("prod -error", "e read", "deadbeef", ""),
)


def keys(events: list[Event]) -> list[int]:
    return [event.key for event in events]


def chosen(text: str, step: int = 7) -> Filter:
    return in_steps(parse(text, CONTEXT), step)


def naive(events: list[Event], view: View) -> list[int]:
    return [event.key for event in events if view.chosen is None or view.chosen(event)]


EVENTS = st.lists(st.sampled_from(POOL), max_size=30, unique_by=lambda event: event.key)


@given(EVENTS, EVENTS)
def test_merging_is_sorting(rows: list[Event], batch: list[Event]) -> None:
    rows.sort(key=lambda event: event.key)
    batch = sorted((event for event in batch if event not in rows), key=lambda event: event.key)
    expected = sorted([*rows, *batch], key=lambda event: event.key)
    merge(rows, batch)
    assert rows == expected


@settings(max_examples=50)
@given(
    batch=st.lists(st.integers(-3, 8 * STEP + 3), min_size=3, max_size=4 * STEP // MANY, unique=True),
    edges=st.sets(st.sampled_from([-1, *(2 * STEP * n + 1 for n in range(5)), *(2 * STEP * n - 1 for n in range(5))])),
)
def test_late_rows_go_between_those_around_them_however_far_apart_these_are(batch: list[int], edges: set[int]) -> None:
    rows = [replace(POOL[0], key=2 * number) for number in range(4 * STEP)]
    late = [replace(POOL[0], key=key) for key in sorted({key | 1 for key in batch} | edges)]
    merged = sorted([*rows, *late], key=lambda event: event.key)
    merge(rows, late)
    assert rows == merged


Deed = tuple[str, object]
DEEDS = st.one_of(
    st.tuples(st.just("add"), st.lists(st.integers(0, len(POOL) - 1), max_size=12)),
    st.tuples(st.just("choose"), st.sampled_from([None, *FILTERS])),
    st.tuples(st.just("step"), st.none()),
    st.tuples(st.just("evict"), st.integers(0, 10)),
    st.tuples(st.just("rename"), st.integers(0, len(POOL) - 1)),
)


@settings(max_examples=600)
@given(st.lists(DEEDS, max_size=25), st.integers(1, 9), st.booleans(), st.sampled_from([2, 50]))
def test_whatever_happens_a_view_shows_what_its_filter_keeps(
    deeds: list[Deed], step: int, swept: bool, narrow: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smwatch.store.view.NEWEST", 3)
        patch.setattr("smwatch.store.view.NARROW", narrow)
        do(deeds, step, Numbered() if swept else None)


def do(deeds: list[Deed], step: int, numbered: Numbered | None) -> None:
    events: list[Event] = []
    view = View(events, numbered=numbered)
    for deed, what in deeds:
        if deed == "add":
            assert isinstance(what, list)
            known = set(keys(events))
            fresh = [event for event in dict.fromkeys(POOL[i] for i in what) if event.key not in known]
            in_order = sorted(fresh, key=lambda event: event.key)
            merge(events, in_order)
            if numbered is not None and fresh:
                numbered.added(in_order, events, steady=view.busy)
            view.added(in_order)
        elif deed == "choose":
            view.choose(None if what is None else chosen(str(what), step))
        elif deed == "step":
            view.step()
        elif deed == "evict":
            assert isinstance(what, int)
            if numbered is not None:
                numbered.dropped(min(what, len(events)))
            del events[:what]
            view.evicted(events[0].key if events else None)
        elif events:
            assert isinstance(what, int)
            at = what % len(events)
            other = next(event for event in POOL if event.key != events[at].key)
            events[at] = type(other)(
                **{field: getattr(other, field) for field in other.__struct_fields__} | {"key": events[at].key}
            )
            if numbered is not None:
                numbered.replaced(at, events[at], steady=view.busy)
            view.recheck([events[at]])
        expected = naive(events, view)
        if view.busy:
            assert keys(view.rows) == expected[len(expected) - len(view.rows) :]
        else:
            assert keys(view.rows) == expected
            assert all(row in events for row in view.rows)
    while view.step():
        pass
    assert keys(view.rows) == naive(events, view)
    assert all(row in events for row in view.rows)


def test_what_comes_while_a_filter_is_applied_is_not_taken_for_what_was_let_go_of(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("smwatch.store.view.NEWEST", 1)

    def came(secret: str, second: int) -> Arrival:
        return records.arrival(records.read(secret, at=records.AT + timedelta(seconds=second), id=f"at {second}"))

    store = Store(capacity=10)
    store.add([came("gone", 0), *(came("kept", 10 * n) for n in range(1, 10))])
    view = store.view(chosen("gone", 1))
    for _ in ("calls", "callers", "the newest event but one"):
        assert view.step()
    store.add([came("kept", 100)])
    store.add([came("late", 55)])
    while view.step():
        pass
    assert store.find(came("gone", 0).event.key) is None
    assert store.find(came("late", 55).event.key) is not None
    assert view.rows == []


def test_without_a_filter_a_view_is_the_stores_own_list() -> None:
    events = sorted(POOL, key=lambda event: event.key)
    view = View(events)
    assert view.rows is events
    view.choose(chosen("prod", 1000))
    assert view.rows is not events
    view.choose(None)
    assert view.rows is events
    assert not view.busy


def test_the_newest_rows_are_there_after_the_first_step() -> None:
    events = sorted(POOL, key=lambda event: event.key)
    view = View(events)
    view.choose(chosen("-error", 10))
    assert view.busy
    assert keys(view.rows) == [event.key for event in events[-10:] if not event.failed]


def test_a_narrower_filter_looks_only_at_what_is_there() -> None:
    events = sorted(POOL, key=lambda event: event.key)
    view = View(events)
    view.choose(chosen("pro", 1000))
    seen: list[Event] = []

    class Watching(Filter):
        def select(self, events: list[Event]) -> list[Event]:
            seen.extend(events)
            return super().select(events)

    before = view.rows
    view.choose(Watching("prod", chosen("prod", 1000).terms))
    assert seen == before


@pytest.mark.parametrize("key", [0, POOL[5].key, POOL[5].key + 1, 1 << 400])
def test_the_index_is_where_a_key_belongs(key: int) -> None:
    events = sorted(POOL, key=lambda event: event.key)
    view = View(events)
    assert view.index(key) == sum(event.key < key for event in events)


def test_a_closed_view_is_let_go() -> None:
    gone: list[View] = []
    view = View([], on_close=gone.append)
    view.close()
    assert gone == [view]
