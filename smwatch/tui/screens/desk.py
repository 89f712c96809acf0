"""What every screen works with: the store, the moment, the zone, and the pages made from them."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Sequence
from datetime import datetime

from smwatch.events.event import Event
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.store import Store
from smwatch.tui.columns import called
from smwatch.tui.lines import Line, Page, Piece, heading, line, paragraph
from smwatch.tui.pages.alarm import alarm_page
from smwatch.tui.pages.event import event_lines, record_page
from smwatch.tui.pages.overview import overview_page
from smwatch.tui.pages.principal import principal_page
from smwatch.tui.pages.secret import head, secret_page
from smwatch.tui.pages.targets import ToAlarm, ToEvent, ToPrincipal, ToSecret
from smwatch.tui.pages.words import asking, shown
from smwatch.tui.tally import Tally
from smwatch.tui.times import Zone


class Desk:
    """Shared by the screens of one app; the app alone moves its clock."""

    def __init__(
        self,
        store: Store,
        *,
        record_of: Callable[[Event], Record | None],
        now: datetime,
        zone: Zone = Zone.UTC,
        newest_first: bool = True,
        title: str = "",
        asked_since: datetime | None = None,
    ) -> None:
        self.store = store
        self.record_of = record_of
        self.now = now
        self.zone = zone
        self.newest_first = newest_first
        self.title = title
        self.asked_since = asked_since
        """What the sources were asked for at first."""
        self.watching_since = now
        self.tally = Tally()
        self.tally.note(store.events, now)

    # -- alarms

    @property
    def asking(self) -> list[Alarm]:
        """The alarms that ask for attention now, worst first."""
        return asking(self.store.alarms.values(), self.now)

    def alarm_of(self, key: int) -> Alarm | None:
        """The alarm that an event belongs to, as it stands now."""
        alarm = self.store.levels.get(key)
        if alarm is None:
            return None
        current = self.store.alarms.get(alarm.group, alarm)
        return current if current.count else None

    def level_of(self, key: int) -> str:
        """How the stream draws an event: "alarm", "warning" or ""."""
        if key not in self.store.levels:
            return ""
        alarm = self.alarm_of(key)
        if alarm is None or alarm.state is AlarmState.CLOSED or alarm.muted(self.now):
            return ""
        return "alarm" if alarm.open and alarm.severity >= Severity.HIGH else "warning"

    def values_of(self, field: str) -> Iterable[str]:
        """Values seen of a field of the filter language, the most frequent or newest first."""
        if field == "user":
            return dict.fromkeys(called(dossier.principal) for dossier in self.store.newest_principals())
        return self.store.known(field)

    # -- pages

    def page_of(self, target: object, folded: Collection[tuple[str | int, ...]]) -> Page:
        """The page of a target, made anew from the store each time."""

        def write(width: int) -> Sequence[Line]:
            return self._write(target, folded, width)

        return write

    def _write(self, target: object, folded: Collection[tuple[str | int, ...]], width: int) -> list[Line]:
        store, now, zone = self.store, self.now, self.zone
        match target:
            case ToEvent(key):
                return self._event(key, folded, width)
            case ToSecret(secret):
                dossier = store.secrets.get(secret)
                if dossier is not None:
                    return secret_page(dossier, store.alarms.values(), now, zone, width)
            case ToPrincipal(identity):
                known = store.principals.get(identity)
                if known is not None:
                    return principal_page(known, store.alarms.values(), now, zone, width)
            case ToAlarm(group):
                alarm = store.alarms.get(group)
                if alarm is not None and alarm.count:
                    return alarm_page(alarm, store.find, now, zone, width)
            case _:
                return self._nothing_chosen(width)
        return [line(Piece("Nothing is known of this any more.", "quiet"))]

    def _event(self, key: int, folded: Collection[tuple[str | int, ...]], width: int) -> list[Line]:
        event = self.store.find(key)
        if event is None:
            return paragraph("This event has left the memory; its traces are in the dossiers.", width, "quiet")
        record = self.record_of(event)
        told = event_lines(event, record, self.now, self.zone, self.watching_since, width)
        dossier = self.store.secrets.get(event.secret) if event.secret is not None else None
        if dossier is None:
            return told + record_page(record, width, folded)
        alarms = self.store.alarms.values()
        top = head(dossier, dossier.lifecycle(self.now), alarms, self.now, self.zone, width)
        rest = secret_page(dossier, alarms, self.now, self.zone, width)[len(top) :]
        return top + heading("this event") + told + heading("this secret") + rest + record_page(record, width, folded)

    def _nothing_chosen(self, width: int) -> list[Line]:
        """While nobody has chosen a row: the worst alarm, else what goes on in all."""
        alarms = self.asking
        if alarms and alarms[0].secret is not None and (known := self.store.secrets.get(alarms[0].secret)):
            return secret_page(known, self.store.alarms.values(), self.now, self.zone, width)
        return overview_page(self.tally, shown(alarms), self.now, self.zone, width)
