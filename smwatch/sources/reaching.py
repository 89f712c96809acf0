"""Who waits for an earlier moment to be reached, and how that went."""

from __future__ import annotations

import asyncio
from datetime import datetime
from typing import NamedTuple

from smwatch.sources.following import Following


class _Waiting(NamedTuple):
    since: datetime
    until: datetime
    whole: asyncio.Future[bool]


class Reaching:
    """Those who want a period to be read that began before what is followed."""

    def __init__(self) -> None:
        self.since: datetime | None = None
        """The earliest moment that anybody wanted; None while nobody did."""
        self._waiting: list[_Waiting] = []

    async def wait(self, since: datetime, until: datetime) -> bool:
        """Wait until all between these moments is read, or can't be for long; whether all of it could be."""
        self.since = min(since, self.since or since)
        waiting = _Waiting(since, until, asyncio.get_running_loop().create_future())
        self._waiting.append(waiting)
        try:
            return await waiting.whole
        finally:
            self._waiting.remove(waiting)

    def answer(self, agenda: Following, *, stuck: bool) -> None:
        """Tell those whose period has been read; all of them where trouble lasts, `stuck`."""
        for each in self._waiting:
            if not each.whole.done() and (stuck or not agenda.unread(each.since, each.until)):
                gaps = any(each.since < gap.span.end and gap.span.start < each.until for gap in agenda.coverage.gaps)
                each.whole.set_result(not stuck and not gaps)
