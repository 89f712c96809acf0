"""A stand-in for StartLiveTail that says what it is told to: updates, sampled ones, and every way a session ends."""

from __future__ import annotations

import asyncio
import json
import zlib
from collections import deque
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from tests.emulators.loopback import Loopback

GROUP = "CloudTrail/SecretsManager"
ARN = f"arn:aws:logs:eu-west-1:123456789012:log-group:{GROUP}"


def frame(payload: bytes, **headers: str) -> bytes:
    """One message of `application/vnd.amazon.eventstream`."""
    encoded = b"".join(
        bytes([len(name)]) + name.encode() + b"\x07" + len(value).to_bytes(2) + value.encode()
        for name, value in ((":" + key.replace("_", "-"), value) for key, value in headers.items())
    )
    prelude = (16 + len(encoded) + len(payload)).to_bytes(4) + len(encoded).to_bytes(4)
    message = prelude + zlib.crc32(prelude).to_bytes(4) + encoded + payload
    return message + zlib.crc32(message).to_bytes(4)


def event(kind: str, payload: dict[str, Any]) -> bytes:
    """An event message."""
    return frame(json.dumps(payload).encode(), message_type="event", event_type=kind, content_type="application/json")


def exception(kind: str, message: str) -> bytes:
    """A message that ends a session."""
    body = json.dumps({"message": message}).encode()
    return frame(body, message_type="exception", exception_type=kind, content_type="application/json")


def update(*messages: str, sampled: bool = False, at: int = 0) -> bytes:
    """What was written within a second, at this time in milliseconds."""
    results = [{"message": text, "timestamp": at, "ingestionTime": at, "logStreamName": "s"} for text in messages]
    return event("sessionUpdate", {"sessionMetadata": {"sampled": sampled}, "sessionResults": results})


OPENING = event("initial-response", {}) + event("sessionStart", {"sessionId": "1"})


class LiveTailService(Loopback):
    """One script a session: frames that are sent, then either the end or silence; or an error instead of a session."""

    def __init__(self) -> None:
        super().__init__()
        self.scripts: deque[list[bytes | asyncio.Event] | tuple[str, str]] = deque()
        """Frames, events that are waited for, or the code and message of a refusal."""
        self.asked: list[dict[str, Any]] = []
        self.filtered_items: list[tuple[datetime, str, int]] = []
        """(when FilterLogEvents can find it, message, time in milliseconds) of what the group holds."""
        self.now: Callable[[], datetime] = lambda: datetime.now(UTC)

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/", self._answer)]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        match request.headers["X-Amz-Target"].partition(".")[2]:
            case "DescribeLogGroups":
                return _json({"logGroups": [{"logGroupName": GROUP, "arn": f"{ARN}:*", "logGroupArn": ARN}]})
            case "FilterLogEvents":
                return self._found(await request.json())
            case "StartLiveTail":
                self.asked.append(await request.json())
                return await self._session(request)
            case other:
                raise AssertionError(other)

    def _found(self, asked: dict[str, Any]) -> web.Response:
        found = [
            {"message": text, "timestamp": at, "ingestionTime": at, "eventId": str(at << 144), "logStreamName": "s"}
            for visible_at, text, at in self.filtered_items
            if visible_at <= self.now() and asked["startTime"] <= at <= asked.get("endTime", at)
        ]
        return _json({"events": found}, date=self.now())

    async def _session(self, request: web.Request) -> web.StreamResponse:
        script = self.scripts.popleft() if self.scripts else [OPENING]
        if isinstance(script, tuple):
            code, message = script
            return _json({"__type": code, "message": message}, status=400)
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
        await response.prepare(request)
        for part in script:
            if isinstance(part, asyncio.Event):
                await part.wait()
            else:
                await response.write(part)
        if not self.scripts:  # the last session stays open
            await self.closing.wait()
        return response


def _json(body: dict[str, Any], status: int = 200, date: datetime | None = None) -> web.Response:
    headers = {"Date": format_datetime(date, usegmt=True)} if date is not None else {}
    return web.json_response(body, status=status, headers=headers, content_type="application/x-amz-json-1.1")
