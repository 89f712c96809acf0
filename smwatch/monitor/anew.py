"""All events judged again beside a store, which shows what it has until the result takes its place in one go."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, TypeVar

from smwatch.dossier import PrincipalDossier, SecretDossier
from smwatch.events.event import Arrival, Event
from smwatch.events.secret import Secret
from smwatch.monitor.successor import Successor
from smwatch.store.judging import Corrected, Judging

if TYPE_CHECKING:
    from smwatch.rules.alarm import Alarm
    from smwatch.rules.engine import Engine
    from smwatch.store.change import Change

N = TypeVar("N")
D = TypeVar("D", SecretDossier, PrincipalDossier)
FEW = 1_000
"""Events that are remembered while others are judged: records of one call come one after the other."""


class Anew(Successor):
    """Events judged again by a fresh engine, in whatever thread, as long as no events are added to the store.

    What looked like two secrets may be one: the store sets that right by itself (`Judging.fold`). What looked like one
    may be two as well, and nothing that was counted of both can be told apart any more. So all is counted again.
    """

    def __init__(self, store: Judging, engine: Engine, fresh: Engine) -> None:
        """`fresh` is to take the place of `engine`, by which the store judges."""
        super().__init__(engine, type(store)(capacity=FEW, engine=fresh))
        self.since: datetime | None = engine.known_since
        """From when on events are to be judged again."""
        self._store = store
        fresh.restore(
            (alarm for alarm in tuple(engine.alarms.values()) if not fresh.judges(alarm, self.since)),
            engine.mutes,
            self.since,
        )
        self._corrected: list[Event] = []
        self._wrong: set[Secret] = set()
        self._right: set[Secret] = set()
        self._secrets, self._principals = store.dossiers.secrets, store.dossiers.principals

    def take(self, arrivals: Sequence[Arrival]) -> None:
        """Judge these, and note which of them are about other secrets than the store says."""
        super().take(arrivals)
        for arrival in arrivals:
            event, known = arrival.event, self._store.find(arrival.event.key)
            if known is None or known.odd_id != event.odd_id:
                continue
            if (known.secret, known.others) != (event.secret, event.others):
                self._corrected.append(event)
                self._wrong.update(each for each in (known.secret, *known.others) if each is not None)
                self._right.update(each for each in (event.secret, *event.others) if each is not None)

    def compare(self) -> None:
        """To be called when all have been taken: does what takes long, so that little is left to the store's thread."""
        self._secrets = _better(self._store.dossiers.secrets, self._fresh.secrets, self._wrong)
        self._principals = _better(self._store.dossiers.principals, self._fresh.principals)
        super().compare()

    def _taken_over(self, store: Judging, alarms: Sequence[Alarm]) -> Change:
        corrected = Corrected(self._corrected, self._right, self._secrets, self._principals)
        return store.take_over(self.engine, alarms, corrected)


def _better(known: dict[N, D], fresh: Mapping[N, D], wrong: Collection[N] = ()) -> dict[N, D]:
    """The fresh dossiers, except where a known one goes further back and is not wrong."""
    return {name: dossier for name, dossier in known.items() if name not in wrong} | {
        name: dossier
        for name, dossier in fresh.items()
        if name not in known or name in wrong or dossier.first_key <= known[name].first_key
    }
