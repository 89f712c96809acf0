"""The source of recorded events: trail files, JSON lines, command output, log exports, directories, standard input."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import aclosing, closing
from datetime import datetime, timedelta
from pathlib import Path
from tempfile import gettempdir
from typing import assert_never

import msgspec

from smwatch.events.event import SeenBy
from smwatch.sources.coverage import Coverage
from smwatch.sources.in_thread import in_thread
from smwatch.sources.playback import Playback
from smwatch.sources.recordings import STDIN, Missed, Opened, parts
from smwatch.sources.source import Found, Page, State, Status

PAGE = 2_000
SCREEN_PAGE = 500
"""Records of a page for a screen, on which larger ones gain nothing: what is read of one takes three times as much
memory as its records do. Serves "view-…-memory"."""
FIRST = 100
"""Records of the first page: some screenfuls, so that something is shown while the others are read. Serves "view-…"."""
REPORT_EVERY = timedelta(seconds=1)
TICK = 0.1
"""Seconds: records due within a tick are played together."""


class FileSource:
    """Reads files once, in the order given; directories recursively, sorted by name; `-` is standard input.

    Formats are told by content, see `formats` and `wrappers`. What can't be read is reported, the rest is still read;
    the last Status says DONE, or FAILING with what is missing. With a `speed` (60.0: an hour in a minute) everything is
    read and sorted by time first, and then played back; otherwise pages come as fast as they are taken.
    """

    name = "files"
    seen_by = SeenBy.FILE

    def __init__(
        self,
        paths: Sequence[str | Path],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        speed: float | None = None,
        page: int = PAGE,
        stdin: int = 0,
    ) -> None:
        if speed is not None and speed <= 0:
            raise ValueError(f"the speed of a replay is a positive number, not {speed}")
        self.label = _label(paths)
        self._paths = tuple(str(path) for path in paths)
        self._now = now
        self._sleep = sleep
        self._speed = speed
        self._most = page
        self._stdin = stdin
        self._began_at = now()
        self.empty = False
        """Whether all was read, and held no record."""

    def follow(self, coverage: Coverage) -> AsyncIterator[Page | Status]:
        """The same as `read_once`: nothing is added to a recording."""
        return self.read_once(coverage)

    async def read_once(self, coverage: Coverage) -> AsyncIterator[Page | Status]:  # noqa: ARG002  files prove nothing
        """Yield all records, and a last Status."""
        tally = _Tally()
        yield self._status(State.CATCHING_UP, progress="reading")
        with closing(Playback()) as playback:
            async with aclosing(self._read(playback, tally)) as items:
                async for item in items:
                    yield item
            async with aclosing(self._play(playback, tally)) as items:
                async for item in items:
                    yield item
        state = State.FAILING if tally.missed else State.DONE
        self.empty = not tally.records and not tally.missed
        yield self._status(state, tally.conclusion(), progress=tally.result(), good=not tally.missed)

    async def close(self) -> None:
        """Nothing is held between reads."""

    async def _read(self, playback: Playback, tally: _Tally) -> AsyncGenerator[Page | Status, None]:
        """Read all files, into pages or, with a speed, for the playback."""
        told_at = self._now()
        most = FIRST
        pending: list[Found] = []
        async with aclosing(in_thread(parts(self._paths, self._stdin))) as read:
            async for part in read:
                match part:
                    case list():
                        tally.records += len(part)
                        if self._speed is not None:
                            try:
                                playback.add(part)
                            except OSError as error:
                                tally.miss(Missed(_no_room(error)))
                                playback.close()
                                return
                        else:
                            pending += part
                            while len(pending) >= most:
                                yield self._page(pending[:most])
                                del pending[:most]
                                most = self._most
                    case None:
                        if pending:
                            yield self._page(pending)
                            pending = []
                    case Opened():
                        tally.files += 1
                        tally.of = part.of
                    case Missed():
                        tally.miss(part)
                        if not part.harmless:
                            yield self._status(State.FAILING, part.sentence, progress=tally.progress())
                    case _:
                        assert_never(part)
                if self._now() - told_at >= REPORT_EVERY:
                    told_at = self._now()
                    yield self._status(tally.state, tally.message(), progress=tally.progress())
        if pending:
            yield self._page(pending)

    async def _play(self, playback: Playback, tally: _Tally) -> AsyncGenerator[Page | Status, None]:
        """Hand over what was read, each page when it is due."""
        speed = self._speed or 1.0
        began_at = told_at = self._now()
        pending: list[Found] = []
        for seconds, moment, found in playback.play():
            wait = seconds / speed - (self._now() - began_at).total_seconds()
            if pending and (wait > 0 or len(pending) >= self._most):
                yield self._page(pending)
                pending = []
            if wait > 0:
                if wait >= REPORT_EVERY.total_seconds() or self._now() - told_at >= REPORT_EVERY:
                    told_at = self._now()
                    progress = f"playing {speed:g}× at {moment:%Y-%m-%d %H:%M:%S}Z"
                    yield self._status(tally.state, tally.message(), progress=progress)
                await self._sleep(max(wait, TICK))
            pending.append(found)
        if pending:
            yield self._page(pending)
        tally.skipped = playback.skipped

    def _page(self, found: Sequence[Found]) -> Page:
        # A record without a time is worth an alarm too; one moment for all, so that the same record is the same event.
        return Page(self.name, self.seen_by, tuple(found), self._now(), undated_at=self._began_at)

    def _status(self, state: State, message: str = "", *, progress: str = "", good: bool = False) -> Status:
        at = self._now()
        return Status(
            self.name, self.label, state, message, at=at, last_good_at=at if good else None, progress=progress
        )


class _Tally(msgspec.Struct):
    """What has been read so far, and what has not."""

    files: int = 0
    of: int = 0
    records: int = 0
    passed_over: int = 0
    missed: list[str] = msgspec.field(default_factory=list)
    skipped: timedelta = timedelta()

    @property
    def state(self) -> State:
        return State.FAILING if self.missed else State.CATCHING_UP

    def miss(self, part: Missed) -> None:
        if part.harmless:
            self.passed_over += 1
        else:
            self.missed.append(part.sentence)

    def message(self) -> str:
        if self.missed:
            more = len(self.missed) - 1
            return self.missed[0] + (f" (and {more:,} more like this)" if more else "")
        notes = []
        if self.passed_over:
            notes.append(f"passed over {_count(self.passed_over, 'file')} of digests, insights or other things")
        if self.skipped >= timedelta(minutes=1):
            notes.append(f"cut {_span(self.skipped)} without events short")
        return "; ".join(notes)

    def conclusion(self) -> str:
        none = "" if self.records or self.missed else f"there are no records in {'it' if self.files == 1 else 'them'}"
        return "; ".join(filter(None, (none, self.message())))

    def progress(self) -> str:
        return f"file {self.files:,} of {self.of:,}, {_count(self.records, 'record')}"

    def result(self) -> str:
        whole = ", not all of them whole" if self.missed else ""
        return f"{_count(self.records, 'record')} from {_count(self.files, 'file')}{whole}"


def _no_room(error: OSError) -> str:
    place = "any temporary directory" if isinstance(error, FileNotFoundError) else gettempdir()
    return (
        f"there is no room in {place} to sort what is to be played back ({error.strerror}):"
        " set TMPDIR to where there is, or leave out --speed"
    )


def _label(paths: Sequence[str | Path]) -> str:
    if len(paths) != 1:
        return f"{len(paths):,} files"
    return "stdin" if str(paths[0]) == STDIN else Path(paths[0]).name or str(paths[0])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _span(period: timedelta) -> str:
    minutes = int(period.total_seconds()) // 60
    return f"{minutes // 60:,} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
