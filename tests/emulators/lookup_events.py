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
import bisect
import contextlib
import heapq
import json
import re
import secrets
import time
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

from aiohttp import web

from tests.emulators.loopback import Loopback

Record = dict[str, Any]
Attribute = tuple[str | None, str | None]
"""Key and value; None and None for all events."""
Bound = tuple[Attribute, datetime | None, datetime | None, int]
"""What a token is bound to: attribute, StartTime, EndTime, MaxResults."""

REACH = timedelta(days=90)
PAGE = 50
RATE = 2.0
SKEW = timedelta(minutes=5)
TARGET = "com.amazonaws.cloudtrail.v20131101.CloudTrail_20131101.LookupEvents"
SCOPE = re.compile(r"Credential=([^/]+)/(\d{8})/([^/]+)/([^/]+)/aws4_request")


class Refused(Exception):  # noqa: N818 - what AWS answers
    """An error answer of AWS."""

    def __init__(self, code: str, message: str, status: int = 400) -> None:
        super().__init__(message)
        self.code, self.message, self.status = code, message, status


class Entry:
    """One event as the service holds it."""

    __slots__ = ("at", "order", "record", "visible_at")

    def __init__(self, record: Record, visible_at: datetime, order: int) -> None:
        self.record = record
        self.at = _moment(record["eventTime"])
        self.visible_at = visible_at
        self.order = order

    def key(self) -> tuple[datetime, int]:
        return self.at, self.order


class Shelves:
    """The entries that are visible, newest last, one shelf for each attribute that was ever asked for."""

    def __init__(self) -> None:
        self._entries: list[Entry] = []
        self._waiting: list[tuple[datetime, int, Entry]] = []
        self._shelves: dict[Attribute, list[Entry]] = {}
        self._shown_at: datetime | None = None

    def __iter__(self) -> Iterator[Entry]:
        """All there are, visible or not."""
        return iter(self._entries)

    def add(self, entry: Entry) -> None:
        """One more, visible when its time comes."""
        bisect.insort(self._entries, entry, key=Entry.key)
        heapq.heappush(self._waiting, (entry.visible_at, entry.order, entry))

    def shelf(self, attribute: Attribute, now: datetime) -> list[Entry]:
        """What is visible now and has this attribute."""
        if self._shown_at is not None and now < self._shown_at:  # the clock was set back
            self._shelves.clear()
            self._waiting = [(entry.visible_at, entry.order, entry) for entry in self._entries]
            heapq.heapify(self._waiting)
        self._shown_at = now
        if attribute not in self._shelves:
            waiting = {order for _, order, _ in self._waiting}
            shown = (entry for entry in self._entries if entry.order not in waiting)
            self._shelves[attribute] = [entry for entry in shown if _has(attribute, entry.record)]
        while self._waiting and self._waiting[0][0] <= now:
            _, _, entry = heapq.heappop(self._waiting)
            for each, shelf in self._shelves.items():
                if _has(each, entry.record):
                    bisect.insort(shelf, entry, key=Entry.key)
        return self._shelves[attribute]

    def forget_before(self, moment: datetime) -> None:
        """Hold nothing any more that happened before this moment."""
        for entries in (self._entries, *self._shelves.values()):
            del entries[: bisect.bisect_left(entries, (moment, -1), key=Entry.key)]
        self._waiting = [each for each in self._waiting if each[2].at >= moment]
        heapq.heapify(self._waiting)


class EventHistory:
    """The events of one Region, and the answers to questions about them; knows no HTTP."""

    def __init__(self, now: Callable[[], datetime], *, account: str = "123456789012") -> None:
        self.now = now
        self.account = account
        self.page_size = PAGE
        self.reach = REACH
        self.sparse = False
        """Whether pages come half filled or empty, with a token, as the API allows."""
        self.bare = False
        """Whether events come without their record, which the API calls optional."""
        self.lacking: frozenset[str] = frozenset()
        """What records lack although the wrappers around them tell it."""
        self.cursors = False
        """Whether a token means "after this event" rather than "after so many"; AWS doesn't say which."""
        self.entries = Shelves()
        self._tokens: dict[str, tuple[Bound, int, tuple[datetime, int] | None]] = {}
        self._orders = 0

    def add(self, records: Iterable[Record], *, visible_at: datetime | None = None) -> None:
        """Take in records that become visible at this moment (default: at once)."""
        for record in records:
            self._orders += 1
            self.entries.add(Entry(record, visible_at or self.now(), self._orders))

    def held(self, until: datetime | None = None) -> list[Record]:
        """Every record that is visible at this moment (default: now)."""
        until = until or self.now()
        return [entry.record for entry in self.entries if entry.visible_at <= until]

    def lookup(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """The answer to one LookupEvents request; raises Refused."""
        page, token = self.page(request)
        items = [_item(entry, self.lacking) for entry in page]
        if self.bare:
            items = [{name: value for name, value in item.items() if name != "CloudTrailEvent"} for item in items]
        return {"Events": items, **({"NextToken": token} if token else {})}

    def page(self, request: Mapping[str, Any]) -> tuple[list[Entry], str | None]:
        """The events of that answer, newest first, and its token."""
        now = self.now()
        bound = self._checked(request, now)
        offset, after = 0, None
        token = request.get("NextToken")
        if token is not None:
            if token not in self._tokens or self._tokens[token][0] != bound:
                raise Refused(
                    "InvalidNextTokenException",
                    "A token that is not valid, or a token that was previously used in a request with different"
                    " parameters.",
                )
            _, offset, after = self._tokens[token]
        attribute, start, end, size = bound
        shelf = self.entries.shelf(attribute, now)
        low = bisect.bisect_left(shelf, (start or now - self.reach, -1), key=Entry.key)
        high = len(shelf)
        if end is not None:
            high = bisect.bisect_right(shelf, (end, self._orders + 1), key=Entry.key)
        # a page shows what is visible when it is asked for: what turned up since then shifts the rest to later pages
        if self.cursors and after is not None:
            high, offset = bisect.bisect_left(shelf, after, key=Entry.key), 0
        taken = min(size, self.page_size)
        if self.sparse:
            taken = (0, taken, max(1, taken // 3))[len(self._tokens) % 3]
        high -= offset
        page = shelf[max(low, high - taken) : max(low, high)][::-1]
        if high - taken <= low:
            return page, None
        following = secrets.token_urlsafe(24)
        self._tokens[following] = (bound, offset + taken, page[-1].key() if page else after)
        return page, following

    def _checked(self, request: Mapping[str, Any], now: datetime) -> Bound:
        unknown = set(request) - {
            "LookupAttributes", "StartTime", "EndTime", "MaxResults", "NextToken", "EventCategory",
        }  # fmt: skip
        if unknown:
            raise Refused("ValidationException", f"unknown parameters {sorted(unknown)}")
        attributes = request.get("LookupAttributes", [])
        if len(attributes) > 1:
            raise Refused("InvalidLookupAttributesException", "Only one lookup attribute is allowed.")
        key = value = None
        if attributes:
            key, value = attributes[0].get("AttributeKey"), attributes[0].get("AttributeValue")
            if key not in ATTRIBUTES or not isinstance(value, str) or not 1 <= len(value) <= 2000:
                raise Refused("InvalidLookupAttributesException", "The lookup attribute is not valid.")
        size = request.get("MaxResults", PAGE)
        if not isinstance(size, int) or not 1 <= size <= PAGE:
            raise Refused("InvalidMaxResultsException", "MaxResults must be between 1 and 50.")
        start = _seconds(request["StartTime"]) if "StartTime" in request else None
        end = _seconds(request["EndTime"]) if "EndTime" in request else None
        if start and (start < now - self.reach - timedelta(seconds=2) or start > (end or now + SKEW)):
            raise Refused("InvalidTimeRangeException", "The time range is not valid.")
        return (key, value), start, end, size


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
                at = _moment(visible) if visible else None
                if delay is not None:
                    at = _moment(record["eventTime"]) + timedelta(seconds=delay)
                history.add([record], visible_at=at)
        elif what == "faults":
            self.faults.extend(asked["faults"])
        elif what == "clock":
            self.frozen = _moment(asked["now"]) if "now" in asked else None
            self.offset = timedelta(seconds=asked.get("offset", 0))
        elif what == "calls":
            return web.json_response(self.calls)
        else:
            raise web.HTTPNotFound
        return web.json_response({})


def _item(entry: Entry, lacking: frozenset[str]) -> dict[str, Any]:
    record = entry.record
    identity = record.get("userIdentity", {})
    item = {
        "EventId": record["eventID"],
        "EventName": record.get("eventName"),
        "ReadOnly": str(record.get("readOnly", False)).lower(),
        "AccessKeyId": identity.get("accessKeyId"),
        "EventTime": entry.at.timestamp(),
        "EventSource": record.get("eventSource"),
        "Username": _username(record),
        "Resources": [],
        "CloudTrailEvent": json.dumps({key: value for key, value in record.items() if key not in lacking}),
    }
    return {key: value for key, value in item.items() if value is not None}


ATTRIBUTES: dict[str, Callable[[Record], str | None]] = {
    "EventId": lambda record: record.get("eventID"),
    "EventName": lambda record: record.get("eventName"),
    "EventSource": lambda record: record.get("eventSource"),
    "ReadOnly": lambda record: str(record.get("readOnly", False)).lower(),
    "Username": lambda record: _username(record),
    "AccessKeyId": lambda record: record.get("userIdentity", {}).get("accessKeyId"),
    "ResourceName": lambda record: None,
    "ResourceType": lambda record: None,
}


def _has(attribute: Attribute, record: Record) -> bool:
    key, value = attribute
    return key is None or ATTRIBUTES[key](record) == value


def _username(record: Record) -> str | None:
    identity = record.get("userIdentity", {})
    name = identity.get("userName") or str(identity.get("principalId", "")).partition(":")[2]
    return name or None


def _moment(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _seconds(value: float) -> datetime:
    if not isinstance(value, int | float):
        raise Refused("SerializationException", "a timestamp is a number")
    return datetime.fromtimestamp(int(value), UTC)


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
