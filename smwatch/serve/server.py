"""A textual-serve with a guard at the door and a page of its own."""

from __future__ import annotations

import asyncio
import hmac
import ipaddress
import logging
import secrets
from collections.abc import Awaitable, Callable, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
from aiohttp import WSCloseCode, web
from textual_serve.server import Server, to_int

from smwatch.serve.session import LOST, Ending, Session

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "smwatch-token"
SESSIONS = 8
"""Browser tabs served at a time: each runs an smwatch of its own."""
REMEMBERED = 64
"""Tabs of which it is known how they ended."""
PATIENCE = 10.0
"""Seconds in which a session whose connection is gone comes to its end."""
FAREWELL = 2.0
"""Seconds in which a browser that is told that the connection ends may say so too: a machine that sleeps does not."""
PAGE = Path(__file__).parent / "page"

_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; font-src 'self'; img-src 'self' data:; "
    "connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
"""Nothing from elsewhere; the terminal (xterm.js) writes style sheets of its own."""
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "Cache-Control": "no-store",
}


def is_loopback(host: str) -> bool:
    """Whether a host name or address can only mean this machine."""
    name = host.strip("[]").lower()
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False


class GuardedServer(Server):
    """Serves `smwatch` with the given arguments to browsers.

    Any page a browser shows may knock at a loopback port, so requests must name this machine as their host (DNS
    rebinding) and, if a script makes them, come from this very page (cross-site WebSockets). Where others can connect,
    they also need the token: once in the address, then as a cookie. Nothing is loaded from elsewhere.
    """

    def __init__(self, arguments: Sequence[str], *, host: str, port: int) -> None:
        super().__init__("", host=host, port=port, title="smwatch")
        self.token = "" if is_loopback(host) else secrets.token_urlsafe(24)
        """What a browser must show; "" where only this machine can connect."""
        self._arguments = tuple(arguments)
        self._sessions: dict[Session, web.WebSocketResponse] = {}
        self._endings: dict[str, asyncio.Future[Ending]] = {}

    @property
    def address(self) -> str:
        """What to open in a browser."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"http://{host}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app.middlewares.append(guard)
        tab = "{tab:[0-9a-f]{32}}"
        app.add_routes(
            [
                web.get(f"/ws/{tab}", self.handle_websocket),
                web.get(f"/ended/{tab}", self.handle_ended),
                web.static("/page", PAGE),
            ]
        )
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Textual-serve's banner is left out: the command line says what there is to say."""

    async def on_shutdown(self, app: web.Application) -> None:
        """No smwatch outlives its server."""
        del app
        connected = [websocket for websocket in self._sessions.values() if websocket.prepared]
        await asyncio.gather(*(websocket.close(code=WSCloseCode.GOING_AWAY) for websocket in connected))

    def initialize_logging(self) -> None:
        """Nothing is logged: addresses hold the token, and how a session ended is said on its page."""
        logging.getLogger("textual-serve").addHandler(logging.NullHandler())

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page."""
        del request
        return web.FileResponse(PAGE / "index.html")

    async def handle_ended(self, request: web.Request) -> web.Response:
        """How the session of a tab ended."""
        ending = LOST
        if (known := self._endings.get(request.match_info["tab"])) is not None:
            with suppress(TimeoutError):
                ending = await asyncio.wait_for(asyncio.shield(known), PATIENCE)
        return web.Response(body=msgspec.json.encode(ending), content_type="application/json")

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One browser tab: one smwatch, for as long as both are there."""
        ended = self._remember(request.match_info.get("tab", ""))
        if len(self._sessions) >= SESSIONS:
            full = f"{SESSIONS} browser tabs are connected already"
            ended.set_result(Ending(full, "Close one of them. This page tries again by itself.", retry=15))
            raise web.HTTPServiceUnavailable(text=full)
        websocket = web.WebSocketResponse(heartbeat=15, timeout=FAREWELL)
        session = Session(self._arguments, websocket, self.download_manager)
        self._sessions[session] = websocket
        try:
            await websocket.prepare(request)
            await session.start(to_int(request.query.get("width", ""), 80), to_int(request.query.get("height", ""), 24))
            await self._process_messages(websocket, session)
        finally:
            await session.stop()
            del self._sessions[session]
            ended.set_result(session.ending)
        return websocket

    def _remember(self, tab: str) -> asyncio.Future[Ending]:
        for other in list(self._endings)[: max(0, len(self._endings) - REMEMBERED + 1)]:
            del self._endings[other]
        ended = self._endings[tab] = asyncio.get_running_loop().create_future()
        return ended

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        if not self.token and not is_loopback(urlsplit(f"//{request.host}").hostname or ""):
            raise web.HTTPForbidden(text="smwatch answers only as localhost")
        origin = request.headers.get("Origin")
        if origin is not None and urlsplit(origin).netloc != request.host:
            raise web.HTTPForbidden(text="another page asked for smwatch")
        shown = request.query.get("token", "")
        if self.token and not self._knows(shown) and not self._knows(request.cookies.get(COOKIE, "")):
            raise web.HTTPForbidden(text="smwatch wants the token: open the address that smwatch serve printed")
        response = await handler(request)
        if not response.prepared:
            response.headers.update(_HEADERS)
            if self._knows(shown):
                response.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
        return response

    def _knows(self, shown: str) -> bool:
        return bool(self.token) and hmac.compare_digest(shown.encode(), self.token.encode())
