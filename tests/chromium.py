"""A page in a real, headless Chromium, driven over its DevTools protocol; the terminal in it is read as text."""

from __future__ import annotations

import asyncio
import base64
import shutil
import tempfile
import time
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import Any

from aiohttp import ClientSession, ClientWebSocketResponse

CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
PATIENCE = 60.0
"""Seconds to wait for something to appear: generous, for loaded machines; nothing is timed with it."""

_FLAGS = (
    "--headless",
    "--no-sandbox",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--hide-scrollbars",
    "--remote-debugging-port=0",
)
"""Enough to be quiet on a closed network; the sandbox can't be had as root, and nothing foreign is loaded."""

_KEYS = {
    "Enter": (13, "\r"),
    "Escape": (27, ""),
    "Tab": (9, ""),
    "Backspace": (8, ""),
    "ArrowUp": (38, ""),
    "ArrowDown": (40, ""),
    "Home": (36, ""),
    "End": (35, ""),
}
"""Named keys: their key code, and the text they enter."""

_FIND_TERMINAL = "function () { return this.find((each) => each && each._core && each.buffer && each.cols) }"
_ROWS = """function () {
  const lines = this.buffer.active
  return Array.from({length: this.rows}, (_, y) => lines.getLine(lines.viewportY + y)?.translateToString(true) ?? "")
}"""


class RefusedError(Exception):
    """The browser can't do what was asked."""


class Page:
    """One tab."""

    def __init__(self, browser: Browser, session: str, target: str) -> None:
        self._browser, self._session, self._target = browser, session, target
        self._terminal: str | None = None

    async def call(self, method: str, **params: object) -> dict[str, Any]:
        """Send a command of the DevTools protocol to this tab; returns its result."""
        return await self._browser.call(method, self._session, params)

    async def open(self, address: str) -> None:
        """Go to an address."""
        self._terminal = None
        await self.call("Page.navigate", url=address)

    async def close(self) -> None:
        """Close the tab."""
        await self._browser.call("Target.closeTarget", None, {"targetId": self._target})

    async def resize(self, width: int, height: int) -> None:
        """Give the window another size, in pixels."""
        await self.call(
            "Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False
        )

    async def evaluate(self, expression: str) -> Any:
        """The value of a JavaScript expression."""
        answer = await self.call("Runtime.evaluate", expression=expression, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    async def press(self, *keys: str) -> None:
        """Press keys one after the other: characters, or names such as Enter."""
        for key in keys:
            code, text = _KEYS.get(key, (ord(key.upper()[0]), key))
            await self.call("Input.dispatchKeyEvent", type="keyDown", key=key, text=text, windowsVirtualKeyCode=code)
            await self.call("Input.dispatchKeyEvent", type="keyUp", key=key, windowsVirtualKeyCode=code)

    async def click(self, x: int, y: int) -> None:
        """Click somewhere, in pixels."""
        await self.call("Input.dispatchMouseEvent", type="mouseMoved", x=x, y=y)
        for kind in ("mousePressed", "mouseReleased"):
            await self.call("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left", clickCount=1)

    async def rows(self) -> list[str]:
        """The rows of the terminal (xterm.js) in the page; none before there is one."""
        try:
            if self._terminal is None and not await self._look_for_the_terminal():
                return []
            answer = await self.call(
                "Runtime.callFunctionOn", objectId=self._terminal, functionDeclaration=_ROWS, returnByValue=True
            )
        except RefusedError:  # the page has been loaded anew meanwhile
            self._terminal = None
            return []
        rows: list[str] = answer["result"]["value"]
        return rows

    async def text(self) -> str:
        """What the page shows: the terminal, then what stands outside of it."""
        outside = await self.evaluate("document.body?.innerText ?? ''")
        return "\n".join([*(await self.rows()), outside])

    async def wait_for(self, what: str | Callable[[str], bool]) -> str:
        """Read on until the page shows what is waited for; returns all that it shows then."""
        shown = what if callable(what) else lambda text: what in text
        deadline = time.monotonic() + PATIENCE
        while not shown(text := await self.text()):
            assert time.monotonic() < deadline, f"waited in vain for {what!r}:\n{text}"
            await asyncio.sleep(0.1)
        return text

    async def picture(self, path: Path) -> bytes:
        """Save what the tab looks like as PNG; returns the PNG."""
        png = base64.b64decode((await self.call("Page.captureScreenshot", format="png"))["data"])
        path.write_bytes(png)
        return png

    async def _look_for_the_terminal(self) -> bool:
        """The page keeps its terminal to itself; the debugger finds it among all objects."""
        if not await self.evaluate("document.querySelector('.xterm-screen') !== null"):
            return False
        every = await self.call("Runtime.evaluate", expression="Object.prototype", objectGroup="search")
        found = await self.call(
            "Runtime.queryObjects", prototypeObjectId=every["result"]["objectId"], objectGroup="search"
        )
        terminal = await self.call(
            "Runtime.callFunctionOn",
            objectId=found["objects"]["objectId"],
            functionDeclaration=_FIND_TERMINAL,
            objectGroup="terminal",
        )
        self._terminal = terminal["result"].get("objectId")
        await self.call("Runtime.releaseObjectGroup", objectGroup="search")
        return self._terminal is not None


class Browser:
    """A Chromium of our own."""

    def __init__(self, socket: ClientWebSocketResponse) -> None:
        self._socket = socket
        self._last = 0
        self._answers: dict[int, asyncio.Future[dict[str, Any]]] = {}
        self.events: list[Mapping[str, Any]] = []
        """What the browser told by itself, in order."""

    async def tab(self, *, width: int = 1280, height: int = 800) -> Page:
        """A new, empty tab."""
        target = (await self.call("Target.createTarget", None, {"url": "about:blank"}))["targetId"]
        session = (await self.call("Target.attachToTarget", None, {"targetId": target, "flatten": True}))["sessionId"]
        page = Page(self, session, target)
        await page.resize(width, height)
        for domain in ("Page", "Runtime", "Network", "Log"):
            await page.call(f"{domain}.enable")
        return page

    async def call(self, method: str, session: str | None, params: Mapping[str, object]) -> dict[str, Any]:
        """Send a command; returns its result."""
        self._last += 1
        answer = self._answers[self._last] = asyncio.get_running_loop().create_future()
        message = {"id": self._last, "method": method, "params": params}
        await self._socket.send_json(message if session is None else {**message, "sessionId": session})
        got = await asyncio.wait_for(answer, PATIENCE)
        if "error" in got:
            raise RefusedError(method, got["error"])
        result: dict[str, Any] = got["result"]
        return result

    async def listen(self) -> None:
        """Take what the browser says, until it ends."""
        async for message in self._socket:
            told = message.json()
            if "id" in told:
                self._answers.pop(told["id"]).set_result(told)
            else:
                self.events.append(told)

    def requested(self) -> list[str]:
        """The address of everything that pages asked for."""
        return [
            event["params"]["request"]["url"] for event in self.events if event["method"] == "Network.requestWillBeSent"
        ]

    def complaints(self) -> list[str]:
        """What pages did wrong, as the console has it: errors, and exceptions nobody caught."""
        said = [event["params"] for event in self.events if event["method"] == "Log.entryAdded"]
        thrown = [event["params"] for event in self.events if event["method"] == "Runtime.exceptionThrown"]
        return [each["entry"]["text"] for each in said if each["entry"]["level"] == "error"] + [
            each["exceptionDetails"]["text"] for each in thrown
        ]


@asynccontextmanager
async def browsing() -> AsyncIterator[Browser]:
    """Run a Chromium with a new profile, and end it."""
    assert CHROMIUM is not None
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as profile:
        chromium = await asyncio.create_subprocess_exec(
            CHROMIUM, *_FLAGS, f"--user-data-dir={profile}", "about:blank", stdout=DEVNULL, stderr=PIPE
        )
        try:
            async with ClientSession() as http, http.ws_connect(await _address(chromium), max_msg_size=0) as socket:
                browser = Browser(socket)
                listening = asyncio.create_task(browser.listen())
                yield browser
                await browser.call("Browser.close", None, {})
                await listening
        finally:
            with suppress(ProcessLookupError):
                chromium.terminate()
            await chromium.communicate()


async def _address(chromium: Process) -> str:
    """Where Chromium listens: the first thing it says."""
    assert chromium.stderr is not None
    async with asyncio.timeout(PATIENCE):
        async for line in chromium.stderr:
            _, found, address = line.decode(errors="replace").partition("DevTools listening on ")
            if found:
                return address.strip()
    raise AssertionError("Chromium ended before it listened")
