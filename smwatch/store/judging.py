"""Alarms, the health of sources, and who is told of them: the same whether events are kept or let go."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence, Set
from datetime import datetime
from itertools import chain
from typing import ClassVar, NamedTuple, TypeVar

import msgspec

from smwatch.dossier import Dossiers, PrincipalDossier, SecretDossier
from smwatch.events.event import Arrival, Event
from smwatch.events.moments import seconds_of_datetime
from smwatch.events.secret import Secret
from smwatch.rules.alarm import Alarm, Decided, Mute
from smwatch.sources.coverage import Span
from smwatch.sources.source import Status, place_of
from smwatch.store.change import Change, Subscription
from smwatch.store.judge import Judge
from smwatch.store.marks import Marks

T = TypeVar("T")
SLACK = 0.005
"""Eviction waits until this share of the capacity is over, so that the list is cut in slabs and not once per event.

Slabs of some hundred events take less than a millisecond: serves "longest stall of the event loop".
"""


class Corrected(NamedTuple):
    """What is set right as another engine takes over."""

    events: Sequence[Event]
    """They are about other secrets than they are in the store."""
    about: Set[Secret]
    """All that they are about."""
    secrets: dict[Secret, SecretDossier]
    """The dossiers of all secrets; so for the next."""
    principals: dict[str, PrincipalDossier]


class Judging(ABC):
    """What a store and a ledger have in common: the engine's alarms, how sources are, and subscribers.

    Lives on one thread. `add` is the only way in for events; `report`, `tick`, `fold` and the operator's verbs are its
    few siblings. Events beyond some `capacity` are dropped and counted; alarms outlive them.
    """

    keeps_events: ClassVar[bool]
    """Whether events are kept after they were judged."""

    def __init__(self, *, capacity: int = 100_000, engine: Judge | None = None) -> None:
        self.capacity = capacity
        self.engine = engine
        self.judged_elsewhere = False
        """Whether another engine, which is to take over, judges what is added: this one only keeps its alarms."""
        self.dropped = 0
        self.unreadable = 0
        self.sources: dict[str, Status] = {}
        self.dossiers = Dossiers()
        """None of anything, where events are not kept to look at."""
        self._marks = Marks()
        self.levels: Mapping[int, Alarm] = self._marks.levels
        """The worst alarm that each event in evidence belongs to, by event key: see `Marks`."""
        self._subscriptions: list[Subscription] = []
        self.at_once: int | None = None
        """How many alarms are recalled, and events or alarms set right when secrets turn out to be others, in one go.

        None: all. For a screen, which stands still meanwhile: `set_right` goes on.
        """
        self._righting: Iterator[Change] = iter(())

    # -- reading

    @property
    def secrets(self) -> Mapping[Secret, SecretDossier]:
        """What is known of each secret."""
        return self.dossiers.settled_secrets

    @property
    def principals(self) -> Mapping[str, PrincipalDossier]:
        """What is known of each principal, by identity."""
        return self.dossiers.settled_principals

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """All alarms by group, open or not."""
        return self.engine.alarms if self.engine is not None else {}

    @property
    def mutes(self) -> Sequence[Mute]:
        """What is muted, also what no longer is."""
        return self.engine.mutes if self.engine is not None else ()

    @abstractmethod
    def find(self, key: int) -> Event | None:
        """The event with this key, if it is held."""

    @abstractmethod
    def told_of(self, key: int) -> tuple[str, str, str]:
        """The eventID, account and Region of an event; all "" if it is not known any more."""

    def subscribe(self, wake: Callable[[], None]) -> Subscription:
        """Have `wake` called when something changed; what it was is in the subscription's `take`."""
        subscription = Subscription(wake)
        self._subscriptions.append(subscription)
        return subscription

    # -- changing

    @abstractmethod
    def add(self, arrivals: Sequence[Arrival], *, more: bool = False) -> Change:
        """Take in events, in any order; ones already known are ignored, but for what corrects them.

        With `more`, others follow at once: alarms are worked out with the last of them, or by `settle`.
        """

    def report(self, status: Status, *, more: bool = False) -> Change:
        """Take in a source's health; `more` as for `add`, and so for the next."""
        before, self.sources[status.source] = self.sources.get(status.source), status
        change = Change(sources={status.source})
        heard_at = status.last_good_at
        if self.engine is not None and heard_at is not None and (before is None or before.last_good_at != heard_at):
            self._raise(self.engine.feed(status.source, status.newest_at, heard_at, more=more), change)
        return self._publish(change)

    def watched(self, source: str, spans: Iterable[Span], *, more: bool = False) -> Change:
        """Take note that all events which a source holds of these spans have been added."""
        if self.engine is None:
            return self._alarmed(())
        seconds = [(seconds_of_datetime(span.start), seconds_of_datetime(span.end)) for span in spans]
        return self._alarmed(self.engine.watched(place_of(source), seconds, more=more))

    def tick(self, now: datetime) -> Change:
        """Let time pass for the alarms that depend on it."""
        return self._alarmed(self.engine.tick(now) if self.engine is not None else ())

    @property
    def unsettled(self) -> bool:
        """Whether there are alarms still to be worked out."""
        return self.engine is not None and self.engine.unsettled

    def settle(self) -> Change:
        """Work out some more alarms."""
        return self._alarmed(self.engine.settle() if self.engine is not None else ())

    def acknowledge(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Change:
        """Someone has seen this alarm, as it was then, and says so."""
        return self._alarmed(self.engine.acknowledge(group, note, at, seen) if self.engine is not None else ())

    def close(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Change:
        """Someone says this alarm is over."""
        return self._alarmed(self.engine.close(group, note, at, seen) if self.engine is not None else ())

    def mute(self, mute: Mute) -> Change:
        """Someone wants no noise about a rule, a secret or a principal for a while."""
        return self._alarmed(self.engine.mute(mute) if self.engine is not None else ())

    def adopt(self, decided: Decided, *, more: bool = False) -> Change:
        """People have decided something where somebody else watches, too."""
        return self._alarmed(self.engine.adopt(decided, more=more) if self.engine is not None else ())

    def recall(self) -> None:
        """Take note of the alarms that the engine has been given back from the journal; see `at_once`."""
        self._begin(self._raising(tuple(self.alarms.values())))

    def fold(self, renames: Iterable[tuple[Secret, Secret]]) -> Change:
        """Take note that what looked like two secrets is one: (the wrong identity, the right one) each, in order."""
        change, renames = Change(), tuple(renames)
        self._begin(self._renaming(renames, change))
        if self.engine is not None:
            self._raise(self.engine.fold(renames), change)
        return self._publish(change)

    def take_over(self, engine: Judge, alarms: Sequence[Alarm], judged: Judging | Corrected) -> Change:
        """Judge by another engine from now on, which has raised these alarms where the present one had others.

        It has `judged` all the events that there are here, as they are here, or some of them are to be corrected.
        """
        self.engine, self.judged_elsewhere = engine, False
        if isinstance(judged, Corrected):
            self.dossiers.replace(judged.secrets, judged.principals)
            self._begin(chain(self._correcting(judged.events), self._raising(alarms)))
            self._publish(Change(secrets=set(judged.about), renamed=True))
            return Change(corrected=list(judged.events), alarms={alarm.group: alarm for alarm in alarms})
        marked = tuple(self._marks.take_over(judged._marks))
        self._begin(chain(self._remarking(marked), self._raising(alarms)))
        return Change(alarms={alarm.group: alarm for alarm in alarms})

    def leave_unjudged(self, judged: Judging) -> None:  # noqa: B027
        """Have events that are here but not `judged` be judged when they are added once more."""

    def set_right(self) -> bool:
        """Go on with what `recall`, `fold` or `take_over` has begun, see `at_once`; whether there may be more to do.

        Until there is not, rows may name secrets as they were named before, and be marked as they were. Whatever adds
        events, or begins another time, first does all that is left.
        """
        for change in self._righting:
            self._publish(change)
            return True
        return False

    # -- how

    def _judge(self, arrivals: Iterable[Arrival], change: Change, *, more: bool) -> None:
        if self.engine is not None and not self.judged_elsewhere:
            counted = [_as_counted(one) if one.counted_as else one for one in arrivals]
            self._raise(self.engine.judge(counted, more=more), change)

    @abstractmethod
    def _knows(self, key: int) -> bool:
        """Whether this event is here."""

    # What holds no events has nothing to do in these: no need to make it say so.

    def _renaming(self, renames: Sequence[tuple[Secret, Secret]], change: Change) -> Iterator[Change]:
        """Have what is held, beside alarms, say what is one secret: dossiers at once, as `change` tells, then rows."""
        del renames, change
        return iter(())

    def _correcting(self, corrected: Sequence[Event]) -> Iterator[Change]:
        """Put these events in the place of those with their keys, where such are held."""
        del corrected
        return iter(())

    def _marked(self, keys: set[int]) -> None:  # noqa: B027
        """Events with these keys have become evidence, or are it no more."""

    def _begin(self, steps: Iterator[Change]) -> None:
        self._set_all_right()
        self._righting = steps
        if self.at_once is None:
            self._set_all_right()

    def _set_all_right(self) -> None:
        while self.set_right():
            pass

    def _remarking(self, keys: Sequence[int]) -> Iterator[Change]:
        for some in in_parts(keys, self.at_once):
            self._marked(set(some))
            yield Change()

    def _raising(self, alarms: Sequence[Alarm]) -> Iterator[Change]:
        for some in in_parts(alarms, self.at_once):
            change = Change()
            self._raise([self.alarms.get(alarm.group, alarm) for alarm in some], change)  # somebody may have decided
            yield change

    def _alarmed(self, alarms: Sequence[Alarm]) -> Change:
        change = Change()
        self._raise(alarms, change)
        return self._publish(change)

    def _raise(self, alarms: Sequence[Alarm], change: Change) -> None:
        marked: set[int] = set()
        for alarm in alarms:
            change.alarms[alarm.group] = alarm
            change.raised |= self._marks.raises(alarm)
            marked |= self._marks.mark(alarm, self._knows)
        self._marked(marked | self._marks.let_go(self.alarms, self._knows, len(alarms)))

    def _publish(self, change: Change) -> Change:
        if change:
            for subscription in self._subscriptions:
                subscription.note(change)
        return change


def _as_counted(arrival: Arrival) -> Arrival:
    """What the rules are given: records of one call, which several accounts have, are one event to them."""
    event = msgspec.structs.replace(arrival.event, key=arrival.counted_as)
    return msgspec.structs.replace(arrival, event=event)


def in_parts(items: Sequence[T], size: int | None) -> Iterator[Sequence[T]]:
    """The items, `size` at a time, the last ones first; None: all at once."""
    upto = len(items)
    while upto > 0:
        first = max(0, upto - size) if size is not None else 0
        yield items[first:upto]
        upto = first
