"""Alarms as they stand: worked out again where something has changed, at once or bit by bit."""

from __future__ import annotations

from collections.abc import Callable
from operator import attrgetter

from smwatch.rules.alarm import Alarm, AlarmState, Severity, taken_back
from smwatch.rules.case import Case
from smwatch.rules.envelope import Rule
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
TAKEN = 10
"""Events that waited and are taken in one go, of one case: about a millisecond."""

_LAST_AT = attrgetter("last_at")


class Standing:
    """The alarms of all cases, brought up to date with those that have changed."""

    def __init__(self, world: World) -> None:
        self.alarms: dict[str, Alarm] = {}
        """By group, whatever their state."""
        self._world = world
        self._alarmed: set[str] = set()
        """The rules that have, or had, an alarm."""

    def put(self, alarm: Alarm) -> None:
        """Have an alarm stand as it is here."""
        self.alarms[alarm.group] = alarm
        self._alarmed.add(alarm.rule)

    def kept(self, rule: Rule, group: Callable[[], str]) -> Alarm | None:
        """The alarm that a case of a rule goes on from; most have none, and need not tell their group then."""
        return self.alarms.get(group()) if rule.id in self._alarmed else None

    @property
    def unsettled(self) -> bool:
        """Whether there are alarms still to be worked out."""
        return bool(self._world.dirty or self._world.roused or self._world.due)

    def settle(self, most: int | None = None) -> tuple[Alarm, ...]:
        """Work out all alarms that may have changed, or so many of them and not much at once; those that did change.

        They are in the order in which they changed. One with count 0 is no alarm any more.
        """
        dirty, roused, changed = self._world.dirty, self._world.roused, list[Alarm]()
        for census in self._world.censuses.values():
            census.tell()
        self._world.wake_due(WOKEN if most is not None else None)
        looked_at = 0
        while (roused or dirty) and most != 0:
            most = most - 1 if most is not None else None
            if roused:
                waiter, _ = roused.popitem()
                if waiter.look_again(TAKEN if most is not None else None):
                    roused[waiter] = None
                continue
            case = dirty.pop()
            assert isinstance(case, Case)
            if most is not None:
                while case.unready and looked_at < LOOKED_AT:
                    looked_at += case.go_on()
                if looked_at >= LOOKED_AT:
                    dirty.add(case)
                    break
            known, alarm = self.alarms.get(case.group), case.alarm()
            if alarm is None:
                if known is not None:
                    del self.alarms[case.group]
                    changed.append(taken_back(known, EXPLAINED))
            elif alarm != known:
                self.put(alarm)
                changed.append(alarm)
        if len(self.alarms) > ALARMS:
            self._let_go()
        return tuple(sorted(changed, key=lambda alarm: (alarm.changed_at, alarm.group)))

    def _let_go(self) -> None:
        # Each is only put with its like, and few are put in order: serves "longest stall of the event loop".
        alike: dict[tuple[bool, Severity], list[Alarm]] = {
            (open_, severity): [] for open_ in (False, True) for severity in Severity
        }
        for alarm in self.alarms.values():
            alike[alarm.state is not AlarmState.CLOSED, alarm.severity].append(alarm)
        left = len(self.alarms) - ALARMS * 9 // 10
        for alarms in alike.values():
            if len(alarms) > left:
                alarms.sort(key=_LAST_AT)
            for alarm in alarms[:left]:
                del self.alarms[alarm.group]
            left -= min(left, len(alarms))
