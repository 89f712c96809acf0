"""Reading records into events, which are set right when names turn out otherwise before they are handed on."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Iterator
from contextlib import contextmanager

import msgspec

from smwatch.events.event import Arrival
from smwatch.events.links import counted_with
from smwatch.events.reader import Reader
from smwatch.events.renaming import Rename, composed, names_any, renamed_event
from smwatch.journal import Journal, JournalError, Stored


class Reading:
    """What one reader has read and nobody has handed on yet.

    Who calls the reader directly adds what it returns to a list of `begin`, and calls `set_right` after each record.
    """

    def __init__(self, journal: Journal, reader: Reader) -> None:
        self.reader = reader
        self._journal = journal
        self._unsent: dict[int, list[Arrival]] = {}
        self._renamed: list[Rename] = []
        self._mistaken = asyncio.Event()
        self._note()

    @contextmanager
    def begin(self) -> Iterator[list[Arrival]]:
        """A list for what is being read, which is set right when secrets turn out to be one before it is handed on."""
        arrivals: list[Arrival] = []
        self._unsent[id(arrivals)] = arrivals
        try:
            yield arrivals
        finally:
            del self._unsent[id(arrivals)]
            self._note()

    def stored(self, rows: Iterable[Stored]) -> tuple[tuple[int, Arrival], ...]:
        """Events as the journal holds them, read again, each with its seq."""
        with self.begin() as arrivals:
            seqs, renames = [], self.reader.renames
            for row in rows:
                arrivals.append(row.read(self.reader))
                seqs.append(row.seq)
                if renames:
                    self.set_right()
            self.pair(arrivals)
            return tuple(zip(seqs, arrivals, strict=True))

    def set_right(self) -> None:
        """Apply what the last record taught about names to those read before it, and to no later ones."""
        renames = self.reader.renamed()
        if not renames:
            return
        self._renamed += renames
        right = composed(renames)
        for arrivals in self._unsent.values():
            for i, arrival in enumerate(arrivals):
                if names_any(arrival.event, right):
                    event = renamed_event(arrival.event, right)
                    arrivals[i] = msgspec.structs.replace(arrival, event=event, likeness=None)

    def pair(self, arrivals: list[Arrival]) -> None:
        """Have the records that several accounts have of one call counted as the one that was journaled first."""
        for i in [i for i, arrival in enumerate(arrivals) if arrival.shared_id]:
            try:
                records = [row.read(self.reader).event for row in self._journal.same_call(arrivals[i].shared_id)]
            except JournalError:
                return  # each counts by itself; what is wrong is said where it is written to
            self.set_right()
            arrivals[i].counted_as = counted_with(arrivals[i].event, records)

    def renamed(self) -> tuple[Rename, ...]:
        """What reading has taught about the names of secrets since that was last asked for."""
        renamed, self._renamed = tuple(self._renamed), []
        return renamed

    # -- when events were about other secrets than they seemed to be

    async def mistaken(self) -> None:
        """Wait until a record shows that the reader was mistaken about a name."""
        await self._mistaken.wait()
        self._mistaken.clear()

    def _note(self) -> None:
        if self.reader.mistaken:
            self._mistaken.set()

    def again(self, size: int) -> Iterator[None]:
        """Read again what is not handed on yet, by what is known of names at present, `size` records at a time."""
        for arrivals in tuple(self._unsent.values()):
            for start in range(0, len(arrivals), size):
                for i in range(start, min(start + size, len(arrivals))):
                    arrival, event = arrivals[i], arrivals[i].event
                    read = self.reader.read(arrival.raw, seen_by=event.seen_by, seen_at=event.seen_at, at=event.at)
                    arrivals[i] = msgspec.structs.replace(arrival, event=read.event, likeness=read.likeness)
                yield
