"""AWS, as the settings ask for it: the sources of one session, opened together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smwatch.journal import Journal, JournalError
from smwatch.settings import CloudTrailSettings, LogsSettings, Settings, SettingsError, period
from smwatch.sources.source import Source

if TYPE_CHECKING:
    from smwatch.sources.agenda import Schedule
    from smwatch.sources.tail import Tail


class _Accounts:
    """What the journal knows of accounts; one that can't be used knows nothing."""

    def __init__(self, journal: Journal) -> None:
        self._journal = journal

    def account_of(self, stand_in: str) -> str | None:
        with suppress(JournalError):
            return self._journal.account_of(stand_in)
        return None

    def know_account(self, stand_in: str, account: str) -> None:
        with suppress(JournalError):
            self._journal.know_account(stand_in, account)


class AwsSources:
    """The sources that the settings ask for: CloudTrail in every Region, and the log group if there is one.

    They share one session and one budget of calls. `async with` opens them, or raises ConfigurationError.
    """

    def __init__(
        self,
        settings: Settings,
        since: datetime,
        *,
        journal: Journal | None = None,
        screen: bool = False,
        once: bool = False,
        asked: Callable[[], str] | None = None,
        now: Callable[[], datetime] = lambda: datetime.now(UTC),
    ) -> None:
        """With `screen`, Live Tail can be switched on though the settings don't ask for it, and the latest comes first.

        With `once`, they are there for a reading that ends. The journal knows accounts that AWS doesn't tell this time.
        `asked` says with which filter pattern a log group is asked; without, it is for Secrets Manager's events alone.
        """
        if not settings.cloudtrail.enabled and not settings.logs.group:
            raise SettingsError("nothing to watch: give --log-group, or leave out --no-cloudtrail")
        self._settings = settings
        self._since = since
        self._accounts = _Accounts(journal) if journal is not None else None
        self._screen = screen
        self._once = once
        self._asked = asked
        self._now = now
        self._opened: Sequence[Source] = ()

    async def __aenter__(self) -> Sequence[Source]:
        from smwatch.sources.metadata import SecretMetadata
        from smwatch.sources.pace import Paces
        from smwatch.sources.session import AwsSession

        self._session, self._paces = await AwsSession.open(self._settings.profile, accounts=self._accounts), Paces()
        self.metadata = SecretMetadata(self._session, self._now)
        try:
            self._opened = await self._sources()
            return self._opened
        except BaseException:
            await self._session.close()
            raise

    async def __aexit__(self, *_: object) -> None:
        await self._session.close()

    def poll_now(self) -> None:
        """Have every source ask at once."""
        from smwatch.sources.tail import Tail

        for source in self._opened:
            if isinstance(source, Tail):
                source.poll_now()

    def live_tail(self, on: bool) -> None:
        """Switch Live Tail on or off, where there is a log group."""
        from smwatch.sources.live_tail import LiveTail

        for source in self._opened:
            if isinstance(source, LiveTail):
                source.switch(on)

    async def reach(self, since: datetime) -> bool:
        """Have what is followed read from an earlier moment on as well; whether all up to now could be read."""
        from smwatch.sources.tail import Tail

        return all(await asyncio.gather(*(each.reach(since) for each in self._opened if isinstance(each, Tail))))

    async def _sources(self) -> Sequence[Source]:
        from smwatch.sources.cloudtrail import cloudtrail_source
        from smwatch.sources.live_tail import live_tail_source
        from smwatch.sources.logs import PATTERN, logs_source
        from smwatch.sources.trail import TrailWatch

        settings, since, session, paces = self._settings, self._since, self._session, self._paces
        regions = tuple(dict.fromkeys(settings.regions)) or (None,)
        histories: list[Tail] = []
        if settings.cloudtrail.enabled:
            plan = _schedule(settings.cloudtrail)
            histories += [
                await cloudtrail_source(
                    session, region, since, paces=paces, schedule=plan, rate=settings.cloudtrail.rate
                )
                for region in regions
            ]
        sources: list[Source] = [*histories]
        if group := settings.logs.group:
            plan, rate = _schedule(settings.logs), settings.logs.rate
            upstream = TrailWatch(session, regions[0], group, histories=histories)
            truth = await logs_source(
                session,
                regions[0],
                group,
                since,
                paces=paces,
                pattern=self._asked() if self._asked is not None else PATTERN,
                schedule=plan,
                rate=rate,
                once=self._once,
                latest_first=self._screen,
                upstream=upstream,
            )
            sources.append(truth)
            if settings.logs.live_tail or self._screen:
                on = settings.logs.live_tail
                sources.append(await live_tail_source(session, regions[0], group, truth=truth, on=on))
        return sources


def _schedule(table: CloudTrailSettings | LogsSettings) -> Schedule:
    from smwatch.sources.agenda import Schedule

    names = ("sweep_every", "sweep_lag", "settle_every", "settle_lag", "audit_every")
    return Schedule(*(period(getattr(table, name)) for name in names))
