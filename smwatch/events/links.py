"""Which records belong together: the same action seen twice, a batch and its reads; see also Event.corrects."""

from __future__ import annotations

from smwatch.events.event import Event
from smwatch.record import Record


def shared_id(record: Record) -> str | None:
    """The sharedEventID that the records of one action have in common when several accounts see it."""
    shared = record.get("sharedEventID")
    return shared if isinstance(shared, str) and shared else None


BATCH_SECONDS = 2
"""How far the eventTime of a read may lie from its batch's: the same call, but stamped by more than one host."""


def caused_by_batch(read: Event, batch: Event) -> bool:
    """Whether a GetSecretValue was made by a BatchGetSecretValue, so that both are one action.

    AWS documents that a batch logs a GetSecretValue for each secret, but not what ties them together. Taken as tied:
    same account and Region, same session, key and client, at most BATCH_SECONDS apart, and a secret that the batch
    names if it names any.
    """
    if read.name != "GetSecretValue" or batch.name != "BatchGetSecretValue":
        return False
    if abs(read.seconds - batch.seconds) > BATCH_SECONDS or batch_caller(read) != batch_caller(batch):
        return False
    return batch.secret is None or read.secret == batch.secret or read.secret in batch.others


def batch_caller(event: Event) -> tuple[str, ...]:
    """What a batch and its reads have in common; worth indexing by."""
    by = event.principal
    return event.account, event.region, by.identity, by.session, event.access_key, event.user_agent
