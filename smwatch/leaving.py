"""How a process ends: its exit codes, the signals that ask it to, and what must not hold it up."""

from __future__ import annotations

import os
import signal
import sys
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from contextvars import copy_context
from time import sleep
from typing import TYPE_CHECKING, TextIO

if TYPE_CHECKING:
    from asyncio.subprocess import Process
    from types import FrameType

FINE, FAILED, USAGE, ALARM, INCOMPLETE = range(5)
"""Exit codes: fine; failed; usage or configuration; --fail-on met; --once could not read everything."""


HUNG_UP_SECONDS, ASKED_SECONDS = 5.0, 20.0
"""For which somebody whose terminal has been closed, or who was asked to end, may go on leaving in good order."""


def when_asked(leave: Callable[[], object], *, stuck: int = FAILED) -> None:
    """Have the running loop call this on Ctrl-C, on a polite kill and when the terminal is closed.

    What was started to outlive its terminal (`nohup`) goes on without it. Whoever was asked ends soon in any case: who
    writes to a terminal that is gone, waits for a disk, or has a loop that never comes to an end of what it does, may
    be stuck in that for ever, and ends with the exit code `stuck`. What is in the journal by then is whole, and what
    is not is read again by the next run.
    """
    import asyncio  # not for a page of help

    loop, context = asyncio.get_running_loop(), copy_context()

    def end_within(seconds: float) -> Callable[[int, FrameType | None], None]:
        def asked(_number: int, _frame: FrameType | None) -> None:
            # Not threading's: what this interrupts may hold its lock. It holds up nobody who leaves by himself.
            start_new_thread(_end_after, (seconds, stuck))
            with suppress(RuntimeError):  # the loop has ended
                loop.call_soon_threadsafe(leave, context=context)

        return asked

    loop.add_signal_handler(signal.SIGINT, leave)
    signal.signal(signal.SIGTERM, end_within(ASKED_SECONDS))
    if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:
        signal.signal(signal.SIGHUP, end_within(HUNG_UP_SECONDS))


def _end_after(seconds: float, code: int) -> None:
    sleep(seconds)
    os._exit(code)


def end_by_force(process: Process) -> None:
    """End a child that has not ended; `Process.kill` polls first, and may take the exit code from who waits for it."""
    if process.returncode is None:
        with suppress(ProcessLookupError):
            os.kill(process.pid, signal.SIGKILL)


def left(code: int, *, at_once: bool) -> int:
    """The exit code, for Python to end with; `at_once`, this ends the process itself.

    Python would wait for a thread that is stuck, and free all that a screen has, object by object: half a second for
    40,000 events.
    """
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the terminal is gone, or the disk is full, which was said
            let_go_of(stream)
    if at_once:
        os._exit(code)
    return code


def let_go_of(stream: TextIO) -> None:
    """Keep Python from flushing at exit what this does not take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
