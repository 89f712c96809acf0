"""The smwatch behind one browser tab, and how it ended."""

from __future__ import annotations

import asyncio
import re
import sys
from asyncio.subprocess import PIPE, Process
from collections import deque
from collections.abc import Sequence
from contextlib import suppress

import msgspec
from aiohttp import web
from textual_serve.app_service import AppService
from textual_serve.download_manager import DownloadManager

from smwatch.leaving import end_by_force
from smwatch.visible import visible

USAGE = 2
"""The exit code of an smwatch that was asked for what it can't do, or lacks something: doing it again won't help."""
GRACE = 5.0
"""Seconds an smwatch that was told to end may take."""
AGAIN_SECONDS = 30
"""When a page tries again by itself after its smwatch broke down: a wall comes back without anybody touching it."""
KEPT_LINES, KEPT_CHARACTERS = 24, 400
"""How much of the last that an smwatch said on standard error is kept."""

_STYLES = re.compile(r"\x1b\[[0-9;]*m")


class Ending(msgspec.Struct, frozen=True):
    """What a page says when its session is over."""

    title: str
    text: str = ""
    retry: int = 0
    """Seconds until the page tries again by itself; 0: it waits for somebody."""


LOST = Ending("The connection was lost", "This page connects again by itself.", retry=5)


class _Meta(msgspec.Struct):
    type: str = ""


class Session(AppService):
    """Runs `python -m smwatch ARGUMENTS` for one WebSocket; `ending` is known once `stop` has returned."""

    def __init__(self, arguments: Sequence[str], websocket: web.WebSocketResponse, downloads: DownloadManager) -> None:
        super().__init__(
            "",
            write_bytes=websocket.send_bytes,
            write_str=websocket.send_str,
            close=self._close,
            download_manager=downloads,
        )
        self.ending = LOST
        self._websocket = websocket
        self._arguments = arguments
        self._said: deque[str] = deque(maxlen=KEPT_LINES)
        self._drew = False
        self._stopping = False

    async def _close(self) -> None:
        await self._websocket.close()

    def _build_environment(self, width: int = 80, height: int = 24) -> dict[str, str]:
        """The browser's terminal knows UTF-8 and all colours, whatever the one does that `serve` was started in."""
        environment: dict[str, str] = super()._build_environment(width, height)
        return environment | {"TERM": "xterm-256color", "LC_ALL": "C.UTF-8", "PYTHONUTF8": "1"}

    async def _open_app_process(self, width: int = 80, height: int = 24) -> Process:
        """Start smwatch, without a shell; what it says on standard error is kept for the page."""
        process = self._process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "smwatch", *self._arguments),
            stdin=PIPE,
            stdout=PIPE,
            stderr=PIPE,
            env=self._build_environment(width, height),
        )
        self._stdin = process.stdin
        if self._stopping:  # while it was being started
            end_by_force(process)
        assert process.stderr is not None
        self._listening = asyncio.create_task(self._listen(process.stderr))
        process.stderr = asyncio.StreamReader()  # or the base class would print it between the lines of the server
        process.stderr.feed_eof()
        return process

    async def _listen(self, stderr: asyncio.StreamReader) -> None:
        async for line in stderr:
            self._said.append(visible(_STYLES.sub("", line.decode(errors="replace")).rstrip())[:KEPT_CHARACTERS])

    async def on_data(self, payload: bytes) -> None:
        """Something to draw."""
        self._drew = True
        await super().on_data(payload)

    async def on_meta(self, data: bytes) -> None:
        """Something to do; that smwatch leaves its screen is no end yet, for why is said after it."""
        if msgspec.json.decode(data, type=_Meta).type != "exit":
            await super().on_meta(data)

    async def run(self) -> None:
        """Hand on what smwatch draws until it ends; then the browser is told."""
        await super().run()
        assert self._process is not None
        code = await self._process.wait()
        await self._listening
        if not self._stopping:
            self.ending = self._ending(code)
            await self.remote_close()

    def _ending(self, code: int) -> Ending:
        said = "\n".join(self._said)
        if code == 0:
            return Ending("smwatch has ended", said)
        if code == USAGE or not self._drew:
            return Ending("smwatch could not start", said or f"It ended with exit code {code}, without a word.")
        return Ending(f"smwatch broke down (exit code {code})", said, retry=AGAIN_SECONDS)

    async def stop(self) -> None:
        """Have smwatch end, if need be by force, and wait until it has."""
        self._stopping = True
        if self._process is None:
            return
        by_force = asyncio.get_running_loop().call_later(GRACE, end_by_force, self._process)
        try:
            await super().stop()
        finally:
            by_force.cancel()
            end_by_force(self._process)  # where it could not be told, or nobody waits for its end any more
        if self._stdin is not None:  # a pipe that is open when the loop is closed complains as Python ends
            self._stdin.close()
            with suppress(ConnectionError):
                await self._stdin.wait_closed()
