"""What a filter is made of: terms, each a question about an event.

A term answers for one event, and picks from many in one loop without a call per event: filters are applied to the whole
store while a person types. Where many events share a value, it is asked about once (see `Recent`).
"""

from __future__ import annotations

import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Container
from typing import TYPE_CHECKING

from smwatch.events.event import ACCESS_KEY, ACCOUNT_BITS, ADDRESS, ID_BITS, Event
from smwatch.events.principal import Principal
from smwatch.events.recent import Recent
from smwatch.events.secret import Secret
from smwatch.filter.glob import Glob
from smwatch.record import Record

if TYPE_CHECKING:
    from smwatch.patterns import Pattern

REMEMBERED = 20_000
"""Distinct values that a term remembers its answer for."""
SAMPLE, VARIED = 4_000, 1_000
"""Where more of so many events differ in what is said of the call, looking is faster than remembering: each denial
names who was denied what, so that there may be nearly as many as events.
"""
ID_MASK = (1 << ID_BITS) - 1
FAST_STEP, ID_STEP, SLOW_STEP = 25_000, 5_000, 100
"""Events that a term gets through in some milliseconds."""


class Term(ABC):
    """One question; a filter asks all of its own."""

    cost: int = 3
    """Terms of low cost go first."""
    step: int = FAST_STEP
    """Events it gets through in some milliseconds."""

    def __init__(self, *, exclude: bool) -> None:
        self.exclude = exclude
        """Whether the answer is turned round."""

    def keeps(self, event: Event) -> bool:
        """Whether the event is kept."""
        return self._found(event) is not self.exclude

    def select(self, events: list[Event]) -> list[Event]:
        """The kept ones, in order."""
        return self._picked(events, self.exclude)

    def implies(self, other: Term) -> bool:
        """Whether everything this keeps is known to be kept by `other` too."""
        narrow, wide = (other, self) if self.exclude else (self, other)
        return self.exclude is other.exclude and narrow._within(wide)

    @property
    def description(self) -> str:
        """The question in plain words."""
        return self._described(self.exclude)

    @abstractmethod
    def _found(self, event: Event) -> bool: ...

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        found = self._found
        return [e for e in events if found(e) is not exclude]

    @abstractmethod
    def _within(self, other: Term) -> bool:
        """Whether everything that is found by this is known to be found by `other`."""

    @abstractmethod
    def _described(self, exclude: bool) -> str: ...


_PART_OF_ID = re.compile(r"(?=(?:-?[0-9a-f]){8})[0-9a-f]{0,12}(?:-[0-9a-f]{0,12}){0,4}")


class Word(Term):
    """Searches a text anywhere; what looks like part of an eventID is looked for there too."""

    cost = 2

    def __init__(self, text: str, *, exclude: bool = False) -> None:
        self.text = text
        super().__init__(exclude=exclude)
        self._needle = needle = text.lower()
        self._upper = text.upper()
        self._in_call: Recent[str, bool] = Recent(lambda text: needle in text, REMEMBERED)
        self._in_caller: Recent[str, bool] = Recent(lambda text: needle in text, REMEMBERED)
        self._in_address = not needle.strip(ADDRESS)
        self._in_key = not needle.strip(ACCESS_KEY.lower())
        self._is_id = _id_test(needle) if _PART_OF_ID.fullmatch(needle) else None
        self.step = FAST_STEP if self._is_id is None else ID_STEP

    def _found(self, event: Event) -> bool:
        return (
            self._needle in event.call_text
            or self._needle in event.caller_text
            or (self._in_address and self._needle in event.source_ip)
            or (self._in_key and self._upper in event.access_key)
            or (self._is_id is not None and self._is_id(event))
        )

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        if self._is_id is not None:
            return super()._picked(events, exclude)
        needle, upper, call, caller = self._needle, self._upper, self._in_call, self._in_caller
        # Both are false for most words, and half of the row "filter-text" of the benchmarks.
        ip, key = self._in_address, self._in_key
        if len({e.call_text for e in events[:SAMPLE]}) > VARIED:
            return [
                e
                for e in events
                if (
                    caller[e.caller_text]
                    or needle in e.call_text
                    or (ip and needle in e.source_ip)
                    or (key and upper in e.access_key)
                )
                is not exclude
            ]
        return [
            e
            for e in events
            if (
                call[e.call_text]
                or caller[e.caller_text]
                or (ip and needle in e.source_ip)
                or (key and upper in e.access_key)
            )
            is not exclude
        ]

    def _within(self, other: Term) -> bool:
        if not isinstance(other, Word) or other._needle not in self._needle:
            return False
        return self._is_id is None or other._is_id is not None

    def _described(self, exclude: bool) -> str:
        return f"{'without' if exclude else 'with'} “{self.text}”"


def _id_test(needle: str) -> Callable[[Event], bool]:
    """Asks whether an event's ID holds the needle: by number where it is a whole ID, for making its text is slow."""
    digits = needle.replace("-", "")
    if len(needle) == 36 and len(digits) == 32:
        number = int(digits, 16)
        return lambda event: not event.odd_id and event.key >> ACCOUNT_BITS & ID_MASK == number

    def holds(event: Event) -> bool:
        if event.odd_id:
            return needle in event.odd_id.lower()
        return digits in f"{event.key >> ACCOUNT_BITS & ID_MASK:032x}" and needle in event.id

    return holds


class Field(Term):
    """Asks whether a field fits one of some globs; a field that an event lacks fits none."""

    def __init__(self, name: str, globs: tuple[Glob, ...], *, exclude: bool = False) -> None:
        """`name` is one of FIELDS."""
        self.name = name
        self.globs = globs
        super().__init__(exclude=exclude)
        self.cost = 1 if name in _PLAIN else 4 if name == "id" else 3
        self.step = ID_STEP if name == "id" else FAST_STEP
        self._texts: Recent[str, bool] = Recent(self._fits, REMEMBERED)
        self._secrets: Recent[Secret | None, bool] = Recent(self._fits_secret, REMEMBERED)
        self._principals: Recent[Principal, bool] = Recent(self._fits_principal, REMEMBERED)

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        texts = self._texts
        match self.name:
            case "name":
                return [e for e in events if texts[e.name] is not exclude]
            case "ip":
                return [e for e in events if texts[e.source_ip] is not exclude]
            case "region":
                return [e for e in events if texts[e.region] is not exclude]
            case "account":
                return [e for e in events if texts[e.account] is not exclude]
            case "agent":
                return [e for e in events if texts[e.user_agent] is not exclude]
            case "user":
                who = self._principals
                return [e for e in events if (who[e.principal] or texts[e.access_key]) is not exclude]
            case "secret":
                one = self._secrets
                return [
                    e
                    for e in events
                    if (one[e.secret] or (e.others != () and any(map(one.__getitem__, e.others)))) is not exclude
                ]
            case "error":
                return [e for e in events if (texts[e.error_code] or texts[e.error_message]) is not exclude]
            case _:
                return super()._picked(events, exclude)

    def _within(self, other: Term) -> bool:
        if isinstance(other, Flag):
            return self.name == other.word == "error"
        return (
            isinstance(other, Field)
            and self.name == other.name
            and all(any(one.within(another) for another in other.globs) for one in self.globs)
        )

    def _described(self, exclude: bool) -> str:
        return f"{FIELDS[self.name]} {'not ' if exclude else ''}{' or '.join(glob.text for glob in self.globs)}"

    def _found(self, event: Event) -> bool:
        texts = self._texts
        match self.name:
            case "secret":
                secrets = self._secrets
                return secrets[event.secret] or any(secrets[other] for other in event.others)
            case "user":
                return self._principals[event.principal] or texts[event.access_key]
            case "error":
                return texts[event.error_code] or texts[event.error_message]
            case "id":
                return self._fits(event.id)
            case plain:
                return texts[getattr(event, _PLAIN[plain])]

    def _fits(self, text: str) -> bool:
        return bool(text) and any(glob(text) for glob in self.globs)

    def _fits_principal(self, who: Principal) -> bool:
        return any(map(self._fits, (who.name, who.session, who.identity, who.arn, who.shared_role)))

    def _fits_secret(self, secret: Secret | None) -> bool:
        if secret is None:
            return False
        for glob in self.globs:
            if glob(secret.name):
                return True
            if glob.text.lower().startswith("arn:"):
                arn = f":secretsmanager:{secret.region}:{secret.account}:secret:{secret.name}"
                without_suffix = Glob(_SUFFIX.sub("", glob.text), literal=glob.literal)
                if any(one(f"arn:{partition}{arn}") for partition in PARTITIONS for one in (glob, without_suffix)):
                    return True
        return False


FIELDS = {
    "name": "event",
    "secret": "secret",
    "user": "user",
    "ip": "source IP",
    "region": "region",
    "account": "account",
    "error": "error",
    "agent": "user agent",
    "id": "event ID",
}
"""The fields of the filter language, and what they are called in a sentence."""
_PLAIN = {"name": "name", "ip": "source_ip", "region": "region", "account": "account", "agent": "user_agent"}
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_SUFFIX = re.compile(r"-[A-Za-z0-9?]{6}\Z")


class Flag(Term):
    """Asks one of the questions that have a word of their own: error, denied, read, write."""

    cost = 1

    def __init__(self, word: str, *, exclude: bool = False) -> None:
        super().__init__(exclude=exclude)
        self.word = word

    def _found(self, event: Event) -> bool:
        match self.word:
            case "error":
                return event.failed
            case "denied":
                return event.error_code.startswith(DENIED)
            case "read":
                return event.name in READS
            case _:
                return not event.read_only

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        match self.word:
            case "error":
                return [e for e in events if bool(e.error_code or e.error_message) is not exclude]
            case "denied":
                return [e for e in events if e.error_code.startswith(DENIED) is not exclude]
            case "read":
                return [e for e in events if (e.name in READS) is not exclude]
            case _:
                return [e for e in events if e.read_only is exclude]

    def _within(self, other: Term) -> bool:
        return isinstance(other, Flag) and (self.word == other.word or (self.word, other.word) == ("denied", "error"))

    def _described(self, exclude: bool) -> str:
        return _SAID[self.word][exclude]


DENIED = "AccessDenied"
"""How the error codes of what IAM refuses begin."""
READS = frozenset({"GetSecretValue", "BatchGetSecretValue"})
"""The calls that give out values."""
_SAID = {
    "error": ("failed", "succeeded"),
    "denied": ("denied", "not denied"),
    "read": ("asks for a value", "does not ask for a value"),
    "write": ("changes something", "changes nothing"),
}


class Alarmed(Term):
    """Asks whether an event is evidence of an alarm; the answer can change, see `View.recheck`."""

    cost = 2

    def __init__(self, levels: Container[int], *, exclude: bool = False) -> None:
        """`levels` holds the keys of the events in evidence."""
        super().__init__(exclude=exclude)
        self._levels = levels

    def _found(self, event: Event) -> bool:
        return event.key in self._levels

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        levels = self._levels
        return [e for e in events if (e.key in levels) is not exclude]

    def _within(self, other: Term) -> bool:
        return isinstance(other, Alarmed)

    def _described(self, exclude: bool) -> str:
        return "in no alarm" if exclude else "in an alarm"


class Matching(Term):
    """Asks a filter pattern, which takes the record: slow, so events that cannot match are left out first."""

    cost, step = 9, SLOW_STEP

    def __init__(self, pattern: Pattern, record_of: Callable[[Event], Record]) -> None:
        super().__init__(exclude=False)
        self.pattern = pattern
        self._record_of = record_of
        self._names = pattern.required_values("$.eventName")
        self._sources = pattern.required_values("$.eventSource")

    def _found(self, event: Event) -> bool:
        if self._names is not None and event.name not in self._names:
            return False
        if self._sources is not None and event.source not in self._sources:
            return False
        return self.pattern.matches_record(self._record_of(event), "")

    def _within(self, other: Term) -> bool:
        return isinstance(other, Matching) and self.pattern.text == other.pattern.text

    def _described(self, exclude: bool) -> str:
        return f"{'not ' if exclude else ''}matching the filter pattern"
