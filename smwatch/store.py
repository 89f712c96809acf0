"""The reactive heart: what is known right now, changed in one place, watched by whoever draws it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime
from operator import attrgetter
from typing import Protocol, TypeVar

import msgspec

from smwatch.change import Change, Subscription
from smwatch.dossier import PrincipalDossier, SecretDossier
from smwatch.events.event import ACCOUNT_BITS, UNREADABLE, Arrival, Event
from smwatch.events.moments import seconds_of_datetime
from smwatch.events.renaming import composed, names_any, renamed_event
from smwatch.events.secret import Secret
from smwatch.rules.alarm import EVIDENCE, Alarm, Decided, Mute, urgency
from smwatch.sources.coverage import Span
from smwatch.sources.source import Status, place_of
from smwatch.view import Filter, View, merge

KEY = attrgetter("key")
N = TypeVar("N")
D = TypeVar("D", SecretDossier, PrincipalDossier)
DOSSIERS = 20_000
"""Secrets, and principals, that a dossier is kept of: whoever guesses names must not be able to fill the memory."""
LET_GO = 1_000
"""Alarms that the engine has let go are forgotten here as soon as there are more of them than this."""
SLACK = 0.005
"""Eviction waits until this share of the capacity is over, so that the list is cut in slabs and not once per event.

Slabs of some hundred events take less than a millisecond: serves "longest stall of the event loop".
"""


_PART_BITS = 4
_PARTS = (1 << _PART_BITS) - 1


class Keys:
    """A set of keys of events in parts: all in one, it stands still for 20 ms whenever it outgrows its room.

    Serves "longest stall of the event loop".
    """

    __slots__ = ("_parts",)

    def __init__(self) -> None:
        self._parts: tuple[set[int], ...] = tuple(set() for _ in range(1 << _PART_BITS))

    def __contains__(self, key: int) -> bool:
        return key in self._parts[key >> ACCOUNT_BITS & _PARTS]

    def add(self, key: int) -> None:
        """Put one in."""
        self._parts[key >> ACCOUNT_BITS & _PARTS].add(key)

    def discard(self, key: int) -> None:
        """Take one out, if it is in."""
        self._parts[key >> ACCOUNT_BITS & _PARTS].discard(key)


class Judge(Protocol):
    """What the store needs of the rules' engine."""

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """All alarms by group."""
        ...

    @property
    def mutes(self) -> Sequence[Mute]:
        """What is muted, also what no longer is."""
        ...

    def judge(self, arrivals: Sequence[Arrival]) -> Sequence[Alarm]:
        """Evaluate new events; returns the alarms that changed."""
        ...

    def tick(self, now: datetime) -> Sequence[Alarm]:
        """Let time pass; returns the alarms that changed."""
        ...

    @property
    def unsettled(self) -> bool:
        """Whether there are alarms still to be worked out."""
        ...

    def settle(self) -> Sequence[Alarm]:
        """Work out some more alarms; returns those that changed."""
        ...

    def fold(self, renames: Iterable[tuple[Secret, Secret]]) -> Sequence[Alarm]:
        """Take note that what looked like two secrets is one; returns the alarms that changed."""
        ...

    def acknowledge(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Sequence[Alarm]:
        """Someone has seen an alarm."""
        ...

    def close(self, group: str, note: str, at: datetime, seen: Alarm | None = None) -> Sequence[Alarm]:
        """Someone ends an alarm."""
        ...

    def mute(self, mute: Mute) -> Sequence[Alarm]:
        """Someone wants no noise about a rule, a secret or a principal for a while."""
        ...

    def adopt(self, decided: Decided) -> Sequence[Alarm]:
        """People have decided something elsewhere; returns the alarms that changed."""
        ...

    def feed(self, source: str, newest_at: datetime | None, now: datetime) -> Sequence[Alarm]:
        """A source was read whole at `now`; its newest event is from `newest_at`."""
        ...

    def watched(self, place: tuple[str, str], spans: Iterable[tuple[int, int]]) -> Sequence[Alarm]:
        """Of an account and Region ("" for any), all events of these spans of seconds have been judged."""
        ...


class Store:
    """The newest events in order of (eventTime, eventID), what they say of each secret and principal, alarms, health.

    Lives on one thread. `add` is the only way in for events; `report`, `tick`, `fold` and the operator's verbs are its
    few siblings. Events older than the `capacity` newest are dropped and counted; dossiers and alarms outlive them.
    """

    def __init__(self, *, capacity: int = 100_000, engine: Judge | None = None) -> None:
        self.capacity = capacity
        self.engine = engine
        self.events: list[Event] = []
        """Ascending by key. Read it, never change it."""
        self.dropped = 0
        self.unreadable = 0
        self.names: Counter[str] = Counter()
        """How many events of each name are in the store."""
        self.secrets: dict[Secret, SecretDossier] = {}
        self.principals: dict[str, PrincipalDossier] = {}
        self.sources: dict[str, Status] = {}
        self.levels: dict[int, Alarm] = {}
        """The worst alarm that each event in evidence belongs to, by event key; open ones are worse than the rest.

        How the alarm stands now is in `alarms`: these are as they were when last their place in that order changed.
        """
        self._raised: dict[str, Alarm] = {}
        self._groups: dict[int, set[str]] = {}
        self._keys = Keys()
        self._counted: set[int] = set()
        """The calls that are in the dossiers, of those of which several accounts have records."""
        self._views: list[View] = []
        self._subscriptions: list[Subscription] = []

    # -- reading

    @property
    def alarms(self) -> Mapping[str, Alarm]:
        """All alarms by group, open or not."""
        return self.engine.alarms if self.engine is not None else {}

    @property
    def mutes(self) -> Sequence[Mute]:
        """What is muted, also what no longer is."""
        return self.engine.mutes if self.engine is not None else ()

    def find(self, key: int) -> Event | None:
        """The event with this key, if it is still in the store."""
        i = bisect_left(self.events, key, key=KEY)
        return self.events[i] if i < len(self.events) and self.events[i].key == key else None

    def told_of(self, key: int) -> tuple[str, str, str]:
        """The eventID, account and Region of an event; all "" if it is not in the store any more."""
        event = self.find(key)
        return (event.id, event.account, event.region) if event is not None else ("", "", "")

    def view(self, chosen: Filter | None = None) -> View:
        """A filtered window that follows the store until `View.close`."""
        view = View(self.events, chosen, on_close=self._views.remove)
        self._views.append(view)
        return view

    def newest_principals(self) -> list[PrincipalDossier]:
        """All principals' dossiers, those seen last first."""
        return sorted(self.principals.values(), key=attrgetter("last_key"), reverse=True)

    def known(self, field: str) -> list[str]:
        """The values seen of a field of the filter language, those most seen or seen last first."""
        found: Iterable[str] = ()
        match field:
            case "name":
                found = (name for name, _ in self.names.most_common())
            case "secret":
                secrets = sorted(self.secrets.values(), key=attrgetter("last_key"), reverse=True)
                found = (dossier.secret.name for dossier in secrets)
            case "user":
                found = (dossier.principal.name for dossier in self.newest_principals())
            case "ip":
                found = (seen.value for dossier in self.newest_principals() for seen in dossier.source_ips)
            case "agent":
                found = (seen.value for dossier in self.newest_principals() for seen in dossier.user_agents)
            case "region":
                found = (seen.value for dossier in self.newest_principals() for seen in dossier.regions)
            case "account":
                found = (secret.account for secret in self.secrets)
            case "error":
                found = (code for dossier in self.secrets.values() for code, _ in dossier.errors)
        return list(dict.fromkeys(found))

    def subscribe(self, wake: Callable[[], None]) -> Subscription:
        """Have `wake` called when something changed; what it was is in the subscription's `take`."""
        subscription = Subscription(wake)
        self._subscriptions.append(subscription)
        return subscription

    def unsubscribe(self, subscription: Subscription) -> None:
        """Stop waking a subscriber."""
        self._subscriptions.remove(subscription)

    # -- changing

    def add(self, arrivals: Sequence[Arrival]) -> Change:
        """Take in events, in any order; ones already known are ignored.

        Keep batches small (some hundreds) where the event loop is shared with a screen: a batch is taken in one go.
        """
        keys, new, again = self._keys, list[Arrival](), list[Arrival]()
        change = Change()
        for arrival in arrivals:
            key = arrival.event.key
            if key in keys:
                again.append(arrival)
                continue
            keys.add(key)
            new.append(arrival)
            if not arrival.shared_id or self._counts(arrival):
                self._note_in_dossiers(arrival, change.secrets)
        if not new:
            return self._correct(again, change)
        fresh = change.added = [arrival.event for arrival in new]
        self.names.update([event.name for event in fresh])
        merge(self.events, sorted(fresh, key=KEY))
        for view in self._views:
            view.added(fresh)
        change.evicted = self._evict()
        self._judge(new, change)
        self._correct(again, change)
        return change

    def report(self, status: Status) -> Change:
        """Take in a source's health."""
        before, self.sources[status.source] = self.sources.get(status.source), status
        change = Change(sources={status.source})
        heard_at = status.last_good_at
        if self.engine is not None and heard_at is not None and (before is None or before.last_good_at != heard_at):
            self._raise(self.engine.feed(status.source, status.newest_at, heard_at), change)
        return self._publish(change)

    def watched(self, source: str, spans: Iterable[Span]) -> Change:
        """Take note that all events which a source holds of these spans have been added."""
        if self.engine is None:
            return self._alarmed(())
        seconds = [(seconds_of_datetime(span.start), seconds_of_datetime(span.end)) for span in spans]
        return self._alarmed(self.engine.watched(place_of(source), seconds))

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

    def adopt(self, decided: Decided) -> Change:
        """People have decided something where somebody else watches, too."""
        return self._alarmed(self.engine.adopt(decided) if self.engine is not None else ())

    def recall(self) -> Change:
        """Take note of the alarms that the engine has been given back from the journal."""
        return self._alarmed(tuple(self.alarms.values()))

    def fold(self, renames: Iterable[tuple[Secret, Secret]]) -> Change:
        """Take note that what looked like two secrets is one: (the wrong identity, the right one) each, in order."""
        change = Change()
        renames = tuple(renames)
        right = composed(renames)
        for old, new in right.items():
            dossier = self.secrets.pop(old, None)
            if dossier is not None:
                self.secrets[new] = self.secrets[new].merged(dossier) if new in self.secrets else dossier.renamed(new)
                change.secrets |= {old, new}
        for identity, principal in self.principals.items():
            self.principals[identity] = principal.folded(right)
        renamed = [renamed_event(event, right) for event in self.events if names_any(event, right)]
        for event in renamed:
            self.events[bisect_left(self.events, event.key, key=KEY)] = event
        for view in self._views:
            view.recheck(renamed)
        change.renamed = bool(renamed or change.secrets)
        if self.engine is not None:
            self._raise(self.engine.fold(renames), change)
        return self._publish(change)

    def take_over(
        self,
        engine: Judge,
        alarms: Sequence[Alarm],
        corrected: Sequence[Event],
        secrets: dict[Secret, SecretDossier],
        principals: dict[str, PrincipalDossier],
    ) -> Change:
        """Judge by another engine from now on, which has raised these alarms where the present one had others.

        These events are about other secrets than they are here; the dossiers are of all secrets and principals.
        """
        self.engine, self.secrets, self.principals = engine, secrets, principals
        about = [secret for event in corrected for secret in (event.secret, *event.others) if secret is not None]
        change = Change(corrected=list(corrected), secrets=set(about), renamed=True)
        for event in corrected:
            i = bisect_left(self.events, event.key, key=KEY)
            if i < len(self.events) and self.events[i].key == event.key:
                self.events[i] = event
        for view in self._views:
            view.recheck(corrected)
        self._raise(alarms, change)
        return self._publish(change)

    # -- how

    def _correct(self, again: Sequence[Arrival], change: Change) -> Change:
        """Put corrections in the place of what they correct: the same event, with more said of it; then publish.

        It was counted when it came first, whichever of them did; only the rules look at it again.
        """
        better: list[Arrival] = []
        for arrival in again:
            event = arrival.event
            known = self.find(event.key)
            if known is None or known.odd_id == event.odd_id:
                continue  # brought again by another scan
            if event.odd_id > known.odd_id:  # of two corrections the records don't tell which is newer
                self.events[bisect_left(self.events, event.key, key=KEY)] = event
                better.append(arrival)
            else:
                change.superseded.append(event)
        if better:
            change.corrected = [arrival.event for arrival in better]
            for view in self._views:
                view.recheck(change.corrected)
            self._judge(better, change)
        return self._publish(change)

    def _judge(self, arrivals: Iterable[Arrival], change: Change) -> None:
        if self.engine is not None:
            self._raise(self.engine.judge([_as_counted(arrival) for arrival in arrivals]), change)

    def _counts(self, arrival: Arrival) -> bool:
        """Whether a record of a call that other accounts have records of is the first to be counted."""
        key = arrival.counted_as or arrival.event.key
        if key in self._counted or (arrival.counted_as and key in self._keys):
            return False
        self._counted.add(key)
        return True

    def _note_in_dossiers(self, arrival: Arrival, touched: set[Secret]) -> None:
        event = arrival.event
        if event.name == UNREADABLE:
            self.unreadable += 1
        who = event.principal.identity
        principal = self.principals.get(who)
        if principal is None:
            _make_room(self.principals)
            principal = self.principals[who] = PrincipalDossier(event.principal)
        principal.note(arrival)
        if event.secret is None:
            return
        for secret in (event.secret, *event.others):
            dossier = self.secrets.get(secret)
            if dossier is None:
                _make_room(self.secrets)
                dossier = self.secrets[secret] = SecretDossier(secret)
            dossier.note(arrival)
            touched.add(secret)

    def _evict(self) -> int:
        extra = len(self.events) - self.capacity
        if extra < max(1, int(self.capacity * SLACK)):
            return 0
        old = self.events[:extra]
        del self.events[:extra]
        gone = [event.key for event in old]
        self._counted.difference_update(gone)
        for key in gone:
            self._keys.discard(key)
            self._unmark(key)
        self.names.subtract([event.name for event in old])
        for name in {event.name for event in old}:
            if not self.names[name]:
                del self.names[name]
        self.dropped += extra
        for view in self._views:
            view.evicted(self.events[0].key if self.events else None)
        return extra

    def _unmark(self, key: int) -> None:
        """An event has left that is evidence no more, or of nothing."""
        if key not in self._groups:
            self.levels.pop(key, None)

    def _knows(self, key: int) -> bool:
        """Whether this event is here."""
        return key in self._keys

    def _alarmed(self, alarms: Sequence[Alarm]) -> Change:
        change = Change()
        self._raise(alarms, change)
        return self._publish(change)

    def _raise(self, alarms: Sequence[Alarm], change: Change) -> None:
        marked: set[int] = set()
        for alarm in alarms:
            change.alarms[alarm.group] = alarm
            marked |= self._mark(alarm)
        if len(self._raised) > len(self.alarms) + LET_GO:
            for group in self._raised.keys() - self.alarms.keys():
                marked |= self._mark(msgspec.structs.replace(self._raised[group], event_keys=()))
                del self._raised[group]
        views = [view for view in self._views if view.chosen is not None and view.chosen.changeable]
        if views and marked:
            events = [event for key in marked if (event := self.find(key)) is not None]
            for view in views:
                view.recheck(events)

    def _mark(self, alarm: Alarm) -> set[int]:
        """Bring `levels` up to date; returns the keys that are new in it or have left it."""
        group, keys = alarm.group, alarm.event_keys
        before = self._raised.get(group)
        self._raised[group] = alarm
        was = set(before.event_keys) if before is not None else set()
        marked = {key for key in keys if key not in self.levels}
        for key in was.difference(keys):
            self._groups[key].discard(group)
            # An alarm carries no more than its newest evidence: older events stay marked while they are in the store.
            if len(keys) < EVIDENCE or key > keys[0] or not self._knows(key):
                self._grade(key)
                if key not in self.levels:
                    marked.add(key)
            if not self._groups[key]:
                del self._groups[key]
        same = before is not None and (before.open, before.severity) == (alarm.open, alarm.severity)
        for key in set(keys) - was if same else keys:
            self._groups.setdefault(key, set()).add(group)
            self._grade(key)
        return marked

    def _grade(self, key: int) -> None:
        groups = self._groups[key]
        if groups:
            self.levels[key] = min((self._raised[group] for group in groups), key=urgency)
        else:
            self.levels.pop(key, None)

    def _publish(self, change: Change) -> Change:
        if change:
            for subscription in self._subscriptions:
                subscription.note(change)
        return change


def _as_counted(arrival: Arrival) -> Arrival:
    """What the rules are given: records of one call, which several accounts have, are one event to them."""
    if not arrival.counted_as:
        return arrival
    event = msgspec.structs.replace(arrival.event, key=arrival.counted_as)
    return msgspec.structs.replace(arrival, event=event)


def _make_room(dossiers: dict[N, D]) -> None:
    """Forget a tenth of the dossiers where there are too many: first what was seen once, long ago."""
    if len(dossiers) >= DOSSIERS:
        least = sorted(dossiers, key=lambda name: (dossiers[name].events, dossiers[name].last_key))
        for name in least[: DOSSIERS // 10]:
            del dossiers[name]
