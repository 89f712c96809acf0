"""What a consumer of a source does, and what stands in for a service, for tests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import msgspec

from smwatch.sources.coverage import Coverage
from smwatch.sources.reader import Row
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Page, Source, Status


@asynccontextmanager
async def opened(*given: Any, **more: Any) -> AsyncIterator[AwsSession]:
    """A session as `AwsSession.open` makes it, closed also where a test fails: a later one would be told of it."""
    session = await AwsSession.open(*given, **more)
    try:
        yield session
    finally:
        await session.close()


async def read(source: Source, coverage: Coverage | None = None) -> tuple[list[dict[str, Any]], Status, Coverage]:
    """Everything that one reading hands over, its last status, and the coverage after it."""
    coverage = coverage or Coverage()
    found: list[dict[str, Any]] = []
    last = None
    async for item in source.read_once(coverage):
        if isinstance(item, Page):
            found += [json.loads(one.raw) for one in item.found]
            coverage = keep(coverage, item)
        else:
            last = item
    assert last is not None
    return found, last, coverage


def keep(coverage: Coverage, page: Page) -> Coverage:
    """The coverage after this page was committed."""
    coverage = coverage.without_gaps(page.untrue)
    for gap in page.gaps:
        coverage = coverage.with_gap(gap)
    if page.noted is not None:
        noted = {name: value for name, value in msgspec.structs.asdict(page.noted).items() if value is not None}
        coverage = msgspec.structs.replace(coverage, **noted)
    return coverage.with_settled(page.settled) if page.settled else coverage


class SignedIn:
    """What a reader has besides its pages where credentials never change and rows say when they happened."""

    remark = ""

    def happened_at(self, row: Row) -> datetime | None:
        return row.at

    def renew(self, *, force: bool) -> bool:
        return False

    async def close(self) -> None:
        pass
