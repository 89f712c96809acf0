"""From the record that one account has of a call to the record that another has."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from smwatch.events.event import Event
from smwatch.events.reader import Reader
from smwatch.record import Record
from smwatch.tui.outside import Outside
from smwatch.tui.pages.targets import ToEvent
from smwatch.tui.screens.page import PageScreen
from smwatch.tui.screens.watch import WatchScreen
from tests import records
from tests.known import Known
from tests.tui.scene import Stage

OWNERS = records.read(records.arn("prod/db"), sharedEventID="s", by=records.other_account(), id="owner's")
CALLERS = records.read(
    records.arn("prod/db"),
    sharedEventID="s",
    by=records.role("reader", account=records.OTHER_ACCOUNT),
    account=records.OTHER_ACCOUNT,
    id="caller's",
)
ALONE = records.read("prod/db", sharedEventID="another", id="alone")


@pytest.fixture
async def known() -> AsyncIterator[Known]:
    known = Known()
    yield known
    known.journal.close()


async def staged(known: Known, *given: Record) -> Stage:
    def same_call(shared_id: str) -> list[Event]:
        return [stored.read(Reader()).event for stored in known.journal.same_call(shared_id)]

    await known.read(*given)
    stage = Stage(store=known.store, outside=Outside(same_call=same_call))
    stage.records = {records.event(record).key: record for record in given}
    return stage


def page(stage: Stage, record: Record, width: int = 300) -> str:
    lines = stage.app.desk.page_of(ToEvent(records.event(record).key), ())(width)
    return "\n".join("".join(piece.text for piece in line.pieces).rstrip() for line in lines)


async def test_each_record_names_the_other_whichever_came_first(known: Known) -> None:
    stage = await staged(known, CALLERS, OWNERS)
    assert f"account {records.OTHER_ACCOUNT} has recorded this call, too (counted apart, under reader" in page(
        stage, OWNERS
    )
    assert f"account {records.ACCOUNT} has recorded this call, too (counted apart" in page(stage, CALLERS)


async def test_a_record_without_the_other_says_so(known: Known) -> None:
    stage = await staged(known, ALONE)
    assert "what another account has recorded of this call has not been seen here" in page(stage, ALONE)


async def test_one_that_has_left_the_memory_is_named(known: Known) -> None:
    await known.read(CALLERS)
    known.restart_memory()
    stage = await staged(known, OWNERS)
    assert "caller's has left the memory" in page(stage, OWNERS)


async def test_a_key_goes_from_one_to_the_other_and_back(known: Known) -> None:
    stage = await staged(known, OWNERS, CALLERS, ALONE)
    async with stage.app.run_test(size=(160, 50)) as pilot:
        screen = stage.app.screen
        assert isinstance(screen, WatchScreen)
        screen.go_to(ToEvent(records.event(OWNERS).key))
        for record in (CALLERS, OWNERS):
            await pilot.press("percent_sign")
            assert screen.stream.cursor == records.event(record).key
        screen.go_to(ToEvent(records.event(ALONE).key))
        await pilot.press("percent_sign")
        assert "no other account's record of this call is known" in stage.text()


async def test_on_a_narrow_terminal_the_page_turns_to_the_other_record(known: Known) -> None:
    stage = await staged(known, OWNERS, CALLERS)
    async with stage.app.run_test(size=(60, 20)) as pilot:
        screen = stage.app.screen
        assert isinstance(screen, WatchScreen)
        screen.show_target(ToEvent(records.event(OWNERS).key))
        await pilot.pause()
        shown = stage.app.screen
        assert isinstance(shown, PageScreen)
        await pilot.press("percent_sign")
        assert shown.detail.target == ToEvent(records.event(CALLERS).key)
        await pilot.press("escape")
        assert shown.detail.target == ToEvent(records.event(OWNERS).key)
