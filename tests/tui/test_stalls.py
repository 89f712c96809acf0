from __future__ import annotations

import asyncio
import re
import time
from datetime import timedelta
from pathlib import Path

from smwatch.tui.stalls import STALL, Stalls


def sit_still(stalls: Stalls) -> None:
    """Hold the loop up until that has been seen."""
    while not stalls.running:
        pass


def be_kept_waiting(stalls: Stalls) -> None:
    """Hold the loop up as a machine does that has no time for it."""
    while not stalls.running:
        time.sleep(0.1)


async def test_a_loop_that_stands_still_is_told_with_what_it_was_in(tmp_path: Path) -> None:
    told = tmp_path / "stalls"
    stalls = Stalls(told).start()
    sit_still(stalls)
    for _ in range(3):
        await asyncio.sleep(0)  # the loop comes round
    stalls.stop()
    lines = [line for line in told.read_text().splitlines() if "sit_still" in line]
    assert len(lines) == 1
    match = re.fullmatch(r"\S+Z (\d+) ms, (\d+) of them at work, in .*test_stalls\.py:\d+ sit_still < .*", lines[0])
    assert match is not None
    assert timedelta(milliseconds=int(match[1])) >= STALL
    assert 0 < int(match[2]) <= int(match[1])


async def test_a_loop_that_is_kept_waiting_is_told_to_have_worked_little(tmp_path: Path) -> None:
    told = tmp_path / "stalls"
    stalls = Stalls(told).start()
    be_kept_waiting(stalls)
    await asyncio.sleep(0.01)
    stalls.stop()
    (line,) = [line for line in told.read_text().splitlines() if "be_kept_waiting" in line]
    match = re.fullmatch(r"\S+Z (\d+) ms, (\d+) of them at work, in .*", line)
    assert match is not None
    assert int(match[1]) >= 100
    assert int(match[2]) < 50
