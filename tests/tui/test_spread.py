"""The bars of the histogram and the moments they stand for."""

from __future__ import annotations

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from smwatch.tui.attention import Attention
from smwatch.tui.spread import SPANS, Spread, span_of
from smwatch.tui.tally import Tally
from tests import records
from tests.records import arrival
from tests.tui.scene import NOW, ago

HOUR = timedelta(hours=1)


def test_bars_go_back_over_the_window_or_over_what_is_in_memory() -> None:
    assert span_of(timedelta(minutes=15), NOW - 5 * HOUR, NOW) == timedelta(minutes=15)
    assert span_of(timedelta(days=7), NOW - 5 * HOUR, NOW) == timedelta(days=1)
    assert span_of(timedelta(), NOW - 90 * timedelta(minutes=1), NOW) == 2 * HOUR
    assert span_of(timedelta(), NOW - timedelta(days=9), NOW) == timedelta(days=1)
    assert span_of(timedelta(), None, NOW) == HOUR


@given(st.sampled_from(SPANS), st.integers(1, 250), st.integers(0, 24 * 3600 - 60))
def test_every_event_stands_in_a_bar_and_its_bar_leads_to_it(span: timedelta, room: int, seconds: int) -> None:
    spread, tally = Spread.of(span, room, NOW), Tally()
    event = arrival(records.read(eventTime=ago(seconds))).event
    tally.note([event], NOW)
    found = [i for i, bucket in enumerate(spread.buckets(tally, [], NOW)) if bucket.events]
    assert spread.count <= room
    if found:
        (i,) = found
        assert spread.second(i) - spread.minutes * 60 < event.seconds <= spread.second(i)
    else:
        assert timedelta(seconds=seconds) > span - timedelta(minutes=1)


def test_bars_with_events_of_a_bad_alarm_are_marked() -> None:
    store, tally = Store(engine=Engine(combine(load_builtin()))), Tally()
    change = store.add([arrival(records.read_deleted("prod/db", eventTime=ago(600)))])
    tally.note(change.added, NOW)
    spread = Spread.of(HOUR, 60, NOW)
    marked = Attention(store).marked(spread.first_minute, spread.this_minute, NOW)
    buckets = spread.buckets(tally, marked, NOW)
    assert [i for i, bucket in enumerate(buckets) if bucket.alarmed] == [49]
    assert (buckets[49].events, buckets[49].failed) == (1, 1)
    assert spread.label == "-1h"
