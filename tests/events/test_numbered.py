"""The numbers of what events share, against the events themselves."""

from hypothesis import example, given
from hypothesis import strategies as st
from msgspec.structs import replace

from smwatch.events.event import Event
from smwatch.events.numbered import Column, Numbered
from tests import records

MODELS = [
    records.event(call(secret, by=records.user(name)))
    for call in (records.read, records.put)
    for secret in ("a", "b")
    for name in ("alice", "bob")
]


def event(key: int, model: int) -> Event:
    """One whose call and caller are those of the model, or equal to them and not the same."""
    like = MODELS[model]
    if key % 2:
        return replace(like, key=key)
    return replace(like, key=key, call=replace(like.call), caller=replace(like.caller))


def check(numbered: Numbered, events: list[Event]) -> None:
    for column, values in (
        (numbered.calls, [each.call for each in events]),
        (numbered.callers, [each.caller for each in events]),
    ):
        assert [column.values[number] for number in column.numbers] == values
        assert len(set(column.numbers)) == len(set(values))


DEEDS = st.one_of(
    st.tuples(st.just("add"), st.dictionaries(st.integers(0, 99), st.integers(0, 7), min_size=1, max_size=20)),
    st.tuples(st.just("drop"), st.integers(0, 10)),
    st.tuples(st.just("replace"), st.tuples(st.integers(0, 99), st.integers(0, 7))),
)


@given(st.lists(st.tuples(DEEDS, st.booleans()), max_size=20))
@example([(("add", {key: key % 8 for key in keys}), False) for keys in ((70, 80, 90), (40, 50, 60), (35, 45))])
def test_each_event_has_the_numbers_of_its_call_and_its_caller(deeds: list[tuple[tuple[str, object], bool]]) -> None:
    numbered, events = Numbered(), list[Event]()
    for (deed, what), steady in deeds:
        before = list(numbered.calls.values)
        if deed == "add":
            assert isinstance(what, dict)
            known = {each.key for each in events}
            fresh = [event(key, model) for key, model in sorted(what.items()) if key not in known]
            if not fresh:
                continue
            events[:] = sorted([*events, *fresh], key=lambda each: each.key)
            numbered.added(fresh, events, steady=steady)
        elif deed == "drop":
            assert isinstance(what, int)
            numbered.dropped(min(what, len(events)))
            del events[:what]
        elif events:
            assert isinstance(what, tuple)
            place = what[0] % len(events)
            events[place] = event(events[place].key, what[1])
            numbered.replaced(place, events[place], steady=steady)
        check(numbered, events)
        if steady:
            still = [call for call in numbered.calls.values[: len(before)] if call.name]
            assert still == [call for call in before if call in still]


def test_equal_calls_and_callers_become_one() -> None:
    events = [event(1, 0), event(2, 0), event(3, 1)]
    numbered = Numbered()
    numbered.added(events, events, steady=False)
    assert events[0].call is events[1].call is events[2].call
    assert events[0].caller is events[1].caller is not events[2].caller


def test_numbers_are_used_again_where_nothing_relies_on_them() -> None:
    numbered = Numbered()
    for n in range(100):
        events = [event(n, n % 8)]
        numbered.added(events, events, steady=False)
        numbered.dropped(1)
    assert len(numbered.calls.values) == len(numbered.callers.values) == 1


@given(st.lists(st.tuples(st.lists(st.integers(-300, 300), max_size=80), st.integers(0, 60)), max_size=12))
def test_however_many_values_come_and_go_each_has_one_number(rounds: list[tuple[list[int], int]]) -> None:
    """Few of them are known by their ids: each is an object of its own."""
    column, held = Column((0,)), list[tuple[int]]()
    for come, gone in rounds:
        held += [(value,) for value in come]
        column.numbers += column.take(held[len(held) - len(come) :], steady=False)
        column.drop(min(gone, len(held)))
        del held[:gone]
        assert [column.values[number] for number in column.numbers] == held
        assert len(set(column.numbers)) == len(set(held))
