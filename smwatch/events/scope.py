"""Which records smwatch is about by themselves, and which calls only read."""

from __future__ import annotations

from smwatch.events.event import UNREADABLE, Event
from smwatch.events.header import header_of
from smwatch.events.naming import KMS, SECRETS_MANAGER, called_by_secrets_manager, secret_of_context
from smwatch.record import Record

READS = frozenset(
    {
        "BatchGetSecretValue",
        "DescribeSecret",
        "GetRandomPassword",
        "GetResourcePolicy",
        "GetSecretValue",
        "ListResourcePolicies",
        "ListSecretVersionIds",
        "ListSecrets",
        "ValidateResourcePolicy",
    }
)
"""The API calls of Secrets Manager that change nothing."""

_READING = ("Get", "List", "Describe", "Lookup", "BatchGet", "Head", "Search")
_KMS_READING = ("Decrypt", "Encrypt", "GenerateDataKey", "ReEncrypt", "Verify", "Sign")


def in_scope(of: Event | Record) -> bool:
    """Whether an event or record is shown whatever the rules say.

    Everything of Secrets Manager, KMS calls made on its behalf, and what cannot be read at all. What a rule selects
    elsewhere is for the rules to say.
    """
    if isinstance(of, Event):
        call, caller = of.call, of.caller
        if call.source == SECRETS_MANAGER or call.name == UNREADABLE:
            return True
        if call.source != KMS:
            return False
        by = caller.principal
        return call.secret is not None or SECRETS_MANAGER in (by.invoked_by, by.name, caller.came.source_ip)
    source = of.get("eventSource")
    if source == KMS:
        header = header_of(of)
        return called_by_secrets_manager(header) or bool(secret_of_context(header))
    return source == SECRETS_MANAGER or not of


def reads_only(source: str, name: str) -> bool:
    """Whether a call changes nothing, going by its name: for records that don't say so themselves."""
    if source == SECRETS_MANAGER:
        return name in READS
    return name.startswith(_KMS_READING if source == KMS else _READING)
