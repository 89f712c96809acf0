"""How a process ends that can't."""

from __future__ import annotations

import signal
import subprocess
import sys

import pytest

from smwatch.leaving import FAILED

STUCK = """
import asyncio
from smwatch import leaving

leaving.ASKED_SECONDS = leaving.HUNG_UP_SECONDS = 0.1

async def stuck():
    leaving.when_asked(lambda: None)
    print("here", flush=True)
    await asyncio.Event().wait()

asyncio.run(stuck())
"""
LONGEST = 60.0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_who_is_asked_to_end_and_is_stuck_ends_all_the_same(number: signal.Signals) -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            process.send_signal(number)
            assert process.wait(LONGEST) == FAILED
        finally:
            process.kill()
