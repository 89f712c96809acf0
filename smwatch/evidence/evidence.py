"""The records behind events, as the journal has them: to look at, to filter by, and to write to a file."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import suppress
from datetime import datetime
from itertools import islice
from pathlib import Path

from smwatch.amount import amount
from smwatch.events.event import Arrival, Event
from smwatch.events.header import unwrapped
from smwatch.events.links import counted_with, shared_id
from smwatch.events.reader import Reader
from smwatch.events.redact import redact
from smwatch.events.secret import Lesson
from smwatch.journal import Journal, JournalError
from smwatch.monitor.past import LESSONS
from smwatch.record import Record, decode
from smwatch.rules.alarm import Alarm
from smwatch.store.store import Store

BATCH = 500
"""Events that a report takes in at a time."""


def taught(journal: Journal) -> Reader:
    """A reader that makes none of the mistakes about names again that the journal knows of."""
    reader = Reader()
    with suppress(JournalError):
        reader.teach(journal.fact_as(LESSONS, list[Lesson]) or ())
    return reader


class Evidence:
    """What the journal has of the events that somebody looks at."""

    def __init__(
        self,
        journal: Journal,
        *,
        held: Callable[[int], Event | None],
        now: Callable[[], datetime],
        kept_from: Callable[[], datetime],
    ) -> None:
        """`held` finds an event where it is shown; `kept_from` is since when the journal keeps all that it held."""
        self._journal = journal
        self._held = held
        self._now = now
        self._kept_from = kept_from

    def record_of(self, event: Event) -> Record:
        """The record behind an event; empty when it has been pruned or is not a JSON object."""
        try:
            raw = self._journal.raw(event)
            return unwrapped(decode(raw)) if raw is not None else {}
        except (JournalError, ValueError):
            return {}

    def shown_record_of(self, event: Event) -> Record:
        """The same without what may be the value of a secret."""
        record: Record = redact(self.record_of(event))
        return record

    def same_call(self, shared_id: str) -> list[Event]:
        """What several accounts have recorded of one call: the events with this sharedEventID."""
        reader = taught(self._journal)
        try:
            events = [stored.read(reader).event for stored in self._journal.same_call(shared_id)]
        except JournalError:
            return []
        return [self._as_known(event) for event in events]

    def write_file(
        self, path: Path, events: Sequence[Event], alarms: Sequence[Alarm], query: str, told: Callable[[int], None]
    ) -> str:
        """Write events to a new file: a table for *.csv, a report for *.md, else JSON lines; says how that went.

        `told` is given how many events have been read, as it comes along. OSError where the file can't be written.
        """
        from smwatch.evidence.export import csv_lines, jsonl_lines

        written = 0

        def arrivals() -> Iterator[Arrival]:
            nonlocal written
            for event in events:
                if (raw := self._journal.raw(event)) is not None:
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
        from smwatch.evidence.report import report_lines

        store = Store(capacity=max(1, len(events)))
        while batch := list(islice(arrivals, BATCH)):
            store.add(batch)
        since = min((event.at for event in events), default=self._now())
        coverage = [(name, self._journal.coverage(name)) for name in self._journal.sources()]
        return report_lines(
            store,
            alarms,
            since=since,
            now=self._now(),
            coverage=coverage,
            filter_text=query,
            kept_from=self._kept_from(),
        )

    def _arrival(self, event: Event, raw: str) -> Arrival:
        """An event that is shown with its record, as it once arrived."""
        arrival = Arrival(event, raw)
        if "sharedEventID" in raw and (shared := shared_id(arrival.record)):
            arrival.shared_id, arrival.counted_as = shared, counted_with(event, self.same_call(shared))
        return arrival

    def _as_known(self, event: Event) -> Event:
        """The event as it is shown, by all that is known of names, if it is."""
        known = self._held(event.key)
        return known if known is not None and known.own_key == event.own_key else event


def _private(path: str, flags: int) -> int:
    """Open a file for nobody else: it holds what CloudTrail holds."""
    return os.open(path, flags, 0o600)
