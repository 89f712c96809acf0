"""What the journal held already: handed on at the start, and judged again where it was about other secrets."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import nullcontext, suppress
from datetime import datetime, timedelta
from itertools import islice
from typing import TYPE_CHECKING

import msgspec

from smwatch.journal import Journal, JournalCorruptError, JournalError, Stored
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.handing import Handing, apart
from smwatch.monitor.keeper import Keeper
from smwatch.monitor.reading import Reading
from smwatch.monitor.upkeep import Upkeep
from smwatch.monitor.watched import Settled, Watched, Watching
from smwatch.sources.source import KEPT, State, Status

if TYPE_CHECKING:
    from smwatch.monitor.anew import Anew
    from smwatch.monitor.successor import Successor

BACKWARDS = 4
"""How much longer rules take with an event that is older than what they know: so many times less in one go."""
FEW = 10
"""Events that are handed on before any others, so that something stands at once. Serves "first-journal-event"."""
TOLD_EACH = 1_000
"""Events after each of which it is told anew how far it is."""
LESSONS = "names"
"""Under which name the journal keeps what has shown that events were about other secrets than they seemed to be."""


class Past:
    """Hands on what the journal holds already, to the same receiver as new events."""

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
        upkeep: Upkeep,
        anew: Callable[[], Anew] | None,
    ) -> None:
        """`turn` is held by who hands on what has just come."""
        self._journal = journal
        self._reading = reading
        self._handing = handing
        self._keeper = keeper
        self._watching = watching
        self._turn = turn
        self._now = now
        self._upkeep = upkeep
        self._anew = anew
        self._lock = asyncio.Lock()
        """Held by who hands on the past, or judges it."""

    async def glance(self, since: datetime, limit: int) -> None:
        """Hand on the newest `limit` events that the journal held already, newest first.

        `refill` hands them on once more, and says what is wrong with the journal.
        """
        with suppress(JournalError):
            rows = self._newest(since, self._journal.last_seq(), limit)
            await self._hand_on(islice(rows, FEW))
            await self._hand_on(rows)

    async def refill(self, since: datetime, limit: int, successor: Callable[[], Successor]) -> None:
        """Hand on the newest `limit` events that the journal held already, newest first, to a store that judges none.

        Then have them judged, oldest first, by the engine that `successor` makes, and hand that engine on.
        """
        async with self._lock:
            count, judging, watched, whole = 0, None, tuple[Watched, ...](), False
            try:
                settled, kept_from = self.settled()
                upto, count = self._journal.catch_up(), self._journal.count(since, limit)
                await self._hand_on(self._newest(since, upto, limit), told=("shown", count))
                judging = successor()
                rows = self._journal.recalled(since, upto, limit=limit)
                since = await self._judge(rows, judging, since, limit, count)
                watched = self._watching.recalled(since, settled, kept_from)
                whole = True
            except JournalCorruptError as error:
                await self._keeper.begin_anew(error)
            except JournalError as error:
                what = "shown" if judging is None else "judged"
                await self._say(f"can't read the journal ({error}): older events are not {what}")
            judging = judging or successor()
            judging.whole = whole
            judging.watched(watched)
            judging.compare()
            told = (self._kept(State.DONE),) if count >= TOLD_EACH else ()
            await self._handing.deliver(Delivery(anew=judging, statuses=told))

    async def _judge(
        self, rows: Iterator[Stored], judging: Successor, since: datetime, limit: int, count: int
    ) -> datetime:
        """Have these judged, oldest first; returns the moment since which they are all the events there are."""
        judged, oldest = 0, self._now()
        while batch := self._reading.stored(islice(rows, self._handing.slice)):
            oldest = min(oldest, batch[0][1].event.at)
            judging.take([arrival for _, arrival in batch])
            while judging.settle():
                await self._handing.rest()
            if renamed := self._reading.renamed():
                judging.fold(renamed)
                await self._handing.deliver(Delivery(renamed=renamed, more=True))
            judged += len(batch)
            await self._tell("judged", judged, len(batch), count)
            await self._handing.rest()
        return _whole_from(since, oldest, full=judged >= limit)

    async def recall(
        self,
        since: datetime,
        limit: int,
        *,
        backwards: bool = False,
        printing_from: datetime | None = None,
        again: bool = False,
    ) -> None:
        """Hand on the newest `limit` events that the journal held already; then what was watched.

        They come oldest first, or `backwards`, with which rules take BACKWARDS times as long. With `printing_from`,
        what `recall_untold` is to bring when it is given that moment is left out. `again` says that sources are
        followed meanwhile, which brings what other processes put in.
        """
        async with self._lock:
            watched: tuple[Watched, ...] = ()
            try:
                settled, kept_from = self.settled()
                upto = self._journal.last_seq() if again else self._journal.catch_up()
                rows = self._journal.recalled(since, upto, limit=limit, printing_from=printing_from)
                if backwards:
                    rows = self._newest(since, upto, limit)
                # What is followed meanwhile, beside a screen, is not to wait for that.
                async with self._handing.together() if self._handing.alone else nullcontext():
                    handed_on, oldest = await self._hand_on(rows, BACKWARDS if backwards else 1)
                since = _whole_from(since, oldest, full=handed_on >= limit)
                watched = self._watching.recalled(since, settled, kept_from)
            except JournalCorruptError as error:
                await self._keeper.begin_anew(error)
            except JournalError as error:
                await self._say(f"can't read the journal ({error}): older events are not shown")
            await self._handing.deliver(Delivery(watched=watched))

    def _newest(self, since: datetime, upto: int, limit: int) -> Iterator[Stored]:
        """The newest `limit` events since a moment that had arrived by then, newest first."""
        return islice(self._journal.recent(since, upto), limit)

    async def _hand_on(
        self, rows: Iterator[Stored], times: int = 1, *, told: tuple[str, int] | None = None
    ) -> tuple[int, datetime]:
        """Hand these on, in slices that are so many `times` smaller; how many there were, and when the oldest happened.

        `told` is what to say on the way: what the events are then, and how many there will be.
        """
        count, oldest = 0, self._now()
        while batch := self._reading.stored(islice(rows, self._handing.slice // times)):
            oldest = min(oldest, batch[0][1].event.at, batch[-1][1].event.at)
            count += len(batch)
            await self._handing.events(*apart(batch), more=not self._handing.alone)
            if told is not None:
                await self._tell(told[0], count, len(batch), told[1])
            # No rest: a screen beside it has had its turn, for which this has waited. Serves "filled-journal".
            await asyncio.sleep(0)
        return count, oldest

    async def recall_untold(self, since: datetime) -> None:
        """Hand on what the journal held at `recall` and `tail` has yet to print, oldest first; see `Journal.untold`.

        What other processes put in meanwhile comes by following the journal. Handed on here as well, it would be
        printed twice once the store has forgotten it.
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

        Events that the journal no longer holds, and those beyond the capacity, stay as they were judged.
        """
        async with self._lock, self._turn:
            if self._anew is None or not self._reading.reader.mistaken or self._keeper.holds:
                return
            self._reading.reader.mistaken = False
            anew = self._anew()
            since, limit = anew.since or self._now(), self._upkeep.capacity
            try:
                for _ in self._reading.again(self._handing.slice):
                    await self._handing.rest()
                oldest = self._now()
                # What others have put in since then is handed on, and so judged, when its turn comes.
                rows = self._journal.recalled(since, self._journal.caught_up_to, limit=limit)
                while batch := self._reading.stored(islice(rows, self._handing.slice)):
                    limit -= len(batch)
                    oldest = min(oldest, batch[0][1].event.at)
                    anew.take([arrival for _, arrival in batch])
                    while anew.settle():
                        await self._handing.rest()
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
        kept_from = self._journal.kept_from(self._now() - self._upkeep.retention)
        return self._journal.settled(), kept_from

    async def _say(self, message: str) -> None:
        await self._handing.journal_is(State.FAILING, message, self._now())

    async def _tell(self, what: str, done: int, more: int, count: int) -> None:
        """Say how many of `count` events are done, `more` of them just now, each time another TOLD_EACH are."""
        if done // TOLD_EACH != (done - more) // TOLD_EACH:
            status = self._kept(State.CATCHING_UP, f"{done:,} of {count:,} {what}")
            await self._handing.deliver(Delivery(statuses=(status,), more=True))

    def _kept(self, state: State, progress: str = "") -> Status:
        """How far it is with what the journal held."""
        return Status(KEPT, "Journal", state, progress=progress, at=self._now())


def _whole_from(since: datetime, oldest: datetime, *, full: bool) -> datetime:
    """Since when all events are there: `since`, or if they are `full` and there may be more, after the `oldest`."""
    return oldest + timedelta(seconds=1) if full else since  # of this second there may be more
