"""Traits: what a rule can ask of an event that a filter pattern cannot say."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import TypeAlias

from msgspec import Struct

from smwatch.events.naming import part
from smwatch.events.selectors import Selectors
from smwatch.events.tidy import clipped
from smwatch.patterns.conditions import parse_selector
from smwatch.record import Record, encode
from smwatch.rules import caller, opening
from smwatch.rules.documented import deafens, weakens
from smwatch.rules.glance import Look
from smwatch.rules.opening import Foreign
from smwatch.rules.subject import Subject

Lists: TypeAlias = Mapping[str, tuple[str, ...]]
Ask: TypeAlias = Callable[[Subject], bool]

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


_STRANGER = "an account that is neither watched nor in org_accounts"

TRAITS: dict[str, Known] = {
    "service": _plain("an AWS service made the call, or made it for someone", caller.by_service, of_caller=True),
    "self": _plain(
        "smwatch itself reads metadata",
        caller.by_smwatch,
        _text("userAgent", caller.agent_of_smwatch),
        _text("eventName", caller.CALLS_OF_SMWATCH.__contains__),
    ),
    "instance": _plain("the session belongs to an EC2 instance", caller.by_instance, of_caller=True),
    "workload": _plain("the credentials were given to what runs in AWS, such as a function", caller.by_workload),
    "interactive": _plain(
        "a person reads in the console or CloudShell",
        caller.by_person,
        _text("userAgent", caller.agent_of_person),
        (parse_selector("$.sessionCredentialFromConsole"), caller.from_console),
    ),
    "other_account": _plain("the caller belongs to another account", caller.of_other_account, of_caller=True),
    "stranger": _of_strangers(f"the caller belongs to {_STRANGER}", caller.strange_callers, of_caller=True),
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
    "public_policy": _plain("the policy lets anybody in", opening.policy(lambda grade: grade.public)),
    "stranger_policy": _of_strangers(f"the policy lets in {_STRANGER}", opening.let_in),
    "unbound_policy": _plain(
        "the policy lets a service in on whosever behalf, or whoever an identity provider knows",
        opening.policy(lambda grade: grade.unbound),
    ),
    "self_perpetuating_policy": _plain(
        "the policy allows changing it", opening.policy(lambda grade: grade.self_perpetuating)
    ),
    "locking_policy": _plain(
        "the policy keeps somebody from undoing things", opening.policy(lambda grade: grade.locks_out)
    ),
    "unreadable_policy": _plain("the policy is no policy document", opening.policy(lambda grade: not grade.readable)),
    "stranger_key": _of_strangers(f"the KMS key belongs to {_STRANGER}", opening.in_arn("kmsKeyId")),
    "stranger_grantee": _of_strangers(f"the KMS key is granted to {_STRANGER}", opening.grantees),
    "stranger_function": _of_strangers(
        f"the rotation function belongs to {_STRANGER}", opening.in_arn("rotationLambdaARN")
    ),
    "stranger_arn": _of_strangers(f"a parameter names something in {_STRANGER}", opening.in_any_arn),
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
