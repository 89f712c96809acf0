"""Which records belong together: one call seen by two accounts, a batch and its reads; see also Event.corrects."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

from smwatch.events import moments
from smwatch.events.event import Arrival, Event
from smwatch.record import Record


def shared_id(record: Record) -> str | None:
    """The sharedEventID that the records of one action have in common when several accounts see it."""
    shared = record.get("sharedEventID")
    return shared if isinstance(shared, str) and shared else None


def told_at(arrival: Arrival) -> datetime:
    """The eventTime that the record itself tells: a correction has its original's key, but perhaps another time."""
    event = arrival.event
    second = moments.seconds(arrival.record.get("eventTime")) if arrival.moved or event.odd_id else None
    return event.at if second is None else datetime.fromtimestamp(second, UTC)


def same_call(one: Event, other: Event) -> bool:
    """Whether two records with one sharedEventID say the same of the call, so that it counts once.

    CloudTrail gives the account of the caller and the account of the secret a record each. Often the owner's names no
    more of the caller than the account: then they say different things of who it was, each counts under the name that
    it gives, and neither can hide what the other one tells.
    """
    return _said(one) == _said(other)


def counted_with(event: Event, records: Iterable[Event]) -> int:
    """The key of the first of these records of one call that says the same as `event`; 0 where that is itself."""
    for other in records:
        if other.own_key == event.own_key:
            return 0
        if same_call(event, other):
            return other.key
    return 0


def _said(event: Event) -> tuple[object, ...]:
    return event.name, event.source, event.secret, event.principal.identity, event.error_code


READ, BATCH = "GetSecretValue", "BatchGetSecretValue"
BATCH_SECONDS = 2
"""How far the eventTime of a read may lie from its batch's: the same call, but stamped by more than one host."""


def caused_by_batch(read: Event, batch: Event) -> bool:
    """Whether a GetSecretValue was made by a BatchGetSecretValue, so that both are one action.

    AWS documents that a batch logs a GetSecretValue for each secret, but not what ties them together. Taken as tied:
    same account and Region, same session, key and client, at most BATCH_SECONDS apart, and a secret that the batch
    names if it names any.
    """
    if read.name != READ or batch.name != BATCH:
        return False
    if abs(read.seconds - batch.seconds) > BATCH_SECONDS or batch_caller(read) != batch_caller(batch):
        return False
    return batch.secret is None or read.secret == batch.secret or read.secret in batch.others


def batch_caller(event: Event) -> tuple[str, ...]:
    """What a batch and its reads have in common; worth indexing by."""
    by = event.principal
    return event.account, event.region, by.identity, by.session, event.access_key, event.user_agent


def reads_caused(events: Iterable[Event]) -> dict[int, int]:
    """Of the reads among these events, ascending, those that batches among them caused: their keys, and the batches'.

    A batch reads each of its secrets once: what else the caller read by itself at the same time is its own.
    """
    events = tuple(events)
    batches = [event for event in events if event.name == BATCH]
    caused: dict[int, int] = {}
    taken: set[tuple[int, object]] = set()
    for read in events if batches else ():
        for batch in batches:
            if (batch.key, read.secret) not in taken and caused_by_batch(read, batch):
                taken.add((batch.key, read.secret))
                caused[read.key] = batch.key
                break
    return caused
