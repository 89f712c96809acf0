"""A recording is shown as of its newest event, however long ago that was."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import pytest
from textual.pilot import Pilot

from smwatch.rules.engine import Engine
from smwatch.rules.rule import combine, load_builtin
from smwatch.store.store import Store
from smwatch.tui.screens.watch import WatchScreen
from tests import records
from tests.tui.scene import Stage, ago, reads

WEEK = 7 * 86400


@asynccontextmanager
async def replayed(*, width: int = 160, judged: bool = False) -> AsyncIterator[tuple[Stage, Pilot[int]]]:
    """Ten reads of a week ago, one a minute, and one of an hour and a half before."""
    store = Store(engine=Engine(combine(load_builtin()))) if judged else Store()
    shown = Stage(store=store, recorded=True, status=None)
    async with shown.app.run_test(size=(width, 50)) as pilot:
        shown.bring(*reads(10, first=WEEK), records.read("prod/early", eventTime=ago(WEEK + 5400), id="early"))
        shown.now += timedelta(seconds=5)
        shown.app.tick()
        await pilot.pause()
        yield shown, pilot


def watch(stage: Stage) -> WatchScreen:
    screen = stage.app.screen
    assert isinstance(screen, WatchScreen)
    return screen


async def test_the_last_hour_is_that_of_the_recording() -> None:
    async with replayed() as (shown, _):
        assert "THE LAST HOUR OF THE RECORDING  10 events, 0 failed" in shown.text()


@pytest.mark.parametrize(("width", "told"), [(160, "recording up to "), (60, " up to ")])
async def test_the_head_says_up_to_when_it_goes(width: int, told: str) -> None:
    async with replayed(width=width) as (shown, _):
        end = shown.app.desk.now
        assert f"{told}{end:%m-%d %H:%M} UTC" in shown.lines()[0]


async def test_a_window_and_the_bars_count_back_from_its_newest_event() -> None:
    async with replayed() as (shown, pilot):
        await pilot.press("2")
        assert "10 of 11" in shown.text()
        spread, screen = watch(shown).spread(), watch(shown)
        assert spread.this_minute == int(shown.app.desk.now.timestamp()) // 60
        assert sum(bar.events for bar in spread.buckets(shown.app.desk.tally, (), shown.app.desk.now)) == 10
        assert screen.asked.query.minutes


async def test_ages_are_told_from_its_newest_event() -> None:
    async with replayed() as (shown, pilot):
        shown.app.desk.zone = shown.app.desk.zone.RELATIVE
        watch(shown).on_screen_resume()
        await pilot.pause()
        assert " 9m00s " in shown.text()
        assert "1h30m" in shown.text()


async def test_what_goes_on_moves_window_and_page_along() -> None:
    async with replayed() as (shown, pilot):
        await pilot.press("2")
        shown.bring(*reads(2, first=WEEK - 3000, secret="prod/later"))
        shown.now += timedelta(seconds=5)
        shown.app.tick()
        await pilot.pause()
        assert "2 of 13" in shown.text()
        assert "THE LAST HOUR OF THE RECORDING  12 events" in shown.text()


async def test_a_mute_takes_an_alarm_of_long_ago_out_of_the_band() -> None:
    async with replayed(judged=True) as (shown, pilot):
        shown.bring(records.read_deleted("prod/gone", eventTime=ago(WEEK - 60), id="gone"))
        await pilot.pause()
        assert shown.app.desk.asking
        await pilot.press("a", "M", *["backspace"] * 2, *"8h", "enter")
        assert not shown.app.desk.asking
        assert "for another 8h00m" in shown.text()
        shown.now += timedelta(seconds=5)
        shown.app.tick()
        await pilot.press("escape")
        assert shown.app.desk.foremost is None


async def test_on_the_wall_stands_its_last_hour() -> None:
    async with replayed() as (shown, pilot):
        await pilot.press("W")
        await pilot.pause()
        assert "10 in the last hour, 0 failed" in shown.text()
        assert f"{shown.app.desk.now:%A %Y-%m-%d} in a recording" in shown.text()
