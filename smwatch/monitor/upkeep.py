"""How much is kept of what was watched, in the journal and in memory, and what is done for that now and then."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta

import msgspec

from smwatch.journal import Journal, JournalError

PRUNE_EVERY, UNTIL_HEARD = timedelta(hours=1), timedelta(minutes=1)
BETWEEN_SLABS = 0.05
"""Seconds of rest, in which pages are committed."""


class Upkeep(msgspec.Struct, frozen=True):
    """What a monitor keeps."""

    retention: timedelta = timedelta(days=90)
    """For how long the journal holds an event."""
    capacity: int = 100_000
    """How many events are held in memory where the journal can't be written to, or judged again, at the most."""
    tidy: Callable[[], None] = lambda: None
    """Has the journal let go of what nobody asks for any more; JournalError."""

    async def keep_up(
        self,
        journal: Journal,
        service_times: Callable[[], list[datetime]],
        *,
        now: Callable[[], datetime],
        sleep: Callable[[float], Awaitable[None]],
    ) -> None:
        """Delete what is older than the retention, in slabs, now and then; first see what an older smwatch did not.

        A machine whose clock is wrong deletes nothing for that: a service has to have said what time it is, which is
        asked of `service_times`. Goes on for as long as the journal has a file.
        """
        while journal.path is not None:
            heard = service_times()
            try:
                while journal.link_older():
                    await sleep(BETWEEN_SLABS)
                self.tidy()
                while heard and journal.prune(min(now(), *heard) - self.retention):
                    await sleep(BETWEEN_SLABS)
            except JournalError:
                pass  # the next commit says what is wrong
            await sleep((PRUNE_EVERY if heard else UNTIL_HEARD).total_seconds())
