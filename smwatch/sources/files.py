"""Records out of files: trail files, JSON lines, command output, log exports, whole directories, standard input."""

from __future__ import annotations

import asyncio
import os
import stat
import threading
import zlib
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Generator, Iterator, Sequence
from contextlib import aclosing, closing, suppress
from datetime import datetime, timedelta
from gzip import BadGzipFile
from pathlib import Path
from typing import TypeVar, assert_never

import msgspec

from smwatch.events.event import SeenBy
from smwatch.sources.coverage import Coverage
from smwatch.sources.formats import Unread, read
from smwatch.sources.playback import Playback
from smwatch.sources.source import Found, Page, State, Status

STDIN = "-"
PAGE = 2_000
BLOCK = 128 << 10
"""Bytes read from a file at a time."""
AHEAD = 8
"""Pieces read in advance while the monitor works on the one before."""
IDLE = 0.2
"""Seconds without anything to read after which what has been read is handed on."""
REPORT_EVERY = timedelta(seconds=1)
TICK = 0.1
"""Seconds: records due within a tick are played together."""
NOT_RECORDS = frozenset({"CloudTrail-Digest", "CloudTrail-Insight"})
"""Directories beside a trail's own: hashes of its files, and unusual call rates."""
GZIP = b"\x1f\x8b"

_T = TypeVar("_T")


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
        stdin: int = 0,
    ) -> None:
        if speed is not None and speed <= 0:
            raise ValueError(f"the speed of a replay is a positive number, not {speed}")
        self.label = _label(paths)
        self._paths = tuple(str(path) for path in paths)
        self._now = now
        self._sleep = sleep
        self._speed = speed
        self._stdin = stdin
        self._began_at = now()

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
        yield self._status(state, tally.message(), progress=tally.result(), good=not tally.missed)

    async def close(self) -> None:
        """Nothing is held between reads."""

    async def _read(self, playback: Playback, tally: _Tally) -> AsyncGenerator[Page | Status, None]:
        """Read all files, into pages or, with a speed, for the playback."""
        told_at = self._now()
        pending: list[Found] = []
        async with aclosing(_ahead(_parts(self._paths, self._stdin))) as parts:
            async for part in parts:
                match part:
                    case list():
                        tally.records += len(part)
                        if self._speed is not None:
                            playback.add(part)
                        else:
                            pending += part
                            while len(pending) >= PAGE:
                                yield self._page(pending[:PAGE])
                                del pending[:PAGE]
                    case None:
                        if pending:
                            yield self._page(pending)
                            pending = []
                    case _Opened():
                        tally.files += 1
                        tally.of = part.of
                    case _Missed():
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
        """Give back what was read, when it is due."""
        speed = self._speed or 1.0
        began_at = told_at = self._now()
        pending: list[Found] = []
        for seconds, moment, found in playback.play():
            wait = seconds / speed - (self._now() - began_at).total_seconds()
            if pending and (wait > 0 or len(pending) >= PAGE):
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


class _Opened(msgspec.Struct, frozen=True):
    """Reading has come to the next file, one `of` so many."""

    of: int


class _Missed(msgspec.Struct, frozen=True):
    """A file, or a part of one, that was not read."""

    sentence: str
    harmless: bool = False
    """It lay about in a directory and has nothing to do with CloudTrail."""


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

    def miss(self, part: _Missed) -> None:
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

    def progress(self) -> str:
        return f"file {self.files:,} of {self.of:,}, {_count(self.records, 'record')}"

    def result(self) -> str:
        whole = ", not all of them whole" if self.missed else ""
        return f"{_count(self.records, 'record')} from {_count(self.files, 'file')}{whole}"


# -- files and what is in them; all of this runs in a thread


def _parts(paths: Sequence[str], stdin: int) -> Generator[list[Found] | _Opened | _Missed, None, None]:
    files: list[tuple[str, bool]] = []  # path, whether it was named and not just lay in a directory
    for path in paths:
        if path != STDIN and _is_directory(path):
            inside = list(_walk(path))
            if not any(isinstance(each, str) for each in inside):
                yield _Missed(f"{path}: no files in this directory")
            for each in inside:
                if isinstance(each, str):
                    files.append((each, False))
                else:
                    yield each
        else:
            files.append((path, True))
    for path, named in files:
        yield _Opened(len(files))
        name = "standard input" if path == STDIN else path
        if path.startswith("s3://"):
            yield _Missed(f"{name}: not a local file; fetch it first: aws s3 sync {path} DIRECTORY")
            continue
        with closing(_blocks(path, stdin)) as blocks:
            for part in read(_gunzip(blocks)):
                if isinstance(part, Unread):
                    yield _Missed(f"{name}: {part.reason}", harmless=part.foreign and not named)
                else:
                    yield part


def _is_directory(path: str) -> bool:
    with suppress(OSError):  # opening it says what is wrong
        return Path(path).is_dir()
    return False


def _walk(directory: str) -> Iterator[str | _Missed]:
    """The regular files under a directory in the order of their names, and what was passed over."""
    unlistable: list[OSError] = []
    for folder, folders, files in os.walk(directory, onerror=unlistable.append):
        for name in sorted(NOT_RECORDS.intersection(folders)):
            for _, _, beside in os.walk(Path(folder, name)):
                yield from (_Missed(each, harmless=True) for each in beside)
        folders[:] = sorted(name for name in folders if name not in NOT_RECORDS and not name.startswith("."))
        for name in sorted(files):
            path = Path(folder, name)
            with suppress(OSError):
                if stat.S_ISREG(path.stat().st_mode) and not name.startswith("."):
                    yield str(path)
    for error in unlistable:
        yield _Missed(f"{error.filename}: {error.strerror}")


def _blocks(path: str, stdin: int) -> Generator[bytes, None, None]:
    # Unbuffered: a thread that waits for standard input must not hold the lock of a buffer when the program ends.
    with open(stdin if path == STDIN else path, "rb", buffering=0, closefd=path != STDIN) as file:
        while block := file.read(BLOCK):
            yield block


def _gunzip(blocks: Iterator[bytes]) -> Iterator[bytes]:
    """The blocks themselves or, where they are gzip, what is inside; damage is an OSError, after what came before."""
    head = b""
    while len(head) < len(GZIP) and (block := next(blocks, b"")):
        head += block
    if not head.startswith(GZIP):
        if head:
            yield head
        yield from blocks
        return
    inflate = zlib.decompressobj(wbits=31)
    data = head
    while True:
        before = inflate.copy()
        try:
            text = inflate.decompress(data, BLOCK * 4)
        except zlib.error:
            yield from _undamaged(before, data)
            raise BadGzipFile("its gzip data is damaged; fetch it again") from None
        if text:
            yield text
        data = inflate.unconsumed_tail
        if inflate.eof:  # another member may follow, or padding
            data = inflate.unused_data.lstrip(b"\0")
            while len(data) < len(GZIP) and (block := next(blocks, b"")):
                data = (data + block).lstrip(b"\0")
            if not data:
                return
            if not data.startswith(GZIP):
                raise BadGzipFile("something that is not gzip follows its gzip data; fetch it again")
            inflate = zlib.decompressobj(wbits=31)
        elif not data and not (data := next(blocks, b"")):
            yield inflate.flush()
            raise BadGzipFile("its gzip data ends early; fetch it again")


def _undamaged(inflate: zlib._Decompress, data: bytes) -> Iterator[bytes]:
    """What can be had of a piece of gzip data before it turns out to be damaged, to the last byte."""
    for start in range(0, len(data), 256):
        piece, before = data[start : start + 256], inflate.copy()
        try:
            yield inflate.decompress(piece)
        except zlib.error:
            with suppress(zlib.error):
                while piece:
                    yield before.decompress(piece, 1)
                    piece = before.unconsumed_tail
            return


# -- from the thread to the event loop


async def _ahead(parts: Generator[_T, None, None]) -> AsyncGenerator[_T | None, None]:
    """Run an iterator in a thread of its own, some items ahead of whoever takes them; None when it pauses.

    The thread is a daemon: one that waits for standard input can't be woken, and must not keep the program alive.
    """
    loop = asyncio.get_running_loop()
    items: asyncio.Queue[_T | _End | None] = asyncio.Queue()
    room = threading.Semaphore(AHEAD)
    unwanted = threading.Event()

    def hand_over(item: _T | _End) -> None:
        with suppress(RuntimeError):  # the loop is closed: nobody is left to take it
            loop.call_soon_threadsafe(items.put_nowait, item)

    def work() -> None:
        error = None
        try:
            with closing(parts):
                for part in parts:
                    room.acquire()
                    if unwanted.is_set():
                        return
                    hand_over(part)
        except Exception as fault:  # handed on, to be raised where the items are taken
            error = fault
        finally:
            hand_over(_End(error))

    threading.Thread(target=work, name="smwatch-files", daemon=True).start()
    try:
        item: _T | _End | None = None
        while True:
            # A timer, as wait_for loses a cancellation that comes to a nested generator (Python 3.11).
            pause = loop.call_later(IDLE, items.put_nowait, None) if item is not None and items.empty() else None
            try:
                item = await items.get()
            finally:
                if pause is not None:
                    pause.cancel()
            if isinstance(item, _End):
                break
            yield item
            if item is not None:
                room.release()
        if item.error is not None:
            raise item.error
    finally:
        unwanted.set()
        room.release()


class _End(msgspec.Struct, frozen=True):
    """Nothing follows, because of this."""

    error: Exception | None


def _label(paths: Sequence[str | Path]) -> str:
    if len(paths) != 1:
        return f"{len(paths):,} files"
    return "stdin" if str(paths[0]) == STDIN else Path(paths[0]).name or str(paths[0])


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"


def _span(period: timedelta) -> str:
    minutes = int(period.total_seconds()) // 60
    return f"{minutes // 60:,} h {minutes % 60:02} min" if minutes >= 60 else f"{minutes} min"
