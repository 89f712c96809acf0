"""What the journal held already: handed on at the start, and judged again where it was about other secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from smwatch.journal import Journal, JournalCorruptError, JournalError
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.handing import Handing, apart
from smwatch.monitor.keeper import Keeper
from smwatch.monitor.reading import Reading
from smwatch.monitor.watched import Settled, Watched, Watching
from smwatch.sources.source import State

if TYPE_CHECKING:
    from smwatch.monitor.anew import Anew

BACKWARDS = 4
"""How much longer rules take with an event that is older than what they know: so many times less in one go."""
LESSONS = "names"
"""Under which name the journal keeps what has shown that events were about other secrets than they seemed to be."""


class Past:
    """Hands on what the journal holds already, to where a monitor hands on what comes."""

    def __init__(
        self,
        journal: Journal,
        reading: Reading,
        handing: Handing,
        keeper: Keeper,
        watching: Watching,
        *,
        turn: asyncio.Lock,
        now: Callable[[], datetime],
        retention: timedelta,
        limit: int,
        anew: Callable[[], Anew] | None,
    ) -> None:
        """`turn` is held by who hands on what has just come; `limit`: how many events are judged again at the most."""
        self._journal = journal
        self._reading = reading
        self._handing = handing
        self._keeper = keeper
        self._watching = watching
        self._turn = turn
        self._now = now
        self._retention = retention
        self._limit = limit
        self._anew = anew
        self._lock = asyncio.Lock()
        """Held by who hands on the past, or judges it."""

    async def glance(self, since: datetime, limit: int) -> None:
        """Hand on the newest `limit` events that the journal held already, newest first; `recall` does so once more.

        That says what is wrong with the journal, too.
        """
        with suppress(JournalError):
            rows = self._journal.recalled(since, self._journal.last_seq(), limit=limit, first=limit)
            while batch := self._reading.stored(islice(rows, self._handing.slice // BACKWARDS)):
                await self._handing.events(*apart(batch), more=True)
                await self._handing.rest()

    async def recall(
        self,
        since: datetime,
        limit: int,
        *,
        first: int = 0,
        printing_from: datetime | None = None,
        again: bool = False,
    ) -> None:
        """Hand on the newest `limit` events that the journal held already; then what was watched.

        The newest `first` of them come newest first, the others oldest first: backwards, rules take BACKWARDS times
        as long. With `printing_from`, without what `recall_untold` is to bring when it is given that moment. `again`
        says that it reaches further back beside what is followed, which brings what others have put in.
        """
        async with self._lock:
            await self._recall(since, limit, first, printing_from, again)

    async def _recall(
        self, since: datetime, limit: int, first: int, printing_from: datetime | None, again: bool
    ) -> None:
        watched: tuple[Watched, ...] = ()
        try:
            settled, kept_from = self.settled()
            upto = self._journal.last_seq() if again else self._journal.catch_up()
            rows = self._journal.recalled(since, upto, limit=limit, first=first, printing_from=printing_from)
            oldest = self._now()
            while batch := self._reading.stored(
                islice(rows, self._handing.slice // BACKWARDS if first > 0 else self._handing.slice)
            ):
                first, limit = first - len(batch), limit - len(batch)
                oldest = min(oldest, batch[0][1].event.at, batch[-1][1].event.at)
                await self._handing.events(*apart(batch), more=not self._handing.alone)
                await self._handing.rest()
            if not limit:
                since = oldest + timedelta(seconds=1)  # of this second there may be more
            watched = self._watching.recalled(since, settled, kept_from)
        except JournalCorruptError as error:
            await self._keeper.begin_anew(error)
        except JournalError as error:
            await self._say(f"can't read the journal ({error}): older events are not shown")
        await self._handing.deliver(Delivery(watched=watched))

    async def recall_untold(self, since: datetime) -> None:
        """Hand on what the journal held at `recall` and `tail` has yet to print, oldest first; see `Journal.untold`.

        What another process puts in meanwhile comes when it is followed: handed on twice, it would be printed twice as
        soon as the store knows it no more.
        """
        try:
            upto = self._journal.caught_up_to
            rows = self._journal.untold(since, upto)
            while batch := self._reading.stored(islice(rows, self._handing.slice)):
                await self._handing.events(*apart(batch))
                await self._handing.rest()
        except JournalCorruptError as error:
            await self._keeper.begin_anew(error)
        except JournalError as error:
            await self._say(f"can't read the journal ({error}): older events are not printed")
        else:
            await self._handing.deliver(Delivery(upto=upto))

    async def judge_anew(self) -> None:
        """If events were about other secrets than they seemed to be, have all that were handed on judged again.

        What the journal holds no more, or only of more than `limit` events, stays as it was judged.
        """
        async with self._lock, self._turn:
            if self._anew is None or not self._reading.reader.mistaken or self._keeper.holds:
                return
            self._reading.reader.mistaken = False
            anew = self._anew()
            since, limit = anew.since or self._now(), self._limit
            try:
                for _ in self._reading.again(self._handing.slice):
                    await self._handing.rest()
                oldest = self._now()
                # What others have put in since then is handed on, and so judged, when its turn comes.
                rows = self._journal.recalled(since, self._journal.caught_up_to, limit=limit, first=0)
                while batch := self._reading.stored(islice(rows, self._handing.slice)):
                    limit -= len(batch)
                    oldest = min(oldest, batch[0][1].event.at)
                    anew.take([arrival for _, arrival in batch])
                    await self._handing.rest()
            except JournalError:
                self._reading.reader.mistaken = True  # the next commit says what is wrong
                return
            anew.watched(self._watching.told(since if limit > 0 else oldest + timedelta(seconds=1)))
            self._reading.reader.mistaken = False  # names forgotten meanwhile may set it again: that would never end
            renamed = self._reading.renamed()
            anew.fold(renamed)
            anew.compare()
            await self._handing.deliver(Delivery(renamed=renamed, anew=anew))
            with suppress(JournalError):  # kept with the next page that can be
                self._journal.keep((), {LESSONS: msgspec.json.encode(self._reading.reader.lessons)})

    def settled(self) -> tuple[Settled, datetime]:
        """What the journal says was read whole, and from when on it has kept all events of that."""
        kept_from = self._journal.kept_from(self._now() - self._retention)
        return self._journal.settled(), kept_from

    async def _say(self, message: str) -> None:
        await self._handing.journal_is(State.FAILING, message, self._now())
