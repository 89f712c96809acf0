"""What the reader asks of the stream: a filter and a time window, together one filter for a view."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Callable
from datetime import datetime, timedelta

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.events.numbered import Numbered
from smwatch.store.view import KEY, Filter, Sweep


class Query(msgspec.Struct, frozen=True):
    """The filter as text, and the time window."""

    text: str = ""
    minutes: int = 0
    """Only the last so many minutes; 0 for all."""

    def __bool__(self) -> bool:
        return bool(self.text or self.minutes)

    @property
    def told(self) -> str:
        """All of it on one line."""
        return "  +  ".join(filter(None, (self.text, f"last {window(self.minutes)}" if self.minutes else "")))


def window(minutes: int) -> str:
    """A time window as it is said: 15 min, 6 h, 7 d."""
    if minutes % 1440 == 0:
        return f"{minutes // 1440} d"
    return f"{minutes // 60} h" if minutes % 60 == 0 else f"{minutes} min"


class Since:
    """Keeps events from a moment on."""

    changeable = False

    def __init__(self, moment: datetime) -> None:
        self.key = int(moment.timestamp()) << (ID_BITS + ACCOUNT_BITS)
        self.text = f"since {moment:%Y-%m-%dT%H:%M:%SZ}"

    def __call__(self, event: Event) -> bool:
        """Whether the event happened at that moment or later."""
        return event.key >= self.key

    def select(self, events: list[Event]) -> list[Event]:
        """Those that happened at that moment or later."""
        return events[bisect_left(events, self.key, key=KEY) :]

    def reach(self, events: list[Event], end: int) -> int:  # noqa: ARG002  it looks at a few of however many
        """None are left for later."""
        return 0

    def sweep(self, numbered: Numbered, *, since: int = 0, before: object = None) -> None:
        """There is none: it looks at a few of however many."""

    def narrows(self, other: Filter) -> bool:
        """Whether the other begins no later."""
        return isinstance(other, Since) and self.key >= other.key


class Every:
    """Keeps what each of several filters keeps."""

    def __init__(self, parts: tuple[Filter, ...]) -> None:
        self.parts = parts
        self.text = " ".join(part.text for part in parts)
        self.changeable = any(part.changeable for part in parts)

    def __call__(self, event: Event) -> bool:
        """Whether all of them keep the event."""
        return all(part(event) for part in self.parts)

    def select(self, events: list[Event]) -> list[Event]:
        """Those that all of them keep."""
        for part in self.parts:
            events = part.select(events)
        return events

    def reach(self, events: list[Event], end: int) -> int:
        """As many are left for later as by the part that leaves most."""
        return max(part.reach(events, end) for part in self.parts)

    def sweep(self, numbered: Numbered, *, since: int = 0, before: object = None) -> Sweep | None:
        """That of the last one, from the moments of the others on; None where one of these is more than a moment."""
        *first, last = self.parts
        moments = [part.key for part in first if isinstance(part, Since)]
        if len(moments) < len(first):
            return None
        return last.sweep(numbered, since=max([since, *moments]), before=before)

    def narrows(self, other: Filter) -> bool:
        """Whether each of the other's conditions is met by one of these."""
        theirs = other.parts if isinstance(other, Every) else (other,)
        return all(any(mine.narrows(their) for mine in self.parts) for their in theirs)


def compiled(query: Query, parse: Callable[[str], Filter], now: datetime) -> Filter | None:
    """The query as one filter; None for no condition. What `parse` raises goes through."""
    parts: list[Filter] = []
    if query.minutes:
        parts.append(Since(now - timedelta(minutes=query.minutes)))
    if query.text:
        parts.append(parse(query.text))
    return Every(tuple(parts)) if parts else None
