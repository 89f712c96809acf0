"""How one API of a service is asked for a page."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Protocol

import msgspec

from smwatch.sources.nature import Nature
from smwatch.sources.source import Found


class Row(msgspec.Struct, frozen=True, gc=False):
    """One record of an answer."""

    id: str
    """What tells the same row from another when it is read again."""
    at: datetime | None
    """Its place on the service's time line, at the service's resolution; None if the service didn't say."""
    found: Found
    ingested_at: datetime | None = None
    """When the service had it, where it says so: before, nobody could find it."""


class Answer(msgspec.Struct, frozen=True):
    """One page as a service gave it."""

    rows: tuple[Row, ...]
    token: str | None = None
    """Leads to the next page; None on the last one."""
    date: datetime | None = None
    """The service's time, from the Date header."""


class Upstream(Protocol):
    """What brings records to where they are read."""

    async def watch(self, newest_at: Callable[[], datetime | None]) -> None:
        """Look after it for ever; `newest_at` tells the place on the time line of the newest row that was read."""
        ...

    def trouble(self, newest_at: datetime | None) -> str:
        """Why nothing came since that row, as a sentence; "" where all is well or nothing known."""
        ...


class Reader(Protocol):
    """How one API is asked for a page."""

    api: str
    nature: Nature

    @property
    def remark(self) -> str:
        """What can't be known of what is read, and the way out, as a sentence; "" where all is known."""
        ...

    async def page(self, start: datetime, until: datetime | None, token: str | None) -> Answer:
        """One page of [start, until], both inclusive, to the open end without `until`; raises CallError alone."""
        ...

    def edge(self, at: datetime) -> datetime | None:
        """The earliest moment that can be read at server time `at`."""
        ...

    def happened_at(self, row: Row) -> datetime | None:
        """The eventTime of the record."""
        ...

    def renew(self, *, force: bool) -> bool:
        """Look for other credentials, by force even if no file has changed; whether there may be some."""
        ...

    async def close(self) -> None:
        """Let go of connections."""
        ...
