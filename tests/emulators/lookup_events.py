"""A strict stand-in for CloudTrail's LookupEvents: AWS JSON 1.1 over HTTP, with the service's own awkwardness.

Newest first, 50 a page, opaque tokens bound to all parameters, one lookup attribute, inclusive times of one second,
the Region of the signature's scope, two calls a second, and events that become visible late and out of order.

In process: `async with LookupEvents() as service:`. As a process of its own, with a small control API:

    python -m tests.emulators.lookup_events [--port 0] [--rate 2]      prints the URL on its first line
    POST /_control/events    {"events": [{…record…, "_visible_at": "2026-…Z"?, "_delay": seconds?}, …], "region": …}
    POST /_control/faults    {"faults": [{"error": "ThrottlingException", "times": 5}, {"loop": true}, …]}
    POST /_control/clock     {"now": "2026-11-23T14:00:00Z"} (frozen), {"offset": 600} (runs, shifted) or {}
    GET  /_control/calls     what was asked and how it was answered
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import json
import re
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from tests.emulators.event_history import SKEW, EventHistory, Refused, moment_of
from tests.emulators.loopback import Loopback

RATE = 2.0
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
SCOPE = re.compile(r"Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")


class LookupEvents(Loopback):
    """The service: event histories by Region, behind HTTP, with a budget, faults and a control API."""

    def __init__(self, *, rate: float | None = RATE, now: Callable[[], datetime] | None = None) -> None:
        super().__init__()
        self.rate = rate
        self.offset = timedelta()
        self.wrong_dates: deque[datetime] = deque()
        """What the next answers have for the time, instead of it."""
        self.dated = True
        """Whether answers say a time at all."""
        self.frozen: datetime | None = None
        self.faults: deque[dict[str, Any]] = deque()
        self.calls: list[dict[str, Any]] = []
        self.known_keys: set[str] | None = None
        """The access keys that are accepted; None for any."""
        self.expired_keys: set[str] = set()
        """Access keys that are good no more."""
        self.disabled: set[str] = set()
        """Regions that the account has not enabled: no key is known there."""
        self._now = now or (lambda: datetime.now(UTC))
        self._signed_now = now is None
        """Whether requests are signed with the time of the same clock: the AWS libraries take this machine's."""
        self._regions: dict[str, EventHistory] = {}
        self._budgets: dict[str, tuple[float, float]] = {}

    def now(self) -> datetime:
        """The time at the service."""
        return self.frozen or self._now() + self.offset

    def region(self, name: str = "eu-west-1") -> EventHistory:
        """The history of this Region."""
        if name not in self._regions:
            self._regions[name] = EventHistory(self.now)
        return self._regions[name]

    def routes(self) -> Sequence[web.RouteDef]:
        """LookupEvents, and what is for the stand-in itself."""
        return web.post("/", self._answer), web.route("*", "/_control/{what}", self._control)

    # -- the wire ----------------------------------------------------------------------------------------------------

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        call: dict[str, Any] = {"at": self.now().isoformat(), "body": body.decode(errors="replace"), "answer": "ok"}
        self.calls.append(call)
        call["user_agent"] = request.headers.get("User-Agent", "")
        try:
            if request.headers.get("X-Amz-Target") != TARGET:
                raise Refused("UnknownOperationException", "unknown operation")
            if not request.headers.get("Content-Type", "").startswith("application/x-amz-json-1.1"):
                raise Refused("SerializationException", "not AWS JSON 1.1")
            call["key"], region = self._signed(request)
            call["region"] = region
            asked = json.loads(body)
            call["request"] = asked
            self._charge(region)
            found = self._fault(region, asked, call) or self.region(region).lookup(asked)
            answer = json.dumps(found).encode()
            call["events"] = answer.count(b'"EventId"')
            return self._response(answer, 200)
        except Refused as refused:
            call["answer"] = refused.code
            return self._refusal(refused)

    def _signed(self, request: web.Request) -> tuple[str, str]:
        scope = SCOPE.search(request.headers.get("Authorization", ""))
        if scope is None:
            raise Refused("MissingAuthenticationTokenException", "Missing Authentication Token", 403)
        key, _, region, service = scope.groups()
        if service != "cloudtrail":
            raise Refused("InvalidSignatureException", f"Credential should be scoped to correct service: {service}")
        if key in self.expired_keys:
            raise Refused("ExpiredTokenException", "The security token included in the request is expired")
        if region in self.disabled or (self.known_keys is not None and key not in self.known_keys):
            raise Refused("UnrecognizedClientException", "The security token included in the request is invalid.")
        stamp = datetime.strptime(request.headers["X-Amz-Date"], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)
        if abs(stamp - self.now()) > SKEW and self.frozen is None and self._signed_now:
            raise Refused("InvalidSignatureException", f"Signature expired: {stamp} is now earlier than {self.now()}")
        return key, region

    def _charge(self, region: str) -> None:
        if self.rate is None:
            return
        clock = time.monotonic()
        tokens, counted_at = self._budgets.get(region, (self.rate, clock))
        tokens = min(self.rate, tokens + (clock - counted_at) * self.rate)
        self._budgets[region] = (max(0.0, tokens - 1), clock)
        if tokens < 1:
            raise Refused("ThrottlingException", "Rate exceeded")

    def _fault(self, region: str, asked: Mapping[str, Any], call: dict[str, Any]) -> dict[str, Any] | None:
        """Carry out the next queued fault, if there is one for this call."""
        if not self.faults or ("token_only" in self.faults[0] and "NextToken" not in asked):
            return None
        fault = self.faults.popleft()
        call["answer"] = f"fault {fault}"
        if (times := fault.get("times", 1)) > 1:
            self.faults.appendleft({**fault, "times": times - 1})
        match fault:
            case {"error": str(code)}:
                raise Refused(code, fault.get("message", code), fault.get("status", 400))
            case {"loop": _}:
                first = {key: value for key, value in asked.items() if key != "NextToken"}
                return {**self.region(region).lookup(first), "NextToken": "round-and-round"}
            case _:
                raise AssertionError(f"no such fault: {fault}")

    def _response(self, body: bytes, status: int, kind: str = "application/x-amz-json-1.1") -> web.Response:
        # the Date header is part of the contract: it tells the service's time
        if not self.dated:
            return web.Response(body=body, status=status, headers={"Date": "", "Content-Type": kind})
        date = self.wrong_dates.popleft() if self.wrong_dates else self.now()
        headers = {"Date": format_datetime(date.astimezone(UTC), usegmt=True), "Content-Type": kind}
        return web.Response(body=body, status=status, headers=headers)

    def _refusal(self, refused: Refused) -> web.Response:
        body = json.dumps({"__type": refused.code, "message": refused.message}).encode()
        return self._response(body, refused.status)

    # -- control -----------------------------------------------------------------------------------------------------

    async def _control(self, request: web.Request) -> web.Response:
        what = request.match_info["what"]
        asked: dict[str, Any] = await request.json() if request.can_read_body else {}
        if what == "events":
            history = self.region(asked.get("region", "eu-west-1"))
            for record in asked["events"]:
                visible = record.pop("_visible_at", None)
                delay = record.pop("_delay", None)
                at = moment_of(visible) if visible else None
                if delay is not None:
                    at = moment_of(record["eventTime"]) + timedelta(seconds=delay)
                history.add([record], visible_at=at)
        elif what == "faults":
            self.faults.extend(asked["faults"])
        elif what == "clock":
            self.frozen = moment_of(asked["now"]) if "now" in asked else None
            self.offset = timedelta(seconds=asked.get("offset", 0))
        elif what == "calls":
            return web.json_response(self.calls)
        else:
            raise web.HTTPNotFound
        return web.json_response({})


@contextlib.asynccontextmanager
async def running(**options: Any) -> AsyncIterator[LookupEvents]:
    """The service for the length of a block."""
    async with LookupEvents(**options) as service:
        yield service


async def _serve(port: int, rate: float) -> None:
    service = LookupEvents(rate=rate or None)
    print(await service.start(port), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--rate", type=float, default=RATE, help="calls a second per Region; 0 for no limit")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.port, options.rate))
