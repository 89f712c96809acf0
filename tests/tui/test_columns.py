"""How columns share a width."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smwatch.settings import SettingsError
from smwatch.tui.columns import BY_ID, DATED_WIDTH, DEFAULT, Placed, columns_meant, lay_out, told
from smwatch.tui.times import Zone
from tests import records
from tests.tui.scene import NOW


@given(st.integers(20, 400), st.permutations(list(BY_ID)), st.booleans())
def test_columns_fill_the_width_exactly(width: int, order: list[str], dated: bool) -> None:
    placed = lay_out(width, tuple(order), dated=dated)
    room = sum(column.width + 1 for column in placed) - 1
    assert room == width or (room < width and "secret" not in {column.id for column in placed})
    assert [column.id for column in placed] == [name for name in order if name in {c.id for c in placed}]


def test_sixty_columns_hold_when_what_which_and_who() -> None:
    for dated in (False, True):
        assert [column.id for column in lay_out(59, dated=dated)] == ["mark", "time", "event", "secret", "principal"]


def test_a_wide_screen_holds_everything() -> None:
    assert [column.id for column in lay_out(249)] == list(DEFAULT)


def test_columns_are_set_by_name_order_and_width() -> None:
    chosen = columns_meant(["secret:30", "time", "agent"])
    placed = {column.id: column.width for column in lay_out(120, chosen)}
    assert list(placed) == ["mark", "secret", "time", "agent"]
    assert (placed["secret"], placed["agent"]) == (30, 30)
    assert columns_meant([]) == DEFAULT


@pytest.mark.parametrize(
    ("chosen", "said"),
    [
        (["secert"], "no column 'secert'; there are mark, time, event"),
        (["secret:"], "a width of 3 to 200 cells, as in secret:40"),
        (["secret:1000"], "a width of 3 to 200"),
        (["time", "secret:9", "time:8"], "time is there twice"),
    ],
)
def test_columns_that_can_not_be_are_refused(chosen: list[str], said: str) -> None:
    with pytest.raises(SettingsError) as refused:
        columns_meant(chosen)
    assert str(refused.value).startswith("ui.columns: ")
    assert said in str(refused.value)


def test_nothing_is_narrower_than_it_can_be_read() -> None:
    for width in range(60, 250):
        assert all(column.width >= BY_ID[column.id].least for column in lay_out(width))


def test_events_of_other_days_get_room_for_their_date() -> None:
    placed = {column.id: column.width for column in lay_out(120, dated=True)}
    assert placed["time"] == DATED_WIDTH


@pytest.mark.parametrize(
    ("code", "width", "stands"),
    [
        ("InvalidRequestException", 23, "InvalidRequestException"),
        ("InvalidRequestException", 16, "InvalidRequest…"),
        ("ResourceNotFoundException", 16, "ResourceNotFound"),
        ("InvalidRequestException", 12, "InvalidRequestException"),  # to be cut where it ends
        ("AccessDenied", 8, "AccessDenied"),
    ],
)
def test_of_an_error_code_without_room_the_ending_goes_first(code: str, width: int, stands: str) -> None:
    event = records.event(records.read("prod/db", errorCode=code))
    cells = told(event, [Placed("result", "result", width)], "", zone=Zone.UTC, now=NOW, since=None)
    assert cells == [(stands, "failed")]
