"""What a journal gives back of the events that have arrived: by their time, in chunks, and one by one."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from datetime import datetime
from itertools import chain, repeat

from smwatch.events.event import Arrival, Event
from smwatch.journal.covered import Covered
from smwatch.journal.database import Opening
from smwatch.journal.errors import JournalCorruptError
from smwatch.journal.printed import DEALT, TAKEN, TOLD, UNTOLD
from smwatch.journal.rows import SELECT, Row, Stored, identity, seconds, stored_of, text

_FEW, _CHUNK = 20, 500
"""Events that are read in one go: at first, for whoever waits for the first of them, and then."""
_FIRST, _LAST = (-(1 << 62), b""), (1 << 62, b"")
"""Places (at, identity) before and after those of all events."""
_NEWEST = "SELECT coalesce(max(seq), 0) FROM events"
_GIVEN = "SELECT coalesce(max(seq), 0) FROM sqlite_sequence WHERE name = 'events' AND typeof(seq) = 'integer'"
"""The highest number that was ever given: another process goes by it also when its event has been pruned."""
_HIGHEST = (1 << 63) - 1
"""The highest seq that SQLite can give."""


class Arrived(Covered):
    """Events in the file of a journal, to be read."""

    def __init__(self, opening: Opening) -> None:
        super().__init__(opening)
        self._prints_from = 0
        """The second from which on all events taken in are to be printed, if this process prints."""

    def last_seq(self) -> int:
        """The number of the newest arrival, be it pruned; 0 for a journal that never had one."""
        with self._look() as db:
            return self._newest(db)

    @staticmethod
    def _newest(db: sqlite3.Connection) -> int:
        held: int = db.execute(_NEWEST).fetchone()[0]
        given: int = db.execute(_GIVEN).fetchone()[0]
        return max(held, given)

    def recent(self, since: datetime, upto_seq: int, *, printing_from: datetime | None = None) -> Iterator[Stored]:
        """The events since a moment that had arrived by `upto_seq`, newest first, in chunks.

        With `printing_from`, without those that are `untold` since then.
        """
        arrived, more = self._arrived(since, upto_seq, printing_from)
        select = f"{SELECT} WHERE (at, identity) < (?, ?) AND {arrived} ORDER BY at DESC, identity DESC"
        return self._paged(select, _LAST, *more)

    def recalled(
        self, since: datetime, upto_seq: int, *, limit: int, printing_from: datetime | None = None
    ) -> Iterator[Stored]:
        """The newest `limit` of what `recent` has, oldest first."""
        if not limit:
            return
        arrived, more = self._arrived(since, upto_seq, printing_from)
        older = f"SELECT at, identity FROM events WHERE {arrived} ORDER BY at DESC, identity DESC LIMIT 1 OFFSET ?"  # noqa: S608, words of our own
        with self._look() as db:
            place = db.execute(older, (*more, limit)).fetchone()
        newest = f"{SELECT} WHERE (at, identity) > (?, ?) AND {arrived} ORDER BY at, identity"
        yield from self._paged(newest, place or _FIRST, *more)

    def count(self, since: datetime, most: int) -> int:
        """How many events since a moment are held; `most`, if there are more."""
        with self._look() as db:
            held = "SELECT count(*) FROM (SELECT 1 FROM events WHERE at >= ? LIMIT ?)"
            count: int = db.execute(held, (seconds(since), most)).fetchone()[0]
        return count

    def _arrived(self, since: datetime, upto_seq: int, printing_from: datetime | None) -> tuple[str, list[int]]:
        """The condition of `recent`, and its parameters."""
        condition, more = "at >= ? AND seq <= ? AND raw IS NOT NULL", [seconds(since), upto_seq]
        if printing_from is not None:
            condition += f" AND ((at < ? AND NOT (at >= ? AND seq > ? AND seq <= ?)) OR {TOLD})"
            more += [seconds(printing_from), self._prints_from, self._number(DEALT), self._number(TAKEN)]
        return condition, more

    def between(self, start: datetime, end: datetime) -> Iterator[Stored]:
        """All events with start <= eventTime < end, oldest first, read in chunks."""
        select = f"{SELECT} WHERE (at, identity) > (?, ?) AND at < ? AND raw IS NOT NULL ORDER BY at, identity"
        return self._paged(select, (seconds(start), b""), seconds(end))

    def untold(self, since: datetime, upto_seq: int) -> Iterator[Stored]:
        """What `tail` has to print before what comes, oldest first, read in chunks: events since then not printed yet.

        Before them come events from before `since` that an earlier run took in and was killed before it printed. All
        of them had arrived by `upto_seq`.
        """
        taken, dealt = self._number(TAKEN), self._number(DEALT)
        since_s = seconds(since)
        select = f"{SELECT} WHERE (at, identity) > (?, ?)"
        order = "AND raw IS NOT NULL ORDER BY at, identity"
        if dealt < taken:
            older = f"{select} AND at < ? AND at >= ? AND seq > ? AND seq <= ?{UNTOLD} {order}"
            yield from self._paged(older, _FIRST, since_s, self._prints_from, dealt, min(taken, upto_seq))
        yield from self._paged(f"{select} AND seq <= ?{UNTOLD} {order}", (since_s, b""), upto_seq)

    def _paged(self, select: str, place: tuple[int, bytes], *more: int | bytes) -> Iterator[Stored]:
        """What a SELECT finds beyond a place (at, identity), read in chunks, so that nobody waits for all of it."""
        for most in chain((_FEW,), repeat(_CHUNK)):
            with self._look() as db:
                rows: list[Row] = db.execute(f"{select} LIMIT {most}", (*place, *more)).fetchall()
            yield from stored_of(rows)
            if len(rows) < most:
                return
            place = rows[-1][1], rows[-1][2]

    def known(self, arrivals: Iterable[Arrival]) -> set[int]:
        """The own keys of those events that are in the journal, for when nothing can be committed."""
        with self._look() as db:
            find = "SELECT 1 FROM events WHERE at = ? AND identity = ?"
            events = (arrival.event for arrival in arrivals)
            return {one.own_key for one in events if db.execute(find, (one.seconds, identity(one.own_key))).fetchone()}

    def raw(self, event: Event) -> str | None:
        """The untouched record behind an event; None when it has been pruned or forgotten."""
        with self._look() as db:
            find = "SELECT raw FROM events WHERE at = ? AND identity = ?"
            row = db.execute(find, (event.seconds, identity(event.own_key))).fetchone()
        try:
            return None if row is None or row[0] is None else text(row[0])
        except (TypeError, ValueError) as error:
            raise JournalCorruptError("an event in it can't be read") from error

    def _number(self, name: str) -> int:
        return min(max(self.fact_as(name, int) or 0, 0), _HIGHEST)
