"""Who made a call: one stable identity behind all sessions and keys."""

from __future__ import annotations

import re
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

import msgspec

SERVICE_SUFFIX = (".amazonaws.com", ".amazonaws.com.cn", ".amazon.com")


class Kind(StrEnum):
    """What a userIdentity is; the value is the badge word shown before the name."""

    ROOT = "ROOT"
    USER = "USER"
    ROLE = "ROLE"
    FEDERATED = "FED"
    IDENTITY_CENTER = "SSO"
    SERVICE = "SVC"
    OTHER_ACCOUNT = "XACCT"
    UNKNOWN = "??"


class Principal(msgspec.Struct, frozen=True, gc=False, cache_hash=True):
    """A principal as CloudTrail's userIdentity describes it; interned, so equal ones are one object."""

    kind: Kind
    name: str
    """What a person calls it: role name, user name, service name, account id."""
    identity: str
    """The stable identity: ARN of the session issuer (role) or of the user; the same for all its sessions and keys."""
    session: str = ""
    """Role session name, "" for others."""
    arn: str = ""
    """userIdentity.arn as recorded (for a role: the session's own ARN)."""
    account: str = ""
    """The principal's own account."""
    invoked_by: str = ""
    """The AWS service that acted for the principal, e.g. secretsmanager.amazonaws.com."""


_PERMISSION_SET = re.compile(r"AWSReservedSSO_(.+)_[0-9a-f]{16}")


def principal_of(identity: Mapping[str, Any], *, recipient: str, service: str = "") -> Principal:
    """The principal of a userIdentity, which may lack anything or hold anything.

    `recipient` is the record's recipientAccountId; `service` is the AWS service that a record without a type comes
    from (service events have only accountId and invokedBy). With an ARN that names a root, user, role or session, the
    result depends on nothing but arn, type, accountId, invokedBy and sessionContext.sessionIssuer.arn.
    """
    principal = _of_arn(identity) or _of_type(identity, service)
    account = principal.account
    if account and recipient and account != recipient and principal.kind is not Kind.SERVICE:
        return msgspec.structs.replace(principal, kind=Kind.OTHER_ACCOUNT)
    return principal


def _of_arn(identity: Mapping[str, Any]) -> Principal | None:
    arn = _text(identity, "arn")
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("iam", "sts"):
        return None
    _, partition, _, _, account, resource = parts
    account = account or _text(identity, "accountId")
    invoked_by = _text(identity, "invokedBy")
    sort, _, path = resource.partition("/")
    name = path.rpartition("/")[2]
    match sort:
        case "root" | "assumed-root":
            return Principal(Kind.ROOT, "root", f"arn:{partition}:iam::{account}:root", name, arn, account, invoked_by)
        case "user" if name:
            return Principal(Kind.USER, name, arn, "", arn, account, invoked_by)
        case "federated-user" if path:
            return Principal(Kind.FEDERATED, path, _issuer_arn(identity) or arn, "", arn, account, invoked_by)
        case "role" if name:
            kind, name = _role(name)
            return Principal(kind, name, arn, "", arn, account, invoked_by)
        case "assumed-role" if path:
            role, _, session = path.partition("/")
            kind, name = _role(role)
            issuer = _issuer_arn(identity) or f"arn:{partition}:iam::{account}:role/{role}"
            return Principal(kind, name, issuer, session, arn, account, invoked_by)
        case _:
            return None


def _of_type(identity: Mapping[str, Any], service: str) -> Principal:
    kind = _text(identity, "type")
    arn = _text(identity, "arn")
    account = _text(identity, "accountId")
    user = _text(identity, "userName")
    invoked_by = _text(identity, "invokedBy")
    unique_id, _, session = _text(identity, "principalId").partition(":")
    name = user or session or unique_id
    match kind:
        case "Root":
            return Principal(Kind.ROOT, "root", arn or f"arn:aws:iam::{account}:root", "", arn, account, invoked_by)
        case "IAMUser":
            return Principal(Kind.USER, name or account, arn or unique_id or user, "", arn, account, invoked_by)
        case "AssumedRole" | "Role":
            issuer = _issuer(identity)
            role, issuer_arn = _text(issuer, "userName"), _text(issuer, "arn")
            role = role or issuer_arn.rpartition("/")[2] or (user if user != session else "") or unique_id
            sort, name = _role(role)
            return Principal(sort, name, issuer_arn or arn or unique_id, session, arn, account, invoked_by)
        case "FederatedUser" | "Directory":
            return Principal(
                Kind.FEDERATED, name, _issuer_arn(identity) or arn or unique_id, "", arn, account, invoked_by
            )
        case "SAMLUser" | "WebIdentityUser":
            provider = _text(identity, "identityProvider")
            stable = _text(identity, "principalId") or (f"{provider}:{user}" if provider else user)
            return Principal(Kind.FEDERATED, name or provider, stable, "", arn, account, invoked_by)
        case "IdentityCenterUser":
            behalf = _mapping(identity, "onBehalfOf")
            person = _text(behalf, "userId")
            store = _text(behalf, "identityStoreArn")
            stable = f"{store}/{person}" if store and person else person or _text(identity, "principalId")
            return Principal(Kind.IDENTITY_CENTER, user or person or name, stable, "", arn, account, invoked_by)
        case "AWSAccount":
            return Principal(
                Kind.OTHER_ACCOUNT, account or unique_id, unique_id or account, session, arn, account, invoked_by
            )
        case "AWSService":
            name = invoked_by or service or user or unique_id
            return Principal(Kind.SERVICE, name, name, "", arn, account)
        case "" if invoked_by or service:
            name = invoked_by or service
            return Principal(Kind.SERVICE, name, name, "", arn, account)
        case _:
            name = name or account or invoked_by
            return Principal(Kind.UNKNOWN, name, arn or unique_id or name, session, arn, account, invoked_by)


def _role(name: str) -> tuple[Kind, str]:
    """The kind of a role and its readable name: a permission set's is wrapped in what Identity Center adds."""
    if found := _PERMISSION_SET.fullmatch(name):
        return Kind.IDENTITY_CENTER, found[1]
    return Kind.ROLE, name


def _issuer(identity: Mapping[str, Any]) -> Mapping[str, Any]:
    return _mapping(_mapping(identity, "sessionContext"), "sessionIssuer")


def _issuer_arn(identity: Mapping[str, Any]) -> str:
    return _text(_issuer(identity), "arn")


def _mapping(value: Mapping[str, Any], key: str) -> Mapping[str, Any]:
    found = value.get(key)
    return found if isinstance(found, dict) else {}


def _text(value: Mapping[str, Any], key: str) -> str:
    found = value.get(key)
    return found if isinstance(found, str) else ""
