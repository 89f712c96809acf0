"""What every source is to the monitor: an endless or finite flow of pages and reports."""

from __future__ import annotations

from collections.abc import AsyncIterator
from datetime import datetime, timedelta
from enum import StrEnum
from typing import TYPE_CHECKING, Protocol

import msgspec

from smwatch.sources.coverage import Coverage, Gap, Noted, Span

if TYPE_CHECKING:  # the head of the screen says how sources are before any event is read: serves "first-…"
    from smwatch.events.event import SeenBy


DELIVERED_WITHIN = timedelta(minutes=10)
"""How long after a call CloudTrail delivers its record at the most, as far as is known: it promises nothing but five
minutes on average; of 2,900 records of a real trail the last came after 594 s."""


class Found(msgspec.Struct, frozen=True, gc=False):
    """One record as a source found it."""

    raw: str
    """JSON text of the record, untouched."""
    at: datetime | None = None
    """When the wrapper around the record says it happened (LookupEvents' EventTime, a log event's timestamp).

    For records without eventTime.
    """


class Receipt(msgspec.Struct):
    """What a source wants to know of a page that is committed; who takes it in says so before asking for more."""

    new: frozenset[str] = frozenset()
    """Those of its records (`Found.raw`) that were not in the journal; none where that says nothing."""


class Page(msgspec.Struct, frozen=True):
    """Records and what they prove; committed in one transaction, in the order yielded."""

    source: str
    """The source's name, e.g. "cloudtrail:123456789012:eu-west-1"; coverage is kept under it."""
    seen_by: SeenBy
    found: tuple[Found, ...]
    seen_at: datetime
    """Server time of the answer (aware UTC)."""
    settled: Span | None = None
    """A period of which every record that the service held, or ever will hold within the settle lag, has been handed
    over by the end of this page."""
    gaps: tuple[Gap, ...] = ()
    """Periods that could not be read and never will be, with the reason."""
    untrue: tuple[Gap, ...] = ()
    """Gaps written down before, by a clock that was wrong: they are none."""
    noted: Noted | None = None
    """What the next run is to know, where that is other than what was noted before."""
    receipt: Receipt | None = None
    """Where to say which of the records were new, if that is wanted."""
    undated_at: datetime | None = None
    """What counts as the time of records that don't say when they happened, nor the wrapper around them."""


def place_of(source: str) -> tuple[str, str]:
    """The account and Region that all records of a source of this name are of; "" for what is not known, or any."""
    match source.split(":"):
        case ["cloudtrail", account, region]:
            return account if account.isdecimal() else "", region  # something stands in for one that AWS did not tell
        case _:
            return "", ""  # a trail of all Regions, or of an organisation, may write to one log group


def delivered_within(source: str) -> timedelta:
    """How long after they happened records of a source of this name are delivered, if it goes by their delivery."""
    return DELIVERED_WITHIN if source.startswith("logs:") else timedelta()


KEPT = "kept"
"""Under this name it is told how far it is with what the journal held at the start."""


class State(StrEnum):
    """How a source is doing; one word for the header, the sentence is in Status.message."""

    STARTING = "starting"
    OK = "ok"
    CATCHING_UP = "catching up"
    THROTTLED = "throttled"
    DENIED = "denied"
    SIGN_IN = "sign in"
    UNREACHABLE = "unreachable"
    FAILING = "failing"
    STALE = "stale"
    """It can be read, but what should bring it records does not."""
    DONE = "done"


class Status(msgspec.Struct, frozen=True):
    """A source's health, as one true picture at one moment."""

    source: str
    label: str
    """Short name for the header: CloudTrail, Logs, Live Tail, a file's name."""
    state: State
    message: str = ""
    """One sentence for a person, with the next step; "" when all is well."""
    at: datetime | None = None
    last_good_at: datetime | None = None
    """When a scan last came back whole."""
    answered_at: datetime | None = None
    """When a page last came: a scan of a busy account takes minutes; None where what comes is no pages."""
    service_at: datetime | None = None
    """What time the service said it was, the last time that it was believed; None where nobody but this machine told.
    What is old enough to be deleted is told by that alone."""
    lag: timedelta | None = None
    """Median of first seen − eventTime over recent events."""
    lag_max: timedelta | None = None
    complete_to: datetime | None = None
    """Nothing that happened before this moment is missing, apart from `gaps`."""
    gaps: tuple[Gap, ...] = ()
    progress: str = ""
    """Long work under way, e.g. "back-filling 3 of ~12 min"; "" for none."""
    region: str = ""
    calls: int = 0
    """Requests made so far."""
    newest_at: datetime | None = None
    """eventTime of the newest event that this process had from the source; the monitor fills it in."""
    late_events: int = 0
    """Events that came after their second had been settled, and that no other source had brought."""


class Source(Protocol):
    """One place that records come from.

    It knows nothing of the screen, the store or other sources. Expected trouble is a Status, never an exception:
    throttled, denied, expired, unreachable and malformed are reported, waited out and caught up by the source itself.
    """

    name: str
    label: str
    seen_by: SeenBy

    def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """Yield pages for ever, beginning with what `coverage` (what the journal already holds) leaves open."""
        ...

    def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """Yield everything up to now, then end. The last Status says DONE, or why something could not be read."""
        ...

    async def close(self) -> None:
        """Let go of connections; safe to call twice."""
        ...
