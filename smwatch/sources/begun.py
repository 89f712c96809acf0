"""A source of which the beginning is looked at before all of it is followed."""

from __future__ import annotations

from collections.abc import AsyncIterator

from smwatch.sources.coverage import Coverage
from smwatch.sources.source import Page, Source, Status


class Begun:
    """A recording that is read up to its first page, then followed from its beginning; nothing is read twice.

    So a screen shows the first page before there are rules, which may select more of its records: the journal knows
    those that come a second time.
    """

    def __init__(self, source: Source) -> None:
        self.name, self.label, self.seen_by = source.name, source.label, source.seen_by
        self._source = source
        self._said: list[Page | Status] = []
        self._items: AsyncIterator[Page | Status] | None = None

    async def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """Yield what comes up to the first page, and that, or all there is."""
        self._items = self._source.follow(coverage)
        async for item in self._items:
            self._said.append(item)
            yield item
            if isinstance(item, Page):
                return

    async def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """Yield everything from the beginning on, and read nothing twice for that."""
        said, self._said = self._said, []
        items, self._items = self._items or self._source.follow(coverage), None
        for item in said:
            yield item
        async for item in items:
            yield item

    async def close(self) -> None:
        """Let go of what the source itself holds, except its place in the recording."""
        await self._source.close()
