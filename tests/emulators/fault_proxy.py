"""A proxy that passes HTTP on to a service and does, when told, what networks do to it.

In process: `async with FaultProxy(service.url) as proxy: proxy.faults.append({"reset": True})`.
As a process of its own, with a small control API:

    python -m tests.emulators.fault_proxy URL [--port 0]      prints its own URL on its first line
    POST /_control/faults {"faults": [{"hang": 60}, {"status": 503, "times": 3}, …]}      GET /_control/passed

A fault is used up by one request (`times`: by several; `chance`: never, but strikes with this probability; `only`: by
one whose X-Amz-Target contains this; `called`: a name to count it by):
    reset                   the connection is reset instead of an answer
    hang: SECONDS           no answer for so long, then the connection is closed
    delay: SECONDS          the true answer, late
    status: N, body: TEXT   an answer of somebody in between, such as a proxy's HTML page
    body: TEXT              the same with status 200
    truncate: BYTES         the beginning of the true answer, as if it were whole
    cut: BYTES              the beginning of the true answer, then the connection is reset
    end: BYTES              the beginning of the true answer (a stream), then a proper end
    stall: BYTES            the beginning of the true answer (a stream), then nothing
    corrupt: true           the true answer with some bytes overwritten
    encode: NAME            the true answer compressed unasked (gzip, deflate), and called so
    bomb: MIB               so many MiB of blanks, compressed to a thousandth
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import gzip
import random
import zlib
from collections import deque
from collections.abc import Sequence
from typing import Any

import aiohttp
from aiohttp import web

from tests.emulators.loopback import Loopback

HOP_BY_HOP = {"connection", "keep-alive", "transfer-encoding", "content-length", "te", "trailer", "upgrade", "host"}

Fault = dict[str, Any]


def foul_weather(share: float) -> list[Fault]:
    """Everything that networks, proxies and busy services do to answers, by chance, to this share of them in all."""
    kinds: list[Fault] = [
        {"called": "reset before the service has seen the request", "reset": True},
        {"called": "answer lost after the service has done its work", "cut": 0},
        {"called": "reset in the middle of the answer", "cut": 200},
        {"called": "answer that ends early, with a Content-Length that fits", "truncate": 20},
        {"called": "bytes that are no JSON, as a 200", "body": "\x00\xff\xfe{{{"},
        {"called": "answer with bytes overwritten", "corrupt": True},
        {
            "called": "HTML page, as a 200",
            "status": 200,
            "body": "<!doctype html><title>Sign in to the hotel network</title>",
        },
        {"called": "500", "status": 500, "body": '{"__type": "InternalFailure"}'},
        {"called": "503", "status": 503, "body": '{"__type": "ServiceUnavailableException"}'},
        {
            "called": "ThrottlingException",
            "status": 400,
            "body": '{"__type": "ThrottlingException", "message": "Rate exceeded"}',
        },
        {"called": "answer after half a second", "delay": 0.5},
    ]
    left = 1.0
    for kind in kinds:  # they are tried one after the other: a later one must be likelier to come as often
        kind["chance"] = share / len(kinds) / left
        left -= share / len(kinds)
    return kinds


class FaultProxy(Loopback):
    """The way to one service."""

    largest_request = 2**26

    def __init__(self, upstream: str, *, seed: int = 0) -> None:
        super().__init__()
        self.upstream = upstream
        self.faults: deque[Fault] = deque()
        self.passed = 0
        """Requests that got the service's own answer."""
        self.struck: list[Fault] = []
        self._chance = random.Random(seed)
        self._client: aiohttp.ClientSession | None = None

    def routes(self) -> Sequence[web.RouteDef]:
        """Whatever is asked is passed on, but for what is for the proxy itself."""
        return web.route("*", "/_control/{what}", self._control), web.route("*", "/{path:.*}", self._pass_on)

    async def start(self, port: int = 0) -> str:
        """Listen on the loopback; the URL."""
        self._client = aiohttp.ClientSession(auto_decompress=False, timeout=aiohttp.ClientTimeout(total=None))
        return await super().start(port)

    async def stop(self) -> None:
        """Close every connection."""
        await super().stop()
        if self._client is not None:
            await self._client.close()
            self._client = None

    async def _pass_on(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        fault = self._next(request.headers.get("X-Amz-Target", ""))
        match fault:
            case {"reset": _}:
                return self._reset(request)
            case {"hang": seconds}:
                with contextlib.suppress(TimeoutError):
                    async with asyncio.timeout(float(seconds)):
                        await self.closing.wait()
                return self._reset(request)
            case {"delay": seconds}:
                await asyncio.sleep(float(seconds))
            case {"status": int(status)}:
                return web.Response(status=status, text=fault.get("body", "<html>no</html>"), content_type="text/html")
            case {"body": str(text)}:
                return web.Response(body=text.encode("latin-1"), content_type="application/x-amz-json-1.1")
        assert self._client is not None
        headers = {key: value for key, value in request.headers.items() if key.lower() not in HOP_BY_HOP}
        # the signature covers the host that the client meant
        headers["Host"] = request.headers["Host"]
        url = self.upstream + request.raw_path
        async with self._client.request(request.method, url, headers=headers, data=body) as answer:
            kept = {key: value for key, value in answer.headers.items() if key.lower() not in HOP_BY_HOP}
            match fault:
                case {"truncate": int(size)}:
                    whole = await answer.read()
                    return web.Response(status=answer.status, headers=kept, body=whole[:size])
                case {"corrupt": _} if answer.content_length is not None:
                    return web.Response(status=answer.status, headers=kept, body=_damaged(await answer.read()))
                case {"encode": str(name)}:
                    packed = _packed(await answer.read(), name)
                    return web.Response(status=answer.status, headers=kept | {"Content-Encoding": name}, body=packed)
                case {"bomb": int(mib)}:
                    packed = _packed(b" " * (mib * 2**20), "gzip")
                    return web.Response(headers=kept | {"Content-Encoding": "gzip"}, body=packed)
                case {"cut": int(size)} | {"end": int(size)} | {"stall": int(size)}:
                    limit: int | None = size
                case {"corrupt": _}:
                    limit = None
                case _:
                    limit = None
                    self.passed += 1
            return await self._stream(request, answer, kept, limit, fault)

    async def _stream(
        self,
        request: web.Request,
        answer: aiohttp.ClientResponse,
        headers: dict[str, str],
        limit: int | None,
        fault: Fault,
    ) -> web.StreamResponse:
        response = web.StreamResponse(status=answer.status, headers=headers)
        if answer.content_length is not None:
            response.content_length = answer.content_length
        await response.prepare(request)
        sent = 0
        try:
            async for chunk in answer.content.iter_any():
                part = chunk if limit is None else chunk[: limit - sent]
                part = _damaged(part) if "corrupt" in fault else part
                await response.write(part)
                sent += len(part)
                if limit is not None and sent >= limit:
                    if "stall" in fault:
                        await self.closing.wait()
                    if "end" not in fault:
                        return self._reset(request)
                    break
        except aiohttp.ClientError:
            return self._reset(request)  # the service went away: so does the way to it
        await response.write_eof()
        return response

    def _next(self, target: str) -> Fault:
        for fault in list(self.faults):
            if fault.get("only", "") not in target:
                continue
            if "chance" in fault:
                if self._chance.random() >= fault["chance"]:
                    continue
            elif fault.get("times", 1) > 1:
                fault["times"] -= 1
            else:
                self.faults.remove(fault)
            self.struck.append(fault)
            return fault
        return {}

    @staticmethod
    def _reset(request: web.Request) -> web.StreamResponse:
        if request.transport is not None:
            request.transport.abort()
        return web.Response()  # which goes nowhere

    async def _control(self, request: web.Request) -> web.Response:
        if request.match_info["what"] == "faults":
            asked = await request.json()
            self.faults.clear()
            self.faults.extend(asked["faults"])
        return web.json_response({"passed": self.passed, "struck": len(self.struck)})


def _damaged(body: bytes) -> bytes:
    damaged = bytearray(body)
    for place in range(10, len(damaged), 40):
        damaged[place] = 0xFF
    return bytes(damaged)


def _packed(body: bytes, encoding: str) -> bytes:
    """A body compressed as HTTP calls it; "deflate" is zlib's format there."""
    return gzip.compress(body) if encoding == "gzip" else zlib.compress(body)


async def _serve(upstream: str, port: int) -> None:
    print(await FaultProxy(upstream).start(port), flush=True)
    await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("upstream")
    parser.add_argument("--port", type=int, default=0)
    options = parser.parse_args()
    with contextlib.suppress(KeyboardInterrupt):
        asyncio.run(_serve(options.upstream, options.port))
