"""The headless front end: what is new as lines, once, for pipes, cron and CI."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import chain, islice
from typing import IO

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Arrival
from smwatch.events.moments import seconds_of_datetime
from smwatch.events.recent import Recent
from smwatch.headless.elsewhere import Elsewhere
from smwatch.headless.lines import Behind, alarm_line, alarm_text, event_bytes, event_text, status_line
from smwatch.headless.output import Output, OutputError
from smwatch.journal import Journal, JournalError
from smwatch.journal.printed import WRITTEN
from smwatch.monitor.delivery import Delivery
from smwatch.monitor.keeper import NOT_KEPT
from smwatch.rules.alarm import Alarm, AlarmState, Severity
from smwatch.sources.source import State, Status
from smwatch.store.judging import Judging
from smwatch.store.view import Filter
from smwatch.visible import visible

LONG_AGO = datetime(1, 1, 1, tzinfo=UTC)
"""Since then everything is written."""
UNKEPT = 250_000
"""Written lines that are remembered, at the most, while the journal can't take note of them."""


class Lines:
    """Takes deliveries and writes each event, alarm and status as one flushed line.

    `json` chooses between JSON objects and lines for people. What has been written is noted in the journal, so that it
    is not written again by the next run; alarms are given to `keep`, with what to note of them. Messages for people go
    to `notices`. Events and alarms from before `prints_from` are taken in, and left for a run that asks for them.
    Alarms in the journal that another process has raised and no run has written yet are written first, unless their
    last event is from before `since`.
    """

    def __init__(
        self,
        store: Judging,
        journal: Journal,
        *,
        json: bool,
        chosen: Filter | None = None,
        keep: Callable[[Sequence[Alarm], dict[str, bytes]], None] | None = None,
        since: datetime | None = None,
        prints_from: datetime = LONG_AGO,
        out: Output | None = None,
        notices: IO[str] | None = None,
    ) -> None:
        self.unreadable = 0
        self._store = store
        self._journal = journal
        self._json = json
        self._event = event_bytes if json else _text_bytes
        self._chosen = chosen
        self._keep = keep or journal.keep
        self._out = out or Output()
        self._notices = notices or sys.stderr
        self._turn = asyncio.Lock()
        self._since = since
        self._prints_from = prints_from
        self._first_key = seconds_of_datetime(self._prints_from) << ID_BITS + ACCOUNT_BITS
        self._begun = False
        self._told: list[int] = []
        self._unkept: dict[int, None] = {}
        """The own keys of what has been written and could not be journaled yet, in that order: it will come again."""
        self._upto: int | None = None
        self._said_untold = False
        self._shown: dict[str, Alarm] = {}
        self._raised: dict[str, Severity] = {}
        """By group: the worst that each alarm was written as while somebody should have looked at it."""
        self._behind: Recent[int, Behind] = Recent(self._name, 16_384)
        """By event key: an alarm that is written again names mostly the same events."""
        self._states: dict[str, tuple[State, str]] = {}
        self._said: dict[str, str] = {}
        """The last status line of each source, without its number of calls."""
        self._elsewhere = Elsewhere((), tuple)

    def print_only(self, sources: Iterable[str]) -> None:
        """From now on, write what these sources may have brought; what others alone watch is left for their runs."""
        self._elsewhere = Elsewhere(sources, self._asked_sources)

    async def deliver(self, delivery: Delivery) -> None:
        """Write what a delivery holds, flushed, and note it as told."""
        async with self._turn:
            printed = list[Arrival]()
            told: list[int] = []
            self._elsewhere.look_again()
            unwritten = self._unwritten()
            change, changed = delivery.into(self._store)
            if delivery.arrivals:
                elsewhere = self._elsewhere.holds if self._elsewhere else None  # asked of each event: serves "replay"
                new = {event.own_key for event in (*change.added, *change.corrected, *change.superseded)}
                again = []
                before = self._printed_before([seq for seq, _ in delivery.arrivals])
                for seq, arrival in delivery.arrivals:
                    event = arrival.event
                    if event.key < self._first_key or not (self._chosen is None or self._chosen(event)):
                        continue
                    if elsewhere is not None and elsewhere(event.caller.account, event.caller.region):
                        continue
                    key = event.own_key if event.odd_id else event.key
                    if key in new and seq not in before and key not in self._unkept:
                        printed.append(arrival)
                        told.append(seq)
                    else:
                        again.append(seq)
                    if seq == NOT_KEPT:
                        self._unkept[key] = None
                    else:
                        self._unkept.pop(key, None)
                for key in list(islice(self._unkept, max(0, len(self._unkept) - UNKEPT))):
                    del self._unkept[key]
                self._tell(again)
            statuses = [line for status in delivery.statuses for line in self._status(status)]
            alarms = self._news({**unwritten, **changed})
            await self._print(statuses, alarms, told, delivery.upto, events=printed)
            if left := [alarm for alarm in changed.values() if self._is_left(alarm)]:
                self._keep(left, {})

    def when_nobody_reads(self, act: Callable[[], None]) -> None:
        """Have `act` called once the reader of the lines has gone; see `Output`."""
        self._out.when_nobody_reads(act)

    async def remember(self, delivery: Delivery) -> None:
        """Take in what was written by an earlier run, silently but for trouble: the rules look back at it."""
        _, changed = delivery.into(self._store)
        if changed:
            self._keep(list(changed.values()), {})
        for status in delivery.statuses:  # that the journal is damaged, say, is met with here
            await self._print(self._status(status), [])

    async def tick(self, now: datetime) -> None:
        """Let time pass for the alarms that depend on it."""
        async with self._turn:
            ticked = self._store.tick(now).alarms
            news = self._news({**self._unwritten(), **ticked})
            await self._print([], news)
            if unprinted := ticked.keys() - {alarm.group for alarm in news}:
                self._keep([ticked[group] for group in unprinted], {})  # who is notified of alarms hears of them

    def worst(self, now: datetime) -> Severity | None:
        """The worst alarm written so far; those that are muted now don't count, as those acknowledged don't."""
        loud = [severity for group, severity in self._raised.items() if not self._shown[group].muted(now)]
        return max(loud, default=None)

    async def _print(
        self,
        statuses: list[bytes],
        alarms: Sequence[Alarm],
        told: Sequence[int] = (),
        upto: int | None = None,
        *,
        events: Sequence[Arrival] = (),
    ) -> None:
        """Write lines: those of events, whose seqs are `told`, then statuses, and those of alarms after them."""
        last = statuses + list(map(self._alarm, alarms))
        try:
            if events or last:
                await self._out.write(chain(map(self._event, events), last))
        except (asyncio.CancelledError, OutputError):
            if self._out.written == len(events) + len(last):
                self._note(alarms, told, upto)
            elif not alarms:
                self._tell(told[: self._out.written])
            raise
        self._note(alarms, told, upto)

    def _note(self, alarms: Sequence[Alarm], told: Sequence[int], upto: int | None) -> None:
        """Note as printed what has been: alarms, and the events in `told`."""
        if alarms:
            written = alarms if self._since is not None else ()
            self._keep(alarms, {WRITTEN + alarm.group: msgspec.json.encode(_stage(alarm)) for alarm in written})
        self._tell(told, upto)

    def _tell(self, seqs: Sequence[int], upto: int | None = None) -> None:
        """Note as printed what is in the journal, or as soon as that can be written to."""
        if self._since is None and self._journal.path is None:  # nobody goes on from where a replay was
            return
        self._told += [seq for seq in seqs if seq != NOT_KEPT]
        self._upto = self._upto if upto is None else upto
        if not self._told and self._upto is None:
            return
        try:
            self._journal.tell(self._told, dealt=self._upto)
        except JournalError as error:
            if not self._said_untold:
                self._said_untold = True
                self._notice(f"can't write the journal ({error}): the next run may repeat these lines")
        else:
            self._told, self._upto, self._said_untold = [], None, False

    def _asked_sources(self) -> tuple[str, ...]:
        try:
            return self._journal.asked_sources()
        except JournalError:
            return ()

    def _printed_before(self, seqs: Sequence[int]) -> set[int]:
        try:
            return self._journal.told_before(seqs)
        except JournalError:
            return set()

    def _notice(self, message: str) -> None:
        self._notices.write(f"{message}\n")
        self._notices.flush()

    def _unwritten(self) -> dict[str, Alarm]:
        """On the first call: the alarms known from the journal that no run has written as they are."""
        if self._begun:
            return {}
        self._begun = True
        unwritten = {}
        for group, alarm in self._store.alarms.items():
            written = self._written(group)
            if written == _stage(alarm) or (not written and (self._since is None or alarm.last_at < self._since)):
                self._shown[group] = alarm
                continue
            unwritten[group] = alarm
            if written:
                self._shown[group] = msgspec.structs.replace(alarm, **msgspec.structs.asdict(written))
        return unwritten

    def _written(self, group: str) -> _Stage | None:
        try:
            return self._journal.fact_as(WRITTEN + group, _Stage)
        except JournalError:
            return None

    def _news(self, alarms: Mapping[str, Alarm]) -> list[Alarm]:
        """Those that are not as they were printed last."""
        shown = self._shown
        return [
            alarm
            for group, alarm in sorted(alarms.items())
            if alarm != shown.get(group) and (alarm.count or group in shown) and not self._is_left(alarm)
        ]

    def _is_left(self, alarm: Alarm) -> bool:
        """Whether all that it is about is left for another run: from before what is printed, or from elsewhere."""
        if alarm.group in self._shown:
            return False
        behind = [self._behind[key] for key in alarm.event_keys]
        return alarm.last_at < self._prints_from or (
            bool(behind) and all(self._elsewhere.holds(each.account, each.region) for each in behind)
        )

    def _alarm(self, alarm: Alarm) -> bytes:
        before = self._shown.get(alarm.group)
        new = before is None or before.state is AlarmState.CLOSED
        self._shown[alarm.group] = alarm
        if alarm.count and alarm.state is not AlarmState.ACKNOWLEDGED:
            self._raised[alarm.group] = max(self._raised.get(alarm.group, alarm.severity), alarm.severity)
        if not self._json:
            return alarm_text(alarm).encode()
        return alarm_line(alarm, [self._behind[key] for key in alarm.event_keys], new=new).encode()

    def _name(self, key: int) -> Behind:
        return Behind(*self._store.told_of(key))

    def _status(self, status: Status) -> list[bytes]:
        if self._json:
            said = status_line(msgspec.structs.replace(status, calls=0))
            if self._said.get(status.source) == said:
                return []  # what is tried again and fails as before is no news
            self._said[status.source] = said
            return [status_line(status).encode()]
        told = (status.state, status.message)
        if self._states.get(status.source, (State.STARTING, "")) != told:
            self._states[status.source] = told
            if status.message:
                self._notice(f"{status.label}: {status.state}: {visible(status.message)}")
        return []


class _Stage(msgspec.Struct, frozen=True, array_like=True):
    """What tells whether an alarm is as it was written; other parts of it may become known at any time."""

    state: AlarmState
    severity: Severity
    count: int
    first_at: datetime
    last_at: datetime


def _text_bytes(arrival: Arrival) -> bytes:
    return event_text(arrival.event).encode()


def _stage(alarm: Alarm) -> _Stage:
    return _Stage(alarm.state, alarm.severity, alarm.count, alarm.first_at, alarm.last_at)
