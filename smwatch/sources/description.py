"""What a log group keeps: DescribeLogGroups."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import timedelta
from typing import Any

from smwatch.sources.api_call import ApiCall
from smwatch.sources.errors import CallError, Remedy
from smwatch.sources.failures import told_apart
from smwatch.sources.refusals import infrequent_access
from smwatch.sources.session import AwsSession
from smwatch.sources.signing import Signing
from smwatch.sources.source import State

API = "DescribeLogGroups"
EVERY, SOON = 3600.0, 60.0
"""Seconds after which the group is described again, and where that failed for a reason that may pass."""
TRIES = 3
"""So often it has to fail before the group is read without: what it no longer keeps would count as read."""


class Description:
    """What is known of a log group that is read: its retention, learnt now and then; it may well not be allowed."""

    def __init__(
        self,
        session: AwsSession,
        region: str,
        name: str,
        arn: str,
        signing: Signing,
        monotonic: Callable[[], float],
    ) -> None:
        """`arn` is given of a group that another account shares with this one."""
        self.retention: timedelta | None = None
        """How long the group keeps events; None for ever, or where that is not known."""
        self._session = session
        self._region = region
        self._name = name
        self._arn = arn
        self._signing = signing
        self._monotonic = monotonic
        self._known = False
        self._failures = 0
        """How often in a row it could not be asked for."""
        self._asked_by = session.generation
        """The generation of the credentials that could ask for it, or could not."""
        self._kept_from_us = ""
        """Why it is not known."""
        self._due_at = -math.inf

    @property
    def remark(self) -> str:
        """What is to be said of what is not known; "" while all is, or nothing was asked for."""
        if self._known or not self._kept_from_us:
            return ""
        return f"what the log group no longer keeps counts as read, as its retention is not known: {self._kept_from_us}"

    async def keep_up(self) -> None:
        """Ask for it where that is due; CallError where the group can't be read without.

        Where it fails, what was learnt before holds.
        """
        clock, generation = self._monotonic(), self._session.generation
        if clock < self._due_at and generation == self._asked_by:
            return
        self._signing.begin()
        request: dict[str, Any] = {"logGroupNamePrefix": self._name}
        if self._arn:  # of an account that shares it with this one
            request |= {"accountIdentifiers": [self._arn.split(":")[4]], "includeLinkedAccounts": True}
        try:
            with told_apart(self._call()):
                client = await self._session.client("logs", self._region)
                answer: Mapping[str, Any] = await client.describe_log_groups(**request)
                group: Mapping[str, Any] = next((item for item in answer["logGroups"] if self._is(item)), {})
                if not self._arn:  # else it is another account's by intent
                    self._session.identity.read(_owner(group), generation)
        except CallError as error:
            self._failures += 1
            passes = error.remedy is not Remedy.WAIT
            first = passes and not self._known and self._failures < TRIES
            if first or error.remedy is Remedy.SIGN_IN or error.state is State.UNREACHABLE:
                raise
            self._kept_from_us, self._asked_by = error.message, generation
            self._due_at = clock + (SOON if passes else EVERY)
            return
        if group.get("logGroupClass") == "INFREQUENT_ACCESS":
            raise infrequent_access(self._call())
        days = group.get("retentionInDays")
        self.retention = timedelta(days=days) if isinstance(days, int) else None
        self._known, self._failures, self._asked_by = True, 0, generation
        self._due_at = clock + EVERY

    def _is(self, item: Mapping[str, Any]) -> bool:
        arn = item.get("arn", "").removesuffix(":*")
        return bool(item["logGroupName"] == self._name and (not self._arn or arn == self._arn))

    def _call(self) -> ApiCall:
        return self._session.call("logs", API, self._region, group=self._name)


def _owner(group: Mapping[str, Any]) -> tuple[str, ...]:
    """The account in a description's ARN, if it has one."""
    parts = str(group.get("arn", "")).split(":")
    return (parts[4],) if len(parts) > 4 and parts[4] else ()
