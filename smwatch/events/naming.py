"""Where a CloudTrail record names the secrets that it is about."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from smwatch.events.secret import Named, is_secret_arn, names_a_secret
from smwatch.record import Record, decode

SECRETS_MANAGER = "secretsmanager.amazonaws.com"
KMS = "kms.amazonaws.com"

_DENIED = re.compile(r"secretsmanager:\w+ on resource: (.+?)(?: because | with an explicit deny|\.?$)", re.DOTALL)


def names_in(record: Record) -> tuple[Named, ...]:
    """The secrets a record is about, the main one first; several only for a batch that names them."""
    source = record.get("eventSource")
    if source == SECRETS_MANAGER:
        return _of_call(record)
    if source == KMS:
        return _of_kms(record)
    return tuple(Named(arn=arn, complete=True, exists=True) for arn in _resources(record))


def secret_of_context(parameters: Mapping[str, Any]) -> str:
    """The ARN in the encryption context that Secrets Manager gives to each KMS call; "" without one."""
    for key in ("encryptionContext", "sourceEncryptionContext", "destinationEncryptionContext"):
        context = parameters.get(key)
        if isinstance(context, dict):
            arn = context.get("SecretARN")
            if isinstance(arn, str) and is_secret_arn(arn):
                return arn
    return ""


def called_by_secrets_manager(record: Record) -> bool:
    """Whether Secrets Manager made this call for someone."""
    identity = record.get("userIdentity")
    by = identity.get("invokedBy") if isinstance(identity, dict) else None
    return SECRETS_MANAGER in (by, record.get("sourceIPAddress"))


def part(record: Record, key: str) -> Mapping[str, Any]:
    """An object inside a record, also where it is spelled with a capital or is JSON in a string; else an empty one."""
    value = record.get(key)
    if value is None:
        value = record.get(key[0].upper() + key[1:])
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            return decode(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _of_call(record: Record) -> tuple[Named, ...]:
    parameters = part(record, "requestParameters")
    response = part(record, "responseElements")
    extra = part(record, "additionalEventData")
    service = part(record, "serviceEventDetails")
    succeeded = not record.get("errorCode") and not record.get("errorMessage")

    batch = parameters.get("secretIdList") or parameters.get("SecretIdList")
    if isinstance(batch, list):
        return tuple(_as_typed(typed, succeeded=False) for typed in batch if names_a_secret(typed))

    typed = _first(parameters, "secretId", "SecretId", "secretArn", "secretARN", "SecretARN")
    if not typed:
        typed = _first(parameters, "name", "Name")
    told = [_first(response, "arn", "aRN", "ARN"), _first(extra, "ARN", "SecretId", "aRN", "arn", "secretId")]
    told += [_first(service, "secretId", "SecretId", "secretArn", "ARN", "arn"), *_resources(record)]
    name = _first(response, "name", "Name") or _first(extra, "Name", "name")
    arns = [arn for arn in told if is_secret_arn(arn)]
    if arns:
        if not name and typed and not is_secret_arn(typed):
            name = typed
        return (Named(arn=arns[0], name=name, complete=True, exists=True),)
    if typed:
        return (_as_typed(typed, succeeded, name),)
    name = name or next(filter(None, told), "")
    if name:
        return (Named(name=name, exists=succeeded),)
    message = record.get("errorMessage")
    denied = _DENIED.search(message) if isinstance(message, str) else None
    if denied and names_a_secret(denied[1]) and (is_secret_arn(denied[1]) or not denied[1].startswith("arn:")):
        return (_as_typed(denied[1], succeeded=False),)
    return ()


def _of_kms(record: Record) -> tuple[Named, ...]:
    arn = secret_of_context(part(record, "requestParameters"))
    if not arn:
        return ()
    genuine = called_by_secrets_manager(record)  # anyone may put anything into the context of a call of their own
    return (Named(arn=arn, complete=genuine, exists=genuine),)


def _as_typed(typed: str, succeeded: bool, name: str = "") -> Named:
    """What a caller wrote: a name, an ARN, or an ARN without its suffix."""
    if is_secret_arn(typed):
        return Named(arn=typed, name=name, exists=succeeded)
    return Named(name=name or typed, exists=succeeded)


def _resources(record: Record) -> Iterator[str]:
    resources = record.get("resources")
    for resource in resources if isinstance(resources, list) else ():
        if isinstance(resource, dict):
            arn = _first(resource, "ARN", "arn")
            if is_secret_arn(arn):
                yield arn


def _first(values: Mapping[str, Any], *keys: str) -> str:
    """The first of these that can name a secret; "" for none."""
    for key in keys:
        value = values.get(key)
        if names_a_secret(value):
            return str(value)
    return ""
