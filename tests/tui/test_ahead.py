"""What screens that may be opened need, ready before they are."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from textual.css import stylesheet
from textual.css.parse import parse

from smwatch.tui import app as module
from smwatch.tui.ahead import make_ready
from smwatch.tui.screens.alarms import AlarmsScreen
from tests.tui.scene import Stage, reads


async def test_no_styles_are_read_when_the_alarms_are_opened_once_all_is_made_ready(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    stage, read = Stage(reads(3)), list[str]()

    def noted(scope: str, css: str, *args: Any, **kwargs: Any) -> Any:
        read.append(css)
        return parse(scope, css, *args, **kwargs)

    monkeypatch.setattr(stylesheet, "parse", noted)
    async with stage.app.run_test(size=(160, 50)) as pilot:
        await pilot.pause()
        with stage.app._context():
            await make_ready(stage.app, stage.app.desk)
        assert AlarmsScreen.DEFAULT_CSS in read
        read.clear()
        await pilot.press("a")
        assert isinstance(stage.app.screen, AlarmsScreen)
        assert not read


async def test_it_is_made_ready_some_time_after_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "AHEAD_SECONDS", 0.01)
    stage = Stage(reads(3))
    async with asyncio.timeout(60), stage.app.run_test(size=(160, 50)) as pilot:
        while not any("AlarmsScreen" in read_from[1] for read_from in stage.app.stylesheet.source):
            await pilot.pause()
