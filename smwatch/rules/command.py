"""Commands to run next: holes like {secret} filled with what a record says, safe to paste into a shell."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, lru_cache
from operator import attrgetter

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.record import Record
from smwatch.rules.holes import EACH, HOLES, OF_EVENT, OF_RECORD, SECRETS, THEIR_REGION

_HOLE = re.compile(r"\{([a-z_]+)\}")
_NEARLY_A_HOLE = re.compile(r"\{\s*([a-z_]+)\b(?:\s+\}|(?!\}))")
_LONGEST = 2048
_REGION, _NAME = attrgetter("region"), attrgetter("name")
_REVOKE = (
    """--policy-name AWSRevokeOlderSessions --policy-document '{"Version":"2012-10-17","Statement":[{"Effect":"Deny","""
    """"Action":"*","Resource":"*","Condition":{"DateLessThan":"""
    """{"aws:TokenIssueTime":"'$(date -u +%Y-%m-%dT%H:%M:%SZ)'"}}}]}'"""
    "   # contain: ends all sessions up to now, those of programs too"
)
CONTAIN = "contain"
"""Among a rule's commands, stands for those below."""
_CONTAIN = (
    f"aws iam put-role-policy --role-name {{own_role}} {_REVOKE}",
    f"aws iam put-user-policy --user-name {{user_of_session}} {_REVOKE}",
    "aws iam update-access-key --user-name {user} --access-key-id {long_term_key} --status Inactive   # contain",
    "# contain: disable {person} in IAM Identity Center; sessions that have begun last for up to 12 hours",
)
"""How to stop whoever it is: an alarm shows the one that can be run."""


@cache
def holes(command: str) -> tuple[str, ...]:
    """The names of the holes in a command; a ValueError for an unknown one, or one that stands between quotes."""
    found = tuple(match[1] for match in _HOLE.finditer(command))
    for name in found:
        if name not in HOLES:
            raise ValueError(f"there is no {{{name}}} to fill in: use one of {', '.join(sorted(HOLES))}")
    for match in _HOLE.finditer(command):
        before = command[: match.start()]
        if _open_quote(before):
            raise ValueError(f"{{{match[1]}}} is quoted when it is filled in: leave it out of quotation marks")
    for match in _NEARLY_A_HOLE.finditer(command):
        if match[1] in HOLES:
            raise ValueError(f"{{{match[1]}}} is written without spaces, and closed at once")
    if "\n" in command:
        raise ValueError("a command is one line")
    return found


@cache
def spelled(commands: Sequence[str]) -> tuple[str, ...]:
    """The commands of a rule, with those in it that stop whoever it is where it says so."""
    return tuple(one for command in commands for one in (_CONTAIN if command == CONTAIN else (command,)))


def fill(command: str, values: Mapping[str, str]) -> str:
    """The command with its holes filled, each value quoted; a hole without a value stays readable and harmless."""
    named = holes(command)
    filling = _fill if SECRETS in named else _fill_again
    return filling(command, tuple([values.get(hole, "") for hole in named]))


def _fill(command: str, values: Sequence[str]) -> str:
    """The same with the values of its holes in their order."""
    places = iter(values)

    def quoted(match: re.Match[str]) -> str:
        value = next(places)
        if not value:
            return f"'<{match[1]}>'"
        if match[1] == SECRETS:
            return value  # many words, each quoted already
        before = command[: match.start()]
        if value.startswith("-") and re.search(r"--[\w-]+ $", before):
            return "\0" + quote(value)  # an option's value that looks like an option
        return quote(value)

    return _HOLE.sub(quoted, command).replace(" \0", "=")


# Many an alarm runs the same: all that wait for one secret, each of one session. Serves the row "rules-trouble".
_fill_again = lru_cache(4096)(_fill)


def filled(
    commands: Sequence[str], values: Mapping[str, str], each: Sequence[Mapping[str, str]] = ()
) -> tuple[str, ...]:
    """Those of the commands that can be run as they are, filled; all of them, with holes left open, if none can.

    So a rule can name what undoes a thing for a role and for a user, and an alarm shows the one that fits. A command
    for many secrets is there once for each of their Regions, see `for_secrets`.
    """
    commands = spelled(tuple(commands))
    all_values = {**values, **each[0]} if each else values
    fit = [command for command in commands if all(map(all_values.get, holes(command)))]
    if all(command.lstrip().startswith("#") for command in fit):
        fit = list(commands)
    found: list[str] = []
    for command in fit:
        several = each if not EACH.isdisjoint(holes(command)) else ()
        found += [fill(command, {**values, **one}) for one in several] or [fill(command, values)]
    return tuple(found)


def for_secrets(secrets: Sequence[Secret]) -> list[dict[str, str]]:
    """The values of the holes for many secrets, by Region, in the order in which those come first."""
    regions, found = [*dict.fromkeys(map(_REGION, secrets))], list[dict[str, str]]()
    for region in regions:  # mostly there is one: serves the rows "rules-random" and "rules-trouble"
        theirs = secrets if len(regions) == 1 else [secret for secret in secrets if secret.region == region]
        found.append({SECRETS: " ".join(dict.fromkeys(map(quote, map(_NAME, theirs)))), THEIR_REGION: region})
    return found


def joined(earlier: Sequence[str], found: Sequence[str]) -> tuple[str, ...]:
    """The commands of both, without the loops over secrets of which all are in another's."""
    commands = tuple(dict.fromkeys((*earlier, *found)))
    looped = [_looped(command) for command in commands]
    return tuple(
        command
        for n, (command, words) in enumerate(zip(commands, looped, strict=True))
        if words is None
        or not any(other and (words < other or (words == other and n < m)) for m, other in enumerate(looped))
    )


def _looped(command: str) -> frozenset[str] | None:
    """The words of a shell's loop, in no order; None of another command."""
    return frozenset(word.rstrip(";") for word in command.split()) if command.startswith("for ") else None


@lru_cache(4096)
def quote(value: str) -> str:
    """One word for a shell, whatever the text holds.

    What does not print goes as an escape in $'…' (bash, zsh, ksh): pasted raw it would reach the line editor, where
    quotation marks mean nothing.
    """
    value = value[:_LONGEST]
    if value.isprintable():
        return shlex.quote(value)
    escaped = "".join(_escaped(char) for char in value)
    return f"$'{escaped}'"


def _escaped(char: str) -> str:
    if char in "\\'":
        return "\\" + char
    if char.isprintable():
        return char
    code = ord(char)
    return f"\\x{code:02x}" if code < 0x80 else f"\\U{code:08x}"


def _open_quote(text: str) -> bool:
    quote = ""
    for char in text:
        if quote:
            quote = "" if char == quote else quote
        elif char in "'\"`":
            quote = char
    return bool(quote)


def needs_record(names: Iterable[str]) -> tuple[str, ...]:
    """Those of these holes whose value only the record has."""
    return tuple(name for name in names if name in OF_RECORD)


def record_values(names: Iterable[str], event: Event, record: Record) -> dict[str, str]:
    """The values of these holes that only the record has."""
    return {name: OF_RECORD[name](event, record) for name in names}


@cache
def _holes_of_event(commands: tuple[str, ...]) -> tuple[tuple[str, Callable[[Event], str]], ...]:
    names = dict.fromkeys(name for command in spelled(commands) for name in holes(command))
    return tuple((name, OF_EVENT[name]) for name in names if name in OF_EVENT)


def event_values(commands: tuple[str, ...], event: Event) -> dict[str, str]:
    """The values that an event has of the holes in these commands."""
    return {name: get(event) for name, get in _holes_of_event(commands)}
