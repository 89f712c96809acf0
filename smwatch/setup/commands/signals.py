"""Ctrl-C, a closed terminal and a polite kill, all the same to a command."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

_MOMENT = b"A moment, until AWS has answered: else the secret may be left behind. A third Ctrl-C does not wait.\n"
_PATIENT = 2
"""Signals that are held up at most."""


class Signals:
    """Makes a closed terminal and a polite kill what Ctrl-C is, and lets all three wait where something is undone."""

    def __init__(self) -> None:
        self._before: dict[int, Any] = {}
        self._shielded = False
        self._pressed = 0

    def __enter__(self) -> Signals:
        numbers = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        self._before = {number: signal.signal(number, self._interrupt) for number in numbers}
        return self

    def __exit__(self, *_: object) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)

    @contextmanager
    def waiting(self, made_up_for: bool) -> Iterator[None]:
        """Hold signals up, until the end or for good; the third gets through, for who can't wait."""
        self._shielded, self._pressed = True, 0
        try:
            yield
        finally:
            self._shielded = False
        if made_up_for and self._pressed:
            raise KeyboardInterrupt

    def _interrupt(self, _number: int, _frame: object) -> None:
        self._pressed += 1
        if not self._shielded or self._pressed > _PATIENT:
            raise KeyboardInterrupt
        os.write(sys.stderr.fileno(), _MOMENT)  # not through the buffer: what is interrupted may be writing to it
