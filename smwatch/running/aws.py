"""AWS, as the settings ask for it: the sources of one session, opened together."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from smwatch.journal import Journal, JournalError
from smwatch.settings import CloudTrailSettings, LogsSettings, Settings, period
from smwatch.sources.errors import ConfigurationError, ProfileError
from smwatch.sources.source import Source

if TYPE_CHECKING:
    from smwatch.sources.nature import Schedule
    from smwatch.sources.session import AwsSession
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

        With `once`, they are for a reading that ends. The journal knows accounts where AWS does not tell them.
        `asked` says with which filter pattern a log group is asked; without, it is for Secrets Manager's events alone.
        """
        if not settings.cloudtrail.enabled and not settings.logs.group:
            what = "nothing to watch: let CloudTrail be asked, or give --log-group (logs.group) as well"
            raise settings.wrong("cloudtrail.enabled", what)
        self._settings = settings
        self._since = since
        self._accounts = _Accounts(journal) if journal is not None else None
        self._screen = screen
        self._once = once
        self._asked = asked
        self._now = now
        self._opened: Sequence[Source] = ()

    async def __aenter__(self) -> Sequence[Source]:
        from smwatch.sources.log_group import LogGroup
        from smwatch.sources.metadata import SecretMetadata
        from smwatch.sources.pace import Paces
        from smwatch.sources.session import AwsSession

        if group := self._settings.logs.group:
            with self._blamed_on("logs.group"):
                LogGroup.parse(group)  # what can't be one needs no credentials to be told
        with self._blamed_on("profile", ProfileError):
            self._session = await AwsSession.open(self._settings.profile, accounts=self._accounts)
        self._paces = Paces()
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
        """Have the sources read from an earlier moment on as well; whether all of it could be read."""
        from smwatch.sources.tail import Tail

        return all(await asyncio.gather(*(each.reach(since) for each in self._opened if isinstance(each, Tail))))

    async def _sources(self) -> Sequence[Source]:
        from smwatch.sources.cloudtrail import cloudtrail_source
        from smwatch.sources.live_tail import live_tail_source
        from smwatch.sources.logs import PATTERN, logs_source
        from smwatch.sources.trail import TrailWatch

        settings, since, session, paces = self._settings, self._since, self._session, self._paces
        with self._blamed_on("regions"):
            regions = tuple(dict.fromkeys(map(session.region, settings.regions or (None,))))
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
            with self._blamed_on("logs.group"):
                home = _region_of(group, regions, session)
            upstream = TrailWatch(session, home, group, histories=histories)
            truth = await logs_source(
                session,
                home,
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
                sources.append(await live_tail_source(session, home, group, truth=truth, on=on))
        return sources

    @contextmanager
    def _blamed_on(self, key: str, kind: type[ConfigurationError] = ConfigurationError) -> Iterator[None]:
        """Say of a setting that can't work where it was written, unless it comes from AWS's own places."""
        try:
            yield
        except kind as error:
            table, _, name = key.rpartition(".")
            written = getattr(getattr(self._settings, table) if table else self._settings, name)
            raise ConfigurationError(f"{self._settings.place(key)}: {error}" if written else str(error)) from error


def _region_of(group: str, regions: Sequence[str], session: AwsSession) -> str:
    """The Region of a log group by name or ARN; ConfigurationError where the name alone could mean several."""
    from smwatch.sources.log_group import LogGroup

    named = LogGroup.parse(group)
    if named.region:
        return session.region(named.region)
    if len(regions) > 1:
        arn = f"arn:{session.partition(regions[0])}:logs:REGION:ACCOUNT:log-group:{group}"
        raise ConfigurationError(f"in which of {', '.join(regions)} is the log group {group}? Write its ARN: {arn}")
    return regions[0]


def _schedule(table: CloudTrailSettings | LogsSettings) -> Schedule:
    from smwatch.sources.nature import Schedule

    names = ("sweep_every", "sweep_lag", "settle_every", "settle_lag", "audit_every")
    return Schedule(*(period(getattr(table, name)) for name in names))
