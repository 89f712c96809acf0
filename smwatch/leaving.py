"""How a process ends: its exit codes, and what must not hold it up."""

from __future__ import annotations

import os
import sys

FINE, FAILED, USAGE, ALARM, INCOMPLETE = range(5)
"""Exit codes: fine; failed; usage or configuration; --fail-on met; --once could not read everything."""


def left(code: int, *, stuck: bool) -> int:
    """The exit code, for Python to end with; it would wait for a stuck thread, so that this ends the process itself."""
    if stuck:
        sys.stdout.flush()
        sys.stderr.flush()
        os._exit(code)
    return code
