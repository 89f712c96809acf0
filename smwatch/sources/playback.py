"""Records in the order of their times, to be played back at a chosen speed."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from tempfile import SpooledTemporaryFile

import msgspec

from smwatch.sources.source import Found
from smwatch.sources.wrappers import UNREADABLE, time_of

LONGEST_PAUSE = timedelta(minutes=5)
"""In recorded time: a night in which nothing happened takes no longer than this."""
IN_MEMORY = 64 << 20
"""Bytes of records kept in memory; the rest is in a temporary file that has no name."""


class _When(msgspec.Struct):
    eventTime: msgspec.Raw = msgspec.Raw()  # noqa: N815  the name is CloudTrail's


_decode = msgspec.json.Decoder(_When).decode


class Playback:
    """Takes records in any order and gives them back in the order of their times, with long pauses cut short."""

    def __init__(self) -> None:
        self.skipped = timedelta()
        """How much recorded time the cut pauses come to."""
        self._spool = SpooledTemporaryFile(max_size=IN_MEMORY)  # noqa: SIM115  closed by `close`
        self._size = 0
        self._index: list[tuple[float, int, int, datetime | None]] = []  # seconds, offset, size, the wrapper's time

    def __len__(self) -> int:
        return len(self._index)

    def add(self, found: Iterable[Found]) -> None:
        """Take more records; one without a time goes with the one before it.

        Raises OSError where there is no room for them; what was taken in is lost then.
        """
        for each in found:
            raw = each.raw.encode("utf-8", "replace")
            at = _event_time(raw) or each.at
            seconds = at.timestamp() if at else self._index[-1][0] if self._index else 0.0
            self._index.append((seconds, self._size, len(raw), each.at))
            self._spool.write(raw)
            self._size += len(raw)
        self._spool.flush()

    def play(self) -> Iterator[tuple[float, datetime, Found]]:
        """(seconds of recorded time since the first record, pauses cut short; the moment; the record), in order."""
        self._index.sort(key=lambda entry: entry[:2])
        longest = LONGEST_PAUSE.total_seconds()
        played, before = 0.0, self._index[0][0] if self._index else 0.0
        for seconds, offset, size, at in self._index:
            pause = min(seconds - before, longest)
            self.skipped += timedelta(seconds=seconds - before - pause)
            played, before = played + pause, seconds
            self._spool.seek(offset)
            yield played, datetime.fromtimestamp(seconds, UTC), Found(self._spool.read(size).decode(), at)

    def close(self) -> None:
        """Give the memory and the temporary file back."""
        self._index.clear()
        with suppress(OSError):  # it would still write what there is no room for
            self._spool.close()


def _event_time(raw: bytes) -> datetime | None:
    try:
        return time_of(_decode(raw).eventTime)
    except UNREADABLE:
        return None
