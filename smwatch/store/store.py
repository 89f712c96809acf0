"""The reactive heart: what is known right now, changed in one place, watched by whoever draws it."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from operator import attrgetter

from smwatch.dossier import PrincipalDossier, SecretDossier
from smwatch.events.event import UNREADABLE, Arrival, Event
from smwatch.events.numbered import Numbered
from smwatch.events.renaming import composed, names_any, renamed_event
from smwatch.events.secret import Secret
from smwatch.store.change import Change
from smwatch.store.judge import Judge
from smwatch.store.judging import SLACK, Judging, in_parts
from smwatch.store.view import Filter, View, merge

KEY, LAST = attrgetter("key"), attrgetter("last_key")
OFFERED, CAME = 4_000, 200
"""Secrets, and principals, seen last whose names are offered, and principals whose addresses and the like are.

More are gone through with each letter that is typed: serves "longest stall of the event loop".
"""


class Store(Judging):
    """The newest events in order of (eventTime, eventID), what they say of each secret and principal, alarms, health.

    Events older than the `capacity` newest are dropped and counted; dossiers and alarms outlive them.
    """

    keeps_events = True

    def __init__(self, *, capacity: int = 100_000, engine: Judge | None = None) -> None:
        super().__init__(capacity=capacity, engine=engine)
        self.events: list[Event] = []
        """Ascending by key. Read it, never change it."""
        self._numbered = Numbered()
        """Of the events."""
        self.names: Counter[str] = Counter()
        """How many events of each name are in the store."""
        self._counted: set[int] = set()
        """The calls that are in the dossiers, of those of which several accounts have records."""
        self._views: list[View] = []
        self._unjudged: set[int] = set()
        """The keys of events that are here unjudged: they are judged when they come once more."""

    # -- reading

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
        view = View(self.events, chosen, on_close=self._views.remove, numbered=self._numbered)
        self._views.append(view)
        return view

    def newest_principals(self, count: int | None = None) -> list[PrincipalDossier]:
        """Dossiers of principals, those seen last first; what was seen again may not be counted in them yet."""
        self.dossiers.note_last()
        return sorted(self.dossiers.principals.values(), key=LAST, reverse=True)[: count or OFFERED]

    def newest_secrets(self) -> list[SecretDossier]:
        """The same of secrets."""
        self.dossiers.note_last()
        return sorted(self.dossiers.secrets.values(), key=LAST, reverse=True)[:OFFERED]

    def known(self, field: str) -> list[str]:
        """The values seen of a field of the filter language, those most seen or seen last first; see OFFERED."""
        found: Iterable[str] = ()
        match field:
            case "name":
                found = (name for name, _ in self.names.most_common())
            case "secret":
                found = (dossier.secret.name for dossier in self.newest_secrets())
            case "user":
                found = (dossier.principal.name for dossier in self.newest_principals())
            case "ip":
                found = (seen.value for dossier in self.newest_principals(CAME) for seen in dossier.source_ips)
            case "agent":
                found = (seen.value for dossier in self.newest_principals(CAME) for seen in dossier.user_agents)
            case "region":
                found = (seen.value for dossier in self.newest_principals(CAME) for seen in dossier.regions)
            case "account":
                found = (secret.account for secret in self.dossiers.secrets)
            case "error":
                found = (code for dossier in self.newest_secrets() for code, _ in dossier.errors)
        return list(dict.fromkeys(found))

    # -- changing

    def add(self, arrivals: Sequence[Arrival], *, more: bool = False) -> Change:
        """Take in events, in any order; ones already known are ignored, but for what corrects them; see `Judging`.

        Keep batches small (some hundreds) where the event loop is shared with a screen: a batch is taken in one go.
        """
        self._set_all_right()
        # No set of keys beside the events: it takes half as much as all else of an event does, and most come in order.
        oldest, newest = (self.events[0].key, self.events[-1].key) if self.events else (0, -1)
        came, new, again, counted = set[int](), list[Arrival](), list[Arrival](), list[Arrival]()
        change = Change()
        for arrival in arrivals:
            event = arrival.event
            key = event.key
            if key in came or (oldest <= key <= newest and self.find(key) is not None):
                again.append(arrival)
                continue
            came.add(key)
            new.append(arrival)
            if not arrival.shared_id or self._counts(arrival, came):
                counted.append(arrival)
                call = event.call
                if call.secret is not None:
                    change.secrets.add(call.secret)
                    if call.others:
                        change.secrets.update(call.others)
                elif call.name == UNREADABLE:
                    self.unreadable += 1
        if not new:
            return self._correct(again, change, more=more)
        self.dossiers.note_all(counted)
        fresh = change.added = [arrival.event for arrival in new]
        self.names.update([event.call.name for event in fresh])
        in_order = sorted(fresh, key=KEY)
        merge(self.events, in_order)
        self._numbered.added(in_order, self.events, steady=self._looking)
        for view in self._views:
            view.added(in_order)
        change.evicted = self._evict()
        self._judge(new, change, more=more)
        return self._correct(again, change, more=more)

    def leave_unjudged(self, judged: Judging) -> None:
        """Have events that are here but not `judged` be judged when they are added once more."""
        self._unjudged = {event.key for event in self.events if not judged._knows(event.key)}

    # -- how

    def _renaming(self, renames: Sequence[tuple[Secret, Secret]], change: Change) -> Iterator[Change]:
        right = composed(renames)
        self.dossiers.forget(right)
        secrets = self.dossiers.secrets
        for old, new in right.items():
            dossier = secrets.pop(old, None)
            if dossier is not None:
                secrets[new] = secrets[new].merged(dossier) if new in secrets else dossier.renamed(new)
                change.secrets |= {old, new}
        change.renamed = bool(change.secrets)
        return chain(self._renaming_principals(right), self._renaming_events(right)) if right else iter(())

    def _renaming_principals(self, right: Mapping[Secret, Secret]) -> Iterator[Change]:
        principals = self.dossiers.principals
        for some in in_parts(tuple(principals), self.at_once):
            for identity in some:
                principals[identity] = principals[identity].folded(right)
            yield Change()

    def _renaming_events(self, right: Mapping[Secret, Secret]) -> Iterator[Change]:
        for some in in_parts(self.events, self.at_once):
            renamed = [renamed_event(event, right) for event in some if names_any(event, right)]
            self._put_right(renamed)
            yield Change(renamed=bool(renamed))

    def _correcting(self, corrected: Sequence[Event]) -> Iterator[Change]:
        for some in in_parts(corrected, self.at_once):
            held = [event for event in some if self.find(event.key) is not None]
            self._put_right(held)
            yield Change(corrected=held, renamed=bool(held))

    def _put_right(self, events: Sequence[Event]) -> None:
        for event in events:
            self._replace(event)
        for view in self._views:
            view.recheck(events)

    def _marked(self, keys: set[int]) -> None:
        views = [view for view in self._views if view.chosen is not None and view.chosen.changeable]
        if views and keys:
            events = [event for key in keys if (event := self.find(key)) is not None]
            for view in views:
                view.recheck(events)

    def _replace(self, event: Event) -> None:
        """Put an event in the place of the one with its key."""
        place = bisect_left(self.events, event.key, key=KEY)
        self.events[place] = event
        self._numbered.replaced(place, event, steady=self._looking)

    @property
    def _looking(self) -> bool:
        """Whether a view is applying its filter."""
        return any(view.busy for view in self._views)

    def _correct(self, again: Sequence[Arrival], change: Change, *, more: bool) -> Change:
        """Put corrections in the place of what they correct: the same event, with more said of it; then publish.

        The event was counted when its first version came; only the rules look at it again.
        """
        better, late = list[Arrival](), list[Arrival]()
        for arrival in again:
            event = arrival.event
            known = self.find(event.key)
            if known is None or known.odd_id == event.odd_id:  # brought again by another scan
                if known is not None and event.key in self._unjudged:
                    self._unjudged.remove(event.key)
                    late.append(arrival)
                continue
            if event.odd_id > known.odd_id:  # of two corrections the records don't tell which is newer
                self._replace(event)
                self._unjudged.discard(event.key)
                better.append(arrival)
            else:
                change.superseded.append(event)
        if better:
            change.corrected = [arrival.event for arrival in better]
            for view in self._views:
                view.recheck(change.corrected)
        if better or late:
            self._judge([*better, *late], change, more=more)
        return self._publish(change)

    def _counts(self, arrival: Arrival, came: set[int]) -> bool:
        """Whether a record of a call that other accounts have records of is the first to be counted.

        `came` are the keys of this one and of those that came with it before it.
        """
        key = arrival.counted_as or arrival.event.key
        if key in self._counted or (arrival.counted_as and (key in came or self._knows(key))):
            return False
        self._counted.add(key)
        return True

    def _knows(self, key: int) -> bool:
        return self.find(key) is not None

    def _evict(self) -> int:
        extra = len(self.events) - self.capacity
        if extra < max(1, int(self.capacity * SLACK)):
            return 0
        old = self.events[:extra]
        del self.events[:extra]
        self._numbered.dropped(extra)
        gone = [event.key for event in old]
        self._counted.difference_update(gone)
        self._unjudged.difference_update(gone)
        self._marks.unmark(gone)
        names = Counter([event.call.name for event in old])
        self.names.subtract(names)
        for name in names:
            if not self.names[name]:
                del self.names[name]
        self.dropped += extra
        for view in self._views:
            view.evicted(self.events[0].key if self.events else None)
        return extra
