"""What is brought up to date with each event and each minute is what is found when all is added up again."""

from __future__ import annotations

from datetime import timedelta
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from smwatch.events.event import Event
from smwatch.tui import tally
from smwatch.tui.tally import Tally
from tests import records
from tests.rules.judging import counting_calls
from tests.tui.scene import NOW

SPAN = timedelta(minutes=6)
STEPS = st.lists(st.tuples(st.integers(0, 9), st.lists(st.integers(0, 8), max_size=6)), max_size=12)
"""Minutes that pass, and of events that then come how many minutes ago each was."""


def event(number: int, minutes: int) -> Event:
    call = records.denied if number % 3 == 0 else records.read
    moment = records.stamp(NOW + timedelta(minutes=minutes))
    read = call(f"prod/{number % 5}", by=records.user(f"u{number % 4}"), eventTime=moment, id=f"{number}")
    return records.arrival(read).event


@settings(deadline=None)
@given(STEPS, st.sampled_from([3, 1000]), st.integers(0, 5))
def test_totals_are_as_if_added_up_anew_whenever_they_are_asked_for(
    steps: list[tuple[int, list[int]]], distinct: int, back: int
) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tally, "DISTINCT", distinct)
        kept, noted, minute, made = Tally(), list[tuple[list[Event], int]](), 0, 0
        for passed, ago in steps:
            minute += passed
            events = [event(made + number, minute - each) for number, each in enumerate(ago)]
            made += len(ago)
            noted.append((events, minute))
            kept.note(events, NOW + timedelta(minutes=minute))
            for at in (minute, minute - back):  # somebody has set the clock back
                anew, now = Tally(), NOW + timedelta(minutes=at)
                for some, then in noted:
                    anew.note(some, NOW + timedelta(minutes=then))
                assert kept.totals(now, SPAN) == anew.totals(now, SPAN)


def test_one_more_event_has_no_other_added_up_again() -> None:
    kept = Tally()
    kept.note([event(number, -number) for number in range(50)], NOW)
    kept.totals(NOW, timedelta(hours=1))
    kept.note([event(99, 0)], NOW)
    _, calls = counting_calls(lambda: kept.totals(NOW, timedelta(hours=1)))
    assert calls < 5


def test_an_event_among_others_like_it_is_counted_without_a_call_for_it() -> None:
    few, many = ([event(number % 20, 0) for number in range(count)] for count in (100, 1_100))
    calls = [counting_calls(partial(Tally().note, some, NOW))[1] for some in (few, many)]
    assert calls[1] - calls[0] < 100
