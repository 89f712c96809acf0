"""The records of a journal in memory, beside SQLite: it would copy each one, and takes long to give its room back."""

from __future__ import annotations

import sqlite3
from bisect import bisect_right
from collections.abc import Iterable
from itertools import islice, takewhile
from operator import attrgetter
from typing import NamedTuple, cast
from zlib import compress, decompress

import msgspec

from smwatch.events.event import Arrival

_TABLE = (
    # SQLite before 3.35 can't drop a column.
    "ALTER TABLE events RENAME COLUMN raw TO unused",
    "ALTER TABLE events ADD COLUMN raw GENERATED ALWAYS AS (record_of(seq)) VIRTUAL",
)
BLOCK = 256
"""Records that are compressed together: of more, opening one takes longer."""
LEVEL = 1
"""Of zlib: the next ones take twice as long for a tenth."""
OPENED = 8
"""Blocks that are kept as they are read: many files in one journal are read through side by side."""
_FIRST, _LAST = attrgetter("first"), attrgetter("last")
_HELD = "SELECT seq, raw FROM events WHERE raw IS NOT NULL ORDER BY seq"


class _Block(NamedTuple):
    """Records that are neighbours by seq."""

    first: int
    last: int
    packed: bytes


class Records:
    """Records by seq, as what they are read from in SQL too: the column `raw` of a database in memory.

    Serves "replay". With `packing`, those of earlier transactions are compressed in blocks,
    to a tenth or so: serves "view-…-memory"; to open one takes a millisecond.
    """

    def __init__(self, *, packing: bool) -> None:
        self._packing = packing
        self._held: dict[int, str | bytes] = {}
        """Ascending by seq, as those in blocks are, which are older."""
        self._blocks: list[_Block] = []
        self._opened: dict[int, dict[int, str | bytes]] = {}
        """Blocks that were looked into last, by the seq that each begins with, the last one last."""
        self._forgotten = 0

    @property
    def size(self) -> int:
        """Bytes of all that is held, as text or compressed."""
        return sum(map(len, self._held.values())) + sum(len(block.packed) for block in self._blocks)

    def serve(self, connection: sqlite3.Connection) -> None:
        """Be the column `raw` of the events in this database from now on, and hold what is in it."""
        self._held = dict(connection.execute(_HELD))
        if self._held:
            connection.execute("UPDATE events SET raw = NULL")
            connection.execute("VACUUM")
        connection.execute("PRAGMA trusted_schema = ON")
        connection.create_function("record_of", 1, self.record_of, deterministic=True)
        for statement in _TABLE:
            connection.execute(statement)

    def record_of(self, seq: int) -> str | bytes | None:
        """The record with this seq, if it is held."""
        held = self._held.get(seq)
        if held is not None or not self._blocks or seq <= self._forgotten:
            return held
        i = bisect_right(self._blocks, seq, key=_FIRST) - 1
        return self._opened_block(self._blocks[i]).get(seq) if i >= 0 and seq <= self._blocks[i].last else None

    def hold(self, fresh: Iterable[tuple[int, Arrival]]) -> None:
        """Hold the records of events that were put in, by seq."""
        while self._packing and len(self._held) >= BLOCK:  # before the new ones, whose transaction may yet fail
            self._pack()
        # The text itself, as its arrival has it, but where Python takes up to four bytes for a character.
        self._held.update((seq, raw if (raw := each.raw).isascii() else as_bytes(raw)) for seq, each in fresh)

    def take_back(self, after: int) -> None:
        """Let go of the records after a seq, of a transaction that failed: others come by the same numbers."""
        for seq in tuple(takewhile(after.__lt__, reversed(self._held))):
            del self._held[seq]

    def forget(self, upto: int) -> None:
        """Let go of the records up to a seq."""
        self._forgotten = upto
        for seq in tuple(takewhile(upto.__ge__, self._held)):
            del self._held[seq]
        gone = bisect_right(self._blocks, upto, key=_LAST)
        for block in self._blocks[:gone]:
            self._opened.pop(block.first, None)
        del self._blocks[:gone]

    def _pack(self) -> None:
        block = dict(islice(self._held.items(), BLOCK))
        for seq in block:
            del self._held[seq]
        # Records of one caller begin alike, and so stand beside each other: that makes a block a sixth smaller.
        alike = dict(sorted(block.items(), key=_text))
        self._blocks.append(_Block(min(block), max(block), compress(msgspec.msgpack.encode(alike), LEVEL)))

    def _opened_block(self, block: _Block) -> dict[int, str | bytes]:
        records = self._opened.pop(block.first, None)
        if records is None:
            records = cast("dict[int, str | bytes]", msgspec.msgpack.decode(decompress(block.packed)))
            if len(self._opened) >= OPENED:
                del self._opened[next(iter(self._opened))]
        self._opened[block.first] = records
        return records


def _text(item: tuple[int, str | bytes]) -> bytes:
    raw = item[1]
    return raw if isinstance(raw, bytes) else raw.encode()  # what is held as text is ASCII


def as_bytes(raw: str) -> bytes:
    """A record's text in UTF-8, also where half of a surrogate pair is in it, as JSON may hold."""
    return raw.encode("utf-8", "surrogatepass")
