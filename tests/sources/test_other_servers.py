"""LookupEvents as somebody else would write it: what the protocol allows, and what is close enough to it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from smwatch.sources.cloudtrail import cloudtrail_source
from smwatch.sources.session import AwsSession
from smwatch.sources.source import State
from tests.emulators.event_history import EventHistory
from tests.emulators.records import record
from tests.sources.hurry import Hurry, follow

NOW = datetime.now(UTC).replace(microsecond=0)
JSON_1_1 = "application/x-amz-json-1.1"
Answer = dict[str, Any]


def each(change: Callable[[Answer], object]) -> Callable[[Answer], None]:
    """The same change to every event of an answer."""

    def all_of(answer: Answer) -> None:
        for event in answer["Events"]:
            change(event)

    return all_of


def without(*keys: str) -> Callable[[Answer], None]:
    return each(lambda event: [event.pop(key, None) for key in keys])


def twice(answer: Answer) -> None:
    answer["Events"] = [event for event in answer["Events"] for _ in range(2)]


def shuffled(answer: Answer) -> None:
    answer["Events"] = answer["Events"][::2] + answer["Events"][1::2]


ANSWERS: dict[str, Callable[[Answer], object]] = {
    "times as whole seconds": each(lambda event: event.update(EventTime=int(event["EventTime"]))),
    "times with milliseconds": each(lambda event: event.update(EventTime=event["EventTime"] + 0.123)),
    "times as text": each(
        lambda event: event.update(EventTime=datetime.fromtimestamp(event["EventTime"], UTC).isoformat())
    ),
    "no times": without("EventTime"),
    "no ids": without("EventId"),
    "only what is needed": without("Username", "Resources", "AccessKeyId", "ReadOnly", "EventSource", "EventName"),
    "nulls": each(lambda event: event.update(Username=None, Resources=None, AccessKeyId=None, ReadOnly=None)),
    "fields of a later version": each(lambda event: event.update(Severity=["?"])),
    "records as objects": each(lambda event: event.update(CloudTrailEvent=json.loads(event["CloudTrailEvent"]))),
    "an empty last token": lambda answer: answer.setdefault("NextToken", ""),
    "a null last token": lambda answer: answer.setdefault("NextToken", None),
    "every event twice": twice,
    "no order": shuffled,
}


class Server:
    """One Region of one account, answering the way it is told to."""

    def __init__(self, change: Callable[[Answer], object], wire: str) -> None:
        self.history = EventHistory(lambda: datetime.now(UTC))
        self.asked = 0
        self._change = change
        self._wire = wire
        app = web.Application()
        app.router.add_post("/", self._answer)
        if wire == "no Date":
            app.on_response_prepare.append(self._undated)
        self.runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)

    async def start(self) -> str:
        await self.runner.setup()
        await web.TCPSite(self.runner, "127.0.0.1", 0).start()
        host, port = self.runner.addresses[0][:2]
        return f"http://{host}:{port}"

    @staticmethod
    async def _undated(_: web.Request, response: web.StreamResponse) -> None:
        response.headers.pop("Date", None)

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        asked = json.loads(await request.read())
        self.asked += 1
        if self._wire == "closed without an answer" and self.asked <= 2:
            assert request.transport is not None
            request.transport.close()
            raise ConnectionResetError
        answer = {"Events": []} if asked.get("NextToken") == "end" else self.history.lookup(asked)
        if self._wire == "an empty page at the end" and asked.get("NextToken") != "end":
            answer.setdefault("NextToken", "end")
        answer = json.loads(json.dumps(answer))
        self._change(answer)
        body = json.dumps(answer).encode()
        response = web.StreamResponse(headers={"Content-Type": KINDS.get(self._wire, JSON_1_1)})
        if self._wire in ("chunked", "in drops"):
            response.enable_chunked_encoding()
        else:
            response.content_length = len(body)
        if self._wire == "a Date that is none":
            response.headers["Date"] = "yesterday"
        await response.prepare(request)
        for first in range(0, len(body), 4096):
            if self._wire == "in drops":
                await asyncio.sleep(0)
            await response.write(body[first : first + 4096])
        await response.write_eof()
        return response


KINDS = {"JSON 1.0": "application/x-amz-json-1.0", "plain text": "text/plain"}
WIRES = [
    "chunked", "in drops", "no Date", "a Date that is none", *KINDS, "closed without an answer",
    "an empty page at the end",
]  # fmt: skip


@pytest.mark.parametrize(
    ("change", "wire"),
    [(change, "plain") for change in ANSWERS.values()] + [(lambda _: None, wire) for wire in WIRES],
    ids=[*ANSWERS, *WIRES],
)
async def test_every_event_is_handed_over_once(
    aws_environment: Path,
    session: AwsSession,
    monkeypatch: pytest.MonkeyPatch,
    change: Callable[[Answer], object],
    wire: str,
) -> None:
    server = Server(change, wire)
    records = [record(NOW - timedelta(minutes=n / 4)) for n in range(180)]
    server.history.add(records)
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL_CLOUDTRAIL", await server.start())
        source = await cloudtrail_source(session, None, NOW - timedelta(hours=2), **Hurry().options())
        watched = await follow(source, lambda so_far: so_far.last.state is State.OK and len(so_far.raw) >= 180)
    finally:
        await server.runner.cleanup()
    assert sorted(json.loads(raw)["eventID"] for raw in watched.raw) == sorted(one["eventID"] for one in records)
