"""A reverse proxy that does to answers what networks, proxies and services do to them; seeded, so that a run repeats.

python -m tests.emulators.faulty_proxy UPSTREAM_URL [--port 0] [--seed 1] [--share 0.3]      prints its URL first
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import random
from collections import Counter
from enum import StrEnum
from typing import Self

import aiohttp
from aiohttp import web


class Fault(StrEnum):
    """What happens to one request."""

    NONE = "none"
    REFUSED = "connection reset before the service has seen the request"
    RESET = "connection reset in the middle of the answer"
    TRUNCATED = "an answer that ends early, with a Content-Length that fits"
    GARBAGE = "bytes that are no JSON, as a 200"
    LOGIN_PAGE = "an HTML page, as a 200"
    INTERNAL = "500"
    UNAVAILABLE = "503"
    THROTTLED = "ThrottlingException"
    SLOW = "an answer after half a second"
    LOST = "the service has done its work, the answer is lost"


PAGE = b"<!doctype html><title>Sign in to the hotel network</title>"


class FaultyProxy:
    """Forwards to `upstream`; a `share` of the requests meets a fault."""

    def __init__(self, upstream: str, *, seed: int = 1, share: float = 0.3) -> None:
        self.met: Counter[Fault] = Counter()
        self._upstream = upstream
        self._random = random.Random(seed)
        self._share = share
        self._session: aiohttp.ClientSession | None = None
        self._runner: web.AppRunner | None = None

    async def start(self, port: int = 0) -> str:
        """Listen on loopback; returns the URL."""
        app = web.Application(client_max_size=1 << 26)
        app.router.add_route("*", "/{tail:.*}", self._handle)
        self._session = aiohttp.ClientSession(auto_decompress=False)
        self._runner = web.AppRunner(app, shutdown_timeout=1)
        await self._runner.setup()
        site = web.TCPSite(self._runner, "127.0.0.1", port)
        await site.start()
        host, bound = self._runner.addresses[0][:2]
        return f"http://{host}:{bound}"

    async def stop(self) -> None:
        """Let go of everything."""
        if self._session is not None:
            await self._session.close()
        if self._runner is not None:
            await self._runner.cleanup()

    async def __aenter__(self) -> Self:
        self.url = await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    def _next(self) -> Fault:
        if self._random.random() >= self._share:
            return Fault.NONE
        return self._random.choice([fault for fault in Fault if fault is not Fault.NONE])

    async def _handle(self, request: web.Request) -> web.StreamResponse:
        fault = self._next()
        self.met[fault] += 1
        match fault:
            case Fault.REFUSED:
                return self._reset(request)
            case Fault.INTERNAL:
                return web.json_response({"__type": "InternalFailure"}, status=500)
            case Fault.UNAVAILABLE:
                return web.json_response({"__type": "ServiceUnavailableException"}, status=503)
            case Fault.THROTTLED:
                return web.json_response({"__type": "ThrottlingException", "message": "Rate exceeded"}, status=400)
            case Fault.GARBAGE:
                return web.Response(body=b"\x00\xff\xfe{{{", content_type="application/x-amz-json-1.1")
            case Fault.LOGIN_PAGE:
                return web.Response(body=PAGE, content_type="text/html")
            case Fault.SLOW:
                await asyncio.sleep(0.5)
        status, headers, body = await self._forward(request)
        match fault:
            case Fault.LOST:
                return self._reset(request)
            case Fault.TRUNCATED:
                return web.Response(status=status, headers=headers, body=body[: len(body) // 2])
            case Fault.RESET:
                answer = web.StreamResponse(status=status, headers=headers | {"Content-Length": str(len(body))})
                await answer.prepare(request)
                await answer.write(body[: len(body) // 2])
                return self._reset(request)
        return web.Response(status=status, headers=headers, body=body)

    async def _forward(self, request: web.Request) -> tuple[int, dict[str, str], bytes]:
        assert self._session is not None
        headers = {name: value for name, value in request.headers.items() if name.lower() != "host"}
        async with self._session.request(
            request.method, self._upstream + request.path_qs, headers=headers, data=await request.read()
        ) as answer:
            kept = {name: value for name in ("Date", "Content-Type") if (value := answer.headers.get(name))}
            return answer.status, kept, await answer.read()

    @staticmethod
    def _reset(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()


async def _serve(upstream: str, port: int, seed: int, share: float) -> None:
    print(await FaultyProxy(upstream, seed=seed, share=share).start(port), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("upstream")
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--share", type=float, default=0.3, help="of the requests that meet a fault")
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.upstream, options.port, options.seed, options.share))
