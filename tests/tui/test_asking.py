"""Asking the stream for something: words on keys, saved filters, what is under the cursor."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from datetime import datetime, timedelta

import pytest

from smwatch.settings import UiSettings
from smwatch.tui.outside import Outside
from smwatch.tui.pages.groups import Counting, Grouping, groups_page
from smwatch.tui.screens.saved import SavedScreen
from smwatch.tui.screens.watch import WatchScreen
from smwatch.tui.widgets.stream import EventStream
from tests import records
from tests.records import arrival
from tests.tui.scene import NOW, Stage, ago, reads

WIDE = (160, 40)


async def test_denied_reads_of_a_prefix_in_the_last_quarter_of_an_hour_take_three_keys_and_the_prefix() -> None:
    stage = Stage(
        [
            records.denied("prod/a", eventTime=ago(60), id="wanted"),
            records.denied("prod/a", eventTime=ago(3000), id="old"),
            records.denied("dev/a", eventTime=ago(70), id="elsewhere"),
            records.read("prod/a", eventTime=ago(80), id="allowed"),
            records.denied("prod/a", eventTime=ago(90), id="described", eventName="DescribeSecret"),
        ]
    )
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "D", "R", "slash", *"prod/", "enter")
        assert "1 of 5" in stage.lines()[-1]
        assert "denied read prod/  +  last 15 min" in stage.lines()[-1]


EVE = records.user("eve", key="AKIAEVE0000000000000")


async def test_everything_an_access_key_touched_is_asked_for_where_the_key_stands() -> None:
    taken = [records.read(f"prod/{i}", eventTime=ago(i), id=str(i), by=EVE) for i in (5, 9)]
    stage = Stage([*taken, *reads(4)])
    async with stage.app.run_test(size=(160, 60)) as pilot:
        await pilot.press("j", "P")
        await pilot.pause()
        for wanted in ("AKIAEVE", "show its events"):
            while not any(line.rpartition("›")[2].startswith(wanted) for line in stage.lines()):
                await pilot.press("j")
            await pilot.press("enter")
            await pilot.pause()
        assert "2 of 6   / user:AKIAEVE0000000000000" in stage.lines()[-1]


async def test_groups_are_by_access_key_too_and_lead_to_its_events() -> None:
    stage = Stage([records.read(eventTime=ago(5), id="1", by=EVE), *reads(3)])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("v", "v", "v", "v")
        await pilot.pause()
        assert "4 events by access key" in stage.text()
        await pilot.press("j", "enter")
        assert "1 of 4   / user:AKIAEVE0000000000000" in stage.lines()[-1]


@pytest.mark.parametrize("width", [40, 58, 75, 100, 248])
def test_groups_spread_over_time_on_every_width_that_has_room(width: int) -> None:
    rows = [arrival(record).event for record in reversed(reads(200, every=30, secret="prod/payments/db-primary"))]
    counting = Counting(rows, Grouping.SECRET)
    assert not counting.step()
    lines = groups_page(counting.groups, Grouping.SECRET, width)
    assert all(len(line.text) <= max(width, 39) for line in lines)
    assert ("█" in lines[1].text) is (width >= 58)
    assert " 200" in lines[1].text


async def test_the_secret_and_the_principal_under_the_cursor_are_asked_for_and_let_go_with_one_key() -> None:
    stage = Stage([*reads(2, secret="prod/a b"), *reads(3, secret="prod/c", first=500)])
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("s")
        assert "no secret chosen" in stage.lines()[-1]
        await pilot.press("j", "s")
        assert "2 of 5" in stage.lines()[-1]
        await pilot.press("s")
        assert "5 events" in stage.lines()[-1]
        await pilot.press("U")
        assert "5 of 5" in stage.lines()[-1]
        assert "user:" in stage.lines()[-1]


async def test_saved_filters_are_picked_with_two_keys() -> None:
    stage = Stage(
        [*reads(3), records.put(eventTime=ago(5))], ui=UiSettings(filters={"reads": "read", "changes": "write"})
    )
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("L")
        await pilot.pause()
        assert isinstance(stage.app.screen, SavedScreen)
        assert any("1 read" in line and line.rstrip(" │").endswith("read") for line in stage.lines())
        await pilot.press("2")
        assert "1 of 4" in stage.lines()[-1]
        await pilot.press("L", "enter")
        assert "3 of 4" in stage.lines()[-1]


async def test_without_saved_filters_the_key_says_how_to_save_one() -> None:
    stage = Stage(reads(3))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("L")
        assert "[ui.filters]" in stage.lines()[-1]


async def test_saved_filters_are_offered_where_a_filter_is_typed() -> None:
    stage = Stage(
        [*reads(3), records.put(eventTime=ago(5))], ui=UiSettings(filters={"changes": "write", "reads": "read"})
    )
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("slash")
        assert "changes: write   reads: read" in stage.lines()[-2]
        await pilot.press(*"rea", "tab", "enter")
        assert "3 of 4" in stage.lines()[-1]
        assert "/ read" in stage.lines()[-1]


async def test_arrows_go_through_the_filters_kept_before_each_once() -> None:
    kept: list[Sequence[str]] = []
    outside = Outside(remember=kept.append)
    stage = Stage([*reads(3, secret="prod/a"), *reads(2, secret="dev/b", first=500)], outside=outside)
    async with stage.app.run_test(size=WIDE) as pilot:
        for text in ("prod", "dev", "prod"):
            await pilot.press("backspace", "slash", *text, "enter")
        screen = stage.app.screen
        assert isinstance(screen, WatchScreen)
        await pilot.press("backspace", "slash", "up", "up")
        assert screen.filter_line.input.value == "dev"
        await pilot.press("up", "down", "down")
        assert screen.filter_line.input.value == ""
        assert kept[-1] == ("dev", "prod")


async def test_a_jump_to_what_is_not_there_yet_goes_there_when_it_comes() -> None:
    asked: list[datetime] = []
    coming: asyncio.Future[bool] = asyncio.get_running_loop().create_future()

    def reach_back(since: datetime) -> asyncio.Future[bool]:
        asked.append(since)
        return coming

    stage = Stage(reads(5), outside=Outside(reach_back=reach_back))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("at", *"3h", "enter")
        await pilot.pause()
        assert asked == [NOW - timedelta(hours=3, minutes=15)]
        assert "bringing what happened then" in stage.lines()[-1]
        stage.bring(*reads(3, secret="prod/old", first=2.5 * 3600))
        await pilot.pause()
        assert stage.app.screen.query_one(EventStream).following
        stage.bring(*reads(3, secret="prod/older", first=3 * 3600))
        await pilot.pause()
        event = stage.app.screen.query_one(EventStream).event
        assert event is not None
        assert event.at == NOW - timedelta(hours=3)


async def test_a_jump_out_of_the_time_window_opens_it() -> None:
    stage = Stage(reads(200, every=60))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("2", "at", *"13:00", "enter")
        await pilot.pause()
        event = stage.app.screen.query_one(EventStream).event
        assert event is not None
        assert event.at == NOW - timedelta(hours=1)
        assert "200 events" in stage.lines()[-1]


@pytest.mark.parametrize(("whole", "said"), [(True, "all read"), (False, "not all could be read; S says why")])
async def test_a_longer_window_says_that_it_brings_what_is_missing_and_how_that_went(whole: bool, said: str) -> None:
    coming: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
    outside = Outside(reach_back=lambda since: coming if since < NOW - timedelta(hours=1) else None)
    stage = Stage(reads(5), outside=outside)
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.press("2")
        assert "bringing" not in stage.lines()[-1]
        await pilot.press("6", "at", *"80h", "enter")
        assert "bringing what happened then" in stage.lines()[-1]
        coming.set_result(whole)
        await pilot.pause()
        assert said in stage.text()
        event = stage.app.screen.query_one(EventStream).event
        assert event is not None
        assert event.at == NOW - timedelta(seconds=300)  # the first one since


async def test_columns_of_the_config_file_are_drawn_in_their_order_and_width() -> None:
    stage = Stage(reads(3, secret="prod/db"), ui=UiSettings(columns=("secret:12", "time", "account")))
    async with stage.app.run_test(size=WIDE) as pilot:
        await pilot.pause()
        heading = next(line for line in stage.lines() if "time UTC" in line)
        assert heading.partition("▏")[0].split() == ["secret", "time", "UTC", "account"]
        assert any(line.startswith("    prod/db      13:59:00 111122223333") for line in stage.lines())
