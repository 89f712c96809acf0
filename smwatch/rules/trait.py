"""Traits: what a rule can ask of an event that a filter pattern cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from fnmatch import fnmatchcase
from typing import TypeAlias

from msgspec import Struct

from smwatch.events.naming import part
from smwatch.events.policy import Grade, account_of, grade
from smwatch.events.principal import Kind
from smwatch.events.selectors import Selectors
from smwatch.events.tidy import clipped
from smwatch.patterns.conditions import parse_selector
from smwatch.record import Record, encode
from smwatch.rules.documented import deafens, weakens
from smwatch.rules.glance import Look
from smwatch.rules.subject import Subject

Lists: TypeAlias = Mapping[str, tuple[str, ...]]
Ask: TypeAlias = Callable[[Subject], bool]
Foreign: TypeAlias = Callable[[Subject], Iterable[str]]
"""The accounts, other than its own, that an event lets in, names or is by."""

LISTS = {
    "org_accounts": "ids of accounts of yours beside those watched: their reads, keys and functions are no stranger's",
    "decoys": "names of secrets (globs) that nobody has a reason to touch",
    "decommissioned": "names of secrets (globs) whose deletion is known and wanted",
    "tools": "words in the user agent of offensive tools, in any case",
    "scanners": "words in the user agent of scanners you have authorised, in any case",
    "audit": "names (globs) of the log groups, topics, buckets and roles that the trail and its alarms rely on",
}
"""The lists a rules file or the configuration can fill, and what they are for."""


class Known(Struct, frozen=True):
    """A trait: what it says, and how to ask."""

    says: str
    make: Callable[[Lists], Ask | None]
    """Given the lists, the question; None where with these lists no event can have the trait."""
    history: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """Facts, and the dimensions they are compared by, if it depends on those: then the engine answers, not `make`."""
    looks: Callable[[Lists], tuple[Look, ...]] | None = None
    """What of the record decides it, where a few fields do."""
    of_caller: bool = False
    """Whether it is the same for all calls by one caller about one secret."""
    foreign: Foreign | None = None
    """The accounts of which one has to be a stranger's, if that decides it: which of them are watched may turn out
    later. `make` goes by the lists alone."""


def _plain(says: str, ask: Ask, *looks: Look, of_caller: bool = False) -> Known:
    return Known(says, lambda _lists: ask, looks=(lambda _lists: looks) if looks else None, of_caller=of_caller)


def _text(field: str, says: Callable[[str], bool]) -> Look:
    """A look at a field of the record itself that is a text, as its event has it."""

    def question(record: Record) -> bool | str:
        value = record.get(field)
        return says(clipped(value)) if isinstance(value, str) else encode(value)

    return parse_selector(f"$.{field}"), question


def _of_strangers(says: str, foreign: Foreign, *, of_caller: bool = False) -> Known:
    """Whether one of these accounts is a stranger's: neither in org_accounts nor watched."""

    def make(lists: Lists) -> Ask:
        ours = frozenset(lists["org_accounts"])
        return lambda subject: not ours.issuperset(foreign(subject))

    return Known(says, make, of_caller=of_caller, foreign=foreign)


def _of_history(says: str, facts: Mapping[str, tuple[str, ...]]) -> Known:
    return Known(says, lambda _lists: None, history=tuple(facts.items()))


_ROTATIONS = {
    "rotation_started": ("secret",),
    "rotation_ended": ("secret",),
    "rotation_write": ("secret", "identity"),
}


# ------------------------------------------------------------------------------------------------------------ principal

_INSTANCE = re.compile(r"i-[0-9a-f]{8,17}", re.ASCII)


def _other_account(subject: Subject) -> bool:
    return subject.event.principal.kind is Kind.OTHER_ACCOUNT


def _caller(subject: Subject) -> Iterable[str]:
    return (subject.event.principal.account,) if _other_account(subject) else ()


def _service(subject: Subject) -> bool:
    return bool(subject.event.principal.invoked_by) or subject.event.principal.kind is Kind.SERVICE


def _instance(subject: Subject) -> bool:
    return bool(_INSTANCE.fullmatch(subject.event.principal.session))


def _workload(subject: Subject) -> bool:
    # AWS itself puts it with the credentials that it gives to a function: it is there wherever they are used.
    if (header := subject.header) is not None:  # which has the same, and need not be decoded
        within = header.identity.scope if header.identity is not None else None
        issuer = within.issuer_type if within is not None else None
    else:
        scope = part(subject.record, "userIdentity").get("inScopeOf")
        issuer = scope.get("issuerType") if isinstance(scope, dict) else None
    return isinstance(issuer, str) and issuer.startswith("AWS::")


def _interactive(subject: Subject) -> bool:
    return _interactive_agent(subject.event.user_agent) or _from_console(subject.record)


def _interactive_agent(agent: str) -> bool:
    return "CloudShell" in agent or agent.startswith("Mozilla")


def _from_console(record: Record) -> bool:
    return record.get("sessionCredentialFromConsole") in ("true", True)


def _self(subject: Subject) -> bool:
    # Anyone can call themselves smwatch, so this excuses only what smwatch does: it reads metadata, never a value.
    return _own_agent(subject.event.user_agent) and subject.event.name in _OWN_CALLS


def _own_agent(agent: str) -> bool:
    return "smwatch/" in agent


_OWN_CALLS = frozenset(
    ("DescribeSecret", "ListSecrets", "ListSecretVersionIds", "GetResourcePolicy", "ListResourcePolicies")
)


def _agent(says: str, listed: str) -> Known:
    def has_word(lists: Lists) -> Callable[[str], bool] | None:
        words = tuple(word.lower() for word in lists[listed] if word)

        def ask(agent: str) -> bool:
            agent = agent.lower()
            return any(word in agent for word in words)

        return ask if words else None

    def make(lists: Lists) -> Ask | None:
        ask = has_word(lists)
        return (lambda subject: ask(subject.event.user_agent)) if ask is not None else None

    def looks(lists: Lists) -> tuple[Look, ...]:
        ask = has_word(lists)
        return (_text("userAgent", ask),) if ask is not None else ()

    return Known(says, make, looks=looks)


# -------------------------------------------------------------------------------------------------------------- secrets


def _named(listed: str) -> Callable[[Lists], Ask | None]:
    def make(lists: Lists) -> Ask | None:
        globs = tuple(lists[listed])

        def ask(subject: Subject) -> bool:
            secrets = (subject.secret, *subject.event.others) if subject.secret else ()
            return any(fnmatchcase(secret.name, glob) for secret in secrets for glob in globs)

        return ask if globs else None

    return make


def _nameless(subject: Subject) -> bool:
    return subject.secret is None


def _catch_all(subject: Subject) -> bool:
    """Every filter lets nearly everything through: among its values, of which one is enough, is a negated one."""
    filters = part(subject.record, "requestParameters").get("filters")
    return isinstance(filters, list) and bool(filters) and all(_negated(one) for one in filters)


def _negated(written: object) -> bool:
    values = written.get("values") if isinstance(written, dict) else None
    return isinstance(values, list) and any(isinstance(value, str) and value.startswith("!") for value in values)


def _blind_trail(subject: Subject) -> bool:
    """The selectors put leave out reads of secrets."""
    put = Selectors.put(part(subject.record, "requestParameters"))
    return bool(put.basic or put.advanced) and not put.reads


def _audit(lists: Lists) -> Ask | None:
    globs = lists["audit"]

    def ask(subject: Subject) -> bool:
        given = part(subject.record, "requestParameters").values()
        texts = [text for value in given for text in (value if isinstance(value, list) else (value,))]
        # An ARN names it somewhere after the account: a log group after a word, a subscription's topic before its id.
        names = {name for text in texts if isinstance(text, str) for name in (text, *text.split(":", 7)[5:])}
        return any(fnmatchcase(name, glob) for name in names for glob in globs)

    return ask if globs else None


def _unaudited(lists: Lists) -> Ask | None:
    audit = _audit(lists)
    return (lambda subject: not audit(subject)) if audit is not None else None


def _new_value(subject: Subject) -> bool:
    """A new version was made: by PutSecretValue always, by UpdateSecret only if it was given a value."""
    return subject.record.get("eventName") != "UpdateSecret" or bool(
        part(subject.record, "responseElements").get("versionId")
    )


_RATE = re.compile(r"\s*rate\(\s*(\d{1,9})\s+(hour|day)s?\s*\)\s*", re.ASCII)
_YEAR = 366


def _rotation_put_off(subject: Subject) -> bool:
    """The rules of the rotation let more than a year pass."""
    rules = part(subject.record, "requestParameters").get("rotationRules")
    if not isinstance(rules, dict):
        return False
    days, schedule = rules.get("automaticallyAfterDays"), rules.get("scheduleExpression")
    if isinstance(days, int | float) and days > _YEAR:
        return True
    rate = _RATE.fullmatch(schedule) if isinstance(schedule, str) else None
    return rate is not None and int(rate[1]) > _YEAR * (24 if rate[2] == "hour" else 1)


# ------------------------------------------------------------------------------------------------- what a call opens up


def _graded(subject: Subject) -> Grade | None:
    """The policy that is put, graded; None if none is."""
    parameters = part(subject.record, "requestParameters")
    text = parameters.get("resourcePolicy", parameters.get("policy"))  # of a secret, of a KMS key
    return grade(text, subject.account) if isinstance(text, str) else None


def _policy(says: Callable[[Grade], bool]) -> Ask:
    return lambda subject: (graded := _graded(subject)) is not None and says(graded)


def _let_in(subject: Subject) -> Iterable[str]:
    graded = _graded(subject)
    return graded.foreign if graded is not None else ()


def _of_arn(key: str) -> Foreign:
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


def _grantee(subject: Subject) -> Iterable[str]:
    grantee = part(subject.record, "requestParameters").get("granteePrincipal")
    account = account_of(grantee) if isinstance(grantee, str) else ""
    return (account,) if account not in ("", subject.account) else ()


def _of_any_arn(subject: Subject) -> Iterator[str]:
    """The accounts of all ARNs among the request parameters, whatever their keys are called."""
    for value in part(subject.record, "requestParameters").values():
        for text in value if isinstance(value, list) else (value,):
            parts = text.split(":", 5) if isinstance(text, str) else []
            if len(parts) == 6 and parts[0] == "arn" and parts[4] not in ("", subject.account):
                yield parts[4]


_STRANGER = "an account that is neither watched nor in org_accounts"

TRAITS: dict[str, Known] = {
    "service": _plain("an AWS service made the call, or made it for someone", _service, of_caller=True),
    "self": _plain(
        "smwatch itself reads metadata",
        _self,
        _text("userAgent", _own_agent),
        _text("eventName", _OWN_CALLS.__contains__),
    ),
    "instance": _plain("the session belongs to an EC2 instance", _instance, of_caller=True),
    "workload": _plain("the credentials were given to what runs in AWS, such as a function", _workload),
    "interactive": _plain(
        "a person reads in the console or CloudShell",
        _interactive,
        _text("userAgent", _interactive_agent),
        (parse_selector("$.sessionCredentialFromConsole"), _from_console),
    ),
    "other_account": _plain("the caller belongs to another account", _other_account, of_caller=True),
    "stranger": _of_strangers(f"the caller belongs to {_STRANGER}", _caller, of_caller=True),
    "tool": _agent("the user agent is an offensive tool's", "tools"),
    "scanner": _agent("the user agent is an authorised scanner's", "scanners"),
    "nameless": _plain("the record names no secret", _nameless, of_caller=True),
    "decoy": Known("the secret is a decoy", _named("decoys"), of_caller=True),
    "decommissioned": Known("the secret's deletion is known and wanted", _named("decommissioned"), of_caller=True),
    "audit": Known("the audit trail or its alarms rely on what the call names", _audit),
    "unaudited": Known("the audit trail and its alarms are known to rely on others", _unaudited),
    "blind_trail": _plain("the trail's selectors leave out reads of secrets", _blind_trail),
    "weakened_alarm": _plain(
        "the alarm on access to deleted secrets is put other than documented, or kept quiet",
        lambda subject: weakens(subject.record),
    ),
    "deaf_filter": _plain(
        "the filter put no longer counts an access to a deleted secret", lambda subject: deafens(subject.record)
    ),
    "catch_all": _plain("every filter of the batch is negated", _catch_all),
    "new_value": _plain("the call wrote a value", _new_value),
    "rotation_put_off": _plain("the rotation comes less than once a year", _rotation_put_off),
    "public_policy": _plain("the policy lets anybody in", _policy(lambda grade: grade.public)),
    "stranger_policy": _of_strangers(f"the policy lets in {_STRANGER}", _let_in),
    "unbound_policy": _plain(
        "the policy lets a service in on whosever behalf, or whoever an identity provider knows",
        _policy(lambda grade: grade.unbound),
    ),
    "self_perpetuating_policy": _plain("the policy allows changing it", _policy(lambda grade: grade.self_perpetuating)),
    "locking_policy": _plain("the policy keeps somebody from undoing things", _policy(lambda grade: grade.locks_out)),
    "unreadable_policy": _plain("the policy is no policy document", _policy(lambda grade: not grade.readable)),
    "stranger_key": _of_strangers(f"the KMS key belongs to {_STRANGER}", _of_arn("kmsKeyId")),
    "stranger_grantee": _of_strangers(f"the KMS key is granted to {_STRANGER}", _grantee),
    "stranger_function": _of_strangers(f"the rotation function belongs to {_STRANGER}", _of_arn("rotationLambdaARN")),
    "stranger_arn": _of_strangers(f"a parameter names something in {_STRANGER}", _of_any_arn),
    "rotation_actor": _of_history("the principal rotates this secret: it wrote to it while a rotation ran", _ROTATIONS),
    "in_rotation": _of_history("a rotation of the secret is under way", _ROTATIONS),
    "just_written": _of_history(
        "the principal wrote to this secret in the ten minutes before: for ten more the record of a rotation's start "
        "may turn up",
        {"rotation_write": ("secret", "identity")},
    ),
    "pending_deletion": _of_history(
        "the secret's deletion is scheduled, and it was not restored since",
        {"schedules": ("secret",), "restores": ("secret",)},
    ),
    "same_policy": _of_history(
        "the policy is put again as it was", {"policies": ("secret", "policy"), "policy_removals": ("secret",)}
    ),
}
"""Every trait by name."""
