"""A stand-in for a trail's log group that is as odd as FilterLogEvents may be, and says how the trail is doing.

StartLiveTail sends what is put from then on. What it knows that other stand-ins don't: when each event was ingested and
when it can be found first (which is later), newest first, empty pages on the way, the empty page at the end, tokens
that hold for one request and one day, a quota. Filter patterns are evaluated as smwatch does, which is as the service
was recorded to.
"""

from __future__ import annotations

import asyncio
import bisect
import json
import math
from collections import deque
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from operator import itemgetter
from typing import Any, NamedTuple

from aiohttp import web

from smwatch import patterns
from smwatch.record import whole
from tests.emulators.live_tail import OPENING, update
from tests.emulators.loopback import Loopback

GROUP = "CloudTrail/SecretsManager"
ARN = f"arn:aws:logs:eu-west-1:123456789012:log-group:{GROUP}"
TRAIL = "arn:aws:cloudtrail:eu-west-1:123456789012:trail/management"
IDENTITY = (
    '<GetCallerIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><GetCallerIdentityResult>'
    "<Account>123456789012</Account><UserId>AIDAEXAMPLE</UserId><Arn>arn:aws:iam::123456789012:user/watch</Arn>"
    "</GetCallerIdentityResult></GetCallerIdentityResponse>"
)
"""What STS says, where it is asked here as well."""
HEAD_FROM = 1_704_067_200_000
"""From when on (2024-01-01) it can be read newest first."""
BEAT = 0.2
"""Seconds from one update of Live Tail to the next, where nothing was written; AWS takes one."""
TOKENS_LAST = timedelta(hours=24)


class RefusedError(Exception):
    """An error of the service: its code and message."""


class Held(NamedTuple):
    """One log event, in the order of the service."""

    timestamp: int
    ingested: int
    number: int
    visible_at: datetime
    message: str

    @property
    def item(self) -> dict[str, Any]:
        """As FilterLogEvents gives it."""
        return {
            "logStreamName": "123456789012_CloudTrail_eu-west-1",
            "timestamp": self.timestamp,
            "message": self.message,
            "ingestionTime": self.ingested,
            "eventId": str(self.timestamp << 144 | self.number),
        }


_place = itemgetter(slice(3))
"""Where a log event stands: its first three fields."""


class _Scan(NamedTuple):
    """What a token stands for."""

    asked: dict[str, Any]
    after: tuple[int, int, int] | None
    made_at: datetime
    empty: int


class LogGroupService(Loopback):
    """One log group and its trail; `async with` makes it listen on the loopback."""

    def __init__(self, now: Callable[[], datetime] = lambda: datetime.now(UTC)) -> None:
        super().__init__()
        self.now = now
        self.asked: list[tuple[str, dict[str, Any]]] = []
        """(operation, request) of each call."""
        self.page = 10_000
        """How many events fit on a page."""
        self.page_bytes = 1_000_000
        """How many bytes of messages do; a larger one has a page of its own."""
        self.quota = math.inf
        """How many calls of FilterLogEvents are granted a second; those of one second may be saved up."""
        self.takes = 0.0
        """Seconds that an answer of FilterLogEvents takes, whatever else is asked meanwhile."""
        self.empty_pages = 0
        """How many pages without events come before each that has some."""
        self.knows_order = True
        """Whether `startFromHead` is known; a stranger refuses it."""
        self.before_answer: Callable[[str], None] = lambda _: None
        self.expired_keys: set[str] = set()
        """Access keys that are good no more."""
        self.known_keys: set[str] | None = None
        """The access keys that are known, if not all are."""
        self.keys: list[str] = []
        """The access keys that were used, in the order of calls."""
        self.refused_tokens = 0
        """How many tokens are refused that were given."""
        self.repeated_tokens = 0
        """How many pages lead to themselves."""
        self.refusals: deque[tuple[str, str, str]] = deque()
        """(operation, code, message) of what is refused next."""
        self.linked: list[dict[str, Any]] = []
        """Groups of accounts that share them with this one."""
        self.trails: list[dict[str, Any]] = [
            {
                "Name": "management",
                "TrailARN": TRAIL,
                "HomeRegion": "eu-west-1",
                "CloudWatchLogsLogGroupArn": f"{ARN}:*",
            }
        ]
        self.trail_status: dict[str, Any] = {"IsLogging": True}
        self.statuses: dict[str, dict[str, Any]] = {}
        """By ARN: of trails that do otherwise."""
        self.held: list[Held] = []
        """In the order of the service."""
        self._granted = 0.0
        """How many calls that were granted the quota has not made up for yet, `_granted_at`."""
        self._granted_at = datetime.min.replace(tzinfo=UTC)
        self._scans: dict[str, _Scan] = {}
        self._sessions: set[asyncio.Queue[bytes]] = set()
        """What is to be sent in each Live Tail session; nothing more once that is empty bytes."""

    def routes(self) -> Sequence[web.RouteDef]:
        return [web.post("/", self._answer)]

    def put(
        self,
        record: dict[str, Any] | str,
        at: datetime,
        *,
        ingested: datetime | None = None,
        visible: datetime | None = None,
    ) -> None:
        """One event with this timestamp; ingested at once and visible then, unless it is said when."""
        message = record if isinstance(record, str) else json.dumps(record)
        ingested = ingested or at
        one = Held(_ms(at), _ms(ingested), len(self.held) + 1, visible or ingested, message)
        bisect.insort(self.held, one)
        for session in self._sessions:
            session.put_nowait(update(message, at=one.timestamp))

    def cut_sessions(self) -> None:
        """Nothing comes through the Live Tail connections any more, and nobody is told."""
        self._sessions.clear()

    def end_sessions(self) -> None:
        """Close every Live Tail connection."""
        for session in self._sessions:
            session.put_nowait(b"")

    def calls(self, operation: str) -> list[dict[str, Any]]:
        """The requests of one operation, in their order."""
        return [request for name, request in self.asked if name == operation]

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        if "X-Amz-Target" not in request.headers:
            return web.Response(text=IDENTITY, content_type="text/xml")
        operation, asked = request.headers["X-Amz-Target"].rpartition(".")[2], await request.json()
        self.asked.append((operation, asked))
        self.before_answer(operation)
        self.keys.append(request.headers["Authorization"].partition("Credential=")[2].partition("/")[0])
        try:
            if self.keys[-1] in self.expired_keys:
                raise RefusedError("ExpiredTokenException", "The security token included in the request is expired")
            if self.known_keys is not None and self.keys[-1] not in self.known_keys:
                raise RefusedError("UnrecognizedClientException", "The security token in the request is invalid.")
            if self.refusals and self.refusals[0][0] == operation:
                raise RefusedError(*self.refusals.popleft()[1:])
            match operation:
                case "FilterLogEvents":
                    self._grant()
                    await asyncio.sleep(self.takes)
                    return self._json(self.filtered(asked))
                case "StartLiveTail":
                    return await self._live(request)
                case "DescribeLogGroups":
                    return self._json({"logGroups": self._groups(asked)})
                case "DescribeTrails":
                    return self._json({"trailList": self.trails})
                case "GetTrailStatus":
                    return self._json(self.statuses.get(asked["Name"], self.trail_status))
                case _:
                    raise RefusedError("UnknownOperationException", operation)
        except RefusedError as refused:
            code, message = refused.args
            return self._json({"__type": code, "message": message}, 400)

    async def _live(self, request: web.Request) -> web.StreamResponse:
        response = web.StreamResponse(headers={"Content-Type": "application/vnd.amazon.eventstream"})
        await response.prepare(request)
        await response.write(OPENING + update())
        session: asyncio.Queue[bytes] = asyncio.Queue()
        self._sessions.add(session)
        closing = asyncio.create_task(self.closing.wait())
        closing.add_done_callback(lambda _: session.put_nowait(b""))
        try:
            while part := await _soon(session):
                if session in self._sessions:
                    await response.write(part)
        except ConnectionError:
            pass  # whoever asked has gone
        finally:
            closing.cancel()
            self._sessions.discard(session)
        return response

    def _groups(self, asked: dict[str, Any]) -> list[dict[str, Any]]:
        groups = [{"logGroupName": GROUP, "arn": f"{ARN}:*", "logGroupArn": ARN}]
        if asked.get("includeLinkedAccounts"):
            groups += self.linked
        accounts = asked.get("accountIdentifiers", ())
        return [one for one in groups if not accounts or one["arn"].split(":")[4] in accounts]

    def _grant(self) -> None:
        """Take one call out of the quota; RefusedError if there is none left."""
        now = self.now()
        if self.quota < math.inf:
            self._granted = max(0.0, self._granted - (now - self._granted_at).total_seconds() * self.quota)
        self._granted_at = now
        if self._granted + 1 > self.quota:
            raise RefusedError("ThrottlingException", "Rate exceeded")
        self._granted += 1

    def filtered(self, asked: dict[str, Any]) -> dict[str, Any]:
        """What FilterLogEvents answers to a request; raises RefusedError."""
        asked = dict(asked)
        token = asked.pop("nextToken", None)
        start, end, head = asked.get("startTime", 0), asked.get("endTime", 1 << 62), asked.get("startFromHead", True)
        ours = {GROUP, ARN, *(one["logGroupArn"] for one in self.linked)}
        if asked.get("logGroupName") != GROUP and asked.get("logGroupIdentifier") not in ours:
            raise RefusedError("ResourceNotFoundException", "The specified log group does not exist.")
        if "startFromHead" in asked and not self.knows_order:
            raise RefusedError("InvalidParameterException", "Unknown parameter in input: startFromHead")
        if not head and start < HEAD_FROM:
            raise RefusedError("InvalidParameterException", "startFromHead false needs a startTime from 2024-01-01 on")
        if not 1 <= asked.get("limit", 10_000) <= 10_000:
            raise RefusedError("InvalidParameterException", "limit")
        after, empty = None, 0
        if token is not None:
            scan = self._scans.get(token)
            if self.refused_tokens:
                self.refused_tokens -= 1
                scan = None
            if scan is None or scan.asked != asked or self.now() - scan.made_at > TOKENS_LAST:
                raise RefusedError("InvalidParameterException", "The specified nextToken is invalid.")
            after, empty = scan.after, scan.empty
        first, last = bisect.bisect_left(self.held, (start,)), bisect.bisect_left(self.held, (end + 1,))
        if after is not None and head:
            first = bisect.bisect_right(self.held, after, first, last, key=_place)
        elif after is not None:
            last = bisect.bisect_left(self.held, after, first, last, key=_place)
        places = range(first, last) if head else range(last - 1, first - 1, -1)
        page = self._page(places, min(self.page, asked.get("limit", 10_000)), asked.get("filterPattern", ""))
        if page and empty < self.empty_pages:
            return {"events": [], "searchedLogStreams": [], "nextToken": self._token(asked, after, empty + 1)}
        answer: dict[str, Any] = {"events": [one.item for one in page], "searchedLogStreams": []}
        if token is not None and self.repeated_tokens:
            self.repeated_tokens -= 1
            answer["nextToken"] = token
        elif page:  # also after the last ones: as recorded from the service
            answer["nextToken"] = self._token(asked, page[-1][:3], 0)
        return answer

    def _page(self, places: Iterable[int], rows: int, pattern: str) -> list[Held]:
        """What of these places fits on a page: no more of them is looked at, or each page would take as long as all."""
        now, room = self.now(), self.page_bytes
        matches = patterns.compile(pattern).matches if pattern else None
        page: list[Held] = []
        for place in places:
            one = self.held[place]
            if one.visible_at > now or (matches is not None and not matches(whole(one.message))):
                continue
            room -= len(one.message.encode("utf-8", "surrogatepass"))
            if len(page) == rows or (page and room < 0):
                break
            page.append(one)
        return page

    def _json(self, body: dict[str, Any], status: int = 200) -> web.Response:
        return web.Response(
            text=json.dumps(body, default=datetime.timestamp),
            status=status,
            headers={"Date": format_datetime(self.now(), usegmt=True)},
            content_type="application/x-amz-json-1.1",
        )

    def _token(self, asked: dict[str, Any], after: tuple[int, int, int] | None, empty: int) -> str:
        token = f"token{len(self._scans)}"
        self._scans[token] = _Scan(asked, after, self.now(), empty)
        return token


async def _soon(session: asyncio.Queue[bytes]) -> bytes:
    """What comes next, or after a moment an update without anything."""
    try:
        return await asyncio.wait_for(session.get(), BEAT)
    except TimeoutError:
        return update()


def _ms(moment: datetime) -> int:
    return int(moment.timestamp() * 1000)
