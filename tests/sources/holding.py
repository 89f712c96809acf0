"""What holds the records of an account, the event history or a log group, for tests of what both have in common."""

from __future__ import annotations

from abc import ABC, abstractmethod
from datetime import UTC, datetime, timedelta
from typing import Any

from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.tail import Tail
from tests.emulators.log_group import GROUP, LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.sources.hurry import Hurry


class Holding(ABC):
    """A stand-in for a service, and the source that reads it."""

    hurry: Hurry

    def now(self) -> datetime:
        """The service's time."""
        return datetime.now(UTC)

    @abstractmethod
    def add(self, record: dict[str, Any]) -> None:
        """One more record, which can be found at once."""

    @property
    @abstractmethod
    def keys(self) -> list[str]:
        """The access keys that were used, each once, in their order."""

    @abstractmethod
    def refuse_once(self, code: str) -> None:
        """Answer the next call with this error."""

    @abstractmethod
    def know(self, *keys: str) -> None:
        """Take no other access keys than these."""

    @abstractmethod
    async def source(self, session: AwsSession, *, back: timedelta = timedelta(hours=1)) -> Tail:
        """What reads it from so long ago on, in a hurry."""


class HistoryHolding(Holding):
    """CloudTrail's event history."""

    def __init__(self, service: LookupEvents, hurry: Hurry) -> None:
        self._service, self.hurry = service, hurry

    def add(self, record: dict[str, Any]) -> None:
        self._service.region().add([record])

    @property
    def keys(self) -> list[str]:
        return list(dict.fromkeys(call["key"] for call in self._service.calls))

    def refuse_once(self, code: str) -> None:
        self._service.faults.append({"error": code})

    def know(self, *keys: str) -> None:
        self._service.known_keys = set(keys)

    async def source(self, session: AwsSession, *, back: timedelta = timedelta(hours=1)) -> Tail:
        return await cloudtrail_source(session, None, self.now() - back, **self.hurry.options())


class GroupHolding(Holding):
    """A trail's log group, whose time is `hurry`'s."""

    def __init__(self, service: LogGroupService, hurry: Hurry) -> None:
        self._service, self.hurry = service, hurry

    def now(self) -> datetime:
        return self.hurry.now()

    def add(self, record: dict[str, Any]) -> None:
        self._service.put(record, datetime.fromisoformat(record["eventTime"]))

    @property
    def keys(self) -> list[str]:
        return list(dict.fromkeys(self._service.keys))

    def refuse_once(self, code: str) -> None:
        self._service.refusals.append(("FilterLogEvents", code, ""))

    def know(self, *keys: str) -> None:
        self._service.known_keys = set(keys)

    async def source(self, session: AwsSession, *, back: timedelta = timedelta(hours=1)) -> Tail:
        return await logs_source(session, None, GROUP, self.now() - back, **self.hurry.options())
