"""Reading once: the next page is under way while the last one is taken in."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import pytest

from smwatch.events.event import SeenBy
from smwatch.sources.clock import LocalClock
from smwatch.sources.coverage import Coverage
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.logs import SCHEDULE, rate_in, unrefused_in
from smwatch.sources.nature import Nature
from smwatch.sources.pace import Pace
from smwatch.sources.reader import Answer, Row
from smwatch.sources.source import Found, Page, State
from smwatch.sources.tail import Tail
from smwatch.sources.telling import Named
from tests.sources.reading import SignedIn
from tests.sources.virtual_time import run

NOW = datetime(2026, 11, 23, 14, 0, tzinfo=UTC)
SINCE = NOW - timedelta(hours=1)
PAGES = 6


class Pages(SignedIn):
    """Six pages, a minute each, before what can't be settled yet; then none."""

    api = "FilterLogEvents"
    nature = Nature(newest_first=False, resolution=timedelta(milliseconds=1))

    def __init__(self) -> None:
        self.asked: list[str | None] = []
        self.dropped = 0
        self.refused: set[str] = set()

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        self.asked.append(token)
        try:
            await asyncio.sleep(1)
        except asyncio.CancelledError:
            self.dropped += 1
            raise
        if token in self.refused:
            self.refused.remove(token)
            raise CallError(State.FAILING, "the token is not valid", Remedy.RESUME)
        if start > NOW - timedelta(minutes=20):
            return Answer(())
        number = int(token or (start + timedelta(milliseconds=1) - SINCE) // timedelta(minutes=1))
        at = SINCE + timedelta(minutes=number)
        row = Row(str(number), at, Found(str(number)))
        return Answer((row,), str(number + 1) if number + 1 < PAGES else None)

    def edge(self, at: datetime) -> datetime | None:
        return None


def tail(pages: Pages) -> Tail:
    loop = asyncio.get_running_loop()
    return Tail(
        pages,
        Named("logs", "Logs", "eu-west-1", SeenBy.LOGS),
        since=SINCE,
        schedule=SCHEDULE,
        pace=Pace(100.0, clock=loop.time),
        local=LocalClock(lambda: NOW + timedelta(seconds=loop.time()), monotonic=loop.time),
    )


def test_the_next_page_is_fetched_while_the_last_one_is_taken_in() -> None:
    async def main() -> None:
        pages, found, loop = Pages(), list[str](), asyncio.get_running_loop()
        async for item in tail(pages).read_once(Coverage()):
            if isinstance(item, Page) and item.found:
                found += [one.raw for one in item.found]
                await asyncio.sleep(1)
                assert len(pages.asked) >= min(len(found) + 1, PAGES)
        assert found == [str(number) for number in range(PAGES)]
        assert loop.time() < PAGES + 3  # not twice as long

    run(main())


def test_a_page_that_was_fetched_ahead_counts_only_once_it_is_taken_in() -> None:
    async def main() -> None:
        pages, coverage = Pages(), Coverage()
        reading = tail(pages).read_once(coverage)
        async for item in reading:
            if isinstance(item, Page) and item.found:
                break  # the journal could not keep it
        await asyncio.sleep(0.5)
        await reading.aclose()
        await asyncio.sleep(1)
        assert pages.asked == [None, "1"]
        assert pages.dropped == 1
        again = [item async for item in tail(pages).read_once(coverage)]
        assert [one.raw for item in again if isinstance(item, Page) for one in item.found] == list("012345")

    run(main())


def test_a_token_that_is_refused_ahead_is_met_like_any_other() -> None:
    async def main() -> None:
        pages = Pages()
        pages.refused = {"3"}
        items = [item async for item in tail(pages).read_once(Coverage())]
        found = [one.raw for item in items if isinstance(item, Page) for one in item.found]
        assert sorted(set(found)) == list("012345")
        assert pages.asked.count(None) == 3  # the beginning, what remained, and the latest minutes

    run(main())


def test_following_asks_for_nothing_ahead() -> None:
    async def main() -> None:
        pages = Pages()
        following = tail(pages).follow(Coverage())
        async for item in following:
            if isinstance(item, Page) and item.found:
                asked = len(pages.asked)
                await asyncio.sleep(5)
                assert len(pages.asked) == asked
                break
        await following.aclose()

    run(main())


@pytest.mark.parametrize(
    ("region", "live", "once", "unrefused"),
    [("us-east-1", 5, 20, 24), ("eu-west-1", 2, 8, 9), ("eu-central-1", 1, 4, 4)],
)
def test_a_share_of_the_regions_quota_is_taken(region: str, live: float, once: float, unrefused: float) -> None:
    assert rate_in(region) == live
    assert rate_in(region, once=True) == once
    assert unrefused_in(region) == unrefused
