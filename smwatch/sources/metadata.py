"""What only AWS knows of a secret: asked on demand, never its value."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

import msgspec

from smwatch.events.secret import Secret
from smwatch.sources.errors import CallError
from smwatch.sources.failures import told_apart
from smwatch.sources.session import AwsSession

FRESH = timedelta(seconds=60)
"""How long an answer is shown again instead of asking: each question is a record in the very trail that is watched."""
_ENVELOPE = "ResponseMetadata"


class Metadata(msgspec.Struct, frozen=True):
    """What AWS said of one secret."""

    asked_at: datetime
    said: tuple[tuple[str, Mapping[str, Any] | str], ...]
    """(operation, its response as in the API reference of Secrets Manager); or, as a sentence, why there is none:
    the permission that is missing, or what else to do."""


class SecretMetadata:
    """Asks AWS about secrets, each at most once a minute: DescribeSecret, ListSecretVersionIds, GetResourcePolicy.

    No code here, or elsewhere in smwatch's watching, asks for a value.
    """

    def __init__(self, session: AwsSession, now: Callable[[], datetime]) -> None:
        self._session = session
        self._now = now
        self._known: dict[Secret, Metadata] = {}

    async def ask(self, secret: Secret) -> Metadata:
        """What AWS says of this secret now, or has said within the last minute."""
        known = self._known.get(secret)
        if known is not None and self._now() - known.asked_at < FRESH:
            return known
        asked: dict[str, dict[str, Any]] = {
            "DescribeSecret": {},
            "ListSecretVersionIds": {"IncludeDeprecated": True},
            "GetResourcePolicy": {},
        }
        answers = await asyncio.gather(
            *(
                self._call(secret.region, operation, {"SecretId": secret.name, **more})
                for operation, more in asked.items()
            )
        )
        self._known[secret] = told = Metadata(self._now(), tuple(zip(asked, answers, strict=True)))
        return told

    async def _call(self, region: str, operation: str, arguments: Mapping[str, Any]) -> Mapping[str, Any] | str:
        session = self._session
        call = session.call("secretsmanager", operation, region)
        try:
            with told_apart(call):
                client = await session.client("secretsmanager", region)
                methods: dict[str, Callable[..., Awaitable[Any]]] = {
                    "DescribeSecret": client.describe_secret,
                    "ListSecretVersionIds": client.list_secret_version_ids,
                    "GetResourcePolicy": client.get_resource_policy,
                }
                answer = dict(await methods[operation](**arguments))
        except CallError as error:
            return error.message
        del answer[_ENVELOPE]
        return answer
