"""What is to be done with events of one kind by one caller, found out once and kept for a while.

Serves the row "rules" of the benchmarks: most events are one more read of the same secret by the same caller with the
same result. All that such an event changes is the newest moment of a few facts and cases, and those mostly nobody asks
for before the next one comes. So a plan only notes it, and tells the facts and cases when they are asked.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import NamedTuple, Protocol

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival, Event
from smwatch.rules.subject import SECOND_BITS, Subject
from smwatch.rules.times import EVER, Times

AGAIN = 60
"""Seconds for which nobody looks whether it has become quiet, when it was not."""
BUSY = 300
"""Seconds that two events may be apart for all to listen: to have them do so, and to tell them some time, takes as long
as it takes to tell of five at once. Serves the rows "rules-varied" and "rules-random", where most pairs come rarely."""
BACKLOG = 64
"""Events noted before they are told unasked: telling of many at once costs hardly more than telling of one."""
WHOLE = 8
"""No more of them are kept as they are where room is to be spared: see `Plan.spare`."""

Take = Callable[[Subject], None]
Ask = Callable[[Subject], bool]


class First(NamedTuple):
    """A rule about what is new: asked only if the fact was not known for long."""

    times: Times
    within: int
    take: Take


_KEY_BYTES = 8 + (ID_BITS + ACCOUNT_BITS) // 8
_KEY, _WITHIN = attrgetter("key"), attrgetter("within")
_CALM, _LISTENER = attrgetter("calm"), attrgetter("listener")


class Spreading(Protocol):
    """A value that this caller comes with, in a case of many values."""

    def add(self, event: Event, second: int) -> None:
        """The value was seen again."""
        ...

    def extend(self, keys: Sequence[int], seconds: Sequence[int], newest: Event) -> None:
        """The value was seen in events of these keys, which are ascending, and seconds; `newest` is the last one."""
        ...

    @property
    def listener(self) -> Listener:
        """The case."""
        ...

    @property
    def calm(self) -> bool:
        """Whether seeing the value again changes nothing that the case does not ask for."""
        ...


class Waiting(Protocol):
    """A case whose events are evidence only if a fact is known."""

    def add(self, event: Event, second: int) -> None:
        """Another event of this caller."""
        ...

    def extend(self, events: Sequence[Event], last: int) -> None:
        """Others, of which nothing is known, in order, up to this second."""
        ...

    @property
    def listener(self) -> Listener:
        """The fact."""
        ...

    @property
    def calm(self) -> bool:
        """Whether nothing is known of the fact."""
        ...


class Listener(Protocol):
    """Who is told of events when it asks, or before they come to matter to it."""

    def listen(self, plan: Plan) -> None:
        """This plan may know more from now on: `tell` lets it out with it, and ends that."""
        ...

    def release(self, plan: Plan) -> None:
        """This plan has told all, and knows no more."""
        ...


class Debut(Protocol):
    """Something of which it matters only since when it is known."""

    def add(self, second: int) -> None:
        """It is known in this second."""
        ...


class Plan:
    """What to do with an event like the one it was made for."""

    __slots__ = (
        "_again",
        "_alike",
        "_heard",
        "_known",
        "_loud",
        "_part",
        "_within",
        "deaf",
        "debuts",
        "earliest",
        "firsts",
        "most",
        "noted",
        "since",
        "spreads",
        "takes",
        "times",
        "until",
        "waits",
    )

    def __init__(self, common: Plan | None = None) -> None:
        """`common`: what is to be done with these events, and with others as well; to it may be added."""
        # Tuples, of which the empty one is always the same: of most plans most are empty, and there are many plans.
        self.times: tuple[Times, ...] = common.times if common is not None else ()
        self.debuts: tuple[Debut, ...] = common.debuts if common is not None else ()
        """What need not be told of any but the first second."""
        self.earliest = EVER
        self.spreads: tuple[Spreading, ...] = common.spreads if common is not None else ()
        self.waits: tuple[Waiting, ...] = common.waits if common is not None else ()
        self.firsts: tuple[First, ...] = common.firsts if common is not None else ()
        """Their facts are among `times`."""
        self.takes: tuple[tuple[Take, tuple[Ask, ...]], ...] = common.takes if common is not None else ()
        """What has to look at each event anew, and what is to be asked before."""
        self.noted: list[Event] = []
        """Events that nobody was told of yet, in any order."""
        self.most = BACKLOG
        """With so many noted, `pass_on` is to be called: with each, where somebody has to know of each."""
        self._part = BACKLOG
        """So many of these are gone through: told of, or kept as `_alike`."""
        self._alike: tuple[Event, bytes] | None = None
        """More that are noted: one, and the keys of all that differ from it in nothing that is asked."""
        self._again = -1
        """From which second on it is worth to see again whether it is quiet."""
        self._loud: tuple[Spreading, ...] = ()
        """Those of `spreads` whose cases change with each event: they are told of it even while it is noted."""
        self.since, self.until = -1, -1
        """From the one second to the other it is enough to note events: everybody else listens, they are not older than
        the last one that was told of at once, and nothing that `firsts` are about is new.
        """
        self._known = -1
        """Up to which second nothing of that is new."""
        self.deaf: list[Listener] | None = None
        """Who does not listen; None: nobody has been asked to."""
        self._heard = False
        """Whether all do but the loud ones."""
        self._within = -1
        """The shortest period of `firsts`; -1 before the first event."""

    def spare(self) -> None:
        """Keep no more than the keys of most events that are noted: a quarter, where nobody else keeps them.

        Serves "tail-…-memory": of 100,000 events, 70,000 are noted.
        """
        self._part = WHOLE

    def hear(self, arrival: Arrival, second: int) -> None:
        """Take in an event of this second which has to be told at once, unless everybody listens from now on."""
        if self.since <= second <= self._known and self._listened_to(second, self.since):
            self.since = second
            self.noted.append(arrival.event)
            self.pass_on(arrival, second)
            return
        self._tell_of(arrival, second)
        if self.takes:
            self._pour(arrival)

    def pass_on(self, arrival: Arrival, second: int) -> None:
        """Have an event that was just noted told where there are many, and give it to those who need each."""
        if len(self.noted) >= self._part:
            self._go_through()
        for spread in self._loud:
            spread.add(arrival.event, second)
        if self.takes:
            self._pour(arrival)

    def _go_through(self) -> None:
        """Have what is noted told, or keep it as few bytes where that is to be and it is not yet too much."""
        noted, alike = self.noted, self._alike
        if self._part < BACKLOG and (alike is None or len(alike[1]) < (BACKLOG - WHOLE) * _KEY_BYTES):
            model, keys = alike if alike is not None else (noted[0], b"")
            call, caller, seen_by, odd_id = model.call, model.caller, model.seen_by, model.odd_id
            others, packed = list[Event](), [keys]
            for event in noted:
                if (
                    event.call is call
                    and event.caller is caller
                    and event.seen_by is seen_by
                    and event.odd_id is odd_id
                ):
                    packed.append(event.key.to_bytes(_KEY_BYTES))
                else:
                    others.append(event)
            if len(others) <= WHOLE // 2:
                self.noted, self._alike = others, (model, b"".join(packed))
                return
        self._tell()

    def _pour(self, arrival: Arrival) -> None:
        """Have an event taken by each for which what is left to ask of it is answered yes."""
        subject = Subject(arrival)
        for take, left in self.takes:
            for ask in left:
                if not ask(subject):
                    break
            else:
                take(subject)

    def tell(self, listener: Listener) -> None:
        """Tell everybody what is known; this one will not listen any more until it is asked to again."""
        self.until, self._heard = -1, False
        if self.deaf is None:
            self.deaf = []
        self.deaf.append(listener)
        self._tell()

    @property
    def newest(self) -> int:
        """About the second of the newest event."""
        if self.noted:
            return self.noted[-1].key >> SECOND_BITS
        if self._alike is not None:
            return int.from_bytes(self._alike[1][-_KEY_BYTES:]) >> SECOND_BITS
        return self.since

    def rest(self) -> None:
        """Tell everybody what is known, and let go of all who listen, until there is another event."""
        if self.deaf is None:
            return
        self.until, self._heard = -1, False
        self._tell()
        for listener in self._listeners:
            listener.release(self)
        self.deaf = None  # also of those who have asked meanwhile

    def _tell(self) -> None:
        if not self.noted and self._alike is None:
            return
        events, self.noted = self.noted, []
        if self._alike is not None:
            model, packed = self._alike
            self._alike = None
            for at in range(0, len(packed), _KEY_BYTES):
                events.append(msgspec.structs.replace(model, key=int.from_bytes(packed[at : at + _KEY_BYTES])))
        events.sort(key=_KEY)
        keys = [event.key for event in events]
        seconds = [key >> SECOND_BITS for key in keys]
        different = [*dict.fromkeys(seconds)]
        for times in self.times:
            times.extend(different)
        for spread in self.spreads:
            if spread not in self._loud:
                spread.extend(keys, seconds, events[-1])
        for wait in self.waits:
            wait.extend(events, seconds[-1])

    def _tell_of(self, arrival: Arrival, second: int) -> None:
        """Tell everybody of an event at once."""
        if self.noted or self._alike is not None:
            self._tell()
        event = arrival.event
        for times in self.times:
            if not times.told or times.told[-1] != second:  # else it is known: serves the row "rules"
                times.add(second)
        if second < self.earliest:
            self.earliest = second
            for debut in self.debuts:
                debut.add(second)
        for spread in self.spreads:
            spread.add(event, second)
        for wait in self.waits:
            wait.add(event, second)
        subject, newly = None, False
        for fact, within, take in self.firsts:
            if fact.gap < 0 or fact.gap > within:
                newly, subject = True, subject or Subject(arrival)
                take(subject)
        begins, before = self._within < 0, self.since
        if second >= before:
            if begins:
                self._within = min([EVER, *map(_WITHIN, self.firsts)])
            # What is new in a second is new to all of its events.
            self.since = second + 1 if newly else second
            self._known = EVER if self._within >= EVER else second + self._within
        if not begins:  # many a session comes once, and is not heard of again: nobody is to listen for it
            self._listened_to(second, before)

    def _listened_to(self, second: int, before: int) -> bool:
        """Whether all listen, the loud ones left out; from now on, if nobody has to know of one more event.

        `before`: the second of the event before this one.
        """
        if not self._heard and second >= self._again and second - before <= BUSY:
            if self._quiet(second):
                self._have_all_listen()
            else:
                self._again = second + AGAIN
        self.until = self._known if self._heard else -1
        return self._heard

    def _quiet(self, second: int) -> bool:
        """Whether nobody but cases of values has to know of one more event from this second on before they ask."""
        for times in self.times:
            if times.matters(second):
                return False
        return all(map(_CALM, self.waits))

    def _have_all_listen(self) -> None:
        deaf, self.deaf = self.deaf, []
        if deaf is None:
            deaf = self._listeners
        self._loud, self._heard = (), True
        for spread in self.spreads:
            if not spread.calm:
                self._loud += (spread,)
        self.most = 1 if self._loud or self.takes else self._part
        loud = [*map(_LISTENER, self._loud)]
        for listener in deaf:
            if listener in loud:
                self.deaf.append(listener)
            else:
                listener.listen(self)

    @property
    def _listeners(self) -> list[Listener]:
        return list(dict.fromkeys([*self.times, *map(_LISTENER, self.spreads), *map(_LISTENER, self.waits)]))
