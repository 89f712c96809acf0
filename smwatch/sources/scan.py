"""One reading of a period, page after page, and what each page proves."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from enum import Enum, auto
from typing import NamedTuple

from smwatch.sources.coverage import Span

LATEST = datetime.max.replace(tzinfo=UTC) - timedelta(days=1)
"""Rows that say to be of a later moment are not gone by: there is none after the last one."""
BARREN_PAGES = 500
"""How many pages in a row may bring no progress before their tokens are taken for an endless loop."""


class Kind(Enum):
    """What a scan is for."""

    SWEEP = auto()
    """The latest minutes, again and again, for latency."""
    VIEW = auto()
    """The latest rows before all others, at the start, of a service that pages oldest first."""
    GLANCE = auto()
    """The newest page alone, between sweeps that are far apart."""
    PASS = auto()
    """Some minutes of one age, where there is too much to sweep the latest minutes often."""
    LATE = auto()
    """What sweeps no longer reach, once, for the few records that are later than most."""
    CATCH_UP = auto()
    """What lies between the sweep and the settled past, once, at the start and after an outage."""
    SETTLE = auto()
    """What is old enough to be complete, once and for good."""
    AUDIT = auto()
    """What has been settled, again, for events that were later than the settle lag."""


class Took(NamedTuple):
    """What one page of a scan comes to."""

    settled: Span | None
    """The part of the scan's period that this page has finished."""
    done: bool
    """Whether the scan has reached its end."""
    astray: bool = False
    """Whether the tokens lead in a circle."""

    def kept_from(self, edge: datetime | None) -> Took:
        """The same of a service that keeps nothing from before `edge`: no page finishes what is older."""
        if edge is None or self.settled is None or self.settled.start >= edge:
            return self
        return self._replace(settled=_span(edge, max(edge, self.settled.end)))


class Scan:
    """A period whose request parameters stay frozen while its pages are followed.

    Only what remains is kept, never a token: `[low, high)`, where pages work down from `high` (newest first) or up
    from `low`. A scan that lost its token is continued by asking anew for what remains.
    """

    __slots__ = (
        "_asked_anew",
        "_barren",
        "_orderly",
        "_resumed_at",
        "_tokens",
        "asked_at",
        "began",
        "failures",
        "high",
        "kind",
        "low",
        "newest_first",
        "origin",
        "pages",
        "period",
        "resolution",
        "rows",
        "start",
        "token",
        "until",
    )

    def __init__(
        self,
        kind: Kind,
        start: datetime,
        end: datetime | None,
        *,
        asked_at: datetime,
        began: float,
        newest_first: bool,
        resolution: timedelta,
    ) -> None:
        self.kind = kind
        self.asked_at = asked_at
        """The service's time before the first request: what it shows later than that, this scan may miss."""
        self.began = began
        self.newest_first = newest_first
        self.resolution = resolution
        self.origin = self.low = start
        self.high = end
        self.pages = 0
        self.rows = 0
        self.period = _span(start, end)
        """What is to be read, where that has an end."""
        self.failures = 0
        """How often in a row the next page could not be had."""
        self._asked_anew = began
        self._resumed_at: tuple[datetime, datetime | None] | None = None
        self.resume()

    def resume(self) -> bool:
        """Ask anew, without a token, for what remains; whether anything was read since the last time.

        The edge that may be half read is read again.
        """
        progress, self._resumed_at = self.moved, (self.low, self.high)
        self.start = self.low - self.resolution
        self.until = None if self.high is None else self.high - self.resolution
        self.token: str | None = None
        self._tokens: set[int] = set()
        self._barren = 0
        self._orderly = True
        return progress

    def overdue(self, clock: float, longest: timedelta) -> bool:
        """Whether pages have been followed for longer than this since it began, or since it was so the last time."""
        if clock - self._asked_anew <= longest.total_seconds():
            return False
        self._asked_anew = clock
        return True

    @property
    def moved(self) -> bool:
        """Whether something was finished since it was asked for anew: a single moment may fill many pages."""
        return (self.low, self.high) != self._resumed_at

    @property
    def remains(self) -> Span | None:
        """What has not been read yet, where that has an end."""
        return _span(self.low, self.high)

    def take(self, moments: Sequence[datetime | None], token: str | None) -> Took:
        """Account for one page: the times of its rows, in its order, and the token of the next one."""
        self.pages += 1
        self.rows += len(moments)
        self.failures = 0
        self.token = token
        if token is None:
            return Took(_span(self.low, self.high), done=True)
        settled = self._progress(moments)
        self._barren = 0 if settled else self._barren + 1
        if hash(token) in self._tokens or self._barren > BARREN_PAGES:
            return Took(settled, done=False, astray=True)
        self._tokens.add(hash(token))
        if not self.newest_first and self.until is None and self.low > self.asked_at:
            return Took(settled, done=True)  # an open end is reached when the scan has caught up with its own start
        return Took(settled, done=False)

    def _progress(self, moments: Sequence[datetime | None]) -> Span | None:
        """What lies safely behind the last row: its own moment may go on on the next page."""
        if not self._orderly or not moments:
            return None
        known = [moment for moment in moments if moment is not None]
        if len(known) < len(moments) or known != sorted(known, reverse=self.newest_first):
            self._orderly = False  # nothing can be said before the end of the scan
            return None
        last = known[-1]
        if last > LATEST:
            return None
        if self.newest_first:
            high, self.high = self.high, max(self.low, last + self.resolution)
            if high is None or self.high >= high:
                self.high = self.high if high is None else high
                return None
            return _span(self.high, high)
        low = self.low
        self.low = max(low, last if self.high is None else min(last, self.high))
        return _span(low, self.low)


def _span(start: datetime, end: datetime | None) -> Span | None:
    return Span(start, end) if end is not None and start < end else None
