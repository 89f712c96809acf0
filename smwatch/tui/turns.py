"""Turns of the event loop, each of which has time for one thing that takes long."""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable
from contextvars import copy_context
from functools import partial


class Turns:
    """Has things done in the order in which they come, each in a turn of its own.

    What is taken in and what is painted takes some milliseconds each, and both at once would be too long for a key to
    wait. Serves "longest stall of the event loop".
    """

    def __init__(self) -> None:
        self._taken = False
        """Whether something has been done in this turn."""
        self._waiting: deque[Callable[[], object]] = deque()

    def do(self, act: Callable[[], object]) -> None:
        """Do it now if nothing has been done in this turn, else in one of the next."""
        if self._taken:
            self._waiting.append(partial(copy_context().run, act))
        else:
            self._take(act)

    def _take(self, act: Callable[[], object]) -> None:
        self._taken = True
        asyncio.get_running_loop().call_soon(self._next)  # first: the act may fail
        act()

    def _next(self) -> None:
        self._taken = False
        if self._waiting:
            self._take(self._waiting.popleft())
