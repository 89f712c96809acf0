"""Alarms in order, and by what they are about: the same as if all were looked at each time, without doing so."""

from __future__ import annotations

from datetime import timedelta

import msgspec
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, AlarmState, urgency
from smwatch.store.store import Store
from smwatch.tui.attention import Attention
from smwatch.tui.order import Order
from tests import records
from tests.rules.judging import counting_calls
from tests.store.test_store import ByPrincipal, alarm, arrival
from tests.tui.scene import NOW

SECRETS = tuple(Secret(records.ACCOUNT, records.REGION, name) for name in "xyz")


@st.composite
def changes(draw: st.DrawFn) -> tuple[str, Alarm | None]:
    group = draw(st.sampled_from("abcd"))
    if draw(st.booleans()) and draw(st.booleans()):
        return group, None
    return group, msgspec.structs.replace(
        alarm(group, [1]),
        count=draw(st.integers(0, 3)),
        state=draw(st.sampled_from(list(AlarmState))),
        secret=draw(st.sampled_from([None, *SECRETS])),
        secrets=tuple(draw(st.lists(st.sampled_from(SECRETS), unique=True))),
        identity=draw(st.sampled_from(["", "alice", "bob"])),
        muted_until=draw(st.sampled_from([None, NOW, NOW + timedelta(hours=1)])),
        last_at=NOW - timedelta(minutes=draw(st.integers(0, 3))),
    )


def told(order: Order) -> tuple[object, ...]:
    """All that it says."""
    return (
        order.known,
        {state: ranked.alarms() for state, ranked in order.ranked.items()},
        [sorted(order.about(secret), key=urgency) for secret in SECRETS],
        [sorted(order.of(identity), key=urgency) for identity in ("", "alice", "bob")],
        order.timed,
        sorted(order.mutes_end()),
    )


def looked_at(known: dict[str, Alarm]) -> tuple[object, ...]:
    """The same, by looking at all."""
    shown = sorted((alarm for alarm in known.values() if alarm.count), key=urgency)
    opened = [alarm for alarm in shown if alarm.open]
    timed = {alarm.group: alarm for alarm in opened if alarm.muted_until is not None}
    ends = {one.muted_until for one in timed.values() if one.muted_until is not None}
    return (
        known,
        {state: [alarm for alarm in shown if alarm.state is state] for state in AlarmState},
        [[one for one in opened if one.secret == secret or secret in one.secrets] for secret in SECRETS],
        [[one for one in opened if identity and one.identity == identity] for identity in ("", "alice", "bob")],
        timed,
        sorted(ends),
    )


@settings(deadline=None)
@given(st.lists(changes(), max_size=30), st.lists(changes(), max_size=10))
def test_alarms_are_found_wherever_they_are_put_and_nowhere_else(
    first: list[tuple[str, Alarm | None]], then: list[tuple[str, Alarm | None]]
) -> None:
    known = {group: one for group, one in first if one is not None}
    order = Order(known)
    assert told(order) == looked_at(known)
    for group, one in then:
        order.put(group, one)
        if one is None:
            known.pop(group, None)
        else:
            known[group] = one
        assert told(order) == looked_at(known)


def failing(names: int) -> ByPrincipal:
    """An engine with an alarm for each of so many names."""
    engine = ByPrincipal()
    Store(engine=engine).add(
        [arrival(records.denied("prod/db", by=records.user(f"u{n}"), id=f"{n}")) for n in range(names)]
    )
    return engine


def test_the_alarms_of_an_engine_that_was_expected_are_in_order_already() -> None:
    store, engine = Store(engine=failing(3)), failing(200)
    attention = Attention(store)
    assert len(attention.asking(NOW)) == 3
    attention.expect(engine)
    changed = Store(engine=engine)  # what the engine has judged since
    changed.add([arrival(records.denied("prod/db", by=records.user("u7"), id="more"))])
    store.engine = engine
    store.add([arrival(records.read("prod/db", id="a read"))])
    asking, calls = counting_calls(lambda: attention.asking(NOW))
    assert list(asking) == sorted(engine.alarms.values(), key=urgency)
    assert calls < 150  # to look at all 200 takes over 800


def test_an_alarm_that_is_said_to_have_changed_and_has_not_stays_where_it_is() -> None:
    known = {f"{n}": alarm(f"{n}", [n]) for n in range(1, 100)}
    order = Order(known)

    def put_all() -> None:
        for group, one in known.items():
            order.put(group, one)

    _, calls = counting_calls(put_all)
    assert calls < 110
