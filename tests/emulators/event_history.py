"""CloudTrail's event history as LookupEvents answers of it: which events, in which order and pages; knows no HTTP."""

from __future__ import annotations

import bisect
import heapq
import json
import secrets
from collections.abc import Callable, Iterable, Iterator, Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

Record = dict[str, Any]
Attribute = tuple[str | None, str | None]
"""Key and value; None and None for all events."""
Bound = tuple[Attribute, datetime | None, datetime | None, int]
"""What a token is bound to: attribute, StartTime, EndTime, MaxResults."""

REACH = timedelta(days=90)
PAGE = 50
SKEW = timedelta(minutes=5)


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
        self.at = moment_of(record["eventTime"])
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


def moment_of(text: str) -> datetime:
    """A time as records and the control API write it."""
    return datetime.fromisoformat(text)


def _seconds(value: float) -> datetime:
    if not isinstance(value, int | float):
        raise Refused("SerializationException", "a timestamp is a number")
    return datetime.fromtimestamp(int(value), UTC)
