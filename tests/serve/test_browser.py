"""The screen in a real browser: `smwatch serve` with headless Chromium, driven as a person does it."""

from __future__ import annotations

import os
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from io import BytesIO
from pathlib import Path

import pytest
from PIL import Image

from tests.chromium import CHROMIUM, PATIENCE, Browser, Page, browsing
from tests.emulators.process import free_port, running
from tests.terminal import ROOT

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="Chromium is not installed (Debian: apt-get install chromium)"),
]
ALARM = (240, 82, 79)
"""The theme's colour of an alarm."""


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with browsing() as browser:
        yield browser


@contextmanager
def serving(home: Path, *arguments: str, port: int | None = None) -> Iterator[str]:
    """Run `smwatch serve -- ARGUMENTS` with nothing configured; its address."""
    port = port or free_port()
    address = f"http://127.0.0.1:{port}/"
    serve = [sys.executable, "-m", "smwatch", "serve", "--host", "127.0.0.1", "--port", str(port), "--", *arguments]
    environment = {"PYTHONPATH": str(ROOT), "PATH": os.environ["PATH"], "AWS_EC2_METADATA_DISABLED": "true"}
    with running(serve, home=home, environment=environment, ready=address, within=120):
        yield address


async def alarming(page: Page, path: Path, least: float) -> None:
    """Wait until at least this part of what the tab looks like has the colour of an alarm; drawing takes its time."""
    deadline = time.monotonic() + PATIENCE
    while (part := red(await page.picture(path))) < least:
        assert time.monotonic() < deadline, f"only {part:.1%} of the picture is red"


def red(png: bytes) -> float:
    """The part of a picture that has the colour of an alarm."""
    picture = Image.open(BytesIO(png)).convert("RGB").resize((320, 200), Image.Resampling.NEAREST)
    pixels = picture.tobytes()
    near = sum(
        all(abs(a - b) < 12 for a, b in zip(pixels[i : i + 3], ALARM, strict=True)) for i in range(0, len(pixels), 3)
    )
    return near / (len(pixels) // 3)


async def test_events_and_an_alarm_show_in_the_browser(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "server", "demo") as address:
        page = await browser.tab()
        await page.open(address)
        await page.wait_for(lambda text: "GetSecretValue" in text and "CRITICAL" in text)
        await page.wait_for("Access to a secret marked for deletion")
        await alarming(page, tmp_path / "web.png", 0.02)
        await page.press("?")  # no click is needed first
        await page.wait_for("ANYWHERE ON THE MAIN SCREEN")
        assert {each.partition("?")[0].startswith(address) for each in browser.requested()} == {True}
        assert browser.complaints() == []


async def test_the_wall_fills_a_browser_of_any_size(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "server", "demo", "--wall") as address:
        page = await browser.tab(width=1920, height=1080)
        await page.open(address)
        await page.wait_for("PRINCIPALS, LAST HOUR")
        await alarming(page, tmp_path / "wall.png", 0.05)
        for width, height in ((640, 400), (1280, 800)):
            await page.resize(width, height)
            await page.wait_for("CRITICAL")


async def test_the_page_says_that_smwatch_has_ended_and_starts_it_again(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "server", "demo") as address:
        page = await browser.tab()
        await page.open(address)
        await page.wait_for("CRITICAL")
        await page.press("q")
        await page.wait_for("smwatch has ended")
        await page.press("Enter")  # the button has the focus
        await page.wait_for(lambda text: "CRITICAL" in text and "has ended" not in text)


async def test_the_page_says_why_smwatch_can_t_start(browser: Browser, tmp_path: Path) -> None:
    with serving(tmp_path / "server", "--region", "eu-west-1") as address:
        page = await browser.tab()
        await page.open(address)
        shown = await page.wait_for("smwatch could not start")
        assert "credentials" in shown


async def test_a_page_whose_server_went_away_comes_back_by_itself(browser: Browser, tmp_path: Path) -> None:
    port = free_port()
    page = await browser.tab()
    with serving(tmp_path / "server", "demo", "--wall", port=port) as address:
        await page.open(address)
        await page.wait_for("CRITICAL")
    await page.wait_for("No answer from smwatch serve")
    with serving(tmp_path / "server", "demo", "--wall", port=port):
        await page.wait_for(lambda text: "CRITICAL" in text and "No answer" not in text)
