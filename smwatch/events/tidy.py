"""Odd records made ordinary: every field that a header is read from holds what it should, or nothing."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from smwatch.events.naming import part
from smwatch.events.redact import redact
from smwatch.record import Record, encode

LONGEST = 2048
"""Longer strings of a record are clipped in its event: as long as a secret's ARN or name may be."""

_TEXTS = (
    "eventTime",
    "eventName",
    "eventSource",
    "awsRegion",
    "sourceIPAddress",
    "userAgent",
    "recipientAccountId",
    "errorCode",
    "errorMessage",
    "eventType",
    "@timestamp",
)
_PARTS = ("requestParameters", "responseElements", "additionalEventData", "serviceEventDetails")
_OBJECTS = ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext", "onBehalfOf", "inScopeOf")
_LISTS = ("secretIdList", "SecretIdList")
_NOT_TEXTS = frozenset((*_OBJECTS, *_LISTS, "sessionContext"))


def tidy(record: Record) -> Record:
    """What a header needs of any record.

    A field that should be text and is not becomes its JSON, null becomes "", JSON in a string and a name with a
    capital become the part they stand for; what should name a secret or a principal but is not text is left out.
    """
    tidied: Record = {key: clipped(_text(record.get(key))) for key in _TEXTS}
    tidied["eventID"] = _text(record.get("eventID"))
    if isinstance(shared := record.get("sharedEventID"), str):
        tidied["sharedEventID"] = shared
    for key in _PARTS:
        tidied[key] = _tidied(part(record, key))
    who = record.get("userIdentity")
    identity = part(record, "userIdentity") or {"arn" if str(who).startswith("arn:") else "principalId": who}
    context = identity.get("sessionContext")
    issuer = context.get("sessionIssuer") if isinstance(context, dict) else None
    issuer = _tidied(issuer) if isinstance(issuer, dict) else None
    tidied["userIdentity"] = _tidied(identity) | {"sessionContext": {"sessionIssuer": issuer}}
    resources = record.get("resources")
    if isinstance(resources, list):
        tidied["resources"] = [_tidied(one) for one in resources if isinstance(one, dict)]
    if isinstance(addendum := record.get("addendum"), dict):
        tidied["addendum"] = _texts_in(addendum)
    if isinstance(record.get("readOnly"), (bool, str)):
        tidied["readOnly"] = record["readOnly"]
    return tidied


def _tidied(found: Mapping[str, Any]) -> Record:
    """The texts of an object, and where a header expects objects or lists, theirs."""
    tidied = {key: value for key, value in _texts_in(found).items() if key not in _NOT_TEXTS}
    for key in _OBJECTS:
        if isinstance(inner := found.get(key), dict):
            tidied[key] = _texts_in(inner)
    for key in _LISTS:
        if isinstance(items := found.get(key), list):
            tidied[key] = [clipped(item) for item in items if isinstance(item, str)]
    return tidied


def _texts_in(found: Mapping[str, Any]) -> Record:
    return {key: clipped(value) for key, value in found.items() if isinstance(value, str)}


def clipped(text: str) -> str:
    """The beginning of a text that is longer than any that AWS allows."""
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    return encode(redact(value), ordered=True)
