"""What a rule can ask of what a call opens up: whom a policy lets in, whose account it names."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import TypeAlias

from smwatch.events.naming import part
from smwatch.events.policy import Grade, account_of, grade
from smwatch.rules.subject import Subject

Foreign: TypeAlias = Callable[[Subject], Iterable[str]]
"""The accounts, other than its own, that an event lets in, names or is by."""


def _graded(subject: Subject) -> Grade | None:
    """The policy that is put, graded; None if none is."""
    parameters = part(subject.record, "requestParameters")
    text = parameters.get("resourcePolicy", parameters.get("policy"))  # of a secret, of a KMS key
    return grade(text, subject.account) if isinstance(text, str) else None


def policy(says: Callable[[Grade], bool]) -> Callable[[Subject], bool]:
    """Whether a policy is put of which this is so."""
    return lambda subject: (graded := _graded(subject)) is not None and says(graded)


def let_in(subject: Subject) -> Iterable[str]:
    """The other accounts that the policy put lets in."""
    graded = _graded(subject)
    return graded.foreign if graded is not None else ()


def in_arn(key: str) -> Foreign:
    """The account of the ARN under this key of the request parameters, and of those of its replicas."""

    def foreign(subject: Subject) -> Iterator[str]:
        parameters = part(subject.record, "requestParameters")
        replicas = parameters.get("addReplicaRegions")
        places = [parameters, *(replicas if isinstance(replicas, list) else ())]
        for value in (place.get(key) for place in places if isinstance(place, dict)):
            parts = value.split(":", 5) if isinstance(value, str) else []
            if len(parts) == 6 and parts[4] not in ("", subject.account):
                yield parts[4]

    return foreign


def grantees(subject: Subject) -> Iterable[str]:
    """The account that the key is granted to, if it is another one."""
    grantee = part(subject.record, "requestParameters").get("granteePrincipal")
    account = account_of(grantee) if isinstance(grantee, str) else ""
    return (account,) if account not in ("", subject.account) else ()


def in_any_arn(subject: Subject) -> Iterator[str]:
    """The accounts of all ARNs among the request parameters, whatever their keys are called."""
    for value in part(subject.record, "requestParameters").values():
        for text in value if isinstance(value, list) else (value,):
            parts = text.split(":", 5) if isinstance(text, str) else []
            if len(parts) == 6 and parts[0] == "arn" and parts[4] not in ("", subject.account):
                yield parts[4]
