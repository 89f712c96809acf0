"""Commands to run next: holes like {secret} filled with what a record says, safe to paste into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from smwatch.events.event import Event
from smwatch.events.naming import part
from smwatch.events.principal import Kind
from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules.dimension import key_id

_HOLE = re.compile(r"\{([a-z_]+)\}")
_LONGEST = 2048


@cache
def holes(command: str) -> tuple[str, ...]:
    """The names of the holes in a command; a ValueError for an unknown one, or one that stands between quotes."""
    found = tuple(match[1] for match in _HOLE.finditer(command))
    for name in found:
        if name not in HOLES:
            raise ValueError(f"there is no {{{name}}} to fill in: use one of {', '.join(sorted(HOLES))}")
    for match in _HOLE.finditer(command):
        before = command[: match.start()]
        if _open_quote(before):
            raise ValueError(f"{{{match[1]}}} is quoted when it is filled in: leave it out of quotation marks")
    if "\n" in command:
        raise ValueError("a command is one line")
    return found


def fill(command: str, values: Mapping[str, str]) -> str:
    """The command with its holes filled, each value quoted; a hole without a value stays readable and harmless."""

    def quoted(match: re.Match[str]) -> str:
        value = values.get(match[1], "")
        if not value:
            return f"'<{match[1]}>'"
        if match[1] == SECRETS:
            return value  # many words, each quoted already
        before = command[: match.start()]
        if value.startswith("-") and re.search(r"--[\w-]+ $", before):
            return "\0" + quote(value)  # an option's value that looks like an option
        return quote(value)

    return _HOLE.sub(quoted, command).replace(" \0", "=")


def filled(
    commands: Sequence[str], values: Mapping[str, str], each: Sequence[Mapping[str, str]] = ()
) -> tuple[str, ...]:
    """Those of the commands that can be run as they are, filled; all of them, with holes left open, if none can.

    So a rule can name what undoes a thing for a role and for a user, and an alarm shows the one that fits. A command
    for many secrets is there once for each of their Regions, see `for_secrets`.
    """
    all_values = {**values, **each[0]} if each else values
    fit = [command for command in commands if all(all_values.get(hole) for hole in holes(command))]
    if all(command.lstrip().startswith("#") for command in fit):
        fit = list(commands)
    found: list[str] = []
    for command in fit:
        several = each if not EACH.isdisjoint(holes(command)) else ()
        found += [fill(command, {**values, **one}) for one in several] or [fill(command, values)]
    return tuple(found)


def for_secrets(secrets: Iterable[Secret]) -> list[dict[str, str]]:
    """The values of the holes for many secrets, by Region, in the order in which those come first."""
    names: dict[str, list[str]] = {}
    for secret in secrets:
        names.setdefault(secret.region, []).append(quote(secret.name))
    return [{SECRETS: " ".join(dict.fromkeys(found)), THEIR_REGION: region} for region, found in names.items()]


def quote(value: str) -> str:
    """One word for a shell, whatever the text holds.

    What does not print goes as an escape in $'…' (bash, zsh, ksh): pasted raw it would reach the line editor, where
    quotation marks mean nothing.
    """
    value = value[:_LONGEST]
    if value.isprintable():
        return shlex.quote(value)
    escaped = "".join(_escaped(char) for char in value)
    return f"$'{escaped}'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"


def _open_quote(text: str) -> bool:
    quote = ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
    return bool(quote)


# ---------------------------------------------------------------------------------------------------------------- holes

Hole = Callable[[Event, Record], str]


def _secret(event: Event) -> str:
    return event.secret_arn or (event.secret.name if event.secret else "")


def _secret_name(event: Event) -> str:
    return event.secret.name if event.secret else ""


def _secret_arn(event: Event) -> str:
    """The secret's ARN; where only its name is known, with IAM's wildcards for the suffix."""
    secret = event.secret
    if event.secret_arn or secret is None or not (secret.region and secret.account):
        return event.secret_arn
    partition = next((name for start, name in _PARTITIONS if secret.region.startswith(start)), "aws")
    return f"arn:{partition}:secretsmanager:{secret.region}:{secret.account}:secret:{secret.name}-??????"


_PARTITIONS = (("cn-", "aws-cn"), ("us-gov-", "aws-us-gov"), ("us-iso-", "aws-iso"), ("us-isob-", "aws-iso-b"))


def _region(event: Event) -> str:
    return (event.secret.region if event.secret else "") or event.region


def _account(event: Event) -> str:
    return (event.secret.account if event.secret else "") or event.account


def _role(event: Event) -> str:
    before, found, name = event.principal.issuer.partition(":role/")
    return name.rpartition("/")[2] if before and found else ""


def _own_role(event: Event) -> str:
    """The role, if somebody in its own account can change it: not a permission set's, a service's or a stranger's."""
    by, role = event.principal, _role(event)
    return role if by.kind is Kind.ROLE and not role.startswith("AWSServiceRoleFor") else ""


def _user(event: Event) -> str:
    return event.principal.name if event.principal.kind is Kind.USER else ""


def _instance(event: Event) -> str:
    return event.principal.session if event.principal.session.startswith("i-") else ""


def _kms_key(_event: Event, record: Record) -> str:
    parameters = part(record, "requestParameters")
    return _text(parameters.get("keyId") or parameters.get("kmsKeyId"))


def _parameter(*keys: str) -> Hole:
    def get(_event: Event, record: Record) -> str:
        parameters = part(record, "requestParameters")
        return next((text for key in keys if (text := _text(parameters.get(key)))), "")

    return get


def _answered(key: str) -> Hole:
    return lambda _event, record: _text(part(record, "responseElements").get(key))


_FUNCTION = re.compile(r"arn:[^:\s]*:lambda:[^:\s]*:[^:\s]*:function:[^\s,]+")


def _function(event: Event, record: Record) -> str:
    """The rotation function: as asked for, or as a failed rotation's message names it."""
    asked = _text(part(record, "requestParameters").get("rotationLambdaARN"))
    found = None if asked else _FUNCTION.search(event.error_message)
    return asked or (found[0] if found else "")


def _function_name(event: Event, record: Record) -> str:
    return _function(event, record).partition(":function:")[2].partition(":")[0]


def _replica_region(_event: Event, record: Record) -> str:
    parameters = part(record, "requestParameters")
    removed, added = parameters.get("removeReplicaRegions"), parameters.get("addReplicaRegions")
    for region in removed if isinstance(removed, list) else ():
        if isinstance(region, str):
            return region
    for replica in added if isinstance(added, list) else ():
        if isinstance(replica, dict) and (region := _text(replica.get("region"))):
            return region
    return ""


def _replica_arn(event: Event, record: Record) -> str:
    for value in part(record, "requestParameters").values():
        if isinstance(value, str) and value.startswith("arn:") and f":{event.account}:" not in value:
            return value
    return ""


def _trail(event: Event, record: Record) -> str:
    if event.source != "cloudtrail.amazonaws.com":
        return ""  # rules, filters and log groups have names too
    parameters = part(record, "requestParameters")
    return _text(parameters.get("name") or parameters.get("trailName"))


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


_OF_EVENT: dict[str, Callable[[Event], str]] = {
    "secret": _secret,
    "secret_arn": _secret_arn,
    "secret_name": _secret_name,
    "region": _region,
    "account": _account,
    "principal": lambda event: event.principal.name,
    "principal_arn": lambda event: event.principal.issuer,
    "role": _role,
    "own_role": _own_role,
    "user": _user,
    "session_name": lambda event: event.principal.session or event.principal.name,
    "access_key_id": lambda event: event.access_key,
    "action": lambda event: event.name,
    "source_ip": lambda event: event.source_ip,
    "instance_id": _instance,
}
_OF_RECORD: dict[str, Hole] = {
    "detector": _parameter("detectorId"),
    "grant_id": _answered("grantId"),
    "recorder": _parameter("configurationRecorderName"),
    "kms_key": _kms_key,
    "kms_key_id": lambda event, record: key_id(_kms_key(event, record)),
    "rotation_lambda": _function,
    "rotation_lambda_name": _function_name,
    "replica_region": _replica_region,
    "replica_arn": _replica_arn,
    "moved_from_version_id": _parameter("removeFromVersionId"),
    "moved_to_version_id": _parameter("moveToVersionId"),
    "log_group": _parameter("logGroupName", "logGroupIdentifier"),
    "trail": _trail,
}
SECRETS, THEIR_REGION = "secrets", "secrets_region"
EACH = frozenset((SECRETS, THEIR_REGION))
"""Holes for all the secrets of one Region that an alarm counts, each a word, for a loop; and for that Region."""
HOLES = frozenset((*_OF_EVENT, *_OF_RECORD, *EACH))
"""What a command can be filled in with."""


def needs_record(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these holes whose value only the record has."""
    return tuple(name for name in names if name in _OF_RECORD)


def record_values(names: Iterable[str], event: Event, record: Record) -> dict[str, str]:
    """The values of these holes that only the record has."""
    return {name: _OF_RECORD[name](event, record) for name in names}


@cache
def _holes_of_event(commands: tuple[str, ...]) -> tuple[tuple[str, Callable[[Event], str]], ...]:
    names = dict.fromkeys(name for command in commands for name in holes(command))
    return tuple((name, _OF_EVENT[name]) for name in names if name in _OF_EVENT)


def event_values(commands: tuple[str, ...], event: Event) -> dict[str, str]:
    """The values that an event has of the holes in these commands."""
    return {name: get(event) for name, get in _holes_of_event(commands)}
