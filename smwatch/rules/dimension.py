"""What rules group by and tell apart: the secret, the principal, the network, or any value of the record."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import suppress
from functools import cache
from hashlib import blake2b
from operator import attrgetter
from typing import TypeAlias

from smwatch.events.naming import part
from smwatch.events.policy import account_of
from smwatch.events.secret import Secret
from smwatch.patterns.conditions import parse_selector
from smwatch.patterns.nodes import Each, Selector
from smwatch.record import Record, decode, encode
from smwatch.rules.glance import Look
from smwatch.rules.subject import Subject

Value: TypeAlias = str | Secret
UNNAMED = Secret("", "", "not named by the record")
"""Stands for the secrets of an event whose record tells of none, where each secret is evidence by itself."""
Group: TypeAlias = tuple[Value | None, ...]
"""Values of the dimensions that a rule groups by."""
Get: TypeAlias = Callable[[Subject], Value | None]


class Dimension:
    """One way of telling events apart: its name in a rule, and how to get the value of an event; "" or None for none.

    There is one object for each name, so that they compare as fast as can be.
    """

    __slots__ = ("foreseen", "get", "looks", "name", "names_secret", "of", "plural", "several")

    def __init__(
        self,
        name: str,
        plural: str,
        get: Get,
        *,
        of: str = "",
        looks: tuple[Look, ...] = (),
        names_secret: bool = False,
        several: Callable[[Subject], Sequence[Value]] | None = None,
    ) -> None:
        self.name = name
        self.plural = plural
        self.get = get
        self.of = of
        """The attribute of a Subject that decides it, where one does."""
        self.looks = looks
        """What of the record decides it, where a few fields do."""
        self.foreseen = bool(of or looks)
        """Whether calls of one kind by one caller, from there, about one secret have one value."""
        self.names_secret = names_secret
        """Whether its values are secrets or their names: they are other ones when two secrets turn out to be one."""

        self.several = several
        """All values of an event, where it may have several: facts know each, and a condition asks about each."""

    def __repr__(self) -> str:
        return f"Dimension({self.name!r})"

    def __str__(self) -> str:
        return self.name


def read_dimension(value: object) -> Dimension:
    """The dimension that a value of a rules file names; a ValueError says why it names none."""
    if not isinstance(value, str):
        raise ValueError("is not the name of a dimension")
    return dimension(value)


def dimension(name: str) -> Dimension:
    """The dimension that a rule names; a ValueError lists them all where there is none of that name."""
    if name.startswith("$"):
        return _of_selector(name)
    found = DIMENSIONS.get(name)
    if found is None:
        raise ValueError(f"there is no dimension {name!r}: use one of {', '.join(DIMENSIONS)} or a selector ($.…)")
    return found


@cache
def _of_selector(selector: str) -> Dimension:
    return Dimension(selector, "values", _getter(parse_selector(selector)))


def key_id(key: object) -> str:
    """The id of a KMS key named by id or ARN; an alias as it is, for what it stands for is not in the record."""
    if not isinstance(key, str):
        return ""
    _, found, after = key.rpartition(":key/")
    return after if found else key


def _secret_name(subject: Subject) -> str:
    return _name(subject.secret) if subject.secret is not None else ""


def _name(secret: Secret) -> str:
    return f"{secret.account} {secret.name}"


def deciding(dimensions: Iterable[Dimension]) -> frozenset[str]:
    """The attributes of a Subject that decide these dimensions, as far as any do: without one, a value is missing."""
    return frozenset(each.of for each in dimensions if each.of)


def grouping(by: Sequence[Dimension]) -> Callable[[Subject], Group]:
    """What gets the group of an event in a rule that groups by these."""
    match [dimension.get for dimension in by]:
        case [one]:
            return lambda subject: (one(subject) or None,)
        case [one, other]:
            return lambda subject: (one(subject) or None, other(subject) or None)
        case gets:
            return lambda subject: tuple([get(subject) or None for get in gets])


Renames: TypeAlias = Mapping[Value, Value]
"""Values of dimensions that name secrets: what each has turned out to be."""


def renames(right: Mapping[Secret, Secret]) -> Renames:
    """The same for all dimensions that name secrets."""
    return {name(old): name(new) for name in (lambda secret: secret, _name) for old, new in right.items()}


def renamed(by: Sequence[Dimension], values: tuple[Value | None, ...], right: Renames) -> tuple[Value | None, ...]:
    """Values of these dimensions as they are now."""
    return tuple(
        right.get(value, value) if value is not None and dimension.names_secret else value
        for dimension, value in zip(by, values, strict=True)
    )


def _key(subject: Subject) -> str:
    if (header := subject.header) is not None:  # which has the same, and need not be decoded
        asked = header.parameters
        named = key_id(asked.key_id or asked.kms_key_id) if asked is not None else ""
        return named or _resource_key_of(resource.arn for resource in header.resources or ())
    parameters = part(subject.record, "requestParameters")
    return key_id(parameters.get("keyId") or parameters.get("kmsKeyId")) or _resource_key(subject.record)


def _resource_key(record: Record) -> str:
    resources = record.get("resources")
    if not isinstance(resources, list):
        return ""
    return _resource_key_of(resource.get("ARN") for resource in resources if isinstance(resource, dict))


def _resource_key_of(arns: Iterable[object]) -> str:
    return next((key_id(arn) for arn in arns if isinstance(arn, str) and ":key/" in arn), "")


def _homes(subject: Subject) -> Sequence[str]:
    """Where the call has the secret be: the Regions that it adds replicas in, else its own."""
    added = part(subject.record, "requestParameters").get("addReplicaRegions")
    found = [one.get("region") for one in added if isinstance(one, dict)] if isinstance(added, list) else []
    return list(dict.fromkeys(region for region in found if isinstance(region, str) and region)) or [subject.region]


def _named_key(parameter: str) -> Look:
    def question(record: Record) -> str | bool:
        value = part(record, "requestParameters").get(parameter)
        return value if isinstance(value, str) else bool(value)

    return parse_selector(f"$.requestParameters.{parameter}"), question


def _policy(subject: Subject) -> str:
    """A digest of the resource policy that is put: the same for one document however it is laid out."""
    text = part(subject.record, "requestParameters").get("resourcePolicy")
    if not isinstance(text, str):
        return ""
    with suppress(ValueError, RecursionError):  # whatever it is, it is the same if it is spelled the same
        text = encode(decode(text), ordered=True)
    return blake2b(text.encode("utf-8", "surrogatepass"), digest_size=16).hexdigest()


KEY_OF_RESOURCES: Look = parse_selector("$.resources"), _resource_key
"""A look at the ARNs of the resources, and at no more of them."""


def iam_name(arn: str) -> str:
    """The account and the name of the role or user that an ARN, also that of a session, is of; "" for others."""
    parts = arn.split(":", 5)
    if len(parts) < 6 or parts[2] not in ("iam", "sts"):
        return ""
    kind, _, path = parts[5].partition("/")
    match kind:
        case "assumed-role":
            return f"{parts[4]} role {path.partition('/')[0]}"
        case "role" | "user":
            return f"{parts[4]} {kind} {path.rpartition('/')[2]}"
        case _:
            return ""


def _iam_name(subject: Subject) -> str:
    """The role or user that a call of IAM changes."""
    parameters = part(subject.record, "requestParameters")
    for kind in ("role", "user"):
        name = parameters.get(f"{kind}Name")
        if isinstance(name, str) and name:
            return f"{subject.account} {kind} {name}"
    return ""


EVERYWHERE = "*"
"""The value of `governed` for what may hold in any account."""
_ORGANIZATIONS = "organizations.amazonaws.com"


def _governed(subject: Subject) -> str:
    """The account in which a change of a policy that many may have makes a difference, as far as the record says."""
    if subject.record.get("eventSource") != _ORGANIZATIONS:
        return subject.account
    parameters = part(subject.record, "requestParameters")
    target = parameters.get("targetId") or parameters.get("accountId")
    return target if isinstance(target, str) and account_of(target) == target else EVERYWHERE


def _policy_of_many(subject: Subject) -> str:
    """What is changed: a managed policy, a group, or a policy, a root or the place of an account in an organization."""
    parameters = part(subject.record, "requestParameters")
    organization = subject.record.get("eventSource") == _ORGANIZATIONS
    for key, what in _OF_MANY.items():
        name = parameters.get(key)
        if isinstance(name, str) and name:
            name = name[-_LONGEST_NAME:]
            return f"the organization's {what} {name}" if organization else f"{what} {name.rpartition('/')[2]}"
    return "the organization's account" if organization else ""


_LONGEST_NAME = 128
"""Characters that IAM gives a name; a record may hold any number."""
_OF_MANY = {"policyArn": "policy", "policyId": "policy", "groupName": "group", "rootId": "root"}


def _feed(_subject: Subject) -> None:
    """No event has it: it is about the source itself."""


DIMENSIONS = {
    dimension.name: dimension
    for dimension in (
        Dimension("secret", "secrets", attrgetter("secret"), of="secret", names_secret=True),
        Dimension("secret_name", "secrets", _secret_name, of="secret", names_secret=True),
        Dimension("session", "sessions", attrgetter("session"), of="session"),
        Dimension("identity", "principals", attrgetter("identity"), of="identity"),
        Dimension("account", "accounts", attrgetter("account"), of="account"),
        Dimension("region", "regions", attrgetter("region"), of="region"),
        Dimension("access_key", "access keys", attrgetter("access_key"), of="access_key"),
        Dimension("network", "networks", attrgetter("network"), of="network"),
        Dimension(
            "key",
            "keys",
            _key,
            looks=(_named_key("keyId"), _named_key("kmsKeyId"), KEY_OF_RESOURCES),
        ),
        Dimension("policy", "policies", _policy),
        Dimension("iam_name", "roles and users", _iam_name),
        Dimension("governed", "accounts", _governed),
        Dimension("policy_of_many", "policies", _policy_of_many),
        Dimension("home", "Regions", lambda subject: _homes(subject)[0], several=_homes),
        Dimension("feed", "feeds", _feed),
    )
}


def _getter(selector: Selector) -> Get:
    if any(isinstance(step, Each) for step in selector.steps):
        raise ValueError("a dimension is one value: leave the wildcard out of its selector")

    def get(subject: Subject) -> Value | None:
        value = selector.value_in(subject.record)
        return value if isinstance(value, str) else None

    return get
