"""What holds the records of an account, and the ways to follow it, for tests of what they have in common."""

from __future__ import annotations

import asyncio
from abc import ABC, abstractmethod
from collections.abc import AsyncGenerator
from datetime import UTC, datetime, timedelta
from typing import Any

from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.coverage import Coverage
from smwatch.sources.live_tail import LiveTail, live_tail_source
from smwatch.sources.logs import logs_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import Page, State, Status
from smwatch.sources.tail import Tail
from tests.emulators.log_group import GROUP, LogGroupService
from tests.emulators.lookup_events import LookupEvents
from tests.sources.hurry import Followed, Hurry


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

    @property
    def places(self) -> set[str]:
        """Where those keys came from."""
        return {key.rstrip("0123456789") for key in self.keys}

    @abstractmethod
    def expire(self, key: str) -> None:
        """Take this access key no more."""

    @abstractmethod
    def know(self, *keys: str) -> None:
        """Take no other access keys than these."""

    def hang_up(self) -> None:  # noqa: B027 - calls end by themselves
        """End what is open for longer than a call: another one wants credentials."""

    @abstractmethod
    async def source(self, session: AwsSession, *, back: timedelta = timedelta(hours=1)) -> Followed:
        """What reads it from so long ago on, in a hurry."""


class HistoryHolding(Holding):
    """CloudTrail's event history."""

    def __init__(self, service: LookupEvents, hurry: Hurry) -> None:
        self._service, self.hurry = service, hurry

    def add(self, record: dict[str, Any]) -> None:
        self._service.region().add([record])

    @property
    def keys(self) -> list[str]:
        return list(dict.fromkeys(call["key"] for call in self._service.calls if "key" in call))  # else it was refused

    def expire(self, key: str) -> None:
        self._service.expired_keys.add(key)

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

    def expire(self, key: str) -> None:
        self._service.expired_keys.add(key)

    def know(self, *keys: str) -> None:
        self._service.known_keys = set(keys)

    async def source(self, session: AwsSession, *, back: timedelta = timedelta(hours=1)) -> Followed:
        return await self._truth(session, back)

    async def _truth(self, session: AwsSession, back: timedelta) -> Tail:
        return await logs_source(session, None, GROUP, self.now() - back, **self.hurry.options())


class LiveTailHolding(GroupHolding):
    """The same group, followed by Live Tail as well."""

    def hang_up(self) -> None:
        self._service.end_sessions()

    async def source(self, session: AwsSession, *, back: timedelta = timedelta(hours=1)) -> Followed:
        truth = await self._truth(session, back)
        live = await live_tail_source(session, None, GROUP, truth=truth, local=self.hurry.local)
        return _Beside(live, truth)


class _Beside:
    """What Live Tail says, and what the log group brings: all is well once it is so with both."""

    def __init__(self, live: LiveTail, truth: Tail) -> None:
        self._live, self._truth = live, truth

    async def follow(self, coverage: Coverage) -> AsyncGenerator[Page | Status, None]:
        flows = {source: source.follow(coverage) for source in (self._live, self._truth)}
        due = {asyncio.create_task(anext(flow)): source for source, flow in flows.items()}
        said: dict[LiveTail | Tail, Status] = {}
        try:
            while True:
                await asyncio.wait(due, return_when=asyncio.FIRST_COMPLETED)
                for task in [task for task in due if task.done()]:
                    source, item = due.pop(task), task.result()
                    if isinstance(item, Status):
                        said[source] = item
                        if self._truth in said and not self._half_well(said):
                            yield said[self._live]
                    elif source is self._truth:
                        yield item
                    due[asyncio.create_task(anext(flows[source]))] = source
        finally:
            for task in due:
                task.cancel()
            await asyncio.wait(due)
            for flow in flows.values():
                await flow.aclose()

    def _half_well(self, said: dict[LiveTail | Tail, Status]) -> bool:
        live, truth = said.get(self._live), said[self._truth]
        return live is None or (live.state is State.OK and truth.state is not State.OK)
