"""Standard output for lines: waits for a slow reader without keeping anything else from going on."""

from __future__ import annotations

import asyncio
import io
import os
import select
import stat
import sys
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from itertools import islice
from typing import IO

TOGETHER = 100
"""Lines that are made and written in one go: a page's are 1.5 MB, and as much once more. Serves "tail-…-memory"."""
LAST_LINES_SECONDS = 0.5
"""How long the lines that were given may take to be finished when everything else is to end."""


class OutputError(Exception):
    """What is written to takes nothing more: a full disk, a limit; one clause for a person."""


class Output:
    """Writes whole lines to a stream, at once.

    A pipe, socket or terminal takes no more than its reader has room for: meanwhile `write` waits on the event loop, so
    that calls go on, and a signal ends the waiting. BrokenPipeError once nobody reads, OutputError when no more can be
    written; a file is left with whole lines then.
    """

    def __init__(self, stream: IO[str] | None = None) -> None:
        self._stream = stream or sys.stdout
        self.written = 0
        """How many of the lines last given were written whole."""
        try:
            self._handle = self._stream.fileno()
            mode = os.fstat(self._handle).st_mode
        except (io.UnsupportedOperation, OSError):  # no file at all
            self._handle = -1
            mode = 0
        self._is_pipe = stat.S_ISFIFO(mode)
        self._may_block = self._is_pipe or stat.S_ISSOCK(mode) or self._stream.isatty()

    async def write(self, lines: Iterable[bytes]) -> None:
        """Write these lines, each without its line break, and asked for not long before it is written.

        Cancelled, it goes on for a moment, line by line, as long as the reader takes them: where lines that belong
        together have been written in part only, none can be noted as written, and all would come again.
        """
        self.written, rest = 0, iter(lines)
        while some := list(islice(rest, TOGETHER)):
            done = self.written + len(some)
            if self._handle < 0:
                self._stream.write("".join(f"{line.decode()}\n" for line in some))
                self._stream.flush()
            else:
                await self._send(memoryview(b"\n".join((*some, b""))), rest)
            self.written = done

    async def _send(self, data: memoryview, rest: Iterator[bytes]) -> None:
        """Send all of it; `rest` are the lines after it, for when there is no other time for them."""
        sent = 0
        try:
            while sent < len(data):
                if self._may_block and not self._room(0):
                    await self._wait()
                try:
                    sent += self._put(data[sent:])
                except BlockingIOError:  # someone who shares it made it so
                    await self._wait()
        except BrokenPipeError:
            raise
        except OSError as error:
            whole = bytes(data[:sent])
            self.written += whole.count(b"\n")
            self._take_back(sent - whole.rfind(b"\n") - 1)
            raise OutputError(f"can't write the output ({error.strerror})") from error
        except asyncio.CancelledError:
            text = b"".join((data, b"\n".join((*rest, b""))))
            deadline = time.monotonic() + LAST_LINES_SECONDS
            with suppress(OSError):  # nobody reads any more, or there is no room after all
                while sent < len(text) and self._room(deadline - time.monotonic()):
                    sent += self._put(memoryview(text)[sent : text.find(b"\n", sent) + 1])
            self.written += text.count(b"\n", 0, sent)
            raise

    def _put(self, data: memoryview) -> int:
        # No more than a pipe is sure to take when it says that there is room.
        return os.write(self._handle, data[: select.PIPE_BUF] if self._may_block else data)

    def _take_back(self, torn: int) -> None:
        """Cut the beginning of a line off the end of a file, where nobody has written behind it."""
        with suppress(OSError):
            found, at = os.fstat(self._handle), os.lseek(self._handle, 0, os.SEEK_CUR)
            if torn and stat.S_ISREG(found.st_mode) and found.st_size == at:
                os.ftruncate(self._handle, at - torn)

    def _room(self, seconds: float) -> bool:
        poll = select.poll()
        poll.register(self._handle, select.POLLOUT)
        return bool(poll.poll(max(0.0, seconds) * 1000))

    async def _wait(self) -> None:
        loop, free = asyncio.get_running_loop(), asyncio.Event()
        loop.add_writer(self._handle, free.set)
        try:
            await free.wait()
        finally:
            loop.remove_writer(self._handle)

    def when_nobody_reads(self, act: Callable[[], None]) -> None:
        """Have `act` called, from the running loop, once the reader of a pipe has gone, even if nothing is written."""
        if self._is_pipe:
            loop = asyncio.get_running_loop()

            def gone() -> None:
                loop.remove_reader(self._handle)
                act()

            loop.add_reader(self._handle, gone)
