"""Events that may yet become evidence, kept small: there are many, and most are never looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from operator import itemgetter

import msgspec

from smwatch.events.event import Event
from smwatch.events.renaming import names_any, renamed_event
from smwatch.events.secret import Secret

LATELY = 64
"""Models that are looked through for one that is like an event, where the last one is not."""

_KEY = itemgetter(0)


def model_of(event: Event, last: Event | None) -> Event:
    """The event to keep it by: `last`, if they differ in nothing but their keys and when they were seen.

    When it was seen is nothing that rules ask. Texts that are equal but not the same count as different.
    """
    # Spelled out: a comparison of all fields by attrgetter takes three times as long (see the row "rules").
    if (
        last is not None
        and last.call is event.call
        and last.caller is event.caller
        and last.seen_by is event.seen_by
        and last.odd_id is event.odd_id
    ):
        return last
    return event


class Dormant:
    """Such events in the order they came: of those with one model, each takes a tenth of an Event.

    Serves "tail-…-memory": callers that nothing is known against have a hundred each.
    """

    __slots__ = ("_kept", "_keys", "_models")

    def __init__(self, kept: int) -> None:
        """`kept`: of how many, at the least, the newest are kept; twice as many before the others are let go."""
        self._kept = kept
        self._keys: list[int] = []
        self._models: list[Event] = []

    def __len__(self) -> int:
        return len(self._keys)

    def append(self, key: int, model: Event) -> None:
        """One more, like its model but for the key."""
        self._keys.append(key)
        self._models.append(model)
        if len(self._keys) >= 2 * self._kept:
            self._let_go()

    def extend(self, more: Iterable[Event]) -> None:
        """More of them."""
        keys, models, lately = self._keys, self._models, dict[int, Event]()
        last = models[-1] if models else None
        for event in more:
            model = model_of(event, last)
            if model is event:  # another caller's than the last: those of one session come from many addresses
                lately = lately or {id(model.caller): model for model in models[-LATELY:]}
                model = lately[id(event.caller)] = model_of(event, lately.get(id(event.caller)))
            last = model
            keys.append(event.key)
            models.append(model)
        if len(keys) >= 2 * self._kept:
            self._let_go()

    def _let_go(self) -> None:
        if self._keys == sorted(self._keys):  # as most come
            del self._keys[: -self._kept], self._models[: -self._kept]
            return
        newest = sorted(zip(self._keys, self._models, strict=True), key=_KEY)[-self._kept :]
        self._keys[:] = [key for key, _ in newest]
        self._models[:] = [model for _, model in newest]

    def take(self, most: int | None = None) -> list[Event]:
        """All of them, or the oldest so many, oldest first; these wait no more."""
        waiting = sorted(zip(self._keys, self._models, strict=True), key=_KEY)
        taken, left = waiting[:most], waiting[len(waiting) if most is None else most :]
        self._keys[:] = [key for key, _ in left]
        self._models[:] = [model for _, model in left]
        return [model if model.key == key else msgspec.structs.replace(model, key=key) for key, model in taken]

    def join(self, other: Dormant) -> None:
        """Take over those of another."""
        self._keys += other._keys
        self._models += other._models

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the events by the right names of their secrets."""
        renamed = {id(model): renamed_event(model, right) for model in self._models if names_any(model, right)}
        if renamed:
            self._models[:] = [renamed.get(id(model), model) for model in self._models]
