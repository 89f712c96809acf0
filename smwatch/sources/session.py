"""Credentials, Regions and clients: the one way to AWS for everything that watches."""

from __future__ import annotations

import asyncio
import contextlib
import difflib
import logging
import os
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, overload

from smwatch import __version__
from smwatch.sources import failures
from smwatch.sources.api_call import ApiCall
from smwatch.sources.configured import botocore_errors, configuration_sentence, fatal, new_session, regions_of
from smwatch.sources.credentials import credential_files
from smwatch.sources.crt import import_botocore
from smwatch.sources.encoded import unpack
from smwatch.sources.endpoint import AWS_OWN, Endpoint, endpoint_of
from smwatch.sources.errors import CallError, ConfigurationError, ProfileError, Remedy
from smwatch.sources.identity import Accounts, Identity
from smwatch.sources.source import State
from smwatch.sources.unconfigured import NO_REGION, no_credentials

if TYPE_CHECKING:
    from aiobotocore.session import AioSession
    from botocore.credentials import ReadOnlyCredentials
    from types_aiobotocore_cloudtrail.client import CloudTrailClient
    from types_aiobotocore_logs.client import CloudWatchLogsClient
    from types_aiobotocore_secretsmanager.client import SecretsManagerClient

Service = Literal["cloudtrail", "logs", "secretsmanager"]

CONNECT_TIMEOUT = 5
READ_TIMEOUTS: Mapping[str, float] = {"cloudtrail": 60, "logs": 30, "live_tail": 15, "secretsmanager": 10}
"""Seconds without a byte. LookupEvents has been seen to take 35 s in us-east-1; Live Tail speaks every second."""


class AwsSession:
    """The credentials of one profile and the clients made with them, shared by all sources that use the profile.

    Nothing is retried and nobody is asked here: a call fails once, at once, and says so.
    """

    def __init__(
        self,
        profile: str | None,
        session: AioSession,
        *,
        regions: Sequence[str],
        environ: Mapping[str, str],
        read_timeouts: Mapping[str, float],
        accounts: Accounts | None,
    ) -> None:
        self.profile = profile
        self.generation = 0
        """Grows with every renewal of the credentials."""
        self.answers = 0
        """How many calls have been answered: the credentials were good for those."""
        self._environ = environ
        self._read_timeouts = read_timeouts
        self._regions = regions
        self._region = ""
        self._session = session
        self._clients: dict[tuple[str, str], Any] = {}
        self._making: dict[tuple[str, str], asyncio.Lock] = {}
        self._open = contextlib.AsyncExitStack()
        self._retired: list[contextlib.AsyncExitStack] = []
        self._closed = False
        self._fingerprint = credential_files(self._environ)
        self.identity = Identity(self, accounts)
        self._method = ""

    @classmethod
    async def open(
        cls,
        profile: str | None = None,
        *,
        environ: Mapping[str, str] = os.environ,
        read_timeouts: Mapping[str, float] = READ_TIMEOUTS,
        accounts: Accounts | None = None,
    ) -> AwsSession:
        """The session of this profile (default: AWS_PROFILE, else "default"); ConfigurationError if it can't be.

        With `accounts`, an account whose number was known before is known by it, though AWS may not tell it now.
        """
        await asyncio.to_thread(import_botocore)
        from botocore.exceptions import ProfileNotFound

        for library in ("aiobotocore", "aiohttp"):  # what they have to say is told as a status, not over the screen
            logging.getLogger(library).addHandler(logging.NullHandler())
        try:
            session = new_session(profile)
            regions = regions_of(session)
            return cls(
                profile, session, regions=regions, environ=environ, read_timeouts=read_timeouts, accounts=accounts
            )
        except ProfileNotFound as error:
            raise ProfileError(configuration_sentence(error, profile)) from error
        except botocore_errors() as error:
            raise ConfigurationError(configuration_sentence(error, profile)) from error

    # -- what is set up ----------------------------------------------------------------------------------------------

    def region(self, name: str | None = None) -> str:
        """The Region to watch: the one given, else the profile's; ConfigurationError for none or an unknown one."""
        # botocore itself reads AWS_DEFAULT_REGION alone
        region = name or self._environ.get("AWS_REGION") or self._session.get_config_variable("region")
        if not region:
            raise ConfigurationError(NO_REGION)
        if region not in self._regions:
            like = difflib.get_close_matches(str(region), self._regions, n=1)
            hint = f"did you mean {like[0]}?" if like else "see `aws ec2 describe-regions`"
            raise ConfigurationError(f"there is no Region {region!r}: {hint}")
        if not self._region:
            self._region = region
            self._session.set_config_variable("region", region)  # for the calls that get credentials
        return region

    async def check_credentials(self) -> None:
        """Raise ConfigurationError if there are no credentials at all; expired ones are a source's trouble."""
        try:
            credentials = await self._session.get_credentials()
        except failures.expected() as error:
            if fatal(error):
                raise ConfigurationError(configuration_sentence(error, self.profile)) from error
            return
        if credentials is None:
            raise ConfigurationError(no_credentials(self.profile))

    def check_endpoints(self, service: Service) -> None:
        """Raise ConfigurationError if what is set as the address of this service, or of STS, is none."""
        for endpoint in (self.endpoint(service), self.endpoint("sts")):
            if not endpoint.possible:
                raise ConfigurationError(f"{endpoint.setting}: {endpoint.url!r} is no URL: write http://HOST:PORT")

    async def account(self, region: str, service: Service) -> str:
        """The account that is watched, as 12 digits; what else tells accounts apart if AWS never said."""
        return await self.identity.account(region, service)

    @property
    def method(self) -> str:
        """Where the credentials come from, in botocore's word: env, sso, assume-role, …; "" if not known yet."""
        credentials = getattr(self._session, "_credentials", None)
        # Renewed ones have not been looked for yet: what was said of those before is said of them.
        self._method = str(getattr(credentials, "method", "") or self._method)
        return self._method

    def call(self, service: str, operation: str, region: str, *, group: str = "", token: bool = False) -> ApiCall:
        """What is about to be asked with these credentials, for the sentence about its failure."""
        profiles = self._session.full_config.get("profiles", {})
        profile = source = str(self._session.get_config_variable("profile") or "default")
        passed = {source}
        while (further := profiles.get(source, {}).get("source_profile", source)) not in passed:
            passed.add(source := further)
        return ApiCall(
            service,
            operation,
            region,
            "" if profile == "default" else profile,
            "" if source == "default" else source,
            self.method,
            group,
            token,
            self.endpoint(service),
            self.endpoint("sts"),
            self.endpoint("sso"),
        )

    # -- clients -----------------------------------------------------------------------------------------------------

    @overload
    async def client(self, service: Literal["cloudtrail"], region: str, kind: str = ...) -> CloudTrailClient: ...
    @overload
    async def client(self, service: Literal["logs"], region: str, kind: str = ...) -> CloudWatchLogsClient: ...
    @overload
    async def client(
        self, service: Literal["secretsmanager"], region: str, kind: str = ...
    ) -> SecretsManagerClient: ...
    async def client(
        self, service: Service, region: str, kind: str = ""
    ) -> CloudTrailClient | CloudWatchLogsClient | SecretsManagerClient:
        """The client for this service and Region, made once per renewal; `kind` live_tail makes one of its own."""
        key = (kind or service, region)
        async with self._making.setdefault(key, asyncio.Lock()):
            while key not in self._clients:
                generation = self.generation
                await self.identity.check(region, service)
                opened = self._open
                client = await self._make(service, region, self._read_timeouts[kind or service], opened)
                if self.generation == generation:  # else it has what was there before
                    self._clients[key] = client
                elif opened is not self._open and opened not in self._retired:
                    await opened.aclose()  # those before it were closed meanwhile, and nobody closes it any more
            return self._clients[key]  # type: ignore[no-any-return]  # by service, as the overloads say

    def renew(self, *, force: bool = False) -> bool:
        """Read the credentials anew if a file that may hold them has changed, or by force; whether that was done."""
        files = credential_files(self._environ)
        if files == self._fingerprint and not force:
            return False
        try:
            session = new_session(self.profile)
            # the models of the services are large, and the same
            session.register_component("data_loader", self._session.get_component("data_loader"))
        except botocore_errors():
            return False  # half-written files: the next look will find them whole
        if self._region:
            session.set_config_variable("region", self._region)
        self._fingerprint = files
        self._session = session
        self._clients = {}
        self._retired.append(self._open)  # its clients may be in the middle of a call
        self._open = contextlib.AsyncExitStack()
        self.generation += 1
        return True

    async def close(self) -> None:
        """Close all clients; safe to call twice."""
        self._closed = True
        await self.identity.close()
        self._clients = {}
        async with contextlib.AsyncExitStack() as closing:  # whatever one of them raises, the others are closed too
            for stack in (*self._retired, self._open):
                closing.push_async_callback(stack.aclose)
            self._retired.clear()

    async def _make(self, service: str, region: str, read_timeout: float, opened: contextlib.AsyncExitStack) -> Any:
        from aiobotocore.config import AioConfig

        options: dict[str, Any] = {}
        if self.overridden(service):
            options["inject_host_prefix"] = False  # AWS itself needs the prefix; a custom endpoint has no such host
        config = AioConfig(
            retries={"mode": "standard", "total_max_attempts": 1},
            connect_timeout=CONNECT_TIMEOUT,
            read_timeout=read_timeout,
            max_pool_connections=10,
            user_agent_extra=f"smwatch/{__version__}",
            **options,
        )
        while len(self._retired) > 1:
            await self._retired.pop(0).aclose()
        create: Any = self._session.create_client
        client: Any = await opened.enter_async_context(create(service, region_name=region, config=config))
        if self._closed:  # while it was being made
            await opened.aclose()
            raise CallError(State.UNREACHABLE, "smwatch is ending", Remedy.WAIT)
        client.meta.events.register("before-parse", unpack)
        return client

    # -- finding out -------------------------------------------------------------------------------------------------

    async def keys(self) -> ReadOnlyCredentials:
        """The keys as of now; whatever goes wrong with them is raised as botocore raises it."""
        from botocore.exceptions import NoCredentialsError

        credentials: Any = await self._session.get_credentials()
        if credentials is None:
            raise NoCredentialsError
        keys: ReadOnlyCredentials = await credentials.get_frozen_credentials()
        return keys

    async def credentials(self) -> object:
        """As botocore has them, where they can be had."""
        try:
            return await self._session.get_credentials()
        except failures.expected():
            return None

    @contextlib.asynccontextmanager
    async def sts(self, region: str, read_timeout: float) -> AsyncIterator[Any]:
        """A client for STS, closed after the block: it is mostly asked once, and certificates take a megabyte."""
        async with contextlib.AsyncExitStack() as opened:
            yield await self._make("sts", region, read_timeout, opened)

    def profile_settings(self) -> Mapping[str, Any]:
        """What stands in the config files under this profile."""
        settings: Mapping[str, Any] = self._session.get_scoped_config()
        return settings

    def partition(self, region: str) -> str:
        """The partition that a Region belongs to, as ARNs name it: aws, aws-cn, aws-us-gov, …"""
        return str(self._session.get_partition_for_region(region))

    def overridden(self, service: str) -> bool:
        """Whether this service is reached at an endpoint that the user has set."""
        return self.endpoint(service) != AWS_OWN

    def endpoint(self, service: str) -> Endpoint:
        """Where this service is reached."""
        return endpoint_of(service, self._environ, self.profile_settings(), self._session.full_config)
