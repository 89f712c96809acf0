"""Events that may yet become evidence, kept small: there are many, and most are never looked at again."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from operator import itemgetter

import msgspec

from smwatch.events.event import ACCOUNT_BITS, ID_BITS, Event
from smwatch.events.renaming import names_any, renamed_event
from smwatch.events.secret import Secret

LATELY = 64
"""Models that are looked through for one that is like an event, where the last one is not."""

_KEY = itemgetter(0)
_KEY_BYTES = 8 + (ID_BITS + ACCOUNT_BITS) // 8


class Dormant:
    """Such events in the order they came: of those with one model, each takes a tenth of an Event.

    A model stands for all events that differ from it in nothing but their keys and when they were seen, which is
    nothing that rules ask. Texts that are equal but not the same count as different.

    Serves "tail-…-memory" and "memory-flat": callers that nothing is known against have a hundred each.
    """

    __slots__ = ("_kept", "_keys", "_models")

    def __init__(self, kept: int) -> None:
        """`kept`: of how many, at the least, the newest are kept; twice as many before the others are let go."""
        self._kept = kept
        self._keys = bytearray()
        """All in a row, as big-endian bytes, which sort as the numbers do and take half as much."""
        self._models: list[Event] = []

    def __len__(self) -> int:
        return len(self._models)

    def append(self, event: Event) -> None:
        """One more."""
        self._keys += event.key.to_bytes(_KEY_BYTES)
        models = self._models
        last = models[-1] if models else event
        # The comparison is spelled out, here and in `extend`: a call for each event takes as long as all else, and one
        # of all fields by attrgetter three times as long. Serves the rows "rules" and "rules-varied".
        alike = (
            last.call is event.call
            and last.caller is event.caller
            and last.seen_by is event.seen_by
            and last.odd_id is event.odd_id
        )
        models.append(last if alike else event)
        if len(models) >= 2 * self._kept:
            self._let_go()

    def extend(self, more: Iterable[Event]) -> None:
        """More of them."""
        keys, models, lately = self._keys, self._models, dict[int, Event]()
        last = models[-1] if models else None
        for event in more:
            if (
                last is None
                or last.call is not event.call
                or last.caller is not event.caller
                or last.seen_by is not event.seen_by
                or last.odd_id is not event.odd_id
            ):
                # Another caller's than the last: those of one session come from many addresses.
                lately = lately or {id(model.caller): model for model in models[-LATELY:]}
                last = lately.get(id(event.caller))
                if (
                    last is None
                    or last.call is not event.call
                    or last.seen_by is not event.seen_by
                    or last.odd_id is not event.odd_id
                ):
                    last = lately[id(event.caller)] = event
            keys += event.key.to_bytes(_KEY_BYTES)
            models.append(last)
        if len(models) >= 2 * self._kept:
            self._let_go()

    def _let_go(self) -> None:
        keys = self._each_key()
        if keys == sorted(keys):  # as most come
            del self._keys[: -self._kept * _KEY_BYTES], self._models[: -self._kept]
        else:
            self._keep(sorted(self._waiting(), key=_KEY)[-self._kept :])

    def _each_key(self) -> list[bytes]:
        keys = bytes(self._keys)
        return [keys[at : at + _KEY_BYTES] for at in range(0, len(keys), _KEY_BYTES)]

    def _waiting(self) -> list[tuple[bytes, Event]]:
        return list(zip(self._each_key(), self._models, strict=True))

    def _keep(self, waiting: Sequence[tuple[bytes, Event]]) -> None:
        self._keys[:] = b"".join([key for key, _ in waiting])
        self._models[:] = [model for _, model in waiting]

    def take(self, most: int | None = None) -> list[Event]:
        """All of them, or the oldest so many, oldest first; these wait no more."""
        waiting = sorted(self._waiting(), key=_KEY)
        taken, left = waiting[:most], waiting[len(waiting) if most is None else most :]
        self._keep(left)
        events = [(int.from_bytes(key), model) for key, model in taken]
        return [model if model.key == key else msgspec.structs.replace(model, key=key) for key, model in events]

    def join(self, other: Dormant) -> None:
        """Take over those of another."""
        self._keys += other._keys
        self._models += other._models

    def rename(self, right: Mapping[Secret, Secret]) -> None:
        """Know the events by the right names of their secrets."""
        renamed = {id(model): renamed_event(model, right) for model in self._models if names_any(model, right)}
        if renamed:
            self._models[:] = [renamed.get(id(model), model) for model in self._models]
