"""The screen in a real browser: `smwatch serve` with headless Chromium, driven as a person does it."""

from __future__ import annotations

import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.chromium import CHROMIUM, Browser, browsing
from tests.emulators.process import free_port, running
from tests.terminal import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"),
]


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


async def test_events_and_an_alarm_show_in_the_browser(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    address = f"http://127.0.0.1:{port}/"
    serve = [sys.executable, "-m", "smwatch", "serve", "--host", "127.0.0.1", "--port", str(port), "--", "demo"]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"]}
    with running(serve, home=tmp_path / "server", environment=environment, ready=address, within=60):
        page = await browser.tab()
        await page.open(address)
        shown = await page.wait_for(lambda text: "GetSecretValue" in text and "CRITICAL" in text)
        assert "Access to a secret marked for deletion" in shown
        png = await page.picture(tmp_path / "web.png")
        assert png.startswith(b"\x89PNG")
        assert len(png) > 50_000, "the picture is all but empty"
