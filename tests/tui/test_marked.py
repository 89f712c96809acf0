"""The minutes with events of bad alarms: the same as if all alarms were looked at each time, without doing so."""

from __future__ import annotations

import asyncio
from datetime import datetime, timedelta

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.events.event import ACCOUNT_BITS, ID_BITS
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.rules.engine import Engine
from smwatch.store.store import Store
from smwatch.tui.marked import EACH, SPARED, Marked
from tests import records
from tests.rules.judging import catalogue, counting_calls
from tests.store.test_store import alarm
from tests.tui.scene import NOW, Stage, ago
from tests.tui.test_watch import watch

MINUTE = timedelta(minutes=1)
THIS = int(NOW.timestamp()) // 60


def bad(group: str, *minutes: int, severity: Severity = Severity.HIGH, muted: datetime | None = None) -> Alarm:
    """An alarm with events so many minutes ago."""
    keys = sorted((THIS - ago) * 60 << (ID_BITS + ACCOUNT_BITS) for ago in minutes)
    last_at = NOW - min(minutes, default=0) * MINUTE
    return msgspec.structs.replace(alarm(group, keys), severity=severity, last_at=last_at, muted_until=muted)


def told(marked: Marked, now: datetime = NOW) -> list[int]:
    """How long ago they are, in minutes."""
    return [THIS - minute for minute in marked.minutes(THIS - 60, THIS, now)]


CHANGES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.lists(st.integers(0, 70), min_size=1, max_size=5),
        st.sampled_from(list(Severity)),
        st.sampled_from(list(AlarmState)),
        st.sampled_from([None, NOW - MINUTE, NOW + MINUTE]),
        st.sampled_from(["kept", "taken back", "gone"]),
        st.booleans(),
    ),
    max_size=20,
)


@settings(deadline=None)
@given(CHANGES)
def test_the_minutes_are_those_of_the_bad_alarms_that_ask_for_attention(
    changes: list[tuple[str, list[int], Severity, AlarmState, datetime | None, str, bool]],
) -> None:
    marked, alarms = Marked(clock=lambda: 0.0), dict[str, Alarm]()
    for group, minutes, severity, state, muted, fate, looked_at in changes:
        alarms[group] = msgspec.structs.replace(bad(group, *minutes, severity=severity, muted=muted), state=state)
        if fate == "taken back":
            alarms[group] = msgspec.structs.replace(alarms[group], count=0)
        elif fate == "gone":
            del alarms[group]
        marked.note([group])
        if not looked_at:
            continue
        assert not marked.step(alarms, NOW)
        for now in (NOW, NOW + MINUTE):
            asking = [one for one in alarms.values() if one.count and one.open and not one.muted(now)]
            worst = [one for one in asking if one.severity >= Severity.HIGH]
            ages = {THIS - (key >> (ID_BITS + ACCOUNT_BITS)) // 60 for one in worst for key in one.event_keys}
            assert sorted(told(marked, now)) == sorted(age for age in ages if age <= 60)


def test_no_more_alarms_are_looked_at_in_one_go_than_there_is_time_for() -> None:
    clock, steps = [0.0], 0

    def now() -> float:
        clock[0] += SPARED / 4
        return clock[0]

    marked, alarms = Marked(clock=now), {f"{n}": bad(f"{n}", n) for n in range(20)}
    marked.note(alarms)
    while marked.step(alarms, NOW):
        steps += 1
        assert len(told(marked)) <= 5 * steps
    assert steps >= 3
    assert sorted(told(marked)) == list(range(20))


def test_no_more_events_are_looked_at_in_one_go_than_a_step_allows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smwatch.tui.marked.STEP", 2 * (EACH + 2))
    marked, alarms = Marked(clock=lambda: 0.0), {f"{n}": bad(f"{n}", n, n + 10) for n in range(5)}
    marked.note(alarms)
    assert marked.step(alarms, NOW)
    assert len(told(marked)) == 4
    assert marked.step(alarms, NOW)
    assert not marked.step(alarms, NOW)
    assert len(told(marked)) == 10


def test_of_many_alarms_those_that_have_changed_are_looked_at() -> None:
    marked, alarms = Marked(clock=lambda: 0.0), {f"{n}": bad(f"{n}", n % 60) for n in range(2_000)}
    marked.note(alarms)
    while marked.step(alarms, NOW):
        pass
    alarms["7"] = bad("7", 7, 8)
    marked.note(["7"])
    found, calls = counting_calls(lambda: (marked.step(alarms, NOW), told(marked))[1])
    assert len(found) == 60
    assert calls < 200


async def test_bars_are_marked_though_all_alarms_are_not_looked_at_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("smwatch.tui.marked.STEP", 1)
    gone = [records.read_deleted(f"prod/{n}", eventTime=ago(60 * n), id=f"{n}") for n in range(1, 31)]
    stage = Stage(gone, store=Store(engine=Engine(catalogue())))
    async with stage.app.run_test(size=(160, 50)) as pilot:
        histogram = watch(stage).histogram
        async with asyncio.timeout(60):
            while stage.app.desk.marking:
                await pilot.pause(0.01)
        await pilot.pause()
        assert sum(bucket.alarmed for bucket in histogram._buckets) == 30
