"""Who made a call: one stable identity behind all sessions and keys."""

from __future__ import annotations

import re
from enum import StrEnum

import msgspec

from smwatch.events.header import Identity, Issuer


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
    """The stable identity: ARN of the session issuer (role) or of the user, the same for all its sessions and keys.

    People signed in through Identity Center share a role, and their session is called by their name: theirs is its ARN.
    """
    session: str = ""
    """Role session name, "" for others."""
    arn: str = ""
    """userIdentity.arn as recorded (for a role: the session's own ARN)."""
    account: str = ""
    """The principal's own account."""
    invoked_by: str = ""
    """The AWS service that acted for the principal, e.g. secretsmanager.amazonaws.com."""
    shared_role: str = ""
    """ARN of the role that people share, where `identity` is one person's session of it."""

    @property
    def issuer(self) -> str:
        """ARN of the session issuer (role) or of the user: what IAM knows."""
        return self.shared_role or self.identity

    @property
    def called(self) -> str:
        """What a person calls it: somebody signed in through Identity Center by their own name, not their role's."""
        return self.session or self.name if self.kind is Kind.IDENTITY_CENTER else self.name


_SHARED = "AWSReservedSSO_"
"""What the names of roles begin with that Identity Center makes for permission sets."""
_PERMISSION_SET = re.compile(rf"{_SHARED}(.+)_[0-9a-f]{{16}}")


def principal_of(identity: Identity, *, recipient: str, service: str) -> Principal:
    """The principal of a userIdentity that may lack anything.

    `recipient` is the record's recipientAccountId; `service` is the AWS service that a record without a type comes
    from (service events have only accountId and invokedBy).
    """
    issuer = _issuer(identity).arn or ""
    principal = principal_of_arn(identity.arn or "", identity.invoked_by or "", issuer, recipient)
    return principal or _seen_from(recipient, _of_type(identity, service))


def principal_of_arn(arn: str, invoked_by: str, issuer_arn: str, recipient: str) -> Principal | None:
    """The principal that userIdentity.arn names, if it does; the ARN of its session's issuer goes with that.

    This goes before the type: a session that Secrets Manager acts for may say IAMUser beside the ARN of a role.
    """
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[0] != "arn" or parts[2] not in ("iam", "sts") or not parts[4]:
        return None
    _, partition, _, _, account, resource = parts
    sort, _, path = resource.partition("/")
    session = ""
    if sort == "assumed-role" and path:
        role, _, session = path.partition("/")
        kind, name = _role(role)
        identity = issuer_arn or f"arn:{partition}:iam::{account}:role/{role}"
    elif sort == "user" and path:
        kind, name, identity = Kind.USER, path.rpartition("/")[2] or path, arn
    elif sort == "role" and path:
        kind, name = _role(path.rpartition("/")[2] or path)
        identity = arn
    elif sort == "federated-user" and path:
        kind, name, identity = Kind.FEDERATED, path, issuer_arn or arn
    elif sort in ("root", "assumed-root"):
        kind, name, identity, session = Kind.ROOT, "root", f"arn:{partition}:iam::{account}:root", path
    else:
        return None
    return _seen_from(recipient, _personal(Principal(kind, name, identity, session, arn, account, invoked_by)))


def is_role_in_session(arn: str) -> bool:
    """Whether this is the ARN of a role's session, without the session and the slash before it.

    What `principal_of_arn` finds for it is the principal of all of its sessions, but for their ARNs and names. No
    answer to that are roles that people share, and ARNs with more slashes than AWS writes.
    """
    return ":assumed-role/" in arn and arn.count("/") == 1 and _SHARED not in arn


def _personal(principal: Principal) -> Principal:
    """The person behind the session of a role that people share, if it is one."""
    if principal.kind is not Kind.IDENTITY_CENTER or not principal.session:
        return principal
    person = principal.arn or f"{principal.identity}/{principal.session}"
    return msgspec.structs.replace(principal, identity=person, shared_role=principal.identity)


def _seen_from(recipient: str, principal: Principal) -> Principal:
    account = principal.account
    if account and recipient and account != recipient and principal.kind is not Kind.SERVICE:
        return msgspec.structs.replace(principal, kind=Kind.OTHER_ACCOUNT)
    return principal


def _of_type(identity: Identity, service: str) -> Principal:
    arn, account, invoked_by = identity.arn or "", identity.account or "", identity.invoked_by or ""
    user, principal_id = identity.user_name or "", identity.principal_id or ""
    unique_id, _, session = principal_id.partition(":")
    name = user or session or unique_id
    match identity.type or "":
        case "Root":
            return Principal(Kind.ROOT, "root", arn or f"arn:aws:iam::{account}:root", "", arn, account, invoked_by)
        case "IAMUser":
            return Principal(Kind.USER, name or account, arn or unique_id or user, "", arn, account, invoked_by)
        case "AssumedRole" | "Role":
            issuer = _issuer(identity)
            role = issuer.user_name or (issuer.arn or "").rpartition("/")[2] or (user if user != session else "")
            kind, name = _role(role or unique_id)
            stable = issuer.arn or arn or unique_id
            return _personal(Principal(kind, name, stable, session, arn, account, invoked_by))
        case "FederatedUser" | "Directory":
            issuer_arn = _issuer(identity).arn
            return Principal(Kind.FEDERATED, name, issuer_arn or arn or principal_id, "", arn, account, invoked_by)
        case "SAMLUser" | "WebIdentityUser":
            provider = identity.provider or ""
            stable = principal_id or (f"{provider}:{user}" if provider else user)
            return Principal(Kind.FEDERATED, name or provider, stable, "", arn, account, invoked_by)
        case "IdentityCenterUser":
            behalf = identity.on_behalf_of
            person, store = (behalf.user_id or "", behalf.store_arn or "") if behalf else ("", "")
            stable = f"{store}/{person}" if store and person else person or principal_id
            return Principal(Kind.IDENTITY_CENTER, user or person or name, stable, "", arn, account, invoked_by)
        case "AWSAccount":
            stable = unique_id or account
            return Principal(Kind.OTHER_ACCOUNT, account or unique_id, stable, session, arn, account, invoked_by)
        case "AWSService":
            name = invoked_by or service or user or unique_id
            return Principal(Kind.SERVICE, name, name, "", arn, account)
        case "" if invoked_by or service:
            name = invoked_by or service
            return Principal(Kind.SERVICE, name, name, "", arn, account)
        case _:
            name = name or account or invoked_by
            return Principal(Kind.UNKNOWN, name, arn or principal_id or name, session, arn, account, invoked_by)


def _role(name: str) -> tuple[Kind, str]:
    """The kind of a role and its readable name: a permission set's is wrapped in what Identity Center adds."""
    if name.startswith(_SHARED) and (found := _PERMISSION_SET.fullmatch(name)):
        return Kind.IDENTITY_CENTER, found[1]
    return Kind.ROLE, name


def _issuer(identity: Identity) -> Issuer:
    return (identity.session and identity.session.issuer) or _NO_ISSUER


_NO_ISSUER = Issuer()
