"""The term that asks for the value of a field."""

from __future__ import annotations

import re

from smwatch.events.event import Event
from smwatch.events.secret import Secret
from smwatch.filter.answers import Answers
from smwatch.filter.glob import Glob
from smwatch.filter.term import FAST_STEP, ID_STEP, STEP, Term
from smwatch.filter.terms import Flag


class Field(Term):
    """Asks whether a field fits one of some globs; a field that an event lacks fits none."""

    def __init__(self, name: str, globs: tuple[Glob, ...], *, exclude: bool = False) -> None:
        """`name` is one of FIELDS; for "user" there is User."""
        self.name = name
        self.globs = globs
        super().__init__(exclude=exclude)
        self.cost = 1 if name in _PLAIN else 4 if name == "id" else 3
        self.step = FAST_STEP if name in _PLAIN or name == "error" else ID_STEP if name == "id" else STEP
        fits = globs[0].fits if len(globs) == 1 else lambda text: any(glob.fits(text) for glob in globs)
        self._fits = fits if not fits("") else lambda text: text != "" and fits(text)
        self._texts = Answers(self._fits)
        self._secrets = Answers(self._fits_secret)

    def _picked(self, events: list[Event], exclude: bool) -> list[Event]:
        texts = self._texts
        match self.name:
            case "name":
                return [e for e in events if texts[e.call.name] is not exclude]
            case "ip":
                return [e for e in events if texts[e.caller.source_ip] is not exclude]
            case "region":
                return [e for e in events if texts[e.caller.region] is not exclude]
            case "account":
                return [e for e in events if texts[e.caller.account] is not exclude]
            case "agent":
                return [e for e in events if texts[e.caller.user_agent] is not exclude]
            case "secret":
                one = self._secrets
                return [
                    e
                    for e in events
                    if (one[e.call.secret] or (e.call.others != () and any(map(one.__getitem__, e.call.others))))
                    is not exclude
                ]
            case "error":
                return [e for e in events if (texts[e.call.error_code] or texts[e.call.error_message]) is not exclude]
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
            case "error":
                return texts[event.error_code] or texts[event.error_message]
            case "id":
                return self._fits(event.id)
            case plain:
                return texts[getattr(event, _PLAIN[plain])]

    def _fits_secret(self, secret: Secret | None) -> bool:
        if secret is None:
            return False
        for glob in self.globs:
            if glob.fits(secret.name):
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
