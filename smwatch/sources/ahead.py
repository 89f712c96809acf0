"""Calls that are made before their turn: what is certain to be read next is under way meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from typing import NamedTuple

from smwatch.sources.errors import CallError
from smwatch.sources.pace import Priority
from smwatch.sources.reader import Answer

Wanted = tuple[datetime, datetime | None, str | None]
"""What a page is asked for with: start, end, token."""


class Heard(NamedTuple):
    """What came of one call."""

    outcome: Answer | CallError
    clock_ran_ahead: bool
    """Whether the service's time had been taken for later than it was."""


class Ahead:
    """Some calls under way side by side, each with its turn of the budget; serves `tail --once` of a log group.

    Only that they were asked for is known of their pages: each counts like any other when its own turn has come.
    """

    def __init__(self, ask: Callable[[Wanted, Priority], Coroutine[None, None, Heard]]) -> None:
        self._ask = ask
        self._asked: dict[Wanted, asyncio.Task[Heard]] = {}

    def expect(self, coming: Sequence[tuple[Wanted, Priority]]) -> None:
        """Have these asked for, in their order; what is expected no longer is given up."""
        still = {wanted for wanted, _ in coming}
        for wanted in [wanted for wanted in self._asked if wanted not in still]:
            self._asked.pop(wanted).cancel()
        for wanted, priority in coming:
            if wanted not in self._asked:
                self._asked[wanted] = asyncio.create_task(self._ask(wanted, priority))

    def __contains__(self, wanted: Wanted) -> bool:
        return wanted in self._asked

    async def heard(self, wanted: Wanted, patience: float) -> Heard | None:
        """What came of a call that was expected; None if it is still under way after `patience` seconds."""
        asked = self._asked[wanted]
        await asyncio.wait((asked,), timeout=patience)
        return self._asked.pop(wanted).result() if asked.done() else None

    def drop(self) -> None:
        """Give everything up."""
        self.expect(())
