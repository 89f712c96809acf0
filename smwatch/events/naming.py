"""Where a CloudTrail record names the secrets that it is about."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, TypeAlias

from smwatch.events.secret import Named, can_name_a_secret, is_secret_arn
from smwatch.record import Record, decode

if TYPE_CHECKING:
    from smwatch.events.header import Header

SECRETS_MANAGER = "secretsmanager.amazonaws.com"
KMS = "kms.amazonaws.com"

_DENIED = re.compile(r"secretsmanager:\w+ on resource: (.+?)(?: because | with an explicit deny|\.?$)", re.DOTALL)


Naming: TypeAlias = tuple[tuple[Named, ...] | None, str | None, str | None, str | None]
"""Names of secrets, or what was typed, ARN and name told."""


def naming_of(header: Header) -> Naming:
    """What a record's names of secrets are worked out of; the names themselves where that is more than three texts."""
    typed = arn = named = plain = None
    source, parameters = header.source, header.parameters
    if source == SECRETS_MANAGER:
        if parameters:
            typed = parameters.secret_id or parameters.name
        if answer := header.response:
            arn, named = answer.told_arn, answer.told_name
        if not arn and (answer := header.extra):
            arn, named = answer.told_arn, named or answer.told_name
        if not arn and header.resources:
            arn = resource_arn(header)
        plain = typed or arn or (header.error_message and not (parameters or header.extra or header.details))
    elif source == KMS and parameters and parameters.context:
        invoked_by = header.identity.invoked_by if header.identity else None
        if invoked_by == SECRETS_MANAGER:
            plain = arn = parameters.context.secret_arn
    return None if plain else names_in(header), typed, arn, named


def names_in(header: Header) -> tuple[Named, ...]:
    """The secrets that a record is about, the main one first; several only for a batch that names them."""
    if header.source == SECRETS_MANAGER:
        return _names_in_call(header)
    if header.source == KMS:
        arn = secret_of_context(header)
        genuine = called_by_secrets_manager(header)  # anyone may put anything into the context of their own calls
        return (Named(arn, "", genuine, genuine),) if arn else ()
    return named_by(None, resource_arn(header), None, succeeded=True)


def named_by(typed: str | None, arn: str | None, name: str | None, *, succeeded: bool) -> tuple[Named, ...]:
    """The secret that a caller typed the name or ARN of, and that AWS told the ARN and name of; any may be missing."""
    if name is None or not can_name_a_secret(name):
        name = ""
    if arn and is_secret_arn(arn):
        if not name and can_name_a_secret(typed) and not is_secret_arn(typed):
            name = typed
        return (Named(arn, name, True, True),)
    if typed and is_secret_arn(typed):
        return (Named(typed, name, False, succeeded),)
    if can_name_a_secret(typed):
        return (Named("", name or typed, False, succeeded),)
    if not name and can_name_a_secret(arn) and not arn.startswith("arn:"):
        name = arn
    return (Named("", name, False, succeeded),) if name else ()


def named_in_denial(message: str) -> tuple[Named, ...]:
    """The secret in the errorMessage of a call that IAM refused, as the caller typed it: nothing else names it."""
    denied = _DENIED.search(message)
    if denied is None or (denied[1].startswith("arn:") and not is_secret_arn(denied[1])):
        return ()
    return named_by(denied[1], None, None, succeeded=False)


def resource_arn(header: Header) -> str | None:
    """The ARN of the first secret among the record's resources."""
    for resource in header.resources or ():
        arn = resource.arn or resource.small_arn
        if arn and is_secret_arn(arn):
            return arn
    return None


def secret_of_context(header: Header) -> str:
    """The ARN in the encryption context that Secrets Manager gives to each KMS call; "" without one."""
    if parameters := header.parameters:
        for context in (parameters.context, parameters.source_context, parameters.destination_context):
            if context and context.secret_arn and is_secret_arn(context.secret_arn):
                return context.secret_arn
    return ""


def called_by_secrets_manager(header: Header) -> bool:
    """Whether Secrets Manager made this call for someone."""
    by = header.identity.invoked_by if header.identity else None
    return SECRETS_MANAGER in (by, header.source_ip)


def part(record: Record, key: str) -> Mapping[str, Any]:
    """An object inside any record, also if it is spelled with a capital or is JSON in a string; else an empty one."""
    value = record.get(key)
    if value is None:
        value = record.get(key[0].upper() + key[1:])
    if isinstance(value, str) and value.lstrip()[:1] == "{":
        try:
            return decode(value)
        except ValueError:
            return {}
    return value if isinstance(value, dict) else {}


def _names_in_call(header: Header) -> tuple[Named, ...]:
    typed = None
    if parameters := header.parameters:
        if batch := parameters.secret_ids or parameters.capital_secret_ids:
            return tuple(one for typed in batch for one in named_by(typed, None, None, succeeded=False))
        typed = parameters.secret_id or parameters.capital_secret_id or parameters.name or parameters.capital_name
    answers = [answer for answer in (header.response, header.extra, header.details) if answer]
    told = [arn for answer in answers if (arn := answer.told_arn)]
    arn = next(filter(is_secret_arn, told), None) or resource_arn(header) or next(iter(told), None)
    name = next((answer.told_name for answer in answers if answer.told_name), None)
    if typed or arn or name:
        return named_by(typed, arn, name, succeeded=not (header.error_code or header.error_message))
    return named_in_denial(header.error_message or "")
