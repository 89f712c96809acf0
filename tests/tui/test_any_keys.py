"""Whatever is typed, in whatever order: the screen stays, and so does what stands behind it."""

from __future__ import annotations

import random
from pathlib import Path

import pytest
from textual import events
from textual.geometry import Size

from smwatch.running.backstage import Backstage, file_sources
from smwatch.settings import Settings
from smwatch.tui.app import SmwatchApp
from tests import records
from tests.tui.test_raw import one_by_one

TYPED = [*"abcdefghijklmnoprstuvwxyzABCDEFGHIJKLMNOPRSTUVWXYZ0123456789", "slash", "colon", "minus", "asterisk"]
PRESSED = [
    *("enter", "escape", "up", "down", "left", "right", "pageup", "pagedown", "home", "end", "tab", "shift+tab"),
    *("backspace", "delete", "space", "question_mark", "ctrl+u", "ctrl+d", "ctrl+f", "ctrl+b", "ctrl+p", "f1"),
]
"""All but what leaves the program."""
SIZES = (Size(60, 20), Size(80, 24), Size(140, 36), Size(200, 50))
KEYS = 250


@pytest.mark.parametrize("seed", [1, 2])
async def test_no_keys_end_the_screen_of_a_replay_that_has_ended(
    seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)  # where an export may end
    chance = random.Random(seed)
    file = tmp_path / "hostile.jsonl"
    file.write_text("".join(records.raw(record) + "\n" for record in one_by_one()), encoding="utf-8")
    behind = Backstage(Settings(), file_sources([file], None), remember=False)
    app = SmwatchApp(behind.desk, start=lambda app: behind.start(app.apply, app.fail, app.turns.do))
    try:
        async with app.run_test(size=SIZES[2]) as pilot:
            for _ in range(KEYS):
                await pilot.press(chance.choice(TYPED if chance.random() < 0.5 else PRESSED))
                if chance.random() < 0.02:
                    size = chance.choice(SIZES)
                    app.post_message(events.Resize(size, size))
                if not app.is_running:
                    break  # by the palette's own "quit"
    finally:
        assert behind.stop(app.fault)
    assert app.fault is None
    assert not app.return_code
