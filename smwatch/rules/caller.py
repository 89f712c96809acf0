"""What a rule can ask of the caller of an event: who, or what, it is."""

from __future__ import annotations

import re
from collections.abc import Iterable

from smwatch.events.naming import part
from smwatch.events.principal import Kind
from smwatch.record import Record
from smwatch.rules.subject import Subject

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}", re.ASCII)


def of_other_account(subject: Subject) -> bool:
    """It belongs to another account than the one that the event is of."""
    return subject.event.caller.principal.kind is Kind.OTHER_ACCOUNT


def strange_callers(subject: Subject) -> Iterable[str]:
    """Its account, where that is another one."""
    return (subject.event.caller.principal.account,) if of_other_account(subject) else ()


def by_service(subject: Subject) -> bool:
    """An AWS service, or one for somebody."""
    return bool(subject.event.caller.principal.invoked_by) or subject.event.caller.principal.kind is Kind.SERVICE


def by_instance(subject: Subject) -> bool:
    """The session is one that AWS names after an EC2 instance."""
    return bool(_INSTANCE.fullmatch(subject.event.caller.principal.session))


def by_workload(subject: Subject) -> bool:
    """The credentials were given to what runs in AWS, such as a function."""
    # AWS itself puts it with the credentials that it gives to a function: it is there wherever they are used.
    if (header := subject.header) is not None:  # which has the same, and need not be decoded
        within = header.identity.scope if header.identity is not None else None
        issuer = within.issuer_type if within is not None else None
    else:
        scope = part(subject.record, "userIdentity").get("inScopeOf")
        issuer = scope.get("issuerType") if isinstance(scope, dict) else None
    return isinstance(issuer, str) and issuer.startswith("AWS::")


def by_person(subject: Subject) -> bool:
    """Somebody in the console or CloudShell."""
    return agent_of_person(subject.event.user_agent) or from_console(subject.record)


def agent_of_person(agent: str) -> bool:
    """Whether a user agent is that of CloudShell, or of a browser."""
    return "CloudShell" in agent or agent.startswith("Mozilla")


def from_console(record: Record) -> bool:
    """Whether a record says that the session began in the console."""
    return record.get("sessionCredentialFromConsole") in ("true", True)


def by_smwatch(subject: Subject) -> bool:
    """smwatch, which reads metadata."""
    # Anyone can call themselves smwatch, so this excuses only what smwatch does: it reads metadata, never a value.
    return agent_of_smwatch(subject.event.user_agent) and subject.event.name in CALLS_OF_SMWATCH


def agent_of_smwatch(agent: str) -> bool:
    """Whether a user agent is that of smwatch."""
    return "smwatch/" in agent


CALLS_OF_SMWATCH = frozenset(
    ("DescribeSecret", "ListSecrets", "ListSecretVersionIds", "GetResourcePolicy", "ListResourcePolicies")
)
"""What smwatch asks of Secrets Manager about secrets."""
