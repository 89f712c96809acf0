"""The screen in a browser: textual-serve, with a guard at the door (extra `web`)."""

from __future__ import annotations

import hmac
import ipaddress
import secrets
import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from urllib.parse import urlsplit

from aiohttp import web
from textual_serve.server import Server

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

COOKIE = "smwatch-token"
SESSIONS = 8
"""Browser tabs served at a time: each runs an smwatch of its own."""

_POLICY = (
    "default-src 'self'; script-src 'self' 'unsafe-inline'; style-src 'self' 'unsafe-inline'; img-src 'self' data:; "
    "connect-src 'self' ws: wss:; frame-ancestors 'none'"
)


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
        super().__init__(
            shlex.join([sys.executable, "-m", "smwatch", *arguments]), host=host, port=port, title="smwatch"
        )
        self.token = "" if is_loopback(host) else secrets.token_urlsafe(24)
        """What a browser must show; "" where only this machine can connect."""
        self._sessions = 0

    @property
    def address(self) -> str:
        """What to open in a browser."""
        return f"http://{self.host}:{self.port}/" + (f"?token={self.token}" if self.token else "")

    async def _make_app(self) -> web.Application:
        app = await super()._make_app()

        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app.middlewares.append(guard)
        return app

    async def on_startup(self, app: web.Application) -> None:
        """Textual-serve's banner is left out: the command line says what there is to say."""

    def initialize_logging(self) -> None:
        """Nothing is logged: addresses hold the token."""

    async def handle_index(self, request: web.Request) -> web.StreamResponse:
        """The page; its addresses are those by which the browser got here."""
        self.public_url = f"{request.scheme}://{request.host}"
        page: web.StreamResponse = await super().handle_index(request)
        return page

    async def handle_websocket(self, request: web.Request) -> web.WebSocketResponse:
        """One browser tab: one smwatch."""
        if self._sessions >= SESSIONS:
            raise web.HTTPServiceUnavailable(text=f"{SESSIONS} browsers are connected already")
        self._sessions += 1
        try:
            session: web.WebSocketResponse = await super().handle_websocket(request)
            return session
        finally:
            self._sessions -= 1

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
            response.headers["Content-Security-Policy"] = _POLICY
            response.headers["Referrer-Policy"] = "no-referrer"
            if self._knows(shown):
                response.set_cookie(COOKIE, self.token, httponly=True, samesite="Strict")
        return response

    def _knows(self, shown: str) -> bool:
        return bool(self.token) and hmac.compare_digest(shown.encode(), self.token.encode())
