"""What a command to run next can be filled in with: what an event or its record says."""

from __future__ import annotations

import re
from collections.abc import Callable

from smwatch.events.event import Event
from smwatch.events.naming import part
from smwatch.events.principal import Kind
from smwatch.record import Record
from smwatch.rules.dimension import key_id

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


def _long_term_key(event: Event) -> str:
    """The access key, if it lasts until somebody takes it away."""
    return event.access_key if event.access_key.startswith("AKIA") else ""


def _user_of_session(event: Event) -> str:
    """The user, if it was not one of its access keys: somebody in the console, or with temporary credentials."""
    return _user(event) if event.access_key and not _long_term_key(event) else ""


def _person(event: Event) -> str:
    """Who came through Identity Center."""
    by = event.principal
    return (by.session or by.name) if by.kind is Kind.IDENTITY_CENTER else ""


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


def _mute_rule(event: Event, record: Record) -> str:
    return _parameter("name")(event, record) if event.name == "PutAlarmMuteRule" else ""


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


OF_EVENT: dict[str, Callable[[Event], str]] = {
    "secret": _secret,
    "secret_arn": _secret_arn,
    "secret_name": _secret_name,
    "region": _region,
    "account": _account,
    "caller_account": lambda event: event.principal.account,
    "principal": lambda event: event.principal.name,
    "principal_arn": lambda event: event.principal.issuer,
    "role": _role,
    "own_role": _own_role,
    "user": _user,
    "user_of_session": _user_of_session,
    "person": _person,
    "session_name": lambda event: event.principal.session or event.principal.name,
    "long_term_key": _long_term_key,
    "access_key_id": lambda event: event.access_key,
    "action": lambda event: event.name,
    "source_ip": lambda event: event.source_ip,
    "instance_id": _instance,
}
OF_RECORD: dict[str, Hole] = {
    "detector": _parameter("detectorId"),
    "alarm": _parameter("alarmName"),
    "mute_rule": _mute_rule,
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
HOLES = frozenset((*OF_EVENT, *OF_RECORD, *EACH))
"""What a command can be filled in with."""
