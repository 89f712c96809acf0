"""What the monitor hands on, and how a store takes it in."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from smwatch.events.event import Arrival
from smwatch.events.secret import Secret
from smwatch.monitor.watched import Watched
from smwatch.rules.alarm import Alarm, Decided
from smwatch.sources.source import Status
from smwatch.store.change import Change

if TYPE_CHECKING:
    from smwatch.monitor.successor import Successor
    from smwatch.store.judging import Judging


class Delivery(msgspec.Struct, frozen=True):
    """What the monitor hands on: events that are new to this process, health, secrets that turned out to be one."""

    arrivals: tuple[tuple[int, Arrival], ...] = ()
    """(journal seq, or keeper.NOT_KEPT, arrival). What was not kept comes again, with its seq, as soon as it is."""
    statuses: tuple[Status, ...] = ()
    renamed: tuple[tuple[Secret, Secret], ...] = ()
    watched: tuple[Watched, ...] = ()
    decided: Decided | None = None
    """By people at another process that watches with the same journal."""
    anew: Successor | None = None
    """All that was handed on before, judged beside the store, or again: see `Past.refill` and `Past.judge_anew`."""
    upto: int | None = None
    """With this delivery, all that the journal holds up to this seq has been handed on; None says nothing."""
    more: bool = False
    """Another delivery follows at once: alarms are worked out with the last one, for all of them."""

    def into(self, store: Judging) -> tuple[Change, dict[str, Alarm]]:
        """Have a store take all of it in; what its events changed, and the alarms that all of it changed, by group."""
        alarms = dict(store.fold(self.renamed).alarms) if self.renamed else {}
        if self.anew is not None:
            alarms |= self.anew.into(store).alarms
        arrivals = [arrival for _, arrival in self.arrivals]
        change = store.add(arrivals, more=True) if arrivals else Change()
        for watched in self.watched:
            alarms |= store.watched(watched.source, watched.spans, more=True).alarms
        if self.decided is not None:
            alarms |= store.adopt(self.decided, more=True).alarms
        for status in self.statuses:
            alarms |= store.report(status, more=True).alarms
        if store.unsettled and not self.more:
            alarms |= store.settle().alarms
        return change, alarms
