"""Which account the credentials of a session belong to: all that is read, and how far, is noted as that account's."""

from __future__ import annotations

import asyncio
import contextlib
import hashlib
from collections.abc import Collection
from typing import TYPE_CHECKING, Protocol

from smwatch.sources import failures
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.source import State

if TYPE_CHECKING:
    from smwatch.sources.session import AwsSession, Service

LIMIT = 4.0
"""How long the account number may take to find out, in seconds, at the start: it is wanted before the screen opens."""
ANSWER = 30.0
"""Seconds that STS may take to answer, where nobody waits for it but a client with new credentials."""
ASK_AGAIN = 30.0
"""Seconds until an account that STS could not tell is asked for again."""


class Accounts(Protocol):
    """Remembers over restarts which account something stands in for: what was covered is that account's."""

    def account_of(self, stand_in: str) -> str | None:
        """The account's number, if it was ever known."""

    def know_account(self, stand_in: str, account: str) -> None:
        """Note the account's number."""


class Identity:
    """Asks once whose the credentials are, and refuses renewed ones that are somebody else's.

    Where STS does not tell the account in time, a stand-in for its number is used in this run, and STS is asked again:
    the account must be known before other credentials take the place of these.
    """

    def __init__(self, session: AwsSession, accounts: Accounts | None) -> None:
        self._session = session
        self._accounts = accounts
        self._name = ""
        """What the account is called in this run: its number, or what stands in for that."""
        self.number = ""
        """12 digits; "" while they are not known."""
        self._asking: asyncio.Task[None] | None = None
        self._looked_at = 0
        """The generation of the credentials that have been looked at, be they this account's or another's."""
        self._other = ""
        """The account whose credentials they are now, if it is not the one that is watched."""
        self._told_for = -1
        """The generation of the credentials whose account is known, from what they read or from STS."""
        self._read: tuple[str, int] | None = None
        """The account that all that was read belongs to, and the generation of the credentials that read it last."""
        self._good = -1
        """The generation of the credentials that last had an answer."""
        self._several = False
        """Whether what is read says nothing about the account, as it is of several."""

    async def account(self, region: str, service: Service) -> str:
        """The account that is watched, as 12 digits; what else tells accounts apart if AWS does not say."""
        if not self._name:
            self.number = self._by_profile(await self._session.credentials()) or ""
            if self.number:
                self._told_for = self._session.generation
            self._name = self.number or await self._asked(region, service)
        return self._name

    async def check(self, region: str, service: Service) -> None:
        """Raise CallError if renewed credentials are another account's: what it holds is not what is watched.

        A tool that switches accounts writes the keys of the next one under the same profile.
        """
        generation = self._session.generation
        if self._looked_at != generation and self.number:
            told = self._by_profile(await self._session.credentials())
            if not told:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(ANSWER):
                        told = await self._told(region, service)
            self._looked_at, self._other = generation, told if told and told != self.number else ""
            if told:
                self._told_for = generation
        if self._other:
            raise self._refusal(self._other, self.number)

    def read(self, accounts: Collection[str], generation: int) -> None:
        """Learn whose credentials these are from what they could read; CallError if that is another account's.

        `accounts` are those that a page of an event history, or the description of a log group, says that it is of.
        AWS answers with what is the caller's own; stand-ins of it may not. So nothing is concluded from credentials of
        one generation that read of several accounts, nor from those of which AWS itself has said whose they are.
        """
        self._good = generation
        if not accounts or self._several or generation != self._session.generation:
            return
        account, *others = accounts
        before, read_by = self._read or (account, generation)
        if others or (account != before and generation in (read_by, self._told_for)):
            self._several = True
        elif account != before:
            raise self._refusal(account, before)
        else:
            self._read = account, generation

    def remark(self, service: Service) -> str:
        """That nobody tells whose the renewed credentials are, as a sentence; "" where it is told."""
        generation = self._session.generation
        if not generation or generation != self._good or generation == self._told_for or not self._askable(service):
            return ""
        if self._read is not None and self._read[1] == generation:
            return ""
        return "AWS does not tell whose the renewed credentials are: another account's would not be noticed"

    def _refusal(self, other: str, watched: str) -> CallError:
        profile = self._session.profile
        whose = f"profile {profile} has credentials" if profile else "these are credentials"
        message = (
            f"{whose} of {other}, not of {watched}, which is watched: sign in to that one again,"
            " or start smwatch anew to watch the other"
        )
        return CallError(State.SIGN_IN, message, Remedy.SIGN_IN)

    async def close(self) -> None:
        """Ask no more."""
        if self._asking is not None:
            self._asking.cancel()
            await asyncio.wait((self._asking,))

    async def _asked(self, region: str, service: Service) -> str:
        stand_in = await self._stand_in()
        tried = asyncio.Event()
        self._asking = asyncio.create_task(self._ask_on(region, service, tried))
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(LIMIT):
                await tried.wait()
        if self._accounts is not None:
            if self.number:
                await asyncio.to_thread(self._accounts.know_account, stand_in, self.number)
            else:
                known = await asyncio.to_thread(self._accounts.account_of, stand_in)
                self.number = self.number or known or ""
        return self.number or stand_in

    async def _ask_on(self, region: str, service: Service, tried: asyncio.Event) -> None:
        """Until it is known; of credentials that have been replaced nobody can be asked any more."""
        generation = self._session.generation
        while self._session.generation == generation:
            told = await self._told(region, service)
            if told and self._session.generation == generation:
                self.number, self._told_for = self.number or told, generation
            tried.set()
            if self.number or not self._askable(service):
                return
            await asyncio.sleep(ASK_AGAIN)

    async def _told(self, region: str, service: Service) -> str | None:
        """The account as the credentials tell it, or STS."""
        with contextlib.suppress(*failures.expected()):
            if account := (await self._session.keys()).account_id:
                return str(account)
            if self._askable(service):
                async with self._session.sts(region, ANSWER) as sts:
                    return str((await sts.get_caller_identity())["Account"])
        return None

    def _askable(self, service: Service) -> bool:
        """Not with credentials that are not AWS's: they are kept to the endpoint that they are meant for."""
        return self._session.overridden("sts") or not self._session.overridden(service)

    def _by_profile(self, credentials: object) -> str | None:
        """The account as the profile itself tells it, signed in or not."""
        scoped = self._session.profile_settings()
        match getattr(credentials, "method", None):
            case "sso":
                return scoped.get("sso_account_id")
            case "assume-role" | "assume-role-with-web-identity":
                parts = str(scoped.get("role_arn", "")).split(":")
                return parts[4] if len(parts) > 4 else None
            case _:
                return None

    async def _stand_in(self) -> str:
        """What tells this account from others, where its number can't be had: never share coverage by mistake."""
        key = ""
        with contextlib.suppress(*failures.expected()):
            key = (await self._session.keys()).access_key or ""
        digest = hashlib.sha256(f"{self._session.profile or ''} {key}".encode()).hexdigest()
        return f"unknown-{digest[:8]}"
