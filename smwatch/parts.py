"""Builds what every way of running needs: the one place that knows every part, and reads the clock."""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from itertools import islice
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

import msgspec

from smwatch import notified
from smwatch.amount import amount
from smwatch.anew import Anew
from smwatch.decisions import DECIDED, Decisions
from smwatch.events.event import Arrival, Event
from smwatch.events.header import unwrapped
from smwatch.events.links import counted_with, shared_id
from smwatch.events.reader import Reader
from smwatch.events.redact import redact
from smwatch.events.secret import Lesson
from smwatch.export import csv_lines, jsonl_lines
from smwatch.filter import Context, Filter, FilterError
from smwatch.filter import parse as parse_filter
from smwatch.journal import Journal, JournalError
from smwatch.journal.printed import WRITTEN
from smwatch.judging import Judging
from smwatch.monitor import JOURNAL, LESSONS, Delivery, Monitor
from smwatch.notify import Notifier, NotifyError, apprise_senders
from smwatch.reading import Reading
from smwatch.record import Record, decode
from smwatch.remembered import KNOWN_SINCE, Opened, open_journal
from smwatch.report import report_lines
from smwatch.rules.alarm import Alarm, Severity
from smwatch.settings import (
    Settings,
    SettingsError,
    moment,
    period,
)
from smwatch.sources.source import State, Status
from smwatch.store import Store
from smwatch.watched import Watching

if TYPE_CHECKING:
    from smwatch.rules.engine import Engine
    from smwatch.rules.envelope import RuleSet


FILTERS, UNHEARD, _UNSENT = "filters", "unheard", "unsent"
"""What the journal keeps besides: filters typed, what a bell is to be rung for at the end of a mute, and what an older
version kept of messages not sent."""
REMEMBERED = 100
"""Filters that are kept."""
NOTHING: Mapping[str, bytes] = MappingProxyType({})
LAST_WORDS = timedelta(seconds=20)
"""How long an end that was not asked for (tail --once) waits for a notification to be sent."""

BATCH = 500
"""Events that a report takes in at a time."""


def now() -> datetime:
    """The wall clock (aware UTC)."""
    return datetime.now(UTC)


J = TypeVar("J", bound=Judging)


class Parts(Generic[J]):
    """What every way of running needs: journal, rules, store, and the filter that was asked for."""

    def __init__(
        self,
        settings: Settings,
        store: type[J],
        *,
        remember: bool,
        only_read: bool = False,
        judging: bool = True,
        packing: bool = False,
    ) -> None:
        """Build them; SettingsError for what can't be.

        `store` is what events go to; `remember` False keeps the journal in memory; `only_read` leaves the one on the
        disk as it is; `judging` False leaves the rules to later: reading them takes a tenth of a second, in which a
        screen can stand already. Serves "first frame". `packing` compresses the records of a journal that is in memory
        by `remember`: for a screen, where they stay.
        """
        self.settings = settings
        self.since = moment(settings.since, now())
        self.store = store(capacity=settings.store.capacity)
        self.chosen = self._filter(settings.filter, "filter")
        if remember:
            self._opened = open_journal(settings, now(), only_read=only_read)
        else:
            self._opened = Opened(Journal(packing=packing))
        opened = self._opened
        self.journal, self.notice = opened.journal, opened.notice
        self.decisions = Decisions(self.journal, opened.alarms, opened.mutes)
        self.notifiers: tuple[Notifier, ...] = ()
        self._watching, self._reader = Watching(), self._taught()
        if judging:
            self.judge_by(self.engine_made())

    def engine_made(self) -> Engine:
        """The rules in force, with what the journal remembers of alarms, in whatever thread; SettingsError."""
        from smwatch.rules.engine import Engine

        engine = Engine(build_rules(self.settings))
        kept = self._opened
        engine.restore(kept.alarms, kept.mutes, kept.known_since, watched_follows=bool(kept.alarms))
        with suppress(JournalError):  # the first commit says what is wrong
            if (decided := self.decisions.news()) is not None:
                engine.adopt(decided)  # another process may have kept those alarms before it knew
        return engine

    @property
    def engine(self) -> Engine:
        """What the store judges by; from `judge_by` on."""
        return cast("Engine", self.store.engine)

    def judge_anew(self) -> Anew:
        """What is to judge again all that the engine has judged, in whatever thread."""
        from smwatch.rules.engine import Engine

        return Anew(self.store, self.engine, Engine(self.engine.rules))

    def judge_by(self, engine: Engine) -> None:
        """Have the store judge by these rules from now on, in the store's thread."""
        self.store.engine = engine
        self.store.recall()

    def asked_of_log_group(self) -> str:
        """The filter pattern of what the rules in force want of a log group."""
        from smwatch.rules.asking import asked_of_log_group

        return asked_of_log_group(self.engine.rules)

    @property
    def journal_status(self) -> Status | None:
        """What there is to be said of the journal at the start: nobody has to see to one that was begun anew."""
        if not self.notice:
            return None
        state = State.FAILING if self.journal.path is None else State.OK
        return Status(JOURNAL, "Journal", state, self.notice, at=now())

    @property
    def looks_back_to(self) -> datetime:
        """From when on the journal's events are wanted at the start: those asked for, and what rules look back at."""
        return min(self.since, now() - self.engine.memory)

    def reading(self) -> Reading:
        """What reads the journal only."""
        return Reading(self.journal, self._reader)

    def monitor(self, deliver: Callable[[Delivery], Awaitable[None]], *, alone: bool = True) -> Monitor:
        """A monitor over this journal that hands on to `deliver`; `alone` with no screen beside it."""
        return Monitor(
            self.journal,
            deliver=deliver,
            selects=lambda arrival: self.engine.selects(arrival),
            now=now,
            retention=period(self.settings.journal.retention),
            keep_in_memory=self.settings.store.capacity,
            alone=alone,
            decisions=self.decisions,
            watching=self._watching,
            tidy=self.tidy,
            reader=self._reader,
            anew=self.judge_anew,
        )

    def monitor_without_rules(self, deliver: Callable[[Delivery], Awaitable[None]]) -> Monitor:
        """One that takes in nothing that only rules select, for as long as there are none."""
        return Monitor(
            self.journal,
            deliver=deliver,
            selects=lambda _: False,
            now=now,
            keep_in_memory=self.settings.store.capacity,
            watching=self._watching,
            reader=self._reader,
        )

    def tidy(self) -> None:
        """Have the journal let go of what it keeps of alarms that were taken back; JournalError."""
        self.journal.forget_of_no_alarm((DECIDED, WRITTEN))
        notified.tidy(self.journal)

    def keep(self, alarms: Sequence[Alarm], more: Mapping[str, bytes] = NOTHING) -> None:
        """Have alarms that changed outlive the process, and told of; `more` is what else to note in the journal."""
        facts = {
            **more,
            **self.decisions.to_keep(alarms, self.engine.mutes),
            KNOWN_SINCE: msgspec.json.encode(self.engine.known_since),
        }
        for notifier in self.notifiers:
            facts |= notifier.tell(alarms)
        with suppress(JournalError):  # kept with the next page that can be; the monitor says what is wrong
            self.journal.keep(alarms, facts)

    @property
    def filters_typed(self) -> list[str]:
        """The filters that were kept the last time, oldest first."""
        return self._texts(FILTERS)

    async def remember_filters(self, filters: Sequence[str]) -> None:
        """Have typed filters outlive the process; the oldest of very many are let go."""
        with suppress(JournalError):  # nothing that anybody needs to know of
            self.journal.keep((), {FILTERS: msgspec.json.encode(filters[-REMEMBERED:])})

    @property
    def alarms_kept(self) -> tuple[Alarm, ...]:
        """The alarms as the journal had them at the start."""
        return self._opened.alarms

    @property
    def alarms_unheard(self) -> list[str]:
        """The alarms, by group, that were to be heard at the end of a mute when that was kept last."""
        return self._texts(UNHEARD)

    def _texts(self, name: str) -> list[str]:
        with suppress(JournalError):
            return self.journal.fact_as(name, list[str]) or []
        return []

    async def remember_unheard(self, groups: Sequence[str]) -> None:
        """Have the alarms outlive the process that are to be heard at the end of a mute."""
        with suppress(JournalError):  # kept with the next page that can be
            self.journal.keep((), {UNHEARD: msgspec.json.encode(groups)})

    @asynccontextmanager
    async def notifying(self, deliver: Callable[[Delivery], Awaitable[None]]) -> AsyncIterator[None]:
        """Send new alarms to where the configuration says, for as long as the block lasts."""
        notify = self.settings.notify
        if not notify.urls:
            yield
            return

        async def report(status: Status) -> None:
            await deliver(Delivery(statuses=(status,)))

        try:
            senders = await apprise_senders(notify.urls)
        except NotifyError as error:
            raise self.settings.wrong("notify.urls", error) from None

        alarms = tuple(self.engine.alarms.values())
        least = Severity(notify.severity)
        places = notified.begin(self.journal, notify.urls, alarms, now(), self._unsent_before())
        self.notifiers = tuple(
            Notifier(send, least=least, report=report, now=now, notified=place, number=number)
            for number, (send, place) in enumerate(zip(senders, places, strict=True), 1)
        )
        for notifier in self.notifiers:
            notifier.tell(alarms)
        sending = [asyncio.create_task(notifier.run()) for notifier in self.notifiers]
        try:
            yield
            # Not on the way out after Ctrl-C: what waits then is sent next time.
            await asyncio.gather(*(notifier.finish(LAST_WORDS) for notifier in self.notifiers))
        finally:
            for task in sending:
                task.cancel()

    def _unsent_before(self) -> set[str]:
        """The alarms that an older smwatch had yet to send when it ended."""
        unsent: list[list[str]] = []
        with suppress(JournalError):  # then the first page says what is wrong
            unsent = self.journal.fact_as(_UNSENT, list[list[str]]) or []
        return {group for groups in unsent for group in groups}

    def write_file(
        self, path: Path, events: Sequence[Event], alarms: Sequence[Alarm], query: str, told: Callable[[int], None]
    ) -> str:
        """Write events to a file: a table for *.csv, a report for *.md, else JSON lines; says how that went.

        `told` is given how many events have been read from the journal, as it comes along.
        """
        written = 0

        def arrivals() -> Iterator[Arrival]:
            nonlocal written
            for event in events:
                if (raw := self.journal.raw(event)) is not None:
                    written += 1
                    told(written)
                    yield self._arrival(event, raw)

        match path.suffix:
            case ".csv":
                lines = csv_lines(arrivals())
            case ".md":
                lines = self._report(arrivals(), events, alarms, query)
            case _:
                lines = jsonl_lines(arrivals())
        with open(path, "x", encoding="utf-8", opener=_private) as file:
            file.writelines(lines)
        left_out = len(events) - written
        return f"{amount(written, 'events')} written to {path}" + (
            f"; the journal no longer holds {left_out:,} others" if left_out else ""
        )

    def _report(
        self, arrivals: Iterator[Arrival], events: Sequence[Event], alarms: Sequence[Alarm], query: str
    ) -> Iterator[str]:
        """A report on some events alone: their dossiers are made anew, the alarms are as people know them."""
        store = Store(capacity=max(1, len(events)))
        while batch := list(islice(arrivals, BATCH)):
            store.add(batch)
        since = min((event.at for event in events), default=now())
        coverage = [(name, self.journal.coverage(name)) for name in self.journal.sources()]
        return report_lines(
            store, alarms, since=since, now=now(), coverage=coverage, filter_text=query, kept_from=self.kept_from
        )

    @property
    def kept_from(self) -> datetime:
        """From when on the journal keeps all events that it held."""
        return self.journal.kept_from(now() - period(self.settings.journal.retention))

    def record_of(self, event: Event) -> Record:
        """The record behind an event, from the journal; empty when it has been pruned or is not a JSON object."""
        try:
            raw = self.journal.raw(event)
            return unwrapped(decode(raw)) if raw is not None else {}
        except (JournalError, ValueError):
            return {}

    def same_call(self, shared_id: str) -> list[Event]:
        """What several accounts have recorded of one call: the events with this sharedEventID in the journal."""
        reader = self._taught()
        try:
            events = [stored.read(reader).event for stored in self.journal.same_call(shared_id)]
        except JournalError:
            return []
        return [self._as_known(event) for event in events]

    def _taught(self) -> Reader:
        """A reader that makes none of the mistakes about names again that the journal knows of."""
        reader = Reader()
        with suppress(JournalError):
            reader.teach(self.journal.fact_as(LESSONS, list[Lesson]) or ())
        return reader

    def _as_known(self, event: Event) -> Event:
        """The event as the store has it, by all that is known of names, if it is held."""
        known = self.store.find(event.key)
        return known if known is not None and known.own_key == event.own_key else event

    def _arrival(self, event: Event, raw: str) -> Arrival:
        """An event from the store with its record, as it once arrived."""
        arrival = Arrival(event, raw)
        if "sharedEventID" in raw and (shared := shared_id(arrival.record)):
            arrival.shared_id, arrival.counted_as = shared, counted_with(event, self.same_call(shared))
        return arrival

    def shown_record_of(self, event: Event) -> Record:
        """The same without what may be the value of a secret."""
        record: Record = redact(self.record_of(event))
        return record

    def check_filters(self, saved: Mapping[str, str]) -> None:
        """Refuse saved filters that can't be understood (SettingsError)."""
        for name, text in saved.items():
            self._filter(text, f"ui.filters.{name}")

    def _filter(self, text: str, key: str) -> Filter | None:
        try:
            return parse_filter(text, Context(record_of=self.record_of, levels=self.store.levels)) if text else None
        except FilterError as error:
            raise self.settings.wrong(key, error) from None


def _private(path: str, flags: int) -> int:
    """Open a file for nobody else: it holds what CloudTrail holds."""
    return os.open(path, flags, 0o600)


def build_rules(settings: Settings) -> RuleSet:
    """The rules in force; SettingsError names what is wrong with them."""
    from smwatch.rules.rule import RuleError, in_force

    files = [Path(file) for file in settings.rules.files]
    if missing := next((file for file in files if not file.exists()), None):
        raise settings.wrong("rules.files", f"there is no file {missing}: `smwatch rules check FILE` tries one")
    called = settings.config_file or "configuration"
    try:
        return in_force(files, settings.rules.disable, _with_log_group(settings), called=called)
    except RuleError as error:
        first, *others = error.problems
        told = next((file for file in files if any(each.startswith(f"{file}: ") for each in others)), None)
        all_of_it = f": `smwatch rules check {told}`" if told else ""  # which knows nothing of the config file
        raise SettingsError(first + (f" (and {len(others)} more{all_of_it})" if others else "")) from None


def _with_log_group(settings: Settings) -> Mapping[str, Any]:
    """The rules' changes, the log group that is watched among what the audit trail relies on."""
    changes, group = settings.rules.overrides, settings.logs.group
    lists = changes.get("lists", {})
    if not group or not isinstance(lists, Mapping):  # what is wrong is said where it is read
        return changes
    name = group.removesuffix(":*").rpartition(":log-group:")[2]
    audit = lists.get("audit", ())
    return {**changes, "lists": {**lists, "audit": [*audit, name]}} if isinstance(audit, list | tuple) else changes
