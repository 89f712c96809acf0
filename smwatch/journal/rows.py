"""Events as rows of the journal, there and back."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from datetime import UTC, datetime, timedelta

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival, SeenBy
from smwatch.events.reader import Reader
from smwatch.journal.errors import JournalCorruptError
from smwatch.journal.records import as_bytes

_IDENTITY_BITS = ID_BITS + ACCOUNT_BITS
_IDENTITY_BYTES = _IDENTITY_BITS // 8
IDENTITY = (1 << _IDENTITY_BITS) - 1
"""The bits of a key that tell records of one second apart."""
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
_LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // timedelta(seconds=1)
"""The seconds since the epoch of the first and the last moment that there is to Python."""
_SEEN_BY = {seen_by.value: seen_by for seen_by in SeenBy}

Row = tuple[int, int, bytes, str, int, str | bytes | None]
"""seq, at, identity, seen_by, seen_at, raw."""
SELECT = "SELECT seq, at, identity, seen_by, seen_at, raw FROM events"
"""Gives such rows."""


class Stored(msgspec.Struct, frozen=True, gc=False):
    """An event as the journal holds it."""

    seq: int
    second: int
    """Of the event's key: the eventTime, or that of the record which corrects it or is corrected by it."""
    seen_by: SeenBy
    seen_at: datetime
    raw: str

    @property
    def at(self) -> datetime:
        """The same second as a moment."""
        return moment(self.second)

    def read(self, reader: Reader) -> Arrival:
        """The event, read again."""
        arrival = reader.read(self.raw, seen_by=self.seen_by, seen_at=self.seen_at)
        seconds = arrival.event.seconds
        if seconds == self.second:
            return arrival
        if not seconds:  # the record does not say itself when it happened, as nearly all do
            arrival = reader.read(self.raw, seen_by=self.seen_by, seen_at=self.seen_at, at=self.at)
        if arrival.event.seconds != self.second:
            arrival.event, arrival.moved = arrival.event.moved(self.second), True
        return arrival


def rows_of(first: int, arrivals: Iterable[Arrival], *, whole: bool) -> Iterator[Row]:
    """What is kept of events that are numbered from `first` on; not `whole`, without their records."""
    # One at a time: a thousand together are gone through in search of cycles, too (see the row "ingest").
    seen_at, seen_ms, seen_by, by = _EPOCH, 0, SeenBy.FILE, SeenBy.FILE.value
    kept: str | bytes | None = None
    for seq, arrival in enumerate(arrivals, first):
        event = arrival.event
        if event.seen_at is not seen_at:  # neighbours share it
            seen_at, seen_ms = event.seen_at, milliseconds(event.seen_at)
        if event.seen_by is not seen_by:
            seen_by, by = event.seen_by, event.seen_by.value
        key = event.own_key if event.odd_id else event.key
        if whole:
            raw = arrival.raw
            kept = raw if raw.isascii() else _storable(raw)
        yield seq, key >> _IDENTITY_BITS, (key & IDENTITY).to_bytes(_IDENTITY_BYTES), by, seen_ms, kept


def _storable(raw: str) -> str | bytes:
    try:
        raw.encode()
    except UnicodeEncodeError:
        return as_bytes(raw)
    return raw


def stored_of(rows: Iterable[Row]) -> tuple[Stored, ...]:
    """The events of these rows, in their order; JournalCorruptError where a row is none of an event."""
    found = []
    last_ms, seen_at = -1, _EPOCH
    try:
        for seq, second, _, seen_by, seen_ms, raw in rows:
            if second.__class__ is not int or not _FIRST <= second <= _LAST:
                raise ValueError(second)
            if seen_ms != last_ms:  # those of a page share it
                last_ms, seen_at = seen_ms, _EPOCH + timedelta(milliseconds=seen_ms)
            found.append(Stored(seq, second, _SEEN_BY[seen_by], seen_at, raw if raw.__class__ is str else text(raw)))
    except (KeyError, TypeError, ValueError, OverflowError) as error:
        raise JournalCorruptError("an event in it can't be read") from error
    return tuple(found)


def identity(key: int) -> bytes:
    """The part of Event.own_key that tells records of one second apart."""
    return (key & IDENTITY).to_bytes(_IDENTITY_BYTES)


def text(raw: str | bytes | None) -> str:
    """The record as it came; TypeError or ValueError for what is none."""
    if isinstance(raw, str):
        return raw
    if raw is None:
        raise TypeError(raw)
    return str(raw, "utf-8", "surrogatepass")


def moment(seconds: int) -> datetime:
    """The moment so many seconds after the epoch."""
    return _EPOCH + timedelta(seconds=seconds)


def aware(at: datetime) -> datetime:
    """The moment in UTC, also if its text has lost the zone."""
    return at.replace(tzinfo=UTC) if at.tzinfo is None else at


def milliseconds(at: datetime) -> int:
    """Since the epoch."""
    return (at - _EPOCH) // timedelta(milliseconds=1)


def microseconds(at: datetime) -> int:
    """Since the epoch."""
    return (at - _EPOCH) // timedelta(microseconds=1)


def instant(us: int) -> datetime:
    """The moment so many microseconds after the epoch."""
    return _EPOCH + timedelta(microseconds=us)


def seconds(at: datetime) -> int:
    """A moment as events have it: the whole seconds since 1970."""
    return int(at.timestamp())
