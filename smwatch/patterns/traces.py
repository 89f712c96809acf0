"""What a message must hold for a JSON pattern to match it, looked for in its text: a quick "no" needs no decoding.

A message without a backslash shows all its keys, texts and numbers as they are compared. Serves "pattern", where it is
asked of messages.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from itertools import chain
from typing import TypeAlias

from smwatch.patterns.nodes import AllOf, AnyOf, Compare, Condition, Glob, Key, NotExists, Operator, Selector
from smwatch.patterns.records import plain_text

MOST_SEARCHES = 4
"""More of them may take longer than they save."""
LONGEST = 48
"""Characters of a text that are looked for: `str.rfind` takes half of the time of `in`, but at worst that of their
product with the message's."""

_COMMON = """
accountId arn awsRegion eventCategory eventID eventName eventSource eventTime eventType eventVersion managementEvent
principalId readOnly recipientAccountId requestID requestParameters responseElements sourceIPAddress type userAgent
userIdentity"""
_ALWAYS = frozenset(_COMMON.split())
"""Keys that nearly all of CloudTrail's records have: to look for them is lost time."""

Ask: TypeAlias = Callable[[str], bool]
_Trace: TypeAlias = tuple[str, ...]
"""Texts of which a message that matches holds one at least."""


def at_first(condition: Condition, decoded: Ask) -> Ask:
    """Compile to a question about a message that is left to `decoded` only where its text does not say no."""
    parts = condition.parts if isinstance(condition, AllOf) else (condition,)
    asks, traces = list[Ask](), set[_Trace]()
    for part in parts:
        if ask := _one_of(part):
            asks.append(ask)
        else:
            traces.update(_traces(part))
    needles = list[str]()
    searches = len(asks)
    # Long texts are found quickly and seldom.
    for trace in sorted(traces, key=lambda trace: (_shortest(trace), trace), reverse=True):
        searches += len(trace)
        if searches > MOST_SEARCHES:
            break
        if len(trace) == 1:
            needles += trace
        else:
            asks.append(_any_of(trace))
    if not needles and not asks:
        return decoded

    def matches(message: str) -> bool:
        if "\\" not in message:
            for needle in needles:
                if message.rfind(needle) < 0:
                    return False
            for ask in asks:
                if not ask(message):
                    return False
        return decoded(message)

    return matches


def _traces(condition: Condition) -> set[_Trace]:
    """What a message holds if the condition is met."""
    match condition:
        case AllOf(parts):
            return set(chain.from_iterable(map(_traces, parts)))
        case AnyOf(parts):
            sides = list(map(_traces, parts))
            if not all(sides):
                return set()
            common = set.intersection(*sides)
            return common or {tuple(chain.from_iterable(max(side, key=_shortest) for side in sides))}
        case Compare(selector, Operator.EQ, Glob(pieces)):
            piece = max(pieces, key=len)
            return {*_key(selector), (piece[:LONGEST],)} if piece else _key(selector)
        case Compare() if text := plain_text(condition):
            return {(f'"{text}"'[:LONGEST],)}
        case NotExists():
            return set()
        case _:
            return _key(condition.selector)


def _shortest(trace: Iterable[str]) -> int:
    return min(map(len, trace))


def _key(selector: Selector) -> set[_Trace]:
    names = [step.name for step in selector.steps if isinstance(step, Key) and step.name not in _ALWAYS]
    return {(f'"{names[-1]}"'[:LONGEST],)} if names else set()


def _one_of(condition: Condition) -> Ask | None:
    """Compile a list of texts for one key (`$.eventName = A || $.eventName = B`) to a look at what follows the key."""
    if not isinstance(condition, AnyOf):
        return None
    texts = [plain_text(part) for part in condition.parts]
    keys = {part.selector.steps[-1:] for part in condition.parts if isinstance(part, Compare)}
    match [*keys]:
        case [(Key(name),)] if all(texts) and len(name) < LONGEST:
            return _valued(f'"{name}"', "|".join(re.escape(text) for text in texts if text))
        case _:
            return None


def _valued(key: str, texts: str) -> Ask:
    value = re.compile(rf'\s*:\s*"(?:{texts})"').match

    def found(message: str) -> bool:
        at = message.rfind(key)
        while at >= 0:
            if value(message, at + len(key)):
                return True
            at = message.rfind(key, 0, at)
        return False

    return found


def _any_of(trace: _Trace) -> Ask:
    def found(message: str) -> bool:
        for text in trace:  # noqa: SIM110 - a generator would cost more than the question
            if message.rfind(text) >= 0:
                return True
        return False

    return found
