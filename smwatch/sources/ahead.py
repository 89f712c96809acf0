"""Calls that are made before their turn: what is certain to be read next is under way meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from datetime import datetime
from functools import partial
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

    They are of several periods, of each of which the first page is known, and leads to the next.

    Nothing but the asking is done before its turn: each page counts like any other once its own turn has come.
    """

    def __init__(self, ask: Callable[[Wanted, Priority], Coroutine[None, None, Heard]]) -> None:
        self._ask = ask
        self._asked: dict[Wanted, asyncio.Task[Heard]] = {}

    def expect(self, coming: Sequence[tuple[Wanted, Priority]], pages: int = 1) -> None:
        """Have these periods asked for, in their order, up to so many `pages` of each; other periods are given up."""
        still = {_period(wanted) for wanted, _ in coming}
        for wanted in [wanted for wanted in self._asked if _period(wanted) not in still]:
            self._asked.pop(wanted).cancel()
        for wanted, priority in coming:
            self._have(wanted, priority, pages)

    def _have(self, wanted: Wanted, priority: Priority, pages: int) -> None:
        """Have this page asked for and, once it has come, the one that it leads to."""
        while pages:
            asked = self._asked.get(wanted)
            if asked is None:
                asked = self._asked[wanted] = asyncio.create_task(self._ask(wanted, priority))
                if pages > 1:
                    asked.add_done_callback(partial(self._go_on, wanted, priority, pages))
            if not asked.done() or (token := _next(asked)) is None:
                return
            wanted, pages = (*_period(wanted), token), pages - 1

    def _go_on(self, wanted: Wanted, priority: Priority, pages: int, asked: asyncio.Task[Heard]) -> None:
        if self._asked.get(wanted) is asked:
            self._have(wanted, priority, pages)

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


def _period(wanted: Wanted) -> tuple[datetime, datetime | None]:
    return wanted[:2]


def _next(asked: asyncio.Task[Heard]) -> str | None:
    """The token of the page that this one leads to."""
    outcome = asked.result().outcome
    return outcome.token if isinstance(outcome, Answer) else None
