"""The alarms that ask for attention: the same as if all were put in order each time, without doing so."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.rules.alarm import Alarm, Mute, urgency
from smwatch.rules.engine import Engine
from smwatch.store.store import Store
from smwatch.tui.attention import EACH, Attention
from smwatch.tui.pages.words import Standing, shown, standing
from smwatch.tui.ranked import Ranked
from tests import records
from tests.rules.judging import catalogue, counting_calls
from tests.store.test_store import AT, ByPrincipal, alarm, arrival

MINUTE = timedelta(minutes=1)
NAMES = ("alice", "bob", "carol", "dave")


@pytest.fixture(autouse=True, params=[0, EACH, 1_000_000])
def each(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many have changed."""
    monkeypatch.setattr("smwatch.tui.attention.EACH", request.param)


class Told:
    """A store whose alarms are asked for in both ways."""

    def __init__(self, names: Iterable[str] = NAMES) -> None:
        self.judge = ByPrincipal()
        self.store = Store(engine=self.judge)
        self.attention = Attention(self.store)
        self._made = 0
        self.fail(names)

    def fail(self, names: Iterable[str]) -> None:
        """A call of each of them fails."""
        failed = [records.denied("prod/db", by=records.user(name), id=f"{self._made}{name}") for name in names]
        self._made += 1
        self.store.add([arrival(record) for record in failed])

    def groups(self, now: datetime) -> tuple[list[str], list[str]]:
        """Those that ask for attention, and those that are muted."""
        opened = [alarm for alarm in shown(self.store.alarms.values()) if alarm.open]
        asking, muted = self.attention.asking(now), self.attention.muted(now)
        assert list(asking) == [alarm for alarm in opened if not alarm.muted(now)]
        assert list(muted) == [alarm for alarm in opened if alarm.muted(now)]
        known = shown(self.store.alarms.values())
        found = {stand: list(alarms) for stand, alarms in self.attention.standing(now).items()}
        assert found == {stand: [alarm for alarm in known if standing(alarm, now) is stand] for stand in Standing}
        return [alarm.group for alarm in asking], [alarm.group for alarm in muted]


def test_alarms_that_changed_are_put_in_their_places() -> None:
    told = Told()
    assert told.groups(AT) == (["alice", "bob", "carol", "dave"], [])
    told.fail(["carol", "aaron"])
    assert told.groups(AT) == (["aaron", "alice", "bob", "carol", "dave"], [])
    assert told.attention.asking(AT)[3].count == 2


def test_a_mute_ends_by_the_clock_alone_and_begins_anew_where_it_is_set_back() -> None:
    told = Told()
    told.store.mute(Mute(AT + MINUTE, identity="bob"))
    told.store.mute(Mute(AT + 2 * MINUTE, identity="dave"))
    assert told.groups(AT) == (["alice", "carol"], ["bob", "dave"])
    assert told.groups(AT + MINUTE) == (["alice", "bob", "carol"], ["dave"])
    assert told.groups(AT + 3 * MINUTE) == (["alice", "bob", "carol", "dave"], [])
    assert told.groups(AT) == (["alice", "carol"], ["bob", "dave"])


@pytest.mark.parametrize("told_of", [True, False])
def test_what_an_engine_has_let_go_of_asks_no_more(told_of: bool) -> None:
    told = Told()
    told.groups(AT)
    del told.judge.alarms["alice"]
    if told_of:
        told.fail(["bob"])
    else:
        told.store.add([arrival(records.read("prod/db", id="a read"))])
    assert told.groups(AT) == (["bob", "carol", "dave"], [])


def test_alarms_that_are_decided_upon_are_kept_in_order_too() -> None:
    store = Store(engine=Engine(catalogue()))
    told = Told(())
    told.store, told.attention = store, Attention(store)
    denied = [records.read_deleted(f"prod/{n}", at=AT + n * MINUTE, id=f"{n}") for n in range(5)]
    store.add([arrival(record) for record in denied])
    groups, _ = told.groups(AT)
    before = told.attention.standing(AT)
    store.acknowledge(groups[1], "", AT)
    store.close(groups[2], "", AT)
    store.acknowledge(groups[3], "", AT)
    assert told.groups(AT) == ([groups[0], *groups[4:]], [])
    store.close(groups[3], "", AT)
    told.groups(AT)
    store.add([arrival(records.read_deleted("prod/9", at=AT, id="9"))])
    told.groups(AT)
    assert [alarm.group for alarm in before[Standing.OPEN]] == groups  # as it was handed out


def test_another_engine_has_other_alarms() -> None:
    told = Told()
    told.groups(AT)
    other = Told(["erin", "frank", "grace", "heidi"])
    told.store.engine = other.judge
    told.store.add([arrival(records.read("prod/db", id="a read"))])
    assert told.groups(AT) == (["erin", "frank", "grace", "heidi"], [])


def test_one_more_event_has_no_alarm_but_its_own_looked_at(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smwatch.tui.attention.EACH", EACH)
    told = Told([f"user-{number}" for number in range(500)])
    assert len(told.attention.asking(AT)) == 500
    told.fail(["user-7"])
    asking, calls = counting_calls(lambda: told.attention.asking(AT))
    assert len(asking) == 500
    assert calls < 60
    _, calls = counting_calls(lambda: (told.attention.asking(AT), told.attention.muted(AT)))
    assert calls < 10


def test_a_tenth_that_is_let_go_of_has_the_others_not_put_in_order_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smwatch.tui.attention.EACH", EACH)
    names = [f"user-{number}" for number in range(500)]
    told = Told(names)
    _, anew = counting_calls(lambda: told.attention.asking(AT))
    for name in names[:50]:
        del told.judge.alarms[name]
    told.fail(["user-499"])
    asking, calls = counting_calls(lambda: told.attention.asking(AT))
    assert len(asking) == 450
    assert calls < anew / 2


STEPS = st.lists(st.tuples(st.integers(0, 30), st.integers(0, 3), st.booleans()), max_size=120)


@settings(deadline=None)
@given(STEPS, st.integers(0, 30))
def test_alarms_are_in_the_order_of_their_urgency_whatever_is_put_in_or_taken_out(
    steps: list[tuple[int, int, bool]], before: int
) -> None:
    def one(number: int, minutes: int) -> Alarm:
        return msgspec.structs.replace(alarm(f"{number}", [1]), last_at=AT + minutes * MINUTE)

    known = {number: one(number, number % 4) for number in range(before)}
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("smwatch.tui.ranked.PART", 2)
        ranked = Ranked(known.values())
        for number, minutes, kept in steps:
            if number in known:
                ranked.take(known.pop(number))
            if kept:
                known[number] = one(number, minutes)
                ranked.put(known[number])
            assert ranked.alarms() == sorted(known.values(), key=urgency)
