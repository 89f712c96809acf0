from __future__ import annotations

import asyncio
import re
from datetime import timedelta
from pathlib import Path

from smwatch.tui.stalls import STALL, Stalls


def sit_still(stalls: Stalls) -> None:
    """Hold the loop up until that has been seen."""
    while not stalls.running:
        pass


async def test_a_loop_that_stands_still_is_told_with_what_it_was_in(tmp_path: Path) -> None:
    told = tmp_path / "stalls"
    stalls = Stalls(told).start()
    sit_still(stalls)
    for _ in range(3):
        await asyncio.sleep(0)  # the loop comes round
    stalls.stop()
    lines = [line for line in told.read_text().splitlines() if "sit_still" in line]
    assert len(lines) == 1
    match = re.fullmatch(r"\S+Z (\d+) ms in .*test_stalls\.py:\d+ sit_still < .*", lines[0])
    assert match is not None
    assert timedelta(milliseconds=int(match[1])) >= STALL
