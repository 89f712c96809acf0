"""A stand-in that listens on the loopback for as long as it is needed."""

from __future__ import annotations

import asyncio
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Self

from aiohttp import web


class Loopback(ABC):
    """`async with` makes it listen on a free port, `start` on a given one."""

    largest_request = 2**20
    """Bytes of a request that it takes; aiohttp's own limit."""

    def __init__(self) -> None:
        self.url = ""
        self.closing = asyncio.Event()
        """Set when nobody is answered any more: what an answer waits with."""
        self._runner: web.AppRunner | None = None

    @abstractmethod
    def routes(self) -> Sequence[web.RouteDef]:
        """What it answers to."""

    async def start(self, port: int = 0) -> str:
        """Listen; the URL."""
        self.closing.clear()
        app = web.Application(client_max_size=self.largest_request)
        app.router.add_routes(self.routes())
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
        await self._runner.setup()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        host, port = self._runner.addresses[0][:2]
        self.url = f"http://{host}:{port}"
        return self.url

    async def stop(self) -> None:
        """Close every connection; nothing where it does not listen."""
        self.closing.set()
        if self._runner is not None:
            await self._runner.cleanup()
            self._runner = None

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()


@contextmanager
def beside(stand_in: Loopback) -> Iterator[None]:
    """Have a stand-in answer from a thread of its own, while this one waits for whoever asks it."""
    with asyncio.Runner() as runner:
        runner.run(stand_in.__aenter__())
        loop = runner.get_loop()
        answering = threading.Thread(target=loop.run_forever)
        answering.start()
        try:
            yield
        finally:
            loop.call_soon_threadsafe(loop.stop)
            answering.join()
            runner.run(stand_in.__aexit__())
