"""Alarms as they stand: worked out again where something has changed, at once or bit by bit."""

from __future__ import annotations

from collections.abc import Iterable, Set
from itertools import islice
from operator import attrgetter
from typing import NamedTuple

import msgspec

from smwatch.rules.alarm import Alarm, AlarmState, Severity, taken_back
from smwatch.rules.case import Case
from smwatch.rules.world import World

ALARMS = 10_000
"""Alarms held; beyond them a tenth is let go: closed ones, then the least bad, of these the oldest.

So whoever raises any number of small alarms can't push out a bad one. Whoever keeps alarms still has them all.
"""
EXPLAINED = "events that came later explain it"
LOOKED_AT = 1_000
"""Sights looked at in one go where alarms are worked out bit by bit: some 3 ms."""
WOKEN = 1_000
"""Cases woken in one go, where alarms are worked out bit by bit, because time has passed: about a millisecond."""
MUTED = 250
"""Alarms told in one go, where alarms are worked out bit by bit, that are muted from now on or no longer: some 2 ms."""
TAKEN = 10
"""Events that waited and are taken in one go, of one case: about a millisecond."""
GONE = 50
"""Alarms let go in one go, where alarms are worked out bit by bit: whoever has them in an order needs some 2 ms."""

_LAST_AT, _CHANGED_AT = attrgetter("last_at"), attrgetter("changed_at", "group")


class Compared(NamedTuple):
    """Which alarms of two engines, by group, may be others here than there."""

    differed: Set[str]
    """When they were compared."""
    here: Set[str]
    """Those that have changed since, and do."""
    there: Set[str]
    changed: tuple[Alarm, ...] = ()
    """The alarms here that are other than there, as of when they were compared."""

    @property
    def doubtful(self) -> Set[str]:
        """All of them, as of now."""
        return {*self.differed, *self.here, *self.there}


class Standing:
    """The alarms of all cases, brought up to date with those that have changed."""

    def __init__(self, world: World) -> None:
        self.alarms: dict[str, Alarm] = {}
        """By group, whatever their state."""
        self._world = world
        self.alarmed: set[str] = set()
        """The rules that have, or had, an alarm."""
        self.outdated: set[str] = set()
        """Groups that have turned out to be others: an alarm is taken back when its case is worked out. What comes of
        such a group before does not go on from it."""
        self._noted: list[set[str]] = []
        """Groups whose alarms have changed, are new or gone, since somebody compared them."""
        self._remuted: dict[str, bool] = {}
        """The alarms, by group, that a mute has begun or ended for; True: that is told though they are as before."""
        self._going: list[Alarm] = []
        """Those that are to be let go, the last one first, unless they change before that."""
        self.let_go: dict[str, None] = {}
        """The groups of so many that were let go last: they are alarms all the same."""

    def put(self, alarm: Alarm) -> None:
        """Have an alarm stand as it is here."""
        self.alarms[alarm.group] = alarm
        self.alarmed.add(alarm.rule)
        if self.let_go:
            self.let_go.pop(alarm.group, None)
        if self._noted:
            self._note(alarm.group)

    def compared(self, other: Standing) -> Compared:
        """Which alarms are others there, where alarms may go on changing meanwhile, in a thread of its own."""
        here, there = set[str](), set[str]()
        self._noted.append(here)
        other._noted.append(there)
        mine, theirs = self.alarms.copy(), other.alarms.copy()
        differed = {group for group in mine.keys() | theirs.keys() if mine.get(group) != theirs.get(group)}
        return Compared(differed, here, there)

    def note_no_more(self, noted: Set[str]) -> None:
        """Nobody goes by these groups any more, which `compared` gave."""
        self._noted = [each for each in self._noted if each is not noted]

    def _note(self, group: str) -> None:
        for noted in self._noted:
            noted.add(group)

    @property
    def unsettled(self) -> bool:
        """Whether there are alarms still to be worked out."""
        return bool(self._world.dirty or self._world.roused or self._world.due or self._remuted or self._going)

    def settle(self, most: int | None = None) -> tuple[Alarm, ...]:
        """Work out all alarms that may have changed, or so many of them and not much at once; those that did change.

        They are in the order in which they changed. One with count 0 is no alarm any more. One that differs in its
        group's newest event alone stands as it is now, and is not news until something else changes.
        """
        dirty, roused, changed = self._world.dirty, self._world.roused, dict[str, Alarm]()
        few = most is not None
        for census in self._world.censuses.values():
            census.tell()
        self._world.wake_due(WOKEN if few else None)
        looked_at = 0
        while (roused or dirty) and most != 0:
            case = None if roused else dirty.popitem(last=False)[0]
            if case is not None and case.gone:
                continue  # and is none of the few: it is woken or not as the collector has come by
            most = most - 1 if most is not None else None
            if case is None:
                waiter, _ = roused.popitem()
                if waiter.look_again(TAKEN if few else None):
                    roused[waiter] = None
                continue
            if few:
                while case.unready and looked_at < LOOKED_AT:
                    looked_at += case.go_on()
                if looked_at >= LOOKED_AT:
                    dirty[case] = None
                    break
                looked_at += case.weight
            if (alarm := self._worked_out(case)) is not None:
                changed[alarm.group] = alarm
            if few and looked_at >= LOOKED_AT:
                break
        changed |= {alarm.group: alarm for alarm in self.tell_remuted(few=few) if alarm.group not in changed}
        if not self._going and len(self.alarms) > ALARMS:
            self._going = self._least()
        if self._going:
            self._let_go(GONE if few else None)
        return tuple(sorted(changed.values(), key=_CHANGED_AT))

    def settle_one(self, case: Case) -> tuple[Alarm, ...]:
        """Work out the alarm of this case now, whatever else is left to be worked out; it, if it changed."""
        self._world.dirty.pop(case, None)
        alarm = self._worked_out(case)
        return (alarm,) if alarm is not None else ()

    def remute(self, groups: Iterable[str], *, ended: bool = False) -> None:
        """A mute has begun, or changed, for these; or its time has `ended`. `settle` tells of it."""
        for group in groups:
            self._remuted[group] = ended or self._remuted.get(group, False)

    def tell_remuted(self, *, few: bool) -> list[Alarm]:
        """Have alarms that `remute` was called for be as muted as they are; those of which that is news."""
        told = []
        for group in tuple(islice(self._remuted, MUTED if few else None)):
            ended, alarm = self._remuted.pop(group), self.alarms.get(group)
            if alarm is None:
                continue
            until = self._world.muted_until(alarm.rule, alarm.secret, alarm.identity, alarm.session)
            if until != alarm.muted_until:
                alarm = msgspec.structs.replace(alarm, muted_until=until)
                self.put(alarm)
            elif not ended:
                continue
            told.append(alarm)
        return told

    def _worked_out(self, case: Case) -> Alarm | None:
        """Have the alarm of a case stand as it is now; it, if it changed."""
        alarm = case.alarm()
        # Most cases have no alarm, and need not tell their group then: asked of each, without calls.
        group = alarm.group if alarm is not None else case.group if case.rule.id in self.alarmed else ""
        known, others = self.alarms.get(group), group in self.outdated
        if others:
            self.outdated.remove(group)
        if alarm is None:
            if case.gone is None:
                case.gone = True
                known = known if others else None  # else there is another case of the group, and that one's alarm
            if known is None:
                self.let_go.pop(group, None)
                return None
            self._note(group)
            return taken_back(self.alarms.pop(group), EXPLAINED)
        if others:
            known = None
        if alarm == known:
            return None
        self.put(alarm)
        # The newest event of a group of values need not be evidence of any: every new session of a program has another.
        old = known is not None and case.rule.distinct is not None and alarm.amounts_to(known)
        return None if old else alarm

    def _least(self) -> list[Alarm]:
        """A tenth of the alarms: those that are to be let go first come last."""
        # Each is only put with its like, and few are put in order: serves "longest stall of the event loop".
        alike: dict[tuple[bool, Severity], list[Alarm]] = {
            (open_, severity): [] for open_ in (False, True) for severity in Severity
        }
        for alarm in self.alarms.values():
            alike[alarm.state is not AlarmState.CLOSED, alarm.severity].append(alarm)
        least, left = list[Alarm](), len(self.alarms) - ALARMS * 9 // 10
        for alarms in alike.values():
            if len(alarms) > left:
                alarms.sort(key=_LAST_AT)
            least += alarms[:left]
            left -= min(left, len(alarms))
        return least[::-1]

    def _let_go(self, most: int | None) -> None:
        """Let go of so many of those that are to be; None: all. What has changed since they were chosen stays."""
        going, alarms = self._going, self.alarms
        for _ in range(len(going) if most is None else min(most, len(going))):
            alarm = going.pop()
            if alarms.get(alarm.group) is alarm:
                del alarms[alarm.group]
                self._note(alarm.group)
                self.let_go[alarm.group] = None
        for group in tuple(islice(self.let_go, max(0, len(self.let_go) - ALARMS))):
            del self.let_go[group]
