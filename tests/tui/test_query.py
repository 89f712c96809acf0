"""What the reader asks of the stream, as one filter for a view."""

from datetime import timedelta

import pytest

from smwatch.events.numbered import Numbered
from smwatch.filter import Context, parse
from smwatch.store.view import View
from smwatch.tui.query import Every, Query, compiled
from tests import records

NOW = records.AT + timedelta(hours=2)
CONTEXT = Context(record_of=lambda _: {"eventName": "GetSecretValue"}, levels=())
ROWS = sorted(
    (
        records.event(records.read(("prod/db", "dev/db")[n % 2], at=records.AT + timedelta(seconds=n), id=f"event {n}"))
        for n in range(7_200)
    ),
    key=lambda event: event.key,
)


@pytest.mark.parametrize("text", ["", "prod", "deadbeef", '{ $.eventName = "GetSecretValue" }'])
@pytest.mark.parametrize("minutes", [0, 60])
def test_a_window_and_a_filter_go_in_the_steps_of_the_filter(text: str, minutes: int) -> None:
    chosen = compiled(Query(text, minutes), lambda each: parse(each, CONTEXT), NOW)
    if chosen is None:
        assert not text
        assert not minutes
        return
    alone = parse(text, CONTEXT)
    end, kept = len(ROWS), list[int]()
    assert chosen.reach(ROWS, end) == alone.reach(ROWS, end)
    while end:
        place = chosen.reach(ROWS, end)
        assert place < end
        kept[0:0] = [event.key for event in chosen.select(ROWS[place:end])]
        end = place
    since = int((NOW - timedelta(minutes=minutes)).timestamp()) if minutes else 0
    assert kept == [event.key for event in ROWS if event.seconds >= since and alone(event)]


@pytest.mark.parametrize("text", ["", "prod", "-prod", "deadbeef"])
@pytest.mark.parametrize("minutes", [0, 60])
def test_a_view_of_a_store_keeps_what_is_in_the_window_and_in_the_filter(text: str, minutes: int) -> None:
    numbered = Numbered()
    numbered.added(ROWS, ROWS, steady=False)
    chosen = compiled(Query(text, minutes), lambda each: parse(each, CONTEXT), NOW)
    view = View(ROWS, chosen, numbered=numbered)
    while view.step():
        pass
    assert view.rows == [event for event in ROWS if chosen is None or chosen(event)]


def test_several_filters_are_asked_one_after_the_other_where_one_is_more_than_a_window() -> None:
    both = Every((parse("prod", CONTEXT), parse("read", CONTEXT)))
    assert both.sweep(Numbered()) is None
    assert both.select(ROWS) == [event for event in ROWS if both(event)] != []
