"""Events that are one more of the same: rules can tell them apart by nothing but when they happened and by their ids.

Serves the row "rules" of the benchmarks: a reader has read already what most rules ask, so that most events need no
second look at their record.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, get_args

from msgspec import UNSET, Struct
from msgspec.structs import fields

from smwatch.events.event import CALLER_BITS, Arrival, Likeness
from smwatch.events.header import Header
from smwatch.events.recent import mark_of
from smwatch.rules.dimension import KEY_OF_RESOURCES
from smwatch.rules.glance import Answers, Glance, Look, Path, Remembered, path_of
from smwatch.rules.subject import network_of

CALLERS = 16_384
"""Callers remembered, before all are forgotten: as many as a reader remembers."""
ANSWERED = 8_192
"""Callers of which answers are remembered, before all are forgotten."""
CALLER_MASK = (1 << CALLER_BITS) - 1
"""What of a likeness is the number of the caller."""
SAME = frozenset(
    (
        *(("userIdentity", key) for key in ("type", "arn", "invokedBy", "accessKeyId")),
        *(("requestParameters", key) for key in ("versionId", "versionStage", "keyId", "kmsKeyId")),
        ("requestParameters", "encryptionContext", "SecretARN"),
        *((key,) for key in ("userAgent", "errorCode", "errorMessage", "eventType", "sessionCredentialFromConsole")),
        ("vpcEndpointId",),
        ("userIdentity", "inScopeOf", "issuerType"),
    )
)
"""The fields of a record that are the same, or missing, for all alike events: headers have them as they are."""
OF_CALLER = frozenset(
    path for path in SAME if path[0] in ("userIdentity", "userAgent", "vpcEndpointId", "sessionCredentialFromConsole")
)
"""Those that are the same for all events of one caller, whatever it calls; the others are for all equal calls."""
_RESOURCES = path_of(KEY_OF_RESOURCES[0])


def same_if_alike(look: Look) -> bool:
    """Whether a look at the record has the same answer, that something is missing included, for all alike events."""
    return path_of(look[0]) in SAME or look == KEY_OF_RESOURCES


def is_of_caller(look: Look) -> bool:
    """Whether a look at the record has the same answer for all events of one caller."""
    return path_of(look[0]) in OF_CALLER


def of_header(paths: Sequence[Path]) -> Callable[[Header], Sequence[Any]] | None:
    """What reads these fields of a record off its header, resources as their ARNs; None where it lacks some of them."""
    if len(paths) < 2 or not all(path in SAME or path == _RESOURCES for path in paths):
        return None
    places = [_place(path) for path in paths]
    get = attrgetter(*places)
    at = paths.index(_RESOURCES) if _RESOURCES in paths else -1

    def read(header: Header) -> Sequence[Any]:
        try:
            found: Iterable[Any] = get(header)
        except AttributeError:  # a part is missing
            found = [_at(header, place) for place in places]
        values = [UNSET if value is None else value for value in found]
        if at >= 0 and header.resources is not None:
            values[at] = tuple([resource.arn for resource in header.resources])
        return values

    return read


class Callers:
    """Callers that rules don't tell apart: they differ in their address alone, and that in nothing but the network.

    Serves the row "rules-varied" of the benchmarks: those of a session come from any number of addresses.
    """

    __slots__ = ("_first", "answers", "asked", "same")

    def __init__(self, looks: Iterable[Look], remembered: Remembered) -> None:
        """`looks`: all that is asked about records, of whichever event; `remembered`: see Glance."""
        self.same: dict[int, int] = {}
        """By the number of each that is known: that of the first like it."""
        self._first: dict[Hashable, int] = {}
        """By the mark of what they have in common, of which the texts would be kept nowhere else: see "memory-flat"."""
        self.asked = Glance(filter(is_of_caller, looks), of_header, remembered).answers
        """Answers all that is asked about the caller of an event, whatever it calls."""
        self.answers: dict[int, Answers] = {}
        """By the number of each first one, what was answered of it; `answer` finds what is lacking."""

    def answer(self, arrival: Arrival, like: Likeness) -> Answers:
        """The answers about the caller of an event, whose likeness `like` gave, which are not known yet."""
        if len(self.answers) >= ANSWERED:
            self.answers.clear()
        answers = self.answers[like & CALLER_MASK] = self.asked(arrival)
        return answers

    def like(self, arrival: Arrival) -> Likeness | None:
        """The likeness of an event, but of the first of such callers; None for one that has none."""
        likeness = arrival.likeness
        if likeness is None:
            return None
        caller = likeness & CALLER_MASK
        first = self.same.get(caller)
        if first is None:
            if len(self.same) >= CALLERS:
                self.same.clear()
                self._first.clear()
            first = self.same[caller] = self._find(arrival, caller)
        return likeness - caller + first

    def _find(self, arrival: Arrival, caller: int) -> int:
        header, by = arrival.header, arrival.event.caller
        identity = header.identity if header is not None else None
        if header is None or identity is None or not identity.arn:
            return caller
        session, scope = identity.session, identity.scope
        told = (
            identity.arn,
            identity.invoked_by,
            session.issuer.arn if session is not None and session.issuer is not None else None,
            header.account,
            header.region,
            header.user_agent,
            network_of[by.came.source_ip],
            identity.access_key,
            identity.type,
            scope.issuer_type if scope is not None else None,
            header.vpc_endpoint,
            header.from_console,
        )
        return self._first.setdefault(mark_of(told), caller)


_fields = cache(fields)
"""To look them up takes a millisecond: serves "longest stall of the event loop", as each new kind of event asks."""


def _place(path: Path) -> str:
    """Where a header has this field, as attrgetter takes it."""
    names: list[str] = []
    part: Any = Header
    for key in path:
        field = next(field for field in _fields(part) if field.encode_name == key)
        names.append(field.name)
        part = next((one for one in get_args(field.type) if isinstance(one, type) and issubclass(one, Struct)), None)
    return ".".join(names)


def _at(header: Header, place: str) -> Any:
    value: Any = header
    for name in place.split("."):
        value = getattr(value, name, None)
    return value
