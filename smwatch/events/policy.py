"""What a resource policy opens: read from its text, which may be anything."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import lru_cache
from typing import Any

import msgspec

from smwatch.record import decode

FOREIGN = 100
"""How many foreign accounts of a policy are named."""
_ACCOUNT = re.compile(r"(?:arn:[^:]{0,20}:[^:]{0,20}:[^:]{0,30}:)?(\d{12})(?::.*)?", re.DOTALL)
_UNDOING = ("restoresecret", "deletesecret", "putresourcepolicy", "deleteresourcepolicy")
"""Actions without which nobody can undo what was done to a secret."""
_NARROWING = (
    "aws:principalorgid", "aws:principalorgpaths", "aws:principalaccount", "aws:principalarn", "aws:sourceaccount",
    "aws:sourcearn", "aws:sourceorgid", "aws:sourcevpc", "aws:sourcevpce", "aws:userid", "kms:calleraccount",
)  # fmt: skip
"""Condition keys that say who may come, so that a `*` is not everybody."""
_ON_BEHALF = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid", "aws:sourceorgpaths")
"""Those that say for whom a service may come: without one it may be had to come by anybody (a confused deputy)."""
_KNOWN_AS = (":aud", ":sub", ":amr", ":oaud", ":email", ":azp", ":namequalifier", ":iss")
"""Ends of the keys that say whom of those that an identity provider knows."""
_NAMES_ACCOUNT = (
    "aws:principalaccount", "aws:principalarn", "aws:sourceaccount", "aws:sourcearn", "kms:calleraccount",
)  # fmt: skip


class Grade(msgspec.Struct, frozen=True):
    """What a policy's text says."""

    readable: bool = True
    """Whether the text is a policy document at all."""
    public: bool = False
    """Anybody is allowed: a `*` principal, or a provider that gives everybody an identity, and no condition on who."""
    unbound: bool = False
    """A service is allowed on whosever behalf, or whoever an identity provider of one's own knows."""
    foreign: tuple[str, ...] = ()
    """Accounts other than the secret's own that are allowed something, if only through a service."""
    self_perpetuating: bool = False
    """Somebody is allowed to change this policy again."""
    denies: bool = False
    """Something is denied to somebody."""
    locks_out: bool = False
    """Somebody is denied to restore or delete the secret or to change this policy, or everybody to read the value."""


@lru_cache(64)
def grade(text: str, account: str) -> Grade:
    """Grade a policy document for a secret of `account`; every field may be absent, scalar, list or nonsense."""
    try:
        statements = list(_objects(decode(text).get("Statement")))
    except ValueError:
        return Grade(readable=False)
    public = unbound = self_perpetuating = denies = locks_out = False
    foreign: set[str] = set()
    for statement in statements:
        effect = statement.get("Effect")
        if effect == "Deny":
            denies = True
            locks_out |= _locks_out(statement)
        if effect != "Allow":
            continue
        who, services = list(_principals(statement)), list(_of_kind(statement, "Service"))
        providers = list(_of_kind(statement, "Federated"))
        keys = set(_narrowing(statement.get("Condition")))
        named = set(_accounts(who))
        if "*" in who or services:
            named.update(_accounts(_told(statement.get("Condition"), _NAMES_ACCOUNT)))
        foreign |= named - {account}
        known = any(key.endswith(_KNOWN_AS) for key in keys) or not keys.isdisjoint(_NARROWING)
        public |= "*" in who and keys.isdisjoint(_NARROWING)
        public |= not known and any(not provider.startswith("arn:") for provider in providers)
        unbound |= bool(services) and keys.isdisjoint(_ON_BEHALF)
        unbound |= not known and bool(providers)
        self_perpetuating |= bool(who) and _about(statement, "putresourcepolicy")
    return Grade(
        public=public,
        unbound=unbound,
        foreign=tuple(sorted(foreign)[:FOREIGN]),
        self_perpetuating=self_perpetuating,
        denies=denies,
        locks_out=locks_out,
    )


def _locks_out(statement: Mapping[str, Any]) -> bool:
    """Whether a denial keeps people from undoing things, or everybody, on no condition, from the value."""
    if any(_about(statement, action) for action in _UNDOING):
        return True
    everybody = "*" in _principals(statement) and not _mapping(statement.get("Condition"))
    return everybody and _about(statement, "getsecretvalue")


def _principals(statement: Mapping[str, Any]) -> Iterator[str]:
    if "NotPrincipal" in statement:
        yield "*"  # everybody but some
    principal = statement.get("Principal")
    if isinstance(principal, str):
        yield principal
    for kind, names in _mapping(principal).items():
        if kind != "Service":
            yield from _texts(names)


def _of_kind(statement: Mapping[str, Any], kind: str) -> Iterator[str]:
    """The principals of a kind: services, or providers of identities."""
    return _texts(_mapping(statement.get("Principal")).get(kind))


def account_of(principal: str) -> str:
    """The account that a principal or an ARN is of; "" where it does not say."""
    found = _ACCOUNT.fullmatch(principal)
    return found[1] if found else ""


def _accounts(names: Iterable[str]) -> Iterator[str]:
    """The accounts that principals and ARNs are of, as far as they say."""
    return filter(None, map(account_of, names))


def _narrowing(condition: object) -> Iterator[str]:
    """The keys that a condition wants to have some value, in lower case."""
    for key, values in _tests(condition):
        if "*" not in values:
            yield key


def _told(condition: object, keys: Sequence[str]) -> Iterator[str]:
    """The values that a condition wants one of these keys to have."""
    for key, values in _tests(condition):
        if key in keys:
            yield from values


def _tests(condition: object) -> Iterator[tuple[str, list[str]]]:
    """The tests of a condition that say what must be: not those that hold where the key is absent, nor negated ones."""
    for operator, tests in _mapping(condition).items():
        plain = operator.lower()
        if plain.endswith("ifexists") or "not" in plain or plain == "null":
            continue
        for key, values in _mapping(tests).items():
            yield key.lower(), list(_texts(values))


def _about(statement: Mapping[str, Any], action: str) -> bool:
    """Whether a statement is about this action of Secrets Manager, in lower case."""
    if "NotAction" in statement:
        return not any(_covers(pattern, action) for pattern in _texts(statement["NotAction"]))
    return any(_covers(pattern, action) for pattern in _texts(statement.get("Action")))


def _covers(pattern: str, action: str) -> bool:
    """Whether an IAM pattern of actions, in which * and ? are wildcards, covers this one."""
    if pattern == "*":
        return True
    service, _, name = pattern.lower().partition(":")
    return service in ("secretsmanager", "*") and fnmatchcase(action, name.replace("[", "[[]"))


def _objects(value: object) -> Iterator[Mapping[str, Any]]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, dict))


def _texts(value: object) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, list):
        yield from (item for item in value if isinstance(item, str))


def _mapping(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
