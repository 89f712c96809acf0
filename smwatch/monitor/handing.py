"""Handing on what was read: in slices, with rests between them in which others are heard."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager
from datetime import datetime

import msgspec

from smwatch.events.event import Arrival
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.keeper import NOT_KEPT
from smwatch.monitor.reading import Reading
from smwatch.monitor.successor import TOGETHER
from smwatch.monitor.watched import Watched
from smwatch.sources.source import State, Status

SLICE = 200
"""Records parsed, or events handed on, in one go: some milliseconds, so that a screen beside it stays fluent."""
BREATH = 0.002
"""Seconds of rest between slices; a thread that parses without rest starves the screen of the interpreter lock."""
LARGE_SLICE = 1_000
"""The same where no screen is beside it: what is done once for many events costs less, and Ctrl-C is still heard."""
JOURNAL = "journal"
"""The name under which the journal itself reports trouble."""


class Handing:
    """Hands on to one receiver. Long work is done in slices of `slice` records, with a `rest` after each."""

    def __init__(
        self,
        reading: Reading,
        *,
        deliver: Callable[[Delivery], Awaitable[None]],
        sleep: Callable[[float], Awaitable[None]],
        alone: bool,
    ) -> None:
        """`alone` says that no screen shares the interpreter."""
        self.alone = alone
        self._deliver = deliver
        self._unsettled: int | None = None
        """Within `together`: events handed on since alarms were worked out."""
        self.slice, self._breath = (LARGE_SLICE, 0.0) if alone else (SLICE, BREATH)
        self._reading = reading
        self._sleep = sleep

    async def deliver(self, delivery: Delivery) -> None:
        """Hand this on."""
        if self._unsettled is not None:
            self._unsettled += len(delivery.arrivals)
            if self._unsettled < TOGETHER:
                delivery = msgspec.structs.replace(delivery, more=True)
            elif not delivery.more:
                self._unsettled = 0
        await self._deliver(delivery)

    @asynccontextmanager
    async def together(self) -> AsyncIterator[None]:
        """While what is past is handed on: have alarms worked out after every TOGETHER events, and in the end."""
        self._unsettled = 0
        try:
            yield
        finally:
            self._unsettled = None
        await self.deliver(Delivery())

    async def rest(self) -> None:
        """Let others have the interpreter."""
        await self._sleep(self._breath)

    async def events(
        self,
        seqs: list[int],
        arrivals: list[Arrival],
        *,
        ordered: bool = False,
        watched: tuple[Watched, ...] = (),
        more: bool = False,
    ) -> None:
        """Deliver these in slices, each taken out of the lists first: what rules decode is larger than the events.

        The last slice brings what is `watched` once all have been taken in; with `more`, another call follows at once
        (`Delivery.more`). `ordered` says that all up to the last seq of a slice has been handed on (`Delivery.upto`).
        """
        if renamed := self._reading.renamed():
            await self.deliver(Delivery(renamed=renamed))
        seqs.reverse()
        arrivals.reverse()
        while arrivals:
            # Paired slice by slice: Python's search for cycles goes through pairs that wait. Serves "ingest".
            part = tuple(zip(reversed(seqs[-self.slice :]), reversed(arrivals[-self.slice :]), strict=True))
            del seqs[-self.slice :], arrivals[-self.slice :]
            last = not arrivals
            upto = part[-1][0] if ordered and part[-1][0] != NOT_KEPT else None
            await self.deliver(Delivery(part, watched=watched if last else (), upto=upto, more=more or not last))
            del part
            if last:
                return
            await self.rest()
        if watched:
            await self.deliver(Delivery(watched=watched))

    async def journal_is(self, state: State, message: str, now: datetime) -> None:
        """Say how the journal itself is."""
        await self.deliver(Delivery(statuses=(Status(JOURNAL, "Journal", state, message, at=now),)))


def apart(found: Iterable[tuple[int, Arrival]]) -> tuple[list[int], list[Arrival]]:
    """Seqs and arrivals, as `Handing.events` takes them."""
    seqs, arrivals = list[int](), list[Arrival]()
    for seq, arrival in found:
        seqs.append(seq)
        arrivals.append(arrival)
    return seqs, arrivals
