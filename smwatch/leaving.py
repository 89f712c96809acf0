"""How a process ends: its exit codes, the signals that ask it to, and what must not hold it up."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Callable
from typing import TextIO

FINE, FAILED, USAGE, ALARM, INCOMPLETE = range(5)
"""Exit codes: fine; failed; usage or configuration; --fail-on met; --once could not read everything."""


def when_asked(leave: Callable[[], object]) -> None:
    """Have the running loop call this on Ctrl-C, on a polite kill and when the terminal is closed.

    What was started to outlive its terminal (`nohup`) goes on without it.
    """
    import asyncio  # not for a page of help

    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        if number != signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:
            loop.add_signal_handler(number, leave)


def left(code: int, *, stuck: bool) -> int:
    """The exit code, for Python to end with; it would wait for a stuck thread, so that this ends the process itself."""
    for stream in (sys.stdout, sys.stderr):
        try:
            stream.flush()
        except OSError:  # the terminal is gone, or the disk is full, which was said
            let_go_of(stream)
    if stuck:
        os._exit(code)
    return code


def let_go_of(stream: TextIO) -> None:
    """Keep Python from flushing at exit what this does not take."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), stream.fileno())
