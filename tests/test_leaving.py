"""How a process ends that can't."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys

import pytest

from smwatch.leaving import FAILED, end_by_force

STUCK = """
import asyncio
from smwatch import leaving

leaving.ASKED_SECONDS = leaving.HUNG_UP_SECONDS = 0.1

async def stuck():
    leaving.when_asked(lambda: None)
    print("here", flush=True)
    {doing}

asyncio.run(stuck())
"""
LONGEST = 60.0
HOLDING = """
from smwatch import leaving

class Held:
    def __del__(self):
        print("freed", flush=True)

held = Held()
print("said")
leaving.left(3, at_once={at_once})
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
@pytest.mark.parametrize("doing", ["await asyncio.Event().wait()", "while True: pass"])
def test_who_is_asked_to_end_and_is_stuck_ends_all_the_same(number: signal.Signals, doing: str) -> None:
    with subprocess.Popen([sys.executable, "-c", STUCK.format(doing=doing)], stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            assert process.stdout.readline() == b"here\n"
            process.send_signal(number)
            assert process.wait(LONGEST) == FAILED
        finally:
            process.kill()


@pytest.mark.parametrize(("at_once", "said", "code"), [(True, "said\n", 3), (False, "said\nfreed\n", 0)])
def test_who_leaves_at_once_has_said_all_and_frees_nothing_first(at_once: bool, said: str, code: int) -> None:
    done = subprocess.run([sys.executable, "-c", HOLDING.format(at_once=at_once)], stdout=subprocess.PIPE, text=True)
    assert (done.stdout, done.returncode) == (said, code)


def has_ended(number: int) -> None:
    """Wait until a child has ended, without taking its exit code."""
    os.waitid(os.P_PID, number, os.WEXITED | os.WNOWAIT)


@pytest.mark.skipif(not hasattr(os, "pidfd_open"), reason="needs file descriptors of processes")
async def test_ending_a_child_that_has_just_ended_takes_its_exit_code_from_nobody() -> None:
    before = asyncio.get_child_watcher()
    with asyncio.PidfdChildWatcher() as watcher:  # it learns of the end from the loop, and so after what is done here
        watcher.attach_loop(asyncio.get_running_loop())
        asyncio.set_child_watcher(watcher)
        try:
            process = await asyncio.create_subprocess_exec(sys.executable, "-c", "raise SystemExit(3)")
            has_ended(process.pid)
            assert process.returncode is None
            end_by_force(process)
            assert await process.wait() == 3
        finally:
            asyncio.set_child_watcher(before)
