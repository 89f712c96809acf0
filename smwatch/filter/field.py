"""The term that asks for the value of a field."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from operator import attrgetter

from smwatch.events.call import Call, Caller
from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.filter.answers import Answers
from smwatch.filter.glob import Glob
from smwatch.filter.ids import DIGITS, places_that_may_hold
from smwatch.filter.term import FAST_STEP, ID_STEP, STEP, Term
from smwatch.filter.terms import Flag


class Field(Term):
    """Asks whether a field fits one of some globs; a field that an event lacks fits none."""

    def __init__(self, name: str, globs: tuple[Glob, ...], *, exclude: bool = False) -> None:
        """`name` is one of FIELDS; for "user" there is User."""
        self.name = name
        self.globs = globs
        super().__init__(exclude=exclude)
        self.by_call, self.by_event = name in _OF_CALL, name == "id"
        self.by_caller = not (self.by_call or self.by_event)
        self.cost = 1 if name in _PLAIN else 4 if name == "id" else 3
        self.step = FAST_STEP if name in ("name", "error") else ID_STEP if name == "id" else STEP
        fits = globs[0].fits if len(globs) == 1 else lambda text: any(glob.fits(text) for glob in globs)
        self._fits = fits if not fits("") else lambda text: text != "" and fits(text)
        self._texts = Answers(self._fits)
        self._secrets = Answers(self._fits_secret)

    def _within(self, other: Term) -> bool:
        if isinstance(other, Flag):
            return self.name == other.word == "error"
        return (
            isinstance(other, Field)
            and self.name == other.name
            and all(any(self._glob_within(one, another) for another in other.globs) for one in self.globs)
        )

    def _glob_within(self, one: Glob, another: Glob) -> bool:
        """Whether one finds no more than another: an ARN finds secrets by more than their names."""
        return one == another if self.name == "secret" and _is_arn(one) else one.within(another)

    def _described(self, exclude: bool) -> str:
        return f"{FIELDS[self.name]} {'not ' if exclude else ''}{' or '.join(glob.text for glob in self.globs)}"

    def finds_call(self, call: Call) -> bool:
        """Whether what the field says of the call fits."""
        match self.name:
            case "secret":
                secrets = self._secrets
                return secrets[call.secret] or any(secrets[other] for other in call.others)
            case "error":
                return self._texts[call.error_code] or self._texts[call.error_message]
            case _:
                return self._texts[call.name]

    def finds_caller(self, caller: Caller) -> bool:
        """Whether what the field says of the caller fits."""
        return self._texts[_OF_CALLER[self.name](caller)]

    def finds_callers(self, callers: Sequence[Caller]) -> list[bool]:
        """The same of many, most of which may have an address of their own."""
        fits, texts = self._fits, self._texts
        if self.name == "ip" and len(self.globs) == 1:
            core = self.globs[0].core
            return [core in caller.came.source_ip.lower() and fits(caller.came.source_ip) for caller in callers]
        return [texts[text] for text in map(_OF_CALLER[self.name], callers)]

    def finds_event(self, event: Event) -> bool:
        """Whether the event's ID fits."""
        return self._fits(event.id)

    def places_of_found(self, events: Sequence[Event]) -> list[int]:
        """Those of many: some digits leave few whose IDs are to be made."""
        digits = self.globs[0].core.replace("-", "")
        if len(self.globs) > 1 or len(digits) < SOME or digits.strip(DIGITS):
            return super().places_of_found(events)
        return [place for place in places_that_may_hold(digits, events) if self.finds_event(events[place])]

    def _fits_secret(self, secret: Secret | None) -> bool:
        if secret is None:
            return False
        for glob in self.globs:
            if glob.fits(secret.name):
                return True
            if _is_arn(glob):
                arn = f":secretsmanager:{secret.region}:{secret.account}:secret:{secret.name}"
                without_suffix = Glob(_SUFFIX.sub("", glob.text), literal=glob.literal)
                if any(one(f"arn:{partition}{arn}") for partition in PARTITIONS for one in (glob, without_suffix)):
                    return True
        return False


def _is_arn(glob: Glob) -> bool:
    return glob.text.lower().startswith("arn:")


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
_OF_CALL = frozenset({"name", "secret", "error"})
_OF_CALLER: dict[str, Callable[[Caller], str]] = {
    "ip": attrgetter("came.source_ip"),
    "region": attrgetter("region"),
    "account": attrgetter("account"),
    "agent": attrgetter("came.user_agent"),
}
_PLAIN = {"name", *_OF_CALLER}
SOME = 4
"""Digits that few event IDs have in common."""
PARTITIONS = ("aws", "aws-cn", "aws-us-gov")
_SUFFIX = re.compile(r"-(?:[A-Za-z0-9?]{6}|[A-Za-z0-9?]{0,6}\*)\Z")
"""What AWS puts behind a secret's name in its ARN: whole, as much of it as is typed, or as in policies."""
