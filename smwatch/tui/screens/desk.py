"""What every screen works with: the store, the moment, the zone, and what may be done from a screen."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence, Set
from datetime import datetime, timedelta
from pathlib import Path

from smwatch.events.event import Event
from smwatch.events.links import shared_id
from smwatch.events.secret import Secret
from smwatch.filter import Context, complete
from smwatch.record import Record
from smwatch.rules.alarm import Alarm, AlarmState, Mute, Severity
from smwatch.settings import UiSettings
from smwatch.store.change import Change
from smwatch.store.judge import Judge
from smwatch.store.store import Store
from smwatch.tui import themes
from smwatch.tui.attention import Attention
from smwatch.tui.columns import called, columns_meant
from smwatch.tui.foremost import Foremost
from smwatch.tui.key_use import KeyUse
from smwatch.tui.keys import KeyTable
from smwatch.tui.lines import Page
from smwatch.tui.outside import Answers, Before, Outside
from smwatch.tui.pages.words import Standing
from smwatch.tui.screens.writing import Folded, written
from smwatch.tui.tally import Tally
from smwatch.tui.times import Zone

NO_OTHER_RECORD = "no other account's record of this call is known"
NEWS = timedelta(minutes=30)
"""How old the last event of an alarm may be for a noise to be made about it."""


def check(ui: UiSettings) -> None:
    """Refuse what can't be used of these settings (MeaningError), before anything is made by them."""
    themes.check(ui.theme)
    columns_meant(ui.columns)
    KeyTable(ui.keymap)


class Desk:
    """Shared by the screens of one app; the app alone moves its clock."""

    def __init__(
        self,
        store: Store,
        *,
        record_of: Callable[[Event], Record | None],
        now: datetime,
        title: str = "",
        asked_since: datetime | None = None,
        outside: Outside | None = None,
        ui: UiSettings | None = None,
        history: Sequence[str] = (),
        recorded: bool = False,
    ) -> None:
        """`recorded` says that what the store holds is over; MeaningError what in `ui` can't be, see `check`."""
        ui = ui or UiSettings()
        self.store = store
        self.record_of = record_of
        self.clock = now
        """The present moment."""
        self.recorded = recorded
        self.zone = Zone(ui.zone)
        self.newest_first = ui.order == "newest"
        self.columns = columns_meant(ui.columns)
        self.title = title
        self.asked_since = asked_since
        """From when on the sources were asked for events, so far."""
        self.watching_since = now
        self.keys = KeyTable(ui.keymap)
        self.history = tuple(history)
        """Filters typed before, oldest first."""
        self.filters = ui.filters
        """Saved filters by name."""
        self.context_of_filters = Context(record_of=lambda event: record_of(event) or {}, levels=store.levels)
        """What filters look at beside events."""
        self._attention = Attention(store)
        self._foremost = Foremost()
        self.tally = Tally()
        self.tally.note(store.events, self.now)
        self._outside = outside or Outside()
        self.live_tail_on = self._outside.live_tail_on
        self.live_tail_priced = False
        """Whether what Live Tail costs has been said."""
        self._answers: dict[Secret, Answers] = {}
        self._key_use: KeyUse | None = None

    @property
    def now(self) -> datetime:
        """The moment that is shown, and counted back from: of a recording that of its newest event."""
        events = self.store.events
        return events[-1].at if self.recorded and events else self.clock

    # -- the world outside

    @property
    def can_ask(self) -> bool:
        """Whether AWS can be asked about a secret."""
        return self._outside.ask is not None

    async def ask(self, secret: Secret) -> None:
        """Have AWS say what events can't; the secret's page shows it from then on."""
        if self._outside.ask is not None:
            self._answers[secret] = await self._outside.ask(secret)

    @property
    def can_export(self) -> bool:
        """Whether events can be written to a file."""
        return self._outside.export is not None

    async def export(self, path: Path, events: Sequence[Event], query: str, told: Callable[[int], None]) -> str:
        """Write events to a file, in a thread which tells how many it has written; says how that went."""
        if self._outside.export is None:
            return "events can't be written from here"
        write, known = self._outside.export, tuple(self.store.alarms.values())

        def work() -> str:
            keys = {event.key for event in events}
            alarms = [each for each in known if not query or not keys.isdisjoint(each.event_keys)]
            return write(path, events, alarms, query, told)

        try:
            return await asyncio.to_thread(work)
        except FileExistsError:
            return f"{path} exists already: nothing is written over"
        except OSError as error:
            return f"can't write {path}: {error.strerror or error}"

    def poll(self) -> bool:
        """Have the sources asked now; False if there is nothing to ask."""
        if self._outside.poll is None:
            return False
        self._outside.poll()
        return True

    def remember(self, history: Sequence[str]) -> None:
        """Keep the filters that were typed, oldest first."""
        self.history = tuple(history)
        if self._outside.remember is not None:
            self._outside.remember(self.history)

    @property
    def before(self) -> Before:
        """How alarms stood when the screen began."""
        return self._outside.before

    def hold(self, groups: Iterable[str]) -> None:
        """Keep which alarms are to be heard at the end of a mute."""
        if self._outside.hold is not None:
            self._outside.hold(sorted(groups))

    @property
    def can_reach_back(self) -> bool:
        """Whether what happened before the start can be brought."""
        return self._outside.reach_back is not None

    @property
    def live_tail_cost(self) -> str | None:
        """What Live Tail costs, in a sentence; None where there is none to switch on."""
        return self._outside.live_tail_cost() if self._outside.live_tail is not None else None

    def live_tail(self, on: bool) -> None:
        """Have Live Tail switched on or off."""
        self.live_tail_on = on
        if self._outside.live_tail is not None:
            self._outside.live_tail(on)

    def reach_back(self, since: datetime) -> Awaitable[bool] | None:
        """Have the journal, then the sources bring what happened since a moment; None if they already have, or can't.

        What is awaited tells in the end whether all of it could be read.
        """
        coming = self._outside.reach_back(since) if self._outside.reach_back is not None else None
        if coming is not None:
            self.asked_since = min(since, self.asked_since or since)
        return coming

    # -- alarms

    def acknowledge(self, alarm: Alarm, note: str) -> None:
        """Somebody has seen it, as it is here: what came while they wrote a note is not decided upon."""
        self._keep(self.store.acknowledge(alarm.group, note, self.now, alarm))

    def close(self, alarm: Alarm, note: str) -> None:
        """Somebody says it is over."""
        self._keep(self.store.close(alarm.group, note, self.now, alarm))

    def note(self, alarm: Alarm, note: str) -> None:
        """Somebody has more to say about an alarm that they have decided upon."""
        decide = self.store.close if alarm.state is AlarmState.CLOSED else self.store.acknowledge
        self._keep(decide(alarm.group, note, self.now, alarm))

    def mute(self, mute: Mute) -> None:
        """Somebody wants no noise about something for a while."""
        self._keep(self.store.mute(mute))

    def take_note(self, change: Change) -> None:
        """Count what has come into the store."""
        self.tally.note(change.added, self.now)
        if change.corrected or change.superseded or change.renamed:
            self._key_use = None  # to be looked at anew
        elif self._key_use is not None:
            self._key_use.note(change.added)

    def tick(self, now: datetime) -> None:
        """Let time pass."""
        self.clock = now
        if not self.recorded or self.store.events:  # no time passes before a recording begins
            self._keep(self.store.tick(self.now))

    def settle(self) -> None:
        """Have some more alarms worked out."""
        self._keep(self.store.settle())

    def _keep(self, change: Change) -> None:
        if change.alarms and self._outside.keep is not None:
            self._outside.keep(tuple(change.alarms.values()))

    def expect(self, engine: Judge) -> None:
        """Take note of the alarms of an engine that the store is about to judge by; in whatever thread."""
        self._attention.expect(engine)

    @property
    def asking(self) -> Sequence[Alarm]:
        """The alarms that ask for attention now, worst first."""
        return self._attention.asking(self.now)

    @property
    def foremost(self) -> Alarm | None:
        """The one of them that stands in the band, and that keys are about where nothing else is chosen."""
        return self._foremost.of(self.asking, self.store.alarms, self.now, self.clock)

    @property
    def muted(self) -> Sequence[Alarm]:
        """The alarms that would ask for attention now if nobody had muted them, worst first."""
        return self._attention.muted(self.now)

    def marked(self, first: int, last: int) -> Set[int]:
        """The minutes since the epoch, `first` to `last`, with events of bad alarms that ask for attention."""
        return self._attention.marked(first, last, self.now)

    @property
    def marking(self) -> bool:
        """Whether there are alarms that these minutes don't tell of yet."""
        return self._attention.marking

    def alarms_about(self, secret: Secret) -> Iterable[Alarm]:
        """The open alarms that are about a secret, or count it among others, in no order."""
        return self._attention.about(secret, self.now)

    def alarms_of(self, identity: str) -> Iterable[Alarm]:
        """The open alarms of a principal, in no order."""
        return self._attention.of(identity, self.now)

    @property
    def standing(self) -> Mapping[Standing, Sequence[Alarm]]:
        """All alarms by where they stand now, worst first; it stays as it is when alarms change."""
        return self._attention.standing(self.now)

    def is_of_now(self, alarm: Alarm) -> bool:
        """Whether an alarm is worth a noise: bad, and of now rather than of history that is being read."""
        return alarm.severity >= Severity.HIGH and self.clock - alarm.last_at <= NEWS

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

    def completions(self, text: str, cursor: int) -> list[tuple[str, str]]:
        """Ways to go on with a filter: (the whole text completed, the part to show)."""
        typed = text.strip().lower()
        saved = [(each, f"{name}: {each}") for name, each in self.filters.items() if name.lower().startswith(typed)]
        found = complete(text, cursor, self.values_of)
        return saved + [(text[: found.start] + each.text + text[found.end :], each.shown) for each in found.options]

    def others_of(self, event: Event, record: Record | None) -> list[Event]:
        """What other accounts have recorded of the same call, as far as it is known."""
        shared = shared_id(record or {})
        if shared is None or self._outside.same_call is None:
            return []
        return [other for other in self._outside.same_call(shared) if other.own_key != event.own_key]

    # -- pages

    def page_of(self, target: object, folded: Folded) -> Page:
        """The page of a target, made anew from the store each time."""
        return lambda width: written(self, target, folded, width)

    def answers_about(self, secret: Secret) -> Answers | None:
        """What AWS said of a secret, if it was asked."""
        return self._answers.get(secret)

    def use_of(self, access_key: str) -> KeyUse:
        """What the events in memory tell of an access key, as far as they have been looked at; the last one is kept."""
        use = self._key_use
        if use is None or use.access_key != access_key:
            use = self._key_use = KeyUse(access_key, self.store.events, self.record_of)
        return use
