"""Builds what every way of running needs: the one place that knows every part, and reads the clock."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from typing import TYPE_CHECKING, Generic, TypeVar, cast

import msgspec

from smwatch.evidence.evidence import Evidence, taught
from smwatch.filter import Context, Filter, FilterError, check_values
from smwatch.filter import parse as parse_filter
from smwatch.journal import Journal, JournalError
from smwatch.journal.printed import WRITTEN
from smwatch.monitor.anew import Anew
from smwatch.monitor.decisions import DECIDED, Decisions
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.handing import JOURNAL
from smwatch.monitor.knowledge import Knowledge
from smwatch.monitor.monitor import Monitor
from smwatch.monitor.reading import Reading
from smwatch.monitor.upkeep import Upkeep
from smwatch.rules.alarm import Alarm, Severity
from smwatch.running.in_force import build_rules
from smwatch.running.remembered import KNOWN_SINCE, Opened, open_journal
from smwatch.settings import Settings, moment, period
from smwatch.sources.source import State, Status
from smwatch.store.judging import Judging
from smwatch.store.ledger import Ledger

if TYPE_CHECKING:
    from smwatch.monitor.successor import Successor
    from smwatch.notify import Notifier
    from smwatch.rules.engine import Engine

FILTERS, UNHEARD, _UNSENT = "filters", "unheard", "unsent"
"""What the journal keeps besides: filters typed, what a bell is to be rung for at the end of a mute, and what an older
version kept of messages not sent."""
REMEMBERED = 100
"""Filters that are kept."""
NOTHING: Mapping[str, bytes] = MappingProxyType({})
LAST_WORDS = timedelta(seconds=20)
"""How long an end that was not asked for (tail --once) waits for a notification to be sent."""


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
        screen can stand already. Serves "first-…". `packing` compresses the records of a journal that is in memory
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
        self.evidence = Evidence(
            self.journal, held=lambda key: self.store.find(key), now=now, kept_from=lambda: self.kept_from
        )
        self.decisions = Decisions(self.journal, opened.alarms, opened.mutes)
        self.notifiers: tuple[Notifier, ...] = ()
        self._knowledge = Knowledge(taught(self.journal))
        self._knowledge.reader.tell_of(alarm.secret for alarm in opened.alarms if alarm.secret is not None)
        if judging:
            self.judge_by(self.engine_made())

    def engine_made(self) -> Engine:
        """The rules in force, with what the journal remembers of alarms, in whatever thread; SettingsError."""
        from smwatch.rules.engine import Engine

        engine = Engine(build_rules(self.settings), sparing=self._sparing)
        kept = self._opened
        engine.restore(kept.alarms, kept.mutes, kept.known_since, watched_follows=bool(kept.alarms))
        with suppress(JournalError):  # the first commit says what is wrong
            if (decided := self.decisions.news()) is not None:
                engine.adopt(decided)  # another process may have kept those alarms before it knew
        return engine

    @property
    def _sparing(self) -> bool:
        """Whether nobody keeps the events that the rules judge."""
        return not self.store.keeps_events

    @property
    def engine(self) -> Engine:
        """What the store judges by; from `judge_by` on."""
        return cast("Engine", self.store.engine)

    def judge_anew(self) -> Anew:
        """What is to judge again all that the engine has judged, in any thread."""
        from smwatch.rules.engine import Engine

        return Anew(self.store, self.engine, Engine(self.engine.rules, sparing=self._sparing))

    def successor(self) -> Successor:
        """What is to judge all that the store was given while it judged nothing, in any thread."""
        from smwatch.monitor.successor import Successor
        from smwatch.rules.engine import Engine

        known, fresh = self.engine, Engine(self.engine.rules, sparing=self._sparing)
        kept = tuple(known.alarms.values())
        fresh.restore(kept, known.mutes, known.known_since, watched_follows=bool(kept))
        judged = Ledger(capacity=self.store.capacity, engine=fresh)
        judged.recall()
        return Successor(known, judged)

    def judge_by(self, engine: Engine) -> None:
        """Have the store judge by these rules from now on, in the store's thread; see `Judging.recall`."""
        self.store.engine = engine
        self.store.recall()

    def asked_of_log_group(self) -> str:
        """The filter pattern of what the rules in force want of a log group."""
        from smwatch.rules.asking import asked_of_log_group

        return asked_of_log_group(self.engine.rules)

    @property
    def journal_status(self) -> Status | None:
        """What is to be said of the journal at the start. A journal that was begun anew needs nobody's attention."""
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
        return Reading(self.journal, self._knowledge.reader)

    def monitor(self, deliver: Callable[[Delivery], Awaitable[None]], *, alone: bool = True) -> Monitor:
        """A monitor over this journal that hands on to `deliver`; `alone` with no screen beside it."""
        return Monitor(
            self.journal,
            deliver=deliver,
            selects=lambda arrival: self.engine.selects(arrival),
            now=now,
            alone=alone,
            decisions=self.decisions,
            anew=self.judge_anew,
            knowledge=self._knowledge,
            upkeep=Upkeep(period(self.settings.journal.retention), self.settings.store.capacity, self.tidy),
        )

    def monitor_without_rules(self, deliver: Callable[[Delivery], Awaitable[None]]) -> Monitor:
        """A monitor for as long as there are no rules: it leaves out what only they select."""
        return Monitor(
            self.journal,
            deliver=deliver,
            selects=lambda _: False,
            now=now,
            knowledge=self._knowledge,
            upkeep=Upkeep(capacity=self.settings.store.capacity),
        )

    def tidy(self) -> None:
        """Have the journal let go of what it keeps of alarms that were taken back; JournalError."""
        from smwatch.notify import notified

        self.journal.forget_of_no_alarm((DECIDED, WRITTEN))
        notified.tidy(self.journal)

    def keep(self, alarms: Sequence[Alarm], more: Mapping[str, bytes] = NOTHING) -> None:
        """Keep alarms that changed in the journal, and send messages of them; `more` is what else to note there."""
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
        """Keep typed filters in the journal; the oldest of very many are let go."""
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
        """Keep in the journal which alarms are to be heard at the end of a mute."""
        with suppress(JournalError):  # kept with the next page that can be
            self.journal.keep((), {UNHEARD: msgspec.json.encode(groups)})

    @asynccontextmanager
    async def notifying(self, deliver: Callable[[Delivery], Awaitable[None]]) -> AsyncIterator[None]:
        """Send new alarms to where the configuration says, for as long as the block lasts."""
        notify = self.settings.notify
        if not notify.urls:
            yield
            return
        from smwatch.notify import Notifier, NotifyError, apprise_senders, notified

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

    @property
    def kept_from(self) -> datetime:
        """From when on the journal keeps all events that it held."""
        return self.journal.kept_from(now() - period(self.settings.journal.retention))

    def check_filters(self, saved: Mapping[str, str]) -> None:
        """Refuse saved filters that can't be understood (SettingsError)."""
        for name, text in saved.items():
            self._filter(text, f"ui.filters.{name}")

    def _filter(self, text: str, key: str) -> Filter | None:
        context = Context(record_of=lambda event: self.evidence.record_of(event), levels=self.store.levels)
        try:
            check_values(text)
            return parse_filter(text, context) if text else None
        except FilterError as error:
            raise self.settings.wrong(key, error) from None
