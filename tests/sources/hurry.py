"""Waiting that takes no time, for sources that talk to a real wire."""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import AsyncGenerator, Callable
from contextlib import aclosing
from datetime import UTC, datetime, timedelta
from typing import Any, Protocol

from smwatch.headless.lines import status_line
from smwatch.sources.clock import LocalClock
from smwatch.sources.coverage import Coverage
from smwatch.sources.pace import Paces
from smwatch.sources.source import Page, State, Status
from smwatch.tui.health import sources_page
from smwatch.tui.times import Zone
from tests.sources.reading import keep

LONG = 1000.0
"""What takes longer than this is not hurried: it is not what a test waits for."""


HANGS = 120.0
"""Seconds after which it will never be the case: five Live Tails side by side take 18 s each on two cores."""
NOTHING = Coverage()


class Hurry:
    """A clock that runs forward by what is slept: `sleep` returns at once, `monotonic` has moved on."""

    def __init__(self) -> None:
        self.slept = 0.0
        self.away = timedelta()
        """How long this machine was asleep: time that has passed, but on no clock that only runs while it is awake."""

    async def sleep(self, seconds: float) -> None:
        if seconds > LONG:
            await asyncio.sleep(seconds)
        self.slept += seconds
        await asyncio.sleep(0.001)

    async def beside(self, seconds: float) -> None:
        """Sleep without hurry: until what others sleep has taken as long."""
        end = self.monotonic() + seconds
        while self.monotonic() < end:  # noqa: ASYNC110 - nobody tells
            await asyncio.sleep(0.001)

    def monotonic(self) -> float:
        return time.monotonic() + self.slept

    def now(self) -> datetime:
        """The wall clock's time, if that runs forward as well."""
        return datetime.now(UTC) + timedelta(seconds=self.slept) + self.away

    @property
    def local(self) -> LocalClock:
        """The clock for a source, all of whose time runs forward."""
        return LocalClock(self.now, self.sleep, self.monotonic)

    @property
    def waiting(self) -> LocalClock:
        """The same, but that the time of day is the wall clock's."""
        return LocalClock(sleep=self.sleep, monotonic=self.monotonic)

    def options(self, local: LocalClock | None = None) -> dict[str, Any]:
        """What a source takes to be in a hurry, by `waiting` or another clock: calls come as fast as they may."""
        paces = Paces(clock=self.monotonic, chance=lambda low, high: 0.0)
        return {"local": local or self.waiting, "paces": paces, "rate": 1000}


class Followed(Protocol):
    """What can be followed for a while."""

    def follow(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:
        """As a source's."""
        ...


class Watched:
    """What a source said and handed over until now."""

    def __init__(self, coverage: Coverage) -> None:
        self.coverage = coverage
        self.raw: list[str] = []
        self.statuses: list[Status] = []

    @property
    def last(self) -> Status:
        return self.statuses[-1]

    def said(self, state: State) -> list[str]:
        """The messages that came with this state, each once, in their order: as `--json` and the screen tell them."""
        told = [status for status in self.statuses if status.state is state]
        lines = [json.loads(status_line(status)) for status in told]
        assert {line["state"] for line in lines} <= {state.value}
        for status in told:
            page = sources_page([status], status.at or datetime.now(UTC), Zone.UTC, 10_000)
            assert not status.message or status.message in [line.pieces[0].text for line in page]
        return list(dict.fromkeys(line["message"] or "" for line in lines))


async def follow(
    source: Followed, until: Callable[[Watched], bool], *, within: float = HANGS, coverage: Coverage = NOTHING
) -> Watched:
    """Follow from what is covered, committing every page, until that is the case; `within` is real time."""
    watched = Watched(coverage)
    async with asyncio.timeout(within), aclosing(source.follow(watched.coverage)) as flow:
        async for item in flow:
            if isinstance(item, Page):
                watched.raw += [found.raw for found in item.found]
                watched.coverage = keep(watched.coverage, item)
            else:
                watched.statuses.append(item)
                if until(watched):
                    break
    return watched
