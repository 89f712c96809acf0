"""What the reader asks of the stream, as one filter for a view."""

from datetime import timedelta

import pytest

from smwatch.filter import Context, parse
from smwatch.tui.query import Query, compiled
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
