"""Who made a call: one stable identity behind all sessions and keys."""

from __future__ import annotations

from enum import StrEnum

import msgspec


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


class Principal(msgspec.Struct, frozen=True, gc=False):
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
